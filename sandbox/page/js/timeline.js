// The list of messages of one channel or thread: loading, older ones, new ones, edits, where it is scrolled to.

import { api } from "./api.js";
import { append, fill, h, icon } from "./dom.js";
import { continues, messageElement, pendingElement } from "./message.js";
import { lastRead, markRead, markUnread, newer, on, state } from "./store.js";
import { dayKey, dayName } from "./time.js";
import { t } from "./words.js";

/** So near to the end counts as being there. */
const END_PX = 60;
const OLDER_PX = 240;
/** Left above a tall message, so that it is seen to begin there. */
const HEAD_ROOM_PX = 10;

export class Timeline {
  /** @param actions see messageElement @param {(channelId: string) => Node} intro what stands before the first message */
  constructor(actions, intro) {
    Object.assign(this, { actions, intro, channelId: null, messages: [], more: false, load: 0, status: "idle", fresh: 0, divider: null, elements: new Map(), loadingOlder: false });
    this.list = h("div.timeline-list", { role: "log", "aria-live": "polite", "aria-relevant": "additions" });
    this.pending = h("div.timeline-pending", { "aria-live": "polite" });
    this.scroller = h("div.timeline", { tabindex: 0, role: "region", onscroll: () => this.scrolled(), onkeydown: (event) => this.key(event) }, this.list, this.pending);
    this.jumpButton = h("button.jump", { type: "button", hidden: true, onclick: () => { this.toEnd(); } });
    this.element = h("div.timeline-box", {}, this.scroller, this.jumpButton);
    this.atEnd = true;
    // Pictures and previews grow after they were added.
    this.growth = new ResizeObserver(() => { if (this.atEnd) this.toEnd(); });
    this.growth.observe(this.list);
    this.growth.observe(this.scroller);
    this.stop = [on("message", (one) => this.added(one)), on("message_edit", (one) => this.changed(one)), on("message_delete", (one) => this.removed(one.id, one.channel_id)),
      on("redraw", (id) => { const one = this.messages.find((each) => each.id === id); if (one) this.redraw(one); }),
      on("pending", () => this.drawPending())];
  }

  close() {
    this.stop.forEach((one) => one());
    this.growth.disconnect();
  }

  async open(channelId, label) {
    Object.assign(this, { channelId, messages: [], more: false, status: "loading", fresh: 0, atEnd: true });
    this.scroller.setAttribute("aria-label", label);
    this.divider = state.unread.has(channelId) ? lastRead(channelId) : null;
    this.drawAll();
    await this.reload();
  }

  /** Reads the newest messages again: at first, and when the connection is back. */
  async reload() {
    const number = ++this.load;
    const { channelId } = this;
    try {
      const answer = await api.messages(channelId);
      if (number !== this.load) return;
      Object.assign(this, { messages: answer.messages, more: answer.more, status: "ready" });
      this.drawAll();
      if (this.atEnd) this.toEnd();
      this.seen();
    } catch (refusal) {
      if (number !== this.load) return;
      Object.assign(this, { status: "failed", problem: refusal.message });
      if (!this.messages.length) this.drawAll();
    }
  }

  // --- drawing ---

  drawAll() {
    this.elements.clear();
    fill(this.list);
    if (this.status === "loading") { append(this.list, [skeleton()]); this.drawPending(); return; }
    if (this.status === "failed" && !this.messages.length) {
      append(this.list, [h("div.empty", { role: "alert" }, icon("warn"), h("p", {}, this.problem), h("button.button.button-secondary", { type: "button", onclick: () => this.open(this.channelId, this.scroller.getAttribute("aria-label")) }, t("timeline.retry")))]);
      return;
    }
    append(this.list, [this.more ? h("p.timeline-older", {}, t("timeline.older")) : this.intro(this.channelId)]);
    this.messages.forEach((_, index) => this.insert(index));
    this.drawPending();
  }

  /** What stands at `index`: perhaps a date, perhaps the line "New", then the message. */
  insert(index) {
    const message = this.messages[index];
    const previous = this.messages[index - 1];
    const newDay = !previous || dayKey(previous.at) !== dayKey(message.at);
    const unreadStart = this.divider && newer(message.id, this.divider) && !(previous && newer(previous.id, this.divider));
    if (newDay) this.list.append(h("div.divider", { role: "separator" }, h("span", {}, dayName(message.at))));
    if (unreadStart) this.list.append(h("div.divider.divider-new", { role: "separator" }, h("span", {}, t("timeline.new"))));
    const element = messageElement(message, this.actions, !newDay && !unreadStart && continues(message, previous));
    this.elements.set(message.id, element);
    this.list.append(element);
  }

  drawPending() {
    const mine = [...state.pending.values()].filter((one) => one.channelId === this.channelId);
    fill(this.pending, mine.map(pendingElement));
    if (this.atEnd) this.toEnd();
  }

  redraw(message) {
    const old = this.elements.get(message.id);
    if (!old) return;
    const element = messageElement(message, this.actions, old.classList.contains("message-compact"));
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(element);
    this.elements.set(message.id, element);
    if (focused) this.giveBack(focused, element);
  }

  /** The focus stays on the same control when its message is drawn anew. */
  giveBack(focused, element) {
    const customId = focused.dataset?.customId;
    const same = customId ? [...element.querySelectorAll("[data-custom-id]")].find((one) => one.dataset.customId === customId && !one.disabled) : null;
    (same ?? element).focus({ preventScroll: true });
  }

  // --- what happens ---

  added(message) {
    if (message.channel_id !== this.channelId || this.status !== "ready" || this.messages.some((one) => one.id === message.id)) return;
    const wasEnd = this.atEnd;
    const last = this.messages.at(-1);
    if (last && newer(last.id, message.id)) {
      this.messages.splice(this.messages.findIndex((one) => newer(one.id, message.id)), 0, message);
      this.drawAll();
    } else {
      this.messages.push(message);
      this.insert(this.messages.length - 1);
    }
    if (wasEnd || message.mine) this.toEnd();
    else { this.fresh += 1; this.drawJump(); }
    this.seen();
  }

  changed(message) {
    if (message.channel_id !== this.channelId) return;
    const index = this.messages.findIndex((one) => one.id === message.id);
    if (index < 0) return;
    this.messages[index] = message;
    this.redraw(message);
    if (this.atEnd) this.toEnd();
  }

  removed(id, channelId) {
    if (channelId !== this.channelId) return;
    const index = this.messages.findIndex((one) => one.id === id);
    if (index < 0) return;
    this.messages.splice(index, 1);
    this.drawAll();
  }

  // --- scrolling and reading ---

  /**
   * To the newest message. One that is taller than the window is shown from its beginning: that is where a report says
   * what is wrong.
   */
  toEnd() {
    this.heightAtEnd = this.scroller.scrollHeight;
    const newest = this.pending.childElementCount ? null : this.elements.get(this.messages.at(-1)?.id);
    const tall = newest && newest.offsetHeight > this.scroller.clientHeight;
    this.scroller.scrollTop = tall ? newest.offsetTop - HEAD_ROOM_PX : this.heightAtEnd;
    this.topAtEnd = this.scroller.scrollTop;
    this.atEnd = true;
    this.fresh = 0;
    this.drawJump();
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    // The list grew or shrank by itself (a preview arrived, a card was drawn anew): that is nobody scrolling away.
    if (this.atEnd && scrollHeight !== this.heightAtEnd) { this.toEnd(); return; }
    this.atEnd = scrollHeight - scrollTop - clientHeight < END_PX || Math.abs(scrollTop - this.topAtEnd) < 2;
    if (this.atEnd && this.fresh) { this.fresh = 0; this.seen(); }
    this.drawJump();
    if (scrollTop < OLDER_PX && this.more && this.status === "ready") this.older();
  }

  drawJump() {
    this.jumpButton.hidden = this.atEnd;
    if (!this.atEnd) fill(this.jumpButton, this.fresh ? t("timeline.jump-new", { n: this.fresh }) : t("timeline.jump"), icon("down"));
  }

  async older() {
    if (this.loadingOlder) return;
    this.loadingOlder = true;
    const number = this.load;
    try {
      const answer = await api.messages(this.channelId, { before: this.messages[0]?.id });
      if (number === this.load) {
        const fromEnd = this.scroller.scrollHeight - this.scroller.scrollTop;
        Object.assign(this, { messages: [...answer.messages, ...this.messages], more: answer.more });
        this.drawAll();
        this.scroller.scrollTop = this.scroller.scrollHeight - fromEnd;
      }
    } catch { /* scrolling again asks again */ }
    this.loadingOlder = false;
  }

  /** The newest message counts as read when it is on a page that somebody looks at. */
  seen() {
    const last = this.messages.at(-1);
    if (!last) return;
    if (this.atEnd && !document.hidden) markRead(this.channelId, last.id);
    else if (newer(last.id, lastRead(this.channelId))) markUnread(last);
  }

  jumpTo(id) {
    const element = this.elements.get(id);
    if (!element) return false;
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
    element.classList.add("message-flash");
    setTimeout(() => element.classList.remove("message-flash"), 1600);
    return true;
  }

  /** Arrows go from message to message; the menu key opens the menu of the one in focus. */
  key(event) {
    const articles = [...this.list.querySelectorAll("article.message")];
    const at = articles.indexOf(document.activeElement);
    if (event.target !== this.scroller && at < 0) return;
    if ((event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) && at >= 0) {
      event.preventDefault();
      articles[at].querySelector(".message-toolbar [aria-haspopup]")?.click();
      return;
    }
    const to = event.key === "ArrowUp" ? (at < 0 ? articles.length - 1 : at - 1) : event.key === "ArrowDown" ? at + 1 : null;
    if (to === null || !articles[to]) return;
    event.preventDefault();
    articles[to].focus();
  }
}

function skeleton() {
  const row = (width) => h("div.skeleton-row", {}, h("span.skeleton.skeleton-avatar"), h("span.skeleton-lines", {}, h("span.skeleton.skeleton-name"), h(`span.skeleton.skeleton-${width}`)));
  return h("div.skeletons", { role: "status", "aria-label": t("timeline.loading") }, row("long"), row("short"), row("long"), row("middle"), row("short"));
}
