// Buttons for what is ticked in a list (templates/components/ticked_button.html): disabled while nothing is.

const isTicked = () => document.querySelector('input[form="ticked"]:checked') !== null;

function show() {
  for (const button of document.querySelectorAll("[data-needs-tick]")) {
    if (isTicked()) {
      button.removeAttribute("aria-disabled");
      button.removeAttribute("aria-describedby");
    } else {
      button.setAttribute("aria-disabled", "true");
      button.setAttribute("aria-describedby", "ticked-reason");
    }
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.('[data-needs-tick][aria-disabled="true"]')) event.preventDefault();
}, true);
document.addEventListener("change", show);
document.addEventListener("htmx:after:swap", show);
window.addEventListener("pageshow", show);
show();
