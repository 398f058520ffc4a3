// A form that answers with a file: <form data-download="event" data-download-said="A sentence.">. It is fetched, so that
// the page learns how it went: the file is saved, the dialog closes, the sentence is said, and parts that listen to the
// event bring themselves up to date. Without JavaScript the browser posts the form and takes the file itself.

const body = document.getElementById("dialog-body");

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("download" in form.dataset) || event.defaultPrevented) return;
  event.preventDefault();
  take(form);
});

async function take(form) {
  const { download: event, downloadSaid: text } = form.dataset;
  const answer = await post(form);
  if (answer === null) {
    say("toast", { text: "The server cannot be reached. Nothing was downloaded; please try again.", level: "error" });
  } else if (answer.headers.has("HX-Redirect")) {
    location.assign(answer.headers.get("HX-Redirect"));
  } else if (!answer.headers.has("Content-Disposition")) {
    body.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    htmx.process(body);
  } else {
    save(await answer.blob(), nameOf(answer));
    say("dialog:close");
    say(event);
    say("toast", { text, level: "success" });
  }
}

// The headers of a request htmx would make from inside the dialog: the server answers in kind.
async function post(form) {
  const headers = { "HX-Request": "true", "HX-Current-URL": location.href, "HX-Target": "div#dialog-body" };
  try {
    return await fetch(form.action, { method: "POST", body: new FormData(form), headers });
  } catch {
    return null;
  }
}

function nameOf(answer) {
  return answer.headers.get("Content-Disposition").match(/filename="([^"]+)"/)?.[1] ?? "download";
}

function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function say(name, detail = {}) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}
