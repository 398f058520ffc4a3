// Menus are popovers: the browser opens, closes and returns the focus. This adds arrow keys and a place beside the button.

const items = (menu) => [...menu.querySelectorAll("[role^=menuitem]")];
const buttonOf = (menu) => document.querySelector(`[popovertarget="${menu.id}"]`);

// Browsers with anchor positioning place the menu by the style sheet alone.
function place(menu) {
  if (CSS.supports("position-area", "bottom")) return;
  const button = buttonOf(menu).getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = "anchorStart" in menu.dataset ? button.left : button.right - width;
  const below = button.bottom + height < innerHeight || button.top < height;
  menu.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  menu.style.top = `${below ? button.bottom : button.top - height}px`;
}

document.addEventListener("toggle", ({ target, newState }) => {
  if (!target.matches?.(".menu")) return;
  buttonOf(target)?.setAttribute("aria-expanded", String(newState === "open"));
  if (newState !== "open") return;
  place(target);
  (target.querySelector("[data-switcher-filter]") ?? items(target)[0])?.focus();
}, true);

const MOVES = {
  ArrowDown: (at, count) => (at + 1) % count,
  ArrowUp: (at, count) => (at - 1 + count) % count,
  Home: () => 0,
  End: (at, count) => count - 1,
};

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[role=menu]");
  if (!menu) return;
  if (event.key === "Tab") menu.hidePopover();
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  if (event.key in MOVES) all[MOVES[event.key](at, all.length)].focus();
  else if (event.key === " " && at >= 0) all[at].click();
  else if (event.key.length === 1) all.find((item) => item.textContent.trim().toLowerCase().startsWith(event.key))?.focus();
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const item = event.target.closest("[role^=menuitem]");
  if (!item) return;
  if (item.getAttribute("aria-disabled") === "true") event.preventDefault();
  else item.closest("[popover]")?.hidePopover();
});

// The vault switcher's filter.
document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-switcher-filter]")) return;
  const wanted = target.value.trim().toLowerCase();
  for (const row of target.closest("[data-switcher]").querySelectorAll("li")) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }
});
