// "@name" and "#channel" while typing, and turning them into what Discord sends.

import { avatar } from "./avatar.js";
import { h, icon } from "./dom.js";
import { isThread, state } from "./store.js";
import { t } from "./words.js";

const MOST_SHOWN = 8;

const everyone = () => [...(state.bot ? [{ ...state.bot, display_name: state.bot.name, bot: true }] : []), ...state.people];
const roles = () => state.roles.filter((role) => role.id !== state.guild?.id && !role.managed);
const channels = () => state.channels.filter((one) => one.type !== "category" && !isThread(one));

/** Shows what could follow "@" or "#" before the caret; false when the caret does not stand there. */
export function completeMentions(suggest, input) {
  const before = input.value.slice(0, input.selectionStart ?? 0);
  const match = /(?:^|\s)([@#])([^\s@#]{0,32})$/u.exec(before);
  if (!match) return false;
  const [, sign, typed] = match;
  const start = before.length - typed.length - 1;
  const items = (sign === "@" ? people(typed) : places(typed)).slice(0, MOST_SHOWN).map((one) => ({ ...one, run: () => insert(suggest, input, start, before.length, one.text) }));
  if (!items.length) return false;
  suggest.show(input, { items, empty: null, head: h("div.suggest-head", {}, t(sign === "@" ? "mention.people" : "mention.channels")) });
  return true;
}

const fits = (typed, ...names) => names.some((name) => name?.toLowerCase().includes(typed.toLowerCase()));

function people(typed) {
  return [
    ...everyone().filter((one) => fits(typed, one.name, one.display_name)).map((one) => ({
      name: one.name, text: `@${one.name}`,
      node: [avatar(one, "small"), h("span.suggest-text", {}, h("span.suggest-name", {}, one.display_name), h("span.suggest-description", {}, `@${one.name}`))],
    })),
    ...roles().filter((one) => fits(typed, one.name)).map((one) => ({
      name: one.name, text: `@${one.name}`,
      node: [h("span.suggest-mark", {}, icon("people")), h("span.suggest-text", {}, h("span.suggest-name", { vars: { "--name": one.colour } }, `@${one.name}`), h("span.suggest-description", {}, t("mention.role")))],
    })),
  ];
}

function places(typed) {
  return channels().filter((one) => fits(typed, one.name)).map((one) => ({
    name: one.name, text: `#${one.name}`, node: [h("span.suggest-mark", {}, icon("hash")), h("span.suggest-text", {}, h("span.suggest-name", {}, one.name))],
  }));
}

function insert(suggest, input, from, to, text) {
  input.setRangeText(`${text} `, from, to, "end");
  suggest.hide();
  input.focus();
}

/** "@alice", "@小明" and "#ops" become <@id>, <@&id> and <#id>; unknown names stay as they were typed. */
export function encodeMentions(text) {
  const names = new Map();
  for (const role of roles()) names.set(`@${role.name}`, `<@&${role.id}>`);
  for (const one of everyone()) {
    names.set(`@${one.display_name}`, `<@${one.id}>`);
    names.set(`@${one.name}`, `<@${one.id}>`);
  }
  for (const one of channels()) names.set(`#${one.name}`, `<#${one.id}>`);
  // A longer name first: "@ann-lee" is not "@ann".
  const known = [...names.keys()].sort((a, b) => b.length - a.length).map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!known.length) return text;
  const pattern = new RegExp(`(^|[\\s(（，。])(${known.join("|")})(?![\\p{L}\\p{N}_-])`, "gu");
  // Code is sent as it was typed.
  return text.split(/(```[\s\S]*?```|`[^`\n]*`)/).map((part, index) => (index % 2 ? part : part.replace(pattern, (whole, space, name) => space + names.get(name)))).join("");
}

/** For editing one's own message: back to names. */
export function decodeMentions(text, resolved) {
  return text
    .replace(/<@!?(\d+)>/g, (whole, id) => { const one = everyone().find((each) => each.id === id); return one ? `@${one.name}` : whole; })
    .replace(/<@&(\d+)>/g, (whole, id) => (resolved?.roles?.[id] ? `@${resolved.roles[id].name ?? resolved.roles[id]}` : whole))
    .replace(/<#(\d+)>/g, (whole, id) => { const one = channels().find((each) => each.id === id); return one ? `#${one.name}` : whole; });
}
