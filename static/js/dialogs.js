// The one dialog. A link with hx-get and hx-target="#dialog-body" fills it; it opens when the answer is in.
// An answer closes it with HX-Trigger {"dialog:close": {}}; other events in the same header reach the page as usual.

const dialog = document.getElementById("dialog");
const body = document.getElementById("dialog-body");

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (ctx.target !== body || !body.childElementCount) return;
  if (!dialog.open) {
    dialog.setAttribute("aria-labelledby", "dialog-title");
    dialog.showModal();
  }
  focusInside(dialog);
});

// What is wrong comes first; else, where reading comes before filling in, the title; else the first thing to fill in; else the title, so that the text below it is read.
function focusInside(root) {
  const place = root.querySelector("[data-form-errors]")
    ?? (root.querySelector("[data-read-first]") && root.querySelector("#dialog-title"))
    ?? root.querySelector(".dialog-content :is(input:not([type=hidden]), select, textarea):not([disabled])")
    ?? root.querySelector("#dialog-title");
  place?.focus();
}

// A dialog the address asks for (see base.html) opens once: a reload shows the page alone.
const here = new URL(location.href);
if (here.searchParams.has("dialog")) {
  here.searchParams.delete("dialog");
  history.replaceState(history.state, "", here);
}

document.addEventListener("dialog:close", () => dialog.close());
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-dialog-close]")) target.closest("dialog").close();
});

// Emptied only now: while the events of one answer are being dispatched the form must stay in the document.
dialog.addEventListener("close", () => body.replaceChildren());

// A refused form on a whole page: take the reader to what is wrong.
document.querySelector("main [data-form-errors]")?.focus();

// Checkboxes of which exactly one is ticked. Without this script the answer says to tick one.
document.addEventListener("change", ({ target }) => {
  const group = target.closest("[data-one-of]");
  if (!group || target.type !== "checkbox") return;
  for (const box of group.querySelectorAll("input[type=checkbox]")) box.checked = box === target;
});
