// One option of a command: what it accepts, what was typed, and whether that is right. No drawing here.

import { guildChoices } from "./components.js";
import { state } from "./store.js";
import { t } from "./words.js";

const GUILD_KINDS = { user: 5, role: 6, mentionable: 7, channel: 8 };

export class Option {
  constructor(data) {
    this.data = data;
    this.text = "";
    this.chosen = null; // {label, value} picked from a list
    this.file = null;   // {filename, content_type, base64}
    this.shown = data.required;
  }

  get name() { return this.data.name; }
  get label() { return this.data.display_name ?? this.data.name; }
  get empty() { return this.data.type === "attachment" ? this.file === null : this.text.trim() === "" && !this.chosen; }

  type(text) {
    this.text = text;
    if (this.chosen && this.chosen.label !== text) this.chosen = null;
  }

  pick(choice) {
    this.chosen = choice;
    this.text = choice.label;
  }

  /** The fixed list that it is picked from, or null when there is none (free text, numbers, autocomplete). */
  list() {
    const { type, choices } = this.data;
    if (choices?.length) return choices.map((one) => ({ label: one.name, value: one.value }));
    if (type === "boolean") return [{ label: t("option.true"), value: true }, { label: t("option.false"), value: false }];
    if (type in GUILD_KINDS) return guildChoices(GUILD_KINDS[type]).filter((one) => this.channelFits(one));
    return null;
  }

  channelFits(choice) {
    const wanted = this.data.channel_types;
    if (this.data.type !== "channel" || !wanted?.length) return true;
    const names = { 0: "text", 4: "category", 5: "announcement", 11: "public_thread", 12: "private_thread" };
    const type = state.channels.find((one) => one.id === choice.value)?.type;
    return wanted.some((one) => one === type || names[one] === type);
  }

  /** The part of the list that goes with what is typed. */
  matches() {
    const wanted = this.chosen ? "" : this.text.trim().toLowerCase().replace(/^[@#]/, "");
    return (this.list() ?? []).filter((one) => `${one.label} ${one.description ?? ""} ${one.value}`.toLowerCase().includes(wanted));
  }

  /** Takes what was typed in full from the list, as if it had been picked. */
  settle() {
    const list = this.list();
    if (!list || this.chosen || this.empty) return;
    const typed = this.text.trim().toLowerCase().replace(/^[@#]/, "");
    const same = list.filter((one) => [one.label.replace(/^[@#]/, "").toLowerCase(), String(one.value).toLowerCase()].includes(typed));
    if (same.length === 1) this.pick(same[0]);
  }

  /** A sentence that says what is wrong, or null. */
  problem() {
    this.settle();
    const { required, type, min_value: least, max_value: most, min_length: shortest, max_length: longest } = this.data;
    if (this.empty) return required ? t("option.required", { name: this.label }) : null;
    if (this.list()) return this.chosen ? null : t("option.pick");
    if (type === "attachment" || this.chosen) return null;
    const text = this.text.trim();
    if (type === "integer" || type === "number") {
      const right = type === "integer" ? /^[+-]?\d{1,16}$/.test(text) : /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text);
      if (!right) return t(type === "integer" ? "option.integer" : "option.number");
      if (least !== null && least !== undefined && Number(text) < least) return t("option.least", { least });
      if (most !== null && most !== undefined && Number(text) > most) return t("option.most", { most });
      return null;
    }
    const length = [...this.text].length;
    if (shortest && length < shortest) return t("option.shortest", { n: shortest });
    if (longest && length > longest) return t("option.longest", { n: longest });
    return null;
  }

  /** What is sent. Call only when `problem()` is null and it is not empty. */
  value() {
    if (this.data.type === "attachment") return this.file;
    if (this.chosen) return this.chosen.value;
    return ["integer", "number"].includes(this.data.type) ? Number(this.text.trim()) : this.text;
  }

  /** What it accepts, in words: "whole number, 1 to 100". */
  kind() {
    const { type, min_value: least, max_value: most } = this.data;
    const bounds = least !== null && least !== undefined && most !== null && most !== undefined ? t("option.between", { least, most })
      : least !== null && least !== undefined ? t("option.from", { least }) : most !== null && most !== undefined ? t("option.up-to", { most }) : "";
    return t(`type.${type}`) + (bounds ? `, ${bounds}` : "");
  }
}
