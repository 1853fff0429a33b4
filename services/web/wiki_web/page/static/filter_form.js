// Choosing a filter changes the address and the page at once.

/** Follows the form, and the browser's back and forward buttons. */
export function followFilters(refresh) {
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.id !== "filters") return;
    const address = addressOf(form);
    history.pushState(null, "", address);
    refresh.go();
  });
  addEventListener("popstate", () => refresh.go());
}

/** The form's address, without fields that are empty or at their default. */
function addressOf(form) {
  const defaults = new Map();
  for (const field of form.querySelectorAll("[data-default]")) {
    defaults.set(field.querySelector("input, select").name, field.dataset.default);
  }
  const chosen = [...new FormData(form)].filter(([name, value]) => value && value !== defaults.get(name));
  const query = new URLSearchParams(chosen).toString().replaceAll("%2C", ",");
  return form.getAttribute("action") + (query && `?${query}`);
}
