// The control of notifications: what the viewer is told of, and how to stop it.
import { isOf, nameOf } from "./notify.js";

const USUAL = 10;
const [LEAST, MOST] = [2, 1000];

/** Follows the control below `page`, where an update may bring a new one. */
export function followNotify(page, notifier) {
  const tell = () => tellNotify(page, notifier);
  page.addEventListener("click", async (event) => {
    const button = event.target.closest("#notify button");
    if (!button) return;
    const { stops } = button.dataset;
    if (stops === undefined) await toggle(page, notifier);
    else {
      notifier.stop({ titles: notifier.chosen.titles.filter((each) => nameOf(each) !== stops) });
      page.querySelector("#notify summary").focus();
    }
    tell();
  });
  page.addEventListener("change", (event) => {
    if (event.target.id === "at-least" && notifier.chosen.atLeast) notifier.choose({ atLeast: wanted(page) });
  });
  // The Enter key in the field.
  page.addEventListener("submit", (event) => {
    if (event.target.id !== "notifying") return;
    event.preventDefault();
    if (!notifier.chosen.atLeast) page.querySelector("[data-tells]").click();
  });
  page.addEventListener("answer", tell);
  addEventListener("storage", tell);
  tell();
}

async function toggle(page, notifier) {
  const { title, wiki } = page.querySelector("#notify").dataset;
  const { titles } = notifier.chosen;
  const others = titles.filter((each) => !isOf(each, wiki, title));
  const [on, off] =
    title === undefined ? [{ atLeast: wanted(page) }, { atLeast: 0 }] : [{ titles: [...others, { title, wiki }] }, { titles: others }];
  if (isToldHere(page, notifier)) notifier.stop(off);
  else await notifier.choose(on);
}

function wanted(page) {
  const number = Math.round(page.querySelector("#at-least").value);
  return Math.min(MOST, Math.max(LEAST, number || USUAL));
}

/** Whether what the page's own button starts has been started. */
function isToldHere(page, notifier) {
  const { title, wiki } = page.querySelector("#notify").dataset;
  const { atLeast, titles } = notifier.chosen;
  return notifier.isOn && (title === undefined ? atLeast > 0 : titles.some((each) => isOf(each, wiki, title)));
}

function tellNotify(page, notifier) {
  const box = page.querySelector("#notify");
  if (!box) return;
  const button = box.querySelector("[data-tells]");
  setText(button, isToldHere(page, notifier) ? "Stop telling me" : button.dataset.tells);
  box.querySelector("summary").toggleAttribute("data-held", notifier.isOn);
  setText(box.querySelector("summary"), notifier.isOn ? "Notify: on" : "Notify");
  const words = notifier.isOn ? "You are told of what this page shows, while it is open in a tab, also in the background." : "";
  setText(box.querySelector("[role=status]"), notifier.obstacle || words);
  const field = box.querySelector("#at-least");
  const { atLeast, titles } = notifier.chosen;
  if (!field) return;
  // The window may have been chosen anew, and what is typed here stays.
  setText(field.previousElementSibling, `Changes of a title, ${box.dataset.window}`);
  if (atLeast && field !== document.activeElement) field.value = atLeast;
  list(box.querySelector("ul"), titles);
}

function list(list, titles) {
  const names = JSON.stringify(titles);
  if (list.dataset.of === names) return;
  list.dataset.of = names;
  list.replaceChildren(...titles.map(item));
}

function item(chosen) {
  const [item, title, button] = ["li", "bdi", "button"].map((name) => document.createElement(name));
  title.textContent = chosen.title;
  button.type = "button";
  button.className = "quiet";
  button.dataset.stops = nameOf(chosen);
  button.textContent = "Stop";
  button.setAttribute("aria-label", `Stop telling me of ${chosen.title}`);
  item.append(title, " ", button);
  return item;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
