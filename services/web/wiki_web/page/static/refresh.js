// Asks the server for this page when it is told that there is something new, else by the clock, and updates what
// has changed.
import { isPast } from "./moment.js";
import { morph } from "./morph.js";
import { animated } from "./motion.js";
import { tellPauses } from "./pause.js";
import { askForReasons, chooseReasons } from "./reasons.js";
import { keepingSelection } from "./selection.js";
import { Stream } from "./stream.js";
import { tellTimes } from "./times.js";

const LONGEST_WAIT = 30_000;
const TIMEOUT = 20_000;
const GRACE = 2_000;
const UNTOLD = 10_000; // however well the stream works, so often the page asks without being told
const STALLED = 5_000;
const NEVER = Infinity;
const OWN_ANSWER = "X-Wiki-Live-Top";

export class Refresh {
  #page;
  #clock;
  #isPaused;
  #isAwaited;
  #going = false;
  #period;
  #timer;
  #running = null;
  #stream = new Stream(() => this.#told(), () => this.#untold());
  #toldMeanwhile = false;
  #failures = 0;
  #etag = null;
  #unreachableSince = null;
  #isBusy = false;

  /** `isAwaited`: whether answers are of use though nobody looks at the page. It gets an event for each answer. */
  constructor(page, clock, isPaused, isAwaited) {
    this.#page = page;
    this.#clock = clock;
    this.#isPaused = isPaused;
    this.#isAwaited = isAwaited;
    this.#period = Number(page.dataset.refreshSeconds) * 1000;
  }

  start() {
    document.addEventListener("visibilitychange", () => this.#lookedAt());
    document.addEventListener("refreshoverdue", () => this.soon());
    addEventListener("online", () => this.soon());
    this.#lookedAt();
  }

  /** Ask now instead of at the next turn. */
  soon() {
    this.#stop();
    this.#next(0);
  }

  /** After a pause: ask for the whole page again, as a part of the last answer was not shown. */
  catchUp() {
    this.#etag = null;
    this.soon();
  }

  /** After the address has changed: what is shown is out of date until the answer is there. */
  go() {
    this.#going = true;
    this.#page.setAttribute("aria-busy", "true");
    this.#etag = null;
    this.soon();
    this.#listen();
  }

  /** A page that nobody looks at asks for nothing, or seldom, and holds no connection. */
  #lookedAt() {
    if (document.hidden) {
      this.#stream.close();
      if (this.#isAsleep()) this.#stop();
    } else {
      this.soon();
      this.#listen();
    }
  }

  /** A past moment stays as it is: there is nothing to be told. */
  #listen() {
    if (isPast()) this.#stream.close();
    else this.#stream.open();
  }

  /** While requests fail, they go on at their own growing pauses. */
  #told() {
    if (this.#running) this.#toldMeanwhile = true;
    else if (!this.#failures) this.#next(0);
  }

  /** Whether there is no hurry to ask. */
  #isTold() {
    return this.#stream.isLive || document.hidden;
  }

  /** The stream ended: many pages may have lost theirs at once. */
  #untold() {
    if (!this.#running && !this.#failures) this.#next(Math.random() * this.#period);
  }

  #isAsleep() {
    return document.hidden && !this.#isAwaited();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
  }

  #next(wait) {
    clearTimeout(this.#timer);
    if (this.#isAsleep()) return;
    if (wait !== NEVER) this.#timer = setTimeout(() => this.#ask(), wait);
    // For watchdog.js: when an attempt has to be over, on the clock of performance.now().
    document.documentElement.dataset.refreshDue = performance.now() + wait + TIMEOUT + GRACE;
  }

  async #ask() {
    const mine = (this.#running = new AbortController());
    const timeout = setTimeout(() => mine.abort(), TIMEOUT);
    const stalled = setTimeout(() => this.#stream.giveWay(), STALLED);
    const isMine = () => this.#running === mine;
    this.#toldMeanwhile = false;
    this.#isBusy = false;
    let wait = 0;
    try {
      await this.#attempt(mine.signal, isMine);
      if (isPast() && this.#state() === "past") wait = NEVER;
      else if (!this.#toldMeanwhile) wait = this.#isTold() ? Math.max(UNTOLD, this.#period) : this.#period;
    } catch (error) {
      // A request that was replaced by a newer one has not failed.
      if (isMine()) wait = this.#missed();
    } finally {
      clearTimeout(timeout);
      clearTimeout(stalled);
      if (isMine()) {
        this.#running = null;
        this.#next(wait);
      }
    }
  }

  async #attempt(signal, isMine) {
    const sent = Date.now();
    const response = await fetch(location.href, { cache: "no-store", headers: this.#headers(), signal });
    const html = await response.text();
    if (!isMine()) return;
    // A proxy on the way may answer anything, also 200 or 404: only what the service itself says is taken over.
    if (!response.headers.has(OWN_ANSWER)) throw new Error("not the service's own answer");
    this.#isBusy = response.status === 503;
    if (response.status >= 500) throw new Error(`HTTP status ${response.status}`);
    // A wrong address has an error page of its own, without scripts.
    if (response.status >= 400) return location.reload();
    this.#clock.learn(response.headers.get("Date"), sent, Date.now());
    this.#reached(response.status === 304 ? null : html, response.headers.get("ETag"));
  }

  /** The ETag is handled here, not in the browser's cache, where requests for one address wait for each other. */
  #headers() {
    return this.#etag ? { Accept: "text/html", "If-None-Match": this.#etag } : { Accept: "text/html" };
  }

  /** `html` is null when nothing has changed. */
  #reached(html, etag) {
    if (this.#failures && !isPast()) this.#stream.again();
    this.#failures = 0;
    this.#unreachableSince = null;
    delete document.documentElement.dataset.lost;
    document.getElementById("unreachable").hidden = true;
    if (!this.#holds("page") && html !== null) {
      this.#show(html);
      this.#etag = etag;
    }
    this.#announce(this.#state());
  }

  #state() {
    return document.getElementById("freshness")?.dataset.state;
  }

  /** Says so, and returns the milliseconds until the next attempt. */
  #missed() {
    this.#failures += 1;
    this.#unreachableSince ??= new Date();
    const wait = Math.min(LONGEST_WAIT, this.#period * 2 ** (this.#failures - 1)) * (0.8 + 0.4 * Math.random());
    const notice = document.getElementById("unreachable");
    notice.hidden = false;
    document.documentElement.dataset.lost = "";
    notice.textContent =
      `The server ${this.#isBusy ? "is busy" : "can’t be reached"} since ${this.#unreachableSince.toISOString().slice(11, 19)} UTC. ` +
      `What you see is from before; the next try is in ${Math.round(wait / 1000)} s.`;
    this.#announce(this.#isBusy ? "busy" : "unreachable");
    return wait;
  }

  /** Whether a part stays as it is: what was paused is the live page. */
  #holds(part) {
    return this.#isPaused(part) && !this.#going && !isPast();
  }

  #show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const isHeld = (element) => element.id === "feed" && this.#holds("feed");
    chooseReasons(fresh);
    keepingSelection(() =>
      animated(document.getElementById("titles"), () => {
        this.#page.removeAttribute("aria-busy");
        morph(this.#page, fresh.getElementById("page"), isHeld);
        tellPauses(this.#page);
        tellTimes(this.#page, this.#clock);
      }),
    );
    askForReasons(this.#page);
    this.#going = false;
    document.title = fresh.title;
    this.#page.dispatchEvent(new Event("answer"));
  }

  /** Tells screen readers changes of the state only, so that they aren't interrupted at each update. */
  #announce(state) {
    const told = document.getElementById("announcement");
    if (!state || told.dataset.state === state) return;
    if (told.dataset.state || state !== "live") told.textContent = ANNOUNCEMENTS[state];
    told.dataset.state = state;
  }
}

const ANNOUNCEMENTS = {
  starting: "The page is starting.",
  empty: "No change has arrived yet.",
  live: "The page is live.",
  stale: "The page is stale: nothing new arrives.",
  past: "The page shows a past moment.",
  busy: "The server is busy. What is shown is older.",
  unreachable: "The server can’t be reached. What is shown is older.",
};
