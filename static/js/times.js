// Keeps <time data-when> fresh, and shows all of them as relative, UTC, site or own time.
// The sentences are those of vaultadmin/templatetags/_times.py; change both together.

const STEPS = [[86400, "day"], [3600, "hour"], [60, "minute"]];
const LONGEST = 30 * 86400;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function relative(moment, now) {
  const seconds = (now - moment) / 1000;
  const distance = Math.abs(seconds);
  if (distance < 45) return "just now";
  if (distance >= LONGEST) return `${moment.getUTCDate()} ${MONTHS[moment.getUTCMonth()]} ${moment.getUTCFullYear()}`;
  const [size, word] = STEPS.find(([limit]) => distance >= limit) ?? STEPS.at(-1);
  const count = Math.max(1, Math.floor(distance / size));
  const phrase = `${count} ${word}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `${phrase} ago` : `in ${phrase}`;
}

function lasting(moment, now) {
  const words = relative(moment, now);
  if (words.endsWith(" ago")) return `for ${words.slice(0, -4)}`;
  return words === "just now" ? "for less than a minute" : `since ${words}`;
}

const zoned = (zone) => new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
let mode = document.cookie.split("; ").find((part) => part.startsWith("times="))?.slice(6) ?? "relative";

function render() {
  const bar = document.querySelector("[data-time-switch]");
  const shown = bar?.querySelector(`[data-time="${CSS.escape(mode)}"]`) ? mode : "relative";
  const zone = { utc: "UTC", site: bar?.dataset.siteZone, mine: undefined }[shown];
  const now = new Date();
  for (const element of document.querySelectorAll("time[data-when]")) {
    const moment = new Date(element.dateTime);
    const lasts = element.dataset.when === "lasting";
    const exact = () => (lasts ? "since " : "") + zoned(zone).format(moment) + (zone === "UTC" ? " UTC" : "");
    const text = shown === "relative" ? (lasts ? lasting : relative)(moment, now) : exact();
    if (element.textContent !== text) element.textContent = text;
  }
  if (!bar) return;
  bar.hidden = false;
  for (const button of bar.querySelectorAll("[data-time]")) {
    button.setAttribute("aria-pressed", String(button.dataset.time === shown));
  }
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-time-switch] [data-time]");
  if (!button) return;
  mode = button.dataset.time;
  document.dispatchEvent(new CustomEvent("app:remember", { detail: ["times", mode] }));
  render();
});
document.addEventListener("htmx:after:swap", render);
setInterval(render, 30000);
render();
