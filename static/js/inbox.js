// Keys of the inbox: j and k go through the tasks, a and r open the dialog with that verdict chosen.
// Single keys, so they work in this list only and are switched off where all of them are (the key help).

const keySwitch = document.querySelector("#keys [data-keys-switch]");
const inbox = () => document.querySelector("[data-inbox]");
const rows = () => [...(inbox()?.querySelectorAll("[data-task]") ?? [])];
const typing = (element) => element.matches?.("input, textarea, select, [contenteditable]");
const VERDICTS = { a: "approve", r: "reject" };
let current = -1;

function here() {
  const focused = rows().findIndex((row) => row.contains(document.activeElement));
  return focused >= 0 ? focused : Math.min(current, rows().length - 1);
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  current = Math.max(0, Math.min(here() + step, all.length - 1));
  all[current].querySelector("[data-task-link]").focus();
}

// The row's own link asks for the dialog, so that focus comes back to it when the dialog closes.
function open(verdict) {
  const row = rows()[Math.max(0, here())];
  if (!row) return;
  row.querySelector("[data-task-link]").focus();
  htmx.ajax("GET", `${row.dataset.task}?verdict=${verdict}`, { target: "#dialog-body" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keySwitch.checked) return;
  if (!inbox() || document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
  else if (event.key in VERDICTS) open(VERDICTS[event.key]);
  else return;
  event.preventDefault();
});

function hint() {
  for (const text of document.querySelectorAll("[data-key-hint]")) text.hidden = !keySwitch.checked;
}
keySwitch.addEventListener("change", hint);
document.addEventListener("htmx:after:swap", hint);
hint();
