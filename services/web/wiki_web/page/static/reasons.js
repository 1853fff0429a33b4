// The newest changes below a title. Those of the first titles come with the page and are open; the others are
// asked for when they are opened, and again when the title has changed.
import { isPast } from "./moment.js";

const chosen = new Map(); // by title: whether it is open, where a person wants it otherwise than the page
const shown = new WeakMap(); // by list: the version of the title that it shows, or is asked for
let asking = Promise.resolve(); // one after another

export function followReasons(page) {
  page.addEventListener("toggle", (event) => {
    const details = event.target;
    if (!details.matches(".reasons details")) return;
    if (details.open === isFirst(details)) chosen.delete(details.dataset.key);
    else chosen.set(details.dataset.key, details.open);
    ask(details);
  }, true); // the event doesn't bubble
}

/** Opens in `fresh`, which the page becomes, what a person opened, and closes what they closed. */
export function chooseReasons(fresh) {
  for (const details of fresh.querySelectorAll(".reasons details")) {
    details.open = chosen.get(details.dataset.key) ?? isFirst(details);
  }
}

/** After an update: asks for those that are open and whose title has changed. */
export function askForReasons(page) {
  for (const details of page.querySelectorAll(".reasons details[open]")) ask(details);
}

function isFirst(details) {
  return "first" in details.dataset;
}

function ask(details) {
  const list = details.querySelector("ol[data-own]");
  const { from, version } = details.dataset;
  if (!list || !details.open || shown.get(list) === version) return;
  shown.set(list, version);
  asking = asking.then(async () => {
    // Meanwhile it may have been closed, or be asked for anew.
    if (!details.open || shown.get(list) !== version) return shown.delete(list);
    try {
      const response = await fetch(from, { cache: "no-store" });
      if (!response.ok) throw new Error(`HTTP status ${response.status}`);
      const { changes } = await response.json();
      list.replaceChildren(...changes.map(item));
    } catch {
      shown.delete(list); // the next update asks again
    }
  });
}

/** As the server renders them: what strangers wrote is text. */
function item({ time, user, bytes, comment, diff_url: diff, title }) {
  const clock = time.slice(11, 19);
  const when = element("time", isPast() ? `${time.slice(0, 10)} ${clock}` : clock, "when");
  when.dateTime = time;
  const quote = document.createElement("q");
  quote.append(element("bdi", comment ?? ""));
  const parts = [when, element("bdi", user ?? "name removed", "who"), size(bytes), quote];
  if (diff) {
    const link = element("a", "diff");
    Object.assign(link, { href: diff, rel: "noreferrer" });
    link.setAttribute("aria-label", `diff of ${clock}, ${title}`);
    parts.push(link);
  }
  const line = document.createElement("li");
  line.append(...parts);
  return line;
}

function size(bytes) {
  const sign = bytes > 0 ? "+" : bytes < 0 ? "−" : "";
  const span = element("span", "", "size");
  const name = bytes > 0 ? "plus" : bytes < 0 ? "minus" : "same";
  span.append(element("span", sign + Math.abs(bytes).toLocaleString("en"), name));
  return span;
}

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
