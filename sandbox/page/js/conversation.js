// A channel or a thread: its messages and where to type. There is one in the middle and one in the thread panel.

import { api } from "./api.js";
import { Composer } from "./composer.js";
import { dialog, menu } from "./popover.js";
import { append, h, icon, toast, uid } from "./dom.js";
import { decodeMentions, encodeMentions } from "./mentions.js";
import { markdown, plain } from "./markdown.js";
import { commandsIn, displayOf, pathOf } from "./picker.js";
import { channel, isThread, state } from "./store.js";
import { Timeline } from "./timeline.js";
import { t } from "./words.js";

/** Discord's limit for the name of a thread. */
const LONGEST_THREAD_NAME = 100;

export class Conversation {
  /** @param {{openChannel: (id: string) => void, openThread: (id: string) => void}} go */
  constructor(go) {
    this.go = go;
    this.composer = new Composer({ editLast: () => this.editLast() });
    this.timeline = new Timeline(this.actions(), (id) => intro(id));
    this.element = h("div.conversation", {}, this.timeline.element, this.composer.element);
  }

  open(channelId) {
    this.channelId = channelId;
    const here = channel(channelId);
    this.composer.open(channelId);
    return this.timeline.open(channelId, t("timeline.label", { channel: here?.name ?? "" }));
  }

  close() {
    this.composer.close();
    this.timeline.close();
    this.element.remove();
  }

  actions() {
    return {
      openChannel: (id) => this.go.openChannel(id),
      openThread: (id) => this.go.openThread(id),
      reply: (message) => this.composer.reply(message),
      jump: (id) => { if (!this.timeline.jumpTo(id)) toast(t("message.not-loaded")); },
      dismiss: (message) => this.remove(message),
      edit: (message) => this.edit(message),
      thread: (message) => this.startThread(message),
      menu: (message, event) => this.menu(message, event),
      canSend: () => Boolean(channel(this.channelId)?.can_send),
      canOpenThread: (message) => Boolean(channel(this.channelId)?.can_open_threads) && !isThread(channel(this.channelId)) && !message.thread,
    };
  }

  async menu(message, event) {
    const { currentTarget, type, clientX, clientY } = event;
    let apps = [];
    try { apps = (await commandsIn(this.channelId)).filter((one) => one.type === "message"); } catch { /* the menu opens without them */ }
    const actions = this.actions();
    const sent = message.state === "sent" && message.kind !== "notice" && !message.ephemeral;
    const items = [
      sent && actions.canSend() ? { name: "reply", label: t("menu.reply"), after: icon("reply"), run: () => actions.reply(message) } : null,
      sent && actions.canOpenThread(message) ? { name: "thread", label: t("menu.thread"), after: icon("thread"), run: () => actions.thread(message) } : null,
      message.thread ? { name: "open-thread", label: t("menu.open-thread"), after: icon("thread"), run: () => actions.openThread(message.thread.id) } : null,
      message.content || message.readable ? { name: "copy", label: t("menu.copy"), after: icon("copy"), run: () => copy(message.readable || message.content) } : null,
      { name: "copy-id", label: t("menu.copy-id"), after: icon("copy"), run: () => copy(message.id) },
      message.mine && sent ? { name: "edit", label: t("menu.edit"), after: icon("pencil"), run: () => this.edit(message) } : null,
      message.mine && sent ? { name: "delete", label: t("menu.delete"), danger: true, after: icon("bin"), run: () => this.askRemove(message) } : null,
      message.ephemeral || message.kind === "notice" ? { name: "dismiss", label: t("message.dismiss"), after: icon("close"), run: () => this.remove(message) } : null,
      ...(sent && apps.length ? ["-", { heading: t("menu.apps") }, ...apps.map((one) => ({ name: pathOf(one), label: displayOf(one), hint: one.application?.name, run: () => this.useOn(one, message) }))] : []),
    ];
    menu(items, { currentTarget, type, clientX, clientY, target: currentTarget }, t("menu.of-message"));
  }

  async useOn(command, message) {
    try {
      await api.invoke(this.channelId, { command: pathOf(command), command_id: command.command_id, target_message_id: message.id });
    } catch (refusal) { toast(refusal.message, "error"); }
  }

  async remove(message) {
    try { await api.remove(message.id); } catch (refusal) { toast(refusal.message, "error"); }
  }

  askRemove(message) {
    const shown = dialog({
      name: "delete", title: t("delete.title"), content: h("blockquote.quote-preview", {}, plain(message.content)),
      foot: [h("button.button.button-secondary", { type: "button", onclick: () => shown.close() }, t("dialog.cancel")),
        h("button.button.button-danger", { type: "button", autofocus: true, onclick: () => { shown.close(); this.remove(message); } }, t("menu.delete"))],
    });
  }

  editLast() {
    const mine = this.timeline.messages.filter((one) => one.mine && one.state === "sent" && one.kind !== "notice").at(-1);
    if (mine) this.edit(mine);
  }

  /** Editing happens in the message itself. */
  edit(message) {
    const element = this.timeline.elements.get(message.id);
    const body = element?.querySelector(".message-body");
    if (!body || body.querySelector(".edit-box")) return;
    const input = h("textarea.composer-input", { rows: Math.min(10, message.content.split("\n").length), "aria-label": t("menu.edit"), value: decodeMentions(message.content, message.resolved) });
    const end = () => { this.timeline.redraw(this.timeline.messages.find((one) => one.id === message.id) ?? message); this.composer.focus(); };
    const save = async () => {
      const text = encodeMentions(input.value.trim());
      if (!text) { this.askRemove(message); return; }
      if (text === message.content) { end(); return; }
      try { await api.edit(message.id, text); end(); } catch (refusal) { toast(refusal.message, "error"); }
    };
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); end(); }
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); save(); }
    });
    const box = h("div.edit-box", {}, input, h("p.quiet", {}, h("button.link-button", { type: "button", onclick: end }, t("dialog.cancel")), " Esc · ", h("button.link-button", { type: "button", onclick: save }, t("dialog.save")), " Enter"));
    body.querySelector(".message-content")?.replaceWith(box);
    if (!box.isConnected) body.append(box);
    input.focus();
    input.setSelectionRange(input.value.length, input.value.length);
  }

  startThread(message) {
    const suggestion = plain(message.content || message.embeds?.[0]?.title || "").slice(0, 60);
    askThreadName(suggestion, async (name) => {
      const made = await api.createThread(this.channelId, message.id, name);
      this.go.openThread(made.id);
    });
  }
}

/** Asks for the name of a new thread; `create(name)` may throw a Refusal, which is shown. */
export function askThreadName(suggestion, create) {
  const id = uid("name");
  const problem = h("p.field-problem", { role: "alert" });
  const input = h("input.field", { id, type: "text", maxlength: LONGEST_THREAD_NAME, value: suggestion, placeholder: t("thread.name-placeholder"), autofocus: true });
  const go = async () => {
    if (!input.value.trim()) { problem.textContent = t("thread.name-missing"); input.focus(); return; }
    try { await create(input.value.trim()); shown.close(); } catch (refusal) { problem.textContent = refusal.message; }
  };
  input.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); go(); } });
  const shown = dialog({
    name: "thread", title: t("thread.new"), content: [h("label.field-label", { for: id }, t("thread.name")), input, problem],
    foot: [h("button.button.button-secondary", { type: "button", onclick: () => shown.close() }, t("dialog.cancel")), h("button.button.button-primary", { type: "button", onclick: go }, t("thread.create"))],
  });
  input.select();
}

async function copy(text) {
  try { await navigator.clipboard.writeText(text); toast(t("menu.copied")); } catch { toast(t("menu.not-copied"), "error"); }
}

function intro(id) {
  const here = channel(id);
  if (!here) return null;
  const thread = isThread(here);
  const hint = state.bot?.connected ? t("intro.commands") : t("intro.no-bot");
  return append(h("div.intro"), [
    h("span.intro-mark", {}, icon(thread ? "thread" : "hash")),
    h("h2", {}, thread ? here.name : t("intro.title", { channel: `#${here.name}` })),
    h("p", {}, thread ? t("intro.thread") : here.topic ? markdown(here.topic) : t("intro.start", { channel: `#${here.name}` })),
    thread ? null : h("p.intro-hint", {}, h("kbd", {}, "/"), " ", hint),
  ]);
}
