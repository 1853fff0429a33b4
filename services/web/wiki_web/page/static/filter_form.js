// Choosing a filter, or a moment, changes the address and the page at once.
import { utc } from "./moment.js";

const HOUR = 3_600_000;

/** Follows the form, and the browser's back and forward buttons. */
export function followFilters(refresh) {
  const show = (form) => {
    history.pushState(null, "", addressOf(form));
    refresh.go();
  };
  document.addEventListener("change", (event) => {
    const { form, name } = event.target;
    // What is typed part by part has a button, which says when it is whole.
    if (form?.id === "filters" && name !== "to" && name !== "user") show(form);
  });
  document.addEventListener("input", (event) => {
    if (event.target.id === "hour") tellHour(event.target);
  });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "filters") return;
    event.preventDefault();
    show(event.target);
  });
  addEventListener("popstate", () => refresh.go());
}

/** Writes the hour that was chosen on the time line to the field. */
function tellHour(range) {
  const moment = new Date(Date.parse(range.dataset.start) + range.value * HOUR).toISOString().slice(0, 19);
  range.form.elements.to.value = moment;
  range.setAttribute("aria-valuetext", `${moment.replace("T", " ")} UTC`);
}

/** The form's address, without fields that are empty or at their default. */
function addressOf(form) {
  const defaults = new Map();
  for (const field of form.querySelectorAll("[data-default]")) {
    defaults.set(field.querySelector("input, select").name, field.dataset.default);
  }
  const chosen = [...new FormData(form)].filter(([name, value]) => value && value !== defaults.get(name));
  const named = chosen.map(([name, value]) => [name, name === "to" ? utc(value) : value]);
  const query = new URLSearchParams(named).toString().replaceAll("%2C", ",");
  return form.getAttribute("action") + (query && `?${query}`);
}
