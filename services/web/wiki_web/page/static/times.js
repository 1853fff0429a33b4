// The server's clock, estimated, and the times shown by it.

/** The browser's clock may be wrong; each response's Date header narrows the bounds of its error. */
export class ServerClock {
  #low = -Infinity;
  #high = Infinity;

  /** `date`: the response's Date header, in whole seconds; `sent`, `received`: this clock's milliseconds. */
  learn(date, sent, received) {
    const told = Date.parse(date);
    if (Number.isNaN(told)) return;
    const low = told - received;
    const high = told + 1000 - sent;
    this.#low = Math.max(this.#low, low);
    this.#high = Math.min(this.#high, high);
    // One of the clocks was set meanwhile: start over.
    if (this.#low > this.#high) [this.#low, this.#high] = [low, high];
  }

  /** Milliseconds since the epoch; null before the first response. */
  now() {
    return Number.isFinite(this.#low) ? Date.now() + (this.#low + this.#high) / 2 : null;
  }
}

/** 12 s, 4 min, 2 h; the same as in formats.py. */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 90) return `${whole} s`;
  if (whole < 90 * 60) return `${Math.floor(whole / 60)} min`;
  return `${Math.floor(whole / 3600)} h`;
}

/** Updates each “… ago” below `root`, and how far the page is behind, to `clock`. */
export function tellTimes(root, clock) {
  const now = clock.now();
  if (now === null) return;
  const since = (time) => Math.max(0, (now - Date.parse(time.dateTime)) / 1000);
  for (const time of root.querySelectorAll("time[data-ago]")) setText(time, `${span(since(time))} ago`);
  const behind = root.querySelector("#behind");
  if (!behind) return;
  const seconds = since(root.querySelector("#as-of"));
  setText(behind, seconds < 10 ? `${seconds.toFixed(1)} s` : span(seconds));
}

function setText(element, text) {
  if (element.textContent !== text) element.firstChild.data = text;
}
