// The moment that the page's address names: a page without one is live.

/** As the address has it; empty for now. */
export function moment() {
  return new URLSearchParams(location.search).get("to") ?? "";
}

export function isPast() {
  return moment() !== "";
}

/** Up to when the page that is shown counts, in milliseconds since the epoch. */
export function shownMoment() {
  return Date.parse(document.getElementById("as-of")?.dateTime);
}

/** A field's value, which has no zone, as UTC. */
export function utc(field) {
  return `${field}${field.length === "2026-01-31T12:00".length ? ":00" : ""}Z`;
}
