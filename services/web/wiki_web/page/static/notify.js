// Tells of titles by the browser's own notifications, while a page is open, also one that nobody looks at.
import { shownMoment } from "./moment.js";

// One service may be one of several on a host.
const KEY = `wiki-live-top ${new URL("..", import.meta.url).pathname}`;
const FORGOTTEN = 24 * 3_600_000;
const NOTED = 10_000;

/**
 * What the viewer has chosen: `atLeast` changes of any title (0 for none), and `titles`, each with its wiki (empty
 * for any). It is kept in this browser alone, for all of its tabs.
 *
 * A title of a list is told of once it has so many changes in the window, and a chosen one once it has any, also on
 * its page; and again only after it had fewer for a whole window. `told` has when each was last seen to have so many.
 */
export class Notifier {
  #page;
  #failure = "";

  constructor(page) {
    this.#page = page;
  }

  get chosen() {
    try {
      const { atLeast, titles, told } = JSON.parse(localStorage.getItem(KEY));
      return { atLeast: Number(atLeast) || 0, titles: [...titles], told: { ...told } };
    } catch (error) {
      return { atLeast: 0, titles: [], told: {} };
    }
  }

  /** Why nothing can be told, in words; empty if it can be, or the viewer wasn't asked yet. */
  get obstacle() {
    if (!isSecureContext) return "Browsers notify of pages with https only, or of this machine’s own.";
    if (!window.Notification) return "This browser has no notifications.";
    if (Notification.permission === "denied") return "This browser refuses notifications of this page. Its settings of the page can change that.";
    return this.#failure;
  }

  /** Whether something of this page is to be told. */
  get isOn() {
    if (!this.#box || this.obstacle || Notification.permission !== "granted") return false;
    const { atLeast, titles } = this.chosen;
    const { title, wiki } = this.#box.dataset;
    return title === undefined ? atLeast > 0 || titles.length > 0 : titles.some((each) => isOf(each, wiki, title));
  }

  /** To be called upon a click, since the browser may ask the viewer. What has so many changes by now isn't told. */
  async choose(choice) {
    this.#failure = "";
    if (this.obstacle || (await Notification.requestPermission()) !== "granted") return;
    this.#keep({ ...this.chosen, ...choice });
    this.look({ silently: true });
  }

  stop(choice) {
    this.#keep({ ...this.chosen, ...choice });
  }

  /** Tells of what the page shows; `silently` where the viewer sees it anyway. */
  look({ silently = false } = {}) {
    const asOf = shownMoment();
    if (!this.isOn || Number.isNaN(asOf)) return;
    const length = Number(this.#box.dataset.windowSeconds) * 1000;
    const isList = this.#box.dataset.title === undefined;
    // Read anew for each: another tab may just have told.
    for (const { wiki, title, count } of this.#shown()) {
      const { atLeast, titles, told } = this.chosen;
      const mine = titles.find((each) => isOf(each, wiki, title));
      if (count < (mine ? 1 : (isList && atLeast) || Infinity)) continue;
      const key = nameOf(mine ?? { wiki, title });
      const before = told[key] ?? -Infinity;
      if (asOf - before < NOTED) continue;
      const recent = Object.entries(told).filter(([, at]) => asOf - at < FORGOTTEN);
      this.#keep({ atLeast, titles, told: { ...Object.fromEntries(recent), [key]: asOf } });
      if (asOf - before >= length && !silently) this.#tell(title, count, `${key} ${Math.floor(asOf / length)}`);
    }
  }

  get #box() {
    return this.#page.querySelector("#notify");
  }

  /** The titles of the list, or the one that the page is about. */
  #shown() {
    const { title, wiki } = this.#box.dataset;
    if (title !== undefined) return [{ wiki, title, count: countOf(this.#page.querySelector(".totals dd")) }];
    return [...this.#page.querySelectorAll("#titles tr")].map((row) => {
      const [wiki] = row.dataset.key.split("/", 1);
      return { wiki, title: row.dataset.key.slice(wiki.length + 1), count: countOf(row.querySelector(".count")) };
    });
  }

  /** Equal tags are one notification, whichever tab tells. */
  #tell(title, count, tag) {
    const body = `${count} ${count === 1 ? "change" : "changes"} in the ${this.#box.dataset.window}`;
    try {
      const notification = new Notification(title, { body, tag, icon: new URL("icon.svg", import.meta.url).href });
      notification.onclick = () => {
        window.focus();
        notification.close();
      };
    } catch (error) {
      this.#failure = "This browser shows no notifications of a page that isn’t installed.";
    }
  }

  #keep(chosen) {
    try {
      localStorage.setItem(KEY, JSON.stringify(chosen));
    } catch (error) {
      this.#failure = "This browser keeps nothing for this page.";
    }
  }
}

export function nameOf({ wiki, title }) {
  return `${wiki}/${title}`;
}

/** Whether a chosen title is this one. */
export function isOf(chosen, wiki, title) {
  return chosen.title === title && (!chosen.wiki || chosen.wiki === wiki);
}

function countOf(element) {
  return Number(element?.textContent.replaceAll(",", "") ?? 0);
}
