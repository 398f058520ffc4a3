// Counts <time data-countdown> down to the second. Without it the words of the server stay: "in 2 minutes".

const two = (number) => String(number).padStart(2, "0");

function words(seconds) {
  if (seconds <= 0) return "now";
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = two(Math.floor(seconds % 60));
  return hours ? `in ${hours}:${two(minutes)}:${rest}` : `in ${minutes}:${rest}`;
}

function render() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-countdown]")) {
    const text = words((new Date(element.dateTime) - now) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}

document.addEventListener("htmx:after:swap", render);
setInterval(render, 1000);
render();
