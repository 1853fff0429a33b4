// Hears from the server when there is something new, where nothing on the way to it prevents that.

const ADDRESS = new URL("../api/v1/stream", import.meta.url);
const OWN_ANSWER = "X-Wiki-Live-Top";
const SILENCE = 12_000; // the server writes at least every five seconds
const LASTING = 30_000; // a stream that was cut sooner counts as a failure
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 300_000;

/**
 * Until `isLive`, and whenever it isn't any more, the page has to ask by itself. The stream is then tried again
 * after growing pauses. It is read by `fetch`: an EventSource would tell neither whose answer it got nor comments.
 */
export class Stream {
  #told;
  #lost;
  #running = null;
  #timer;
  #silence;
  #failures = 0;
  #notBefore = 0;
  #lastId = null;
  isLive = false;

  /** `told` is called at each event, `lost` when a stream that was live isn't any more. */
  constructor(told, lost) {
    this.#told = told;
    this.#lost = lost;
  }

  open() {
    if (this.#running || !window.ReadableStream) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#run(), Math.max(0, this.#notBefore - performance.now()));
  }

  close() {
    clearTimeout(this.#timer);
    this.#end();
  }

  /** Try again soon: the server was away, and is back. */
  again() {
    this.#failures = 0;
    if (this.#running) return;
    this.#notBefore = performance.now() + pause(FIRST_PAUSE);
    this.open();
  }

  /** Give its connection away: a browser has six for a server, and other tabs' streams may hold the rest. */
  giveWay() {
    this.#running?.abort();
  }

  async #run() {
    const mine = (this.#running = new AbortController());
    const began = performance.now();
    try {
      await this.#read(mine);
    } catch (error) {
      // Refused, cut, silent, or not the service's own: the page polls in any case.
    }
    if (this.#running !== mine) return;
    const lasted = !mine.signal.aborted && performance.now() - began > LASTING;
    this.#failures = lasted ? 0 : this.#failures + 1;
    const wasLive = this.isLive;
    this.#end();
    this.#notBefore = performance.now() + pause(Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures));
    this.open();
    if (wasLive) this.#lost();
  }

  async #read(mine) {
    this.#awaitBytes(mine);
    const headers = this.#lastId ? { "Last-Event-ID": this.#lastId } : {};
    const response = await fetch(ADDRESS, { cache: "no-store", headers, signal: mine.signal });
    const isEvents = response.headers.get("Content-Type")?.startsWith("text/event-stream");
    if (!response.ok || !isEvents || !response.headers.has(OWN_ANSWER)) {
      mine.abort();
      throw new Error("not the service's stream");
    }
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (let text = ""; ; ) {
      const { done, value } = await reader.read();
      if (done || this.#running !== mine) return;
      this.isLive = true;
      this.#awaitBytes(mine);
      const blocks = (text + decoder.decode(value, { stream: true })).split("\n\n");
      text = blocks.pop();
      blocks.forEach((block) => this.#hear(block));
    }
  }

  #hear(block) {
    const id = /^id: (.+)$/m.exec(block)?.[1];
    if (!id) return;
    this.#lastId = id;
    this.#told();
  }

  /** Bytes that a proxy keeps back are as good as none. */
  #awaitBytes(mine) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => mine.abort(), SILENCE);
  }

  #end() {
    clearTimeout(this.#silence);
    this.isLive = false;
    const ending = this.#running;
    this.#running = null;
    ending?.abort();
  }
}

/** `milliseconds`, half as much more or less: many pages that lost their stream at once don't come back at once. */
function pause(milliseconds) {
  return milliseconds * (0.5 + Math.random());
}
