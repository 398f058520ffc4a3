// What every page needs: messages, the live region, busy signs, one submit per form, copy buttons, the theme.
// Nothing here is required: without JavaScript every link and form does the same on its own page.
// The other files of this folder talk to this one by the DOM events "app:announce" (a string),
// "app:remember" ([name, value], kept in a cookie) and "toast" ({text, level, link, url}).

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const QUIET_LEVELS = ["success", "info"];
const TOAST_MILLISECONDS = 8000;
const BUSY_AFTER_MILLISECONDS = 300;

// Choices of the look live in cookies the server can read; nothing of a page is kept in browser storage.
function remember(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${secure}`;
}
document.addEventListener("app:remember", (event) => remember(...event.detail));

// --- The one polite live region. Emptied first, so that the same sentence is spoken twice.
let announcing;
function announce(text) {
  clearTimeout(announcing);
  $("#live").textContent = "";
  announcing = setTimeout(() => { $("#live").textContent = text; }, 120);
}
document.addEventListener("app:announce", (event) => announce(event.detail));

// --- Toasts: those of the page, and those an answer brings as HX-Trigger {"toast": {"text": …, "level": …}}.
function toast({ text, value, level = "info", link, url }) {
  const card = $("#toast-template").content.firstElementChild.cloneNode(true);
  card.className = `toast-card toast-${level}`;
  for (const icon of $$("[data-toast-icon]", card)) icon.hidden = icon.dataset.toastIcon !== level;
  $("p", card).textContent = text ?? value;
  if (url) $("p", card).append(" ", Object.assign(document.createElement("a"), { href: url, textContent: link }));
  $("#toasts").append(card);
  expire(card, level);
  announce(text ?? value);
}

// Good news leaves by itself, unless somebody is reading it; bad news stays until it is dismissed.
function expire(card, level) {
  if (!QUIET_LEVELS.includes(level)) return;
  const leave = () => (card.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : card.remove());
  setTimeout(leave, TOAST_MILLISECONDS);
}

document.addEventListener("toast", (event) => toast(event.detail));
const first = $$("#toasts [data-toast]");
for (const card of first) expire(card, QUIET_LEVELS.find((level) => card.classList.contains(`toast-${level}`)));
if (first.length) announce(first.map((card) => $("p", card).textContent).join(" "));

// --- Busy: a line on top after 300 ms, aria-busy on what will be replaced. Polls stay silent.
const isPoll = (ctx) => ctx.sourceEvent?.type === "every";
let waiting = 0;
let busyTimer;
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (isPoll(ctx)) return;
  ctx.target?.setAttribute?.("aria-busy", "true");
  waiting += 1;
  clearTimeout(busyTimer);
  busyTimer = setTimeout(() => $("#busy").classList.add("is-busy"), BUSY_AFTER_MILLISECONDS);
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  release(ctx.sourceElement);
  if (isPoll(ctx)) return;
  ctx.target?.removeAttribute?.("aria-busy");
  waiting = Math.max(0, waiting - 1);
  if (waiting) return;
  clearTimeout(busyTimer);
  $("#busy").classList.remove("is-busy");
});

// --- Polls say which answer is shown already: where nothing changed the server answers 304 and nothing is swapped.
const shown = new WeakMap();
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (isPoll(ctx) && shown.has(ctx.sourceElement)) ctx.request.headers["If-None-Match"] = shown.get(ctx.sourceElement);
});
document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  const tag = isPoll(ctx) && ctx.response?.headers.get("ETag");
  if (tag) shown.set(ctx.sourceElement, tag);
});

// --- Failures. htmx 4 swaps 4xx and 5xx answers: right for a form (422, 409), wrong for a whole error page.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.response.status < 400 || !/^\s*<!doctype/i.test(ctx.text)) return;
  event.preventDefault();
  if (isPoll(ctx)) return;
  const page = new DOMParser().parseFromString(ctx.text, "text/html");
  toast({ text: $("[data-error-sentence]", page)?.textContent ?? page.title, level: "error" });
});
let unreachable = false;
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (!ctx || ctx.response || unreachable) return;
  unreachable = true;
  toast({ text: "The server cannot be reached. What you typed is still here; please try again.", level: "error" });
});
document.addEventListener("htmx:after:request", () => { unreachable = false; });

// --- Sentences that change by a poll are spoken once, and only when they changed: <p id=… data-announce>.
const spoken = new Map($$("[data-announce][id]").map((element) => [element.id, element.textContent.trim()]));
document.addEventListener("htmx:after:swap", () => {
  for (const element of $$("[data-announce][id]")) {
    const text = element.textContent.trim();
    if (spoken.get(element.id) !== text && spoken.has(element.id)) announce(text);
    spoken.set(element.id, text);
  }
});

// --- Where the pages of a section do not fit side by side, the one that is open is in sight.
for (const here of $$(".section-nav [aria-current=page]")) {
  const row = here.closest(".section-nav");
  row.scrollLeft += here.getBoundingClientRect().left - row.getBoundingClientRect().left - 16;
}

const current = $(".sidebar-nav [aria-current=page]");
if (current?.getBoundingClientRect().bottom > innerHeight) current.closest(".sidebar").scrollTop = current.offsetTop - innerHeight / 2;

// --- What a person opened stays open when news come into a live page: no answer of the server knows of it.
htmx.registerExtension("kept-open", {
  htmx_before_morph_attr: (element, { attrName }) => !(element instanceof HTMLDetailsElement && attrName === "open"),
});

// --- A form is sent once. Buttons keep their focus; a download leaves the page in place and frees its form again (downloads.js).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sending) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  if (form.method === "dialog" || form.matches("[role=search]")) return;
  form.dataset.sending = "true";
  event.submitter?.classList.add("is-sending");
  if ("download" in form.dataset) setTimeout(() => release(form), 2000);
}, true);
function release(form) {
  if (!form?.dataset?.sending) return;
  delete form.dataset.sending;
  for (const button of $$(".is-sending", form)) button.classList.remove("is-sending");
}
window.addEventListener("pageshow", () => $$("form[data-sending]").forEach(release));

// --- Filter forms leave empty fields out of the address and keep the order the list has by now.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.matches("[data-clean-query]")) return;
  for (const [name, value] of [...ctx.request.body]) if (value === "") ctx.request.body.delete(name);
  const sort = new URLSearchParams(location.search).get("sort");
  if (sort) ctx.request.body.set("sort", sort);
});

// --- Clicks: copy, dismiss a toast.
document.addEventListener("click", async ({ target }) => {
  target.closest("[data-toast-close]")?.closest("[data-toast]").remove();
  const button = target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("is-copied");
    setTimeout(() => button.classList.remove("is-copied"), 1500);
    announce("Copied");
  } catch {
    toast({ text: "The browser did not allow copying. Select the text and copy it by hand.", level: "warning" });
  }
});

// --- Printing, on pages made for paper.
for (const button of $$("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// --- Theme: the cookie is for the server's next page, the attribute for this one.
$$("[data-theme-button]").forEach((button) => { button.hidden = false; });
for (const choice of $$("[data-theme-choice]")) {
  choice.addEventListener("click", () => {
    document.documentElement.dataset.bsTheme = choice.dataset.themeChoice;
    remember("theme", choice.dataset.themeChoice);
    for (const other of $$("[data-theme-choice]")) other.setAttribute("aria-checked", String(other === choice));
  });
}

// --- Section links of a record show where one is.
const sections = new Map($$("[data-section-nav] a").map((link) => [link.hash.slice(1), link]));
sections.values().next().value?.setAttribute("aria-current", "true");
const watcher = new IntersectionObserver((entries) => {
  const seen = entries.filter((entry) => entry.isIntersecting).map((entry) => sections.get(entry.target.id));
  if (!seen.length) return;
  for (const link of sections.values()) link.removeAttribute("aria-current");
  seen[0].setAttribute("aria-current", "true");
}, { rootMargin: "-20% 0px -70% 0px" });
for (const id of sections.keys()) if (document.getElementById(id)) watcher.observe(document.getElementById(id));

// --- A passkey that was not used: allauth only writes to the console, people need a sentence.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  toast({ text: "The passkey was not used. Try again, or choose another way to sign in.", level: "warning" });
});
