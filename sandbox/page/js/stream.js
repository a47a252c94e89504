// The event stream of one person: reads it, reconnects with what it last saw, and says how the connection stands.

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;

const NAMES = ["hello", "reset", "message", "message_edit", "message_delete", "typing", "channel", "channel_delete",
  "interaction", "modal", "commands", "people", "bot", "faults"];

export class Stream {
  /** `onEvent(name, data)` gets every event; `onState("live" | "lost")` every change of the connection. */
  constructor(person, onEvent, onState) {
    Object.assign(this, { person, onEvent, onState, retryMs: FIRST_RETRY_MS, source: null, timer: null });
    this.open();
  }

  open() {
    const source = new EventSource(`sandbox/events?as=${encodeURIComponent(this.person)}`);
    this.source = source;
    source.onopen = () => { this.retryMs = FIRST_RETRY_MS; this.onState("live"); };
    source.onerror = () => {
      this.onState("lost");
      // The browser itself tries again (and sends Last-Event-ID) unless the answer was not a stream at all.
      if (source.readyState === EventSource.CLOSED) this.retry();
    };
    for (const name of NAMES) source.addEventListener(name, (event) => this.receive(name, event));
  }

  receive(name, event) {
    let data;
    try { data = JSON.parse(event.data); } catch { return; }
    this.onEvent(name, data);
  }

  retry() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.source.close(); this.open(); }, this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  close() {
    clearTimeout(this.timer);
    this.source.onerror = null;
    this.source.close();
  }
}
