// Lets a past moment move on by itself, as fast as time does or faster, until it has come to now.
import { moment, shownMoment } from "./moment.js";

const STEP = 1_000;
const NOW = 60_000; // the newest changes are told some seconds after they were made

export class Play {
  #page;
  #clock;
  #refresh;
  #timer;
  #rate = 0;
  #at; // milliseconds since the epoch
  #named; // the moment in the address
  #awaited; // the same, which the page has to show before it moves on
  #steppedAt;

  /** Follows the buttons below `page`. */
  constructor(page, clock, refresh) {
    this.#page = page;
    this.#clock = clock;
    this.#refresh = refresh;
    page.addEventListener("click", (event) => {
      const button = event.target.closest("[data-rate]");
      if (button) this.#toggle(Number(button.dataset.rate));
    });
  }

  #toggle(rate) {
    const begins = rate !== this.#rate;
    this.#stop();
    if (!begins) return;
    this.#rate = rate;
    this.#at = this.#awaited = shownMoment();
    this.#named = moment();
    this.#steppedAt = performance.now();
    this.#timer = setInterval(() => this.#step(), STEP);
    this.#tell();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#rate = 0;
    this.#tell();
  }

  #step() {
    // A filter, or the way back, leads elsewhere.
    if (moment() !== this.#named) return this.#stop();
    const time = performance.now();
    const passed = time - this.#steppedAt;
    if (document.hidden) this.#steppedAt = time;
    // Slow answers make the steps longer, not the time slower.
    if (document.hidden || shownMoment() !== this.#awaited) return;
    this.#steppedAt = time;
    this.#at += passed * this.#rate;
    const newest = (this.#clock.now() ?? Date.now()) - NOW;
    if (this.#at < newest) this.#go(`${new Date(this.#at).toISOString().slice(0, 19)}Z`);
    else this.#live();
  }

  #go(named) {
    const address = new URL(location.href);
    address.searchParams.set("to", named);
    history.replaceState(null, "", address);
    this.#named = named;
    this.#awaited = Date.parse(named);
    this.#refresh.soon();
  }

  #live() {
    this.#stop();
    history.replaceState(null, "", document.getElementById("back-to-live").href);
    this.#refresh.go();
  }

  #tell() {
    for (const button of this.#page.querySelectorAll("[data-rate]")) {
      button.setAttribute("aria-pressed", Number(button.dataset.rate) === this.#rate);
    }
  }
}
