// A chosen command in the composer: its options as pills, each with a list or live autocomplete above.

import { api } from "./api.js";
import { fill, h, icon, iconButton, toast, uid } from "./dom.js";
import { readFile } from "./files.js";
import { Option } from "./option.js";
import { displayOf, pathOf } from "./picker.js";
import { t } from "./words.js";

const AUTOCOMPLETE_PAUSE_MS = 150;

export class CommandForm {
  /** `onDone(sent)` is called when it is over: sent, or given up. */
  constructor({ command, channelId, suggest, onDone }) {
    Object.assign(this, { command, channelId, suggest, onDone, asked: 0, timer: null, sending: false });
    this.options = (command.options ?? []).map((data) => new Option(data));
    this.element = h("div.command-form", { role: "group", "aria-label": `/${displayOf(command)}` });
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.draw();
  }

  draw() {
    this.inputs = new Map();
    this.problemLine = h("div.form-problem", { role: "alert", hidden: true });
    const pills = this.options.filter((one) => one.shown).map((one) => this.pill(one));
    this.tail = h("input.command-tail", {
      type: "text", role: "combobox", "aria-expanded": "false", "aria-label": t("command.tail"), autocomplete: "off", spellcheck: "false",
      placeholder: this.hidden().length ? t("command.tail-options", { n: this.hidden().length }) : t("command.tail-send"),
      onfocus: () => this.suggestOptions(), oninput: () => this.suggestOptions(), onblur: () => this.suggest.hide(),
    });
    fill(this.element, h("div.command-line", {}, h("span.command-chip", {}, icon("slash"), displayOf(this.command)), pills, this.tail), this.problemLine);
  }

  hidden() { return this.options.filter((one) => !one.shown); }

  /** Where to start typing: the first required option that is empty, or the end. */
  focus() {
    const first = this.options.find((one) => one.shown && one.empty);
    (first ? this.inputs.get(first) : this.tail).focus();
  }

  pill(option) {
    const id = uid("option");
    const pill = h(`span.pill${option.data.required ? ".pill-required" : ""}`, { data: { option: option.name } }, h("label", { for: id }, option.label, option.data.required ? h("span.visually-hidden", {}, ` (${t("option.required-short")})`) : null));
    const input = option.data.type === "attachment" ? this.fileInput(option, id) : this.textInput(option, id, pill);
    this.inputs.set(option, input);
    pill.append(input);
    if (!option.data.required) pill.append(iconButton("close", t("option.remove", { name: option.label }), { tabindex: -1, onclick: () => this.removeOption(option) }));
    return pill;
  }

  textInput(option, id, pill) {
    return h("input", {
      id, type: "text", role: "combobox", "aria-expanded": "false", "aria-required": String(Boolean(option.data.required)), autocomplete: "off", spellcheck: "false",
      value: option.text, inputmode: option.data.type === "integer" ? "numeric" : null,
      onfocus: () => this.suggestFor(option),
      oninput: (event) => { option.type(event.target.value); this.say(option, null); this.suggestFor(option); },
      onblur: () => {
        this.suggest.hide();
        const problem = option.problem();
        pill.classList.toggle("pill-wrong", Boolean(problem) && !option.empty);
        this.inputs.get(option).value = option.text;
      },
    });
  }

  fileInput(option, id) {
    const name = h("span.pill-file", {}, option.file?.filename ?? t("option.choose-file"));
    const input = h("input.visually-hidden", { id, type: "file", onfocus: () => this.suggest.hide(), onchange: async () => {
      try {
        option.file = input.files[0] ? await readFile(input.files[0]) : null;
        name.textContent = option.file?.filename ?? t("option.choose-file");
      } catch (problem) { toast(problem.message, "error"); }
    } });
    input.addEventListener("focus", () => name.classList.add("focused"));
    input.addEventListener("blur", () => name.classList.remove("focused"));
    const label = h("label.pill-file-button", { for: id }, name);
    setTimeout(() => input.before(label));
    return input;
  }

  // --- the list above ---

  head(option, problem) {
    return h("div.suggest-head", {}, h("b", {}, option.label), " ", h("span", {}, option.data.description ?? ""),
      h("span.type-tag", {}, option.kind()), option.data.required ? h("span.type-tag.required", {}, t("option.required-short")) : null,
      problem ? h("p.field-problem", {}, problem) : null);
  }

  suggestFor(option) {
    const input = this.inputs.get(option);
    clearTimeout(this.timer);
    this.asked += 1;
    if (option.data.autocomplete) { this.askBot(option, input, this.asked); return; }
    const matches = option.list() ? option.matches() : [];
    const problem = option.empty || option.list() ? null : option.problem();
    this.suggest.show(input, { head: this.head(option, problem), items: matches.map((one) => this.choice(option, one)), empty: option.list() ? t("option.no-match") : null });
  }

  choice(option, one) {
    return { name: String(one.value), run: () => this.pick(option, one), node: [h("span.suggest-text", {}, h("span.suggest-name", { vars: { "--name": one.colour } }, one.label), one.description ? h("span.suggest-description", {}, one.description) : null)] };
  }

  askBot(option, input, number) {
    const show = (items, empty) => { if (number === this.asked && document.activeElement === input) this.suggest.show(input, { head: this.head(option, null), items, empty }); };
    show(this.suggest.input === input ? this.suggest.items : [], t("option.loading"));
    this.timer = setTimeout(async () => {
      try {
        const typed = option.chosen ? "" : option.text;
        const answer = await api.autocomplete(this.channelId, { command: pathOf(this.command), command_id: this.command.command_id, options: { ...this.filled(), [option.name]: typed }, focused: option.name });
        show((answer.choices ?? []).map((one) => this.choice(option, { label: one.name, value: one.value })), answer.failed ? t("option.autocomplete-failed") : t("option.no-match"));
      } catch (refusal) {
        show([], refusal.message);
      }
    }, AUTOCOMPLETE_PAUSE_MS);
  }

  /** At the end of the line: which options could still be added. */
  suggestOptions() {
    const wanted = this.tail.value.trim().toLowerCase();
    const items = this.hidden().filter((one) => `${one.label} ${one.name}`.toLowerCase().includes(wanted)).map((one) => ({
      name: one.name, run: () => this.addOption(one), heading: t("command.optional"),
      node: [h("span.suggest-mark", {}, icon("plus")), h("span.suggest-text", {}, h("span.suggest-name", {}, one.label), h("span.type-tag", {}, one.kind()), h("span.suggest-description", {}, one.data.description ?? ""))],
    }));
    if (items.length) this.suggest.show(this.tail, { items, empty: null });
    else this.suggest.hide();
  }

  pick(option, choice) {
    option.pick(choice);
    const input = this.inputs.get(option);
    input.value = option.text;
    input.closest(".pill").classList.remove("pill-wrong");
    this.say(option, null);
    this.next(option);
  }

  next(option) {
    const shown = this.options.filter((one) => one.shown);
    const after = shown.slice(shown.indexOf(option) + 1).find((one) => one.empty);
    (after ? this.inputs.get(after) : this.tail).focus();
  }

  addOption(option) {
    option.shown = true;
    // Added options stand in the order in which they were added, after the required ones.
    this.options = [...this.options.filter((one) => one !== option && one.shown), option, ...this.options.filter((one) => one !== option && !one.shown)];
    this.draw();
    this.inputs.get(option).focus();
  }

  removeOption(option) {
    Object.assign(option, { shown: false, text: "", chosen: null, file: null });
    this.draw();
    this.tail.focus();
  }

  // --- keys ---

  key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const option = [...this.inputs].find(([, input]) => input === event.target)?.[0] ?? null;
    if (this.suggest.input === event.target && this.suggest.move(event)) return;
    if (event.key === "Enter") { event.preventDefault(); this.enter(option); return; }
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); if (this.suggest.open && this.suggest.items.length) this.suggest.hide(); else this.onDone(false); return; }
    if (event.key === "Tab" && !event.shiftKey && this.wantsList(option)) { event.preventDefault(); this.suggest.choose(); return; }
    if (event.key === "Tab" && !event.shiftKey && event.target === this.tail && this.suggest.moved) { event.preventDefault(); this.suggest.choose(); return; }
    if (event.key === "Backspace" && event.target.type === "text" && event.target.value === "") { event.preventDefault(); this.backspace(option); }
  }

  /** Whether Enter takes what is highlighted rather than sending. */
  wantsList(option) {
    if (!option || !this.suggest.open || !this.suggest.items.length || option.chosen) return false;
    return this.suggest.moved || !option.empty || (option.data.required && Boolean(option.list()));
  }

  enter(option) {
    if (this.wantsList(option) || (!option && this.suggest.open && (this.suggest.moved || this.tail.value.trim()))) this.suggest.choose();
    else this.send();
  }

  backspace(option) {
    if (option && !option.data.required) { this.removeOption(option); return; }
    const shown = this.options.filter((one) => one.shown);
    const before = option ? shown[shown.indexOf(option) - 1] : shown.at(-1);
    if (before) this.inputs.get(before).focus();
    else this.onDone(false);
  }

  // --- sending ---

  filled() {
    return Object.fromEntries(this.options.filter((one) => one.shown && !one.empty && !one.problem()).map((one) => [one.name, one.value()]));
  }

  say(option, problem) {
    const input = option && this.inputs.get(option);
    input?.setAttribute("aria-invalid", String(Boolean(problem)));
    input?.closest(".pill").classList.toggle("pill-wrong", Boolean(problem));
    this.problemLine.hidden = !problem;
    this.problemLine.textContent = problem ? (option ? `${option.label}: ${problem}` : problem) : "";
  }

  async send() {
    if (this.sending) return;
    const wrong = this.options.find((one) => one.shown && one.problem());
    if (wrong) { this.inputs.get(wrong).focus(); this.say(wrong, wrong.problem()); return; }
    this.sending = true;
    this.element.setAttribute("aria-busy", "true");
    try {
      await api.invoke(this.channelId, { command: pathOf(this.command), command_id: this.command.command_id, options: this.filled() });
      this.onDone(true);
    } catch (refusal) {
      this.say(null, refusal.message);
    }
    this.sending = false;
    this.element.removeAttribute("aria-busy");
  }
}
