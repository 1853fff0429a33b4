// Whoever reads can hold the feed, or the whole page, still.

const paused = new Set();

/** Whether the part named `part` (“page”, “feed”) is held. */
export function isPaused(part) {
  return paused.has(part);
}

/** Makes the buttons below `root` work; `resumed` is called when one lets go. */
export function followPauses(root, resumed) {
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pauses]");
    if (!button) return;
    const part = button.dataset.pauses;
    const held = !paused.delete(part);
    if (held) paused.add(part);
    tellPauses(root);
    if (!held) resumed();
  });
}

/** The buttons below `root` say what is held; a part that was drawn anew may come with new ones. */
export function tellPauses(root) {
  for (const button of root.querySelectorAll("[data-pauses]")) {
    const held = paused.has(button.dataset.pauses);
    button.toggleAttribute("data-held", held);
    button.textContent = held ? "Resume" : "Pause";
  }
}
