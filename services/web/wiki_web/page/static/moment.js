// The moment that the page's address names: a page without one is live.

/** Whether the address names a past moment. */
export function isPast() {
  return Boolean(new URLSearchParams(location.search).get("to"));
}

/** A field's value, which has no zone, as UTC. */
export function utc(field) {
  return `${field}${field.length === "2026-01-31T12:00".length ? ":00" : ""}Z`;
}
