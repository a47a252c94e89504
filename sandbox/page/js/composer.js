// Where a person types: text with completion, attached files, a reply; "/" opens the command picker.

import { api } from "./api.js";
import { CommandForm } from "./command-form.js";
import { completeMentions, encodeMentions } from "./mentions.js";
import { fill, h, icon, iconButton, toast } from "./dom.js";
import { MOST_FILES, readFile } from "./files.js";
import { plain } from "./markdown.js";
import { showPicker } from "./picker.js";
import { channel, isThread, now, on, person, state } from "./store.js";
import { Suggest } from "./suggest.js";
import { bytes } from "./time.js";
import { t } from "./words.js";

/** Discord's limit for members without a subscription. */
const LONGEST_MESSAGE = 2000;
const TYPING_EVERY_MS = 8000;

export class Composer {
  /** `editLast()` is called for "arrow up" in an empty field. */
  constructor({ editLast }) {
    Object.assign(this, { editLast, channelId: null, replyTo: null, files: [], form: null, drafts: new Map(), typedAt: 0, sending: false });
    this.suggestBox = h("div.suggest");
    this.suggest = new Suggest(this.suggestBox, t("picker.label"));
    this.context = h("div.composer-context", { hidden: true });
    this.fileList = h("div.composer-files", { hidden: true });
    this.line = h("div.composer-line");
    this.typingLine = h("div.typing", { "aria-live": "polite" });
    this.input = h("textarea.composer-input", {
      rows: 1, role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", autocomplete: "off",
      oninput: () => this.changed(), onkeydown: (event) => this.key(event), onblur: () => this.suggest.hide(), onclick: () => this.changed(),
      onpaste: (event) => { if (event.clipboardData?.files.length) { event.preventDefault(); this.addFiles(event.clipboardData.files); } },
    });
    this.picker = h("input.visually-hidden", { type: "file", multiple: true, tabindex: -1, "aria-hidden": "true", onchange: () => { this.addFiles(this.picker.files); this.picker.value = ""; } });
    this.counter = h("span.composer-counter", { hidden: true });
    this.element = h("div.composer", {}, this.suggestBox, h("div.composer-box", {}, this.context, this.fileList, this.line), this.typingLine);
    this.stop = [on("typing", () => this.drawTyping()), on("bot", () => this.drawLine()), on("channels", () => this.drawLine(true))];
    this.timer = setInterval(() => this.drawTyping(), 2000);
  }

  open(channelId) {
    if (this.channelId) this.drafts.set(this.channelId, this.input.value);
    Object.assign(this, { channelId, replyTo: null, files: [], form: null, canSend: null });
    this.suggest.hide();
    this.input.value = this.drafts.get(channelId) ?? "";
    this.drawLine();
    this.drawContext();
    this.drawFiles();
    this.drawTyping();
  }

  close() {
    this.stop.forEach((one) => one());
    clearInterval(this.timer);
  }

  focus() { (this.form ?? this.input).focus(); }

  // --- drawing ---

  drawLine(onlyWhenChanged = false) {
    const here = channel(this.channelId);
    if (!here) return;
    const can = `${here.can_send}/${here.can_use_commands}/${here.archived}/${here.locked}`;
    if (onlyWhenChanged && can === this.canSend) return;
    this.canSend = can;
    if (this.form) { fill(this.line, this.form.element); return; }
    if (!here.can_send && !here.can_use_commands) {
      fill(this.line, h("p.composer-closed", {}, icon("warn"), " ", t(here.locked ? "composer.locked" : "composer.no-permission")));
      return;
    }
    const name = isThread(here) ? here.name : `#${here.name}`;
    this.input.setAttribute("aria-label", t("composer.label", { channel: name }));
    this.input.placeholder = here.can_use_commands ? t("composer.placeholder", { channel: name }) : t("composer.placeholder-plain", { channel: name });
    const focused = document.activeElement === this.input;
    fill(this.line, iconButton("plus", t("composer.attach"), { onclick: () => this.picker.click() }), this.picker, this.input, this.counter,
      here.can_use_commands ? iconButton("slash", t("composer.commands"), { onclick: () => this.startCommand() }) : null,
      iconButton("send", t("composer.send"), { onclick: () => this.send() }));
    if (focused) this.input.focus();
  }

  drawContext() {
    this.context.hidden = !this.replyTo;
    if (!this.replyTo) return;
    const { author, content } = this.replyTo;
    fill(this.context, icon("reply"), h("span", {}, t("composer.replying", { name: author.display_name ?? author.name })), h("span.context-excerpt", {}, plain(content)),
      iconButton("close", t("composer.no-reply"), { onclick: () => { this.replyTo = null; this.drawContext(); this.focus(); } }));
  }

  drawFiles() {
    this.fileList.hidden = !this.files.length;
    fill(this.fileList, this.files.map((file, index) => h("span.file-chip", {}, icon("file"), file.filename, h("span.quiet", {}, bytes(Math.floor(file.base64.length * 0.75))),
      iconButton("close", t("composer.remove-file", { name: file.filename }), { onclick: () => { this.files.splice(index, 1); this.drawFiles(); } }))));
  }

  drawTyping() {
    const here = state.typing.get(this.channelId);
    const names = [...(here ?? [])].filter(([name, end]) => end > now() && name !== person()?.name && name !== person()?.display_name).map(([name]) => name);
    const text = names.length === 0 ? "" : names.length > 3 ? t("typing.many") : t(names.length === 1 ? "typing.single" : "typing.several", { names: names.join(", ") });
    if (this.typingLine.textContent !== text) fill(this.typingLine, text ? h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i")) : null, text);
  }

  reply(message) {
    this.replyTo = message;
    this.drawContext();
    this.focus();
  }

  async addFiles(list) {
    for (const file of list) {
      if (this.files.length >= MOST_FILES) { toast(t("file.too-many", { n: MOST_FILES }), "error"); break; }
      try { this.files.push(await readFile(file)); } catch (problem) { toast(problem.message, "error"); }
    }
    this.drawFiles();
    this.focus();
  }

  // --- typing ---

  changed() {
    const value = this.input.value;
    const length = [...value].length;
    this.counter.hidden = length < LONGEST_MESSAGE - 200;
    this.counter.textContent = String(LONGEST_MESSAGE - length);
    this.counter.classList.toggle("over", length > LONGEST_MESSAGE);
    if (value.startsWith("/") && !value.includes("\n") && channel(this.channelId)?.can_use_commands) {
      showPicker(this.suggest, this.input, this.channelId, (command) => this.chooseCommand(command));
      return;
    }
    if (!completeMentions(this.suggest, this.input, this.channelId)) this.suggest.hide();
    if (value.trim() && Date.now() - this.typedAt > TYPING_EVERY_MS) {
      this.typedAt = Date.now();
      api.typing(this.channelId).catch(() => {});
    }
  }

  startCommand() {
    this.input.value = "/";
    this.input.focus();
    this.changed();
  }

  chooseCommand(command) {
    this.suggest.hide();
    this.input.value = "";
    this.form = new CommandForm({ command, channelId: this.channelId, suggest: this.suggest, onDone: () => this.endCommand() });
    this.drawLine();
    this.form.focus();
  }

  endCommand() {
    this.form = null;
    this.suggest.hide();
    this.drawLine();
    this.input.focus();
  }

  key(event) {
    if (event.isComposing) return;
    if (this.suggest.move(event)) return;
    if (event.key === "Escape") { this.escape(event); return; }
    if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && this.suggest.open && this.suggest.items.length) { event.preventDefault(); this.suggest.choose(); return; }
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.send(); return; }
    if (event.key === "ArrowUp" && this.input.value === "") { event.preventDefault(); this.editLast(); }
  }

  escape(event) {
    if (this.suggest.open) { event.preventDefault(); event.stopPropagation(); this.suggest.hide(); }
    else if (this.replyTo) { event.preventDefault(); event.stopPropagation(); this.replyTo = null; this.drawContext(); }
  }

  async send() {
    const text = this.input.value.trim();
    if (this.sending || (!text && !this.files.length)) return;
    if (text.startsWith("/") && this.suggest.open) return;
    if ([...text].length > LONGEST_MESSAGE) { toast(t("composer.too-long", { limit: LONGEST_MESSAGE }), "error"); return; }
    const draft = { value: this.input.value, files: this.files, replyTo: this.replyTo };
    Object.assign(this, { files: [], replyTo: null, sending: true, typedAt: 0 });
    this.input.value = "";
    this.changed();
    this.drawContext();
    this.drawFiles();
    try {
      await api.send(this.channelId, { content: encodeMentions(text), reply_to: draft.replyTo?.id ?? null, attachments: draft.files });
    } catch (refusal) {
      // Nothing that was typed is lost.
      toast(t("composer.not-sent", { why: refusal.message }), "error");
      if (!this.input.value) { this.input.value = draft.value; Object.assign(this, { files: draft.files, replyTo: draft.replyTo }); this.drawContext(); this.drawFiles(); }
    }
    this.sending = false;
  }
}
