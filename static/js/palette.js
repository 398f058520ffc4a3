// Keys for the whole page, and the palette behind Ctrl/Cmd-K. Its results are fetched by htmx into #palette-results.

const palette = document.getElementById("palette");
const input = document.getElementById("palette-input");
const results = document.getElementById("palette-results");
const keys = document.getElementById("keys");
const keySwitch = keys.querySelector("[data-keys-switch]");
keySwitch.checked = !document.cookie.split("; ").includes("keys=off");
keySwitch.addEventListener("change", () => {
  document.dispatchEvent(new CustomEvent("app:remember", { detail: ["keys", keySwitch.checked ? "on" : "off"] }));
});

const typing = (element) => element.matches?.("input, textarea, select, [contenteditable]");
const options = () => [...results.querySelectorAll("[role=option][data-href]")];
const chosen = () => options().find((option) => option.getAttribute("aria-selected") === "true");

function openPalette() {
  if (!palette || palette.open) return;
  input.value = "";
  palette.showModal();
  input.dispatchEvent(new CustomEvent("palette:open"));
}

function choose(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  if (!option) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

// Only paths of this site: what comes back is data.
function go(option) {
  const target = new URL(option.dataset.href, location.href);
  if (target.origin === location.origin) location.assign(target);
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
  } else if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keySwitch.checked) {
    return;
  } else if (event.key === "/" && document.querySelector("[data-filter-input]")) {
    event.preventDefault();
    document.querySelector("[data-filter-input]").focus();
  } else if (event.key === "?" && !document.querySelector("dialog[open]")) {
    keys.showModal();
  }
});

for (const button of document.querySelectorAll("[data-palette-open]")) {
  button.hidden = false;
  button.addEventListener("click", openPalette);
}
for (const button of document.querySelectorAll("[data-keys-open]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.closest("[popover]")?.hidePopover();
    keys.showModal();
  });
}

if (palette) {
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.target === results) choose(options()[0]);
  });
  input.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown") choose(all[Math.min(at + 1, all.length - 1)]);
    else if (event.key === "ArrowUp") choose(all[Math.max(at - 1, 0)]);
    else if (event.key === "Enter" && chosen()) go(chosen());
    else return;
    event.preventDefault();
  });
  results.addEventListener("click", ({ target }) => {
    const option = target.closest("[data-href]");
    if (option) go(option);
  });
  palette.addEventListener("click", ({ target }) => { if (target === palette) palette.close(); });
}
