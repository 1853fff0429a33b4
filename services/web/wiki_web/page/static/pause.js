// Pausing the feed, or the whole page.

const paused = new Set();

/** Whether `part` (“page” or “feed”) is paused. */
export function isPaused(part) {
  return paused.has(part);
}

/** Makes the pause buttons below `root` work; `resumed` is called when a part goes on. */
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

/** Labels the buttons below `root`; needed again after an update, which may have brought new ones. */
export function tellPauses(root) {
  for (const button of root.querySelectorAll("[data-pauses]")) {
    const held = paused.has(button.dataset.pauses);
    button.toggleAttribute("data-held", held);
    button.textContent = held ? "Resume" : "Pause";
  }
}
