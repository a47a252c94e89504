// The command picker: what stands above the composer after "/".

import { api } from "./api.js";
import { h, icon } from "./dom.js";
import { on, state } from "./store.js";
import { t } from "./words.js";

const cache = new Map();
on("commands", () => cache.clear());

/** The commands of this person in this channel; asked for once until they change. */
export function commandsIn(channelId) {
  const key = `${state.me}/${channelId}`;
  if (!cache.has(key)) {
    const asking = api.commands(channelId).then((answer) => answer.commands);
    cache.set(key, asking);
    asking.catch(() => cache.delete(key));
  }
  return cache.get(key);
}

export const pathOf = (command) => command.path.join(" ");
export const displayOf = (command) => (command.display ?? command.path).join(" ");

/** Lower is better; null when it does not match. The person may type the registered or the localised name. */
function rank(command, wanted) {
  if (!wanted) return 0;
  const names = [displayOf(command).toLowerCase(), pathOf(command).toLowerCase()];
  if (names.some((name) => name === wanted)) return 0;
  if (names.some((name) => name.startsWith(wanted))) return 1;
  if (names.some((name) => name.split(" ").some((word) => word.startsWith(wanted)))) return 2;
  if (names.some((name) => name.includes(wanted))) return 3;
  return (command.description ?? "").toLowerCase().includes(wanted) ? 4 : null;
}

export function search(commands, query) {
  const wanted = query.toLowerCase().replace(/\s+/g, " ").trimStart().trimEnd();
  return commands.filter((one) => one.type === "chat")
    .map((command) => ({ command, rank: rank(command, wanted) }))
    .filter((one) => one.rank !== null)
    .sort((a, b) => a.rank - b.rank)
    .map((one) => one.command);
}

/** The command that is typed out in full, followed by a space: it is chosen without the list. */
export function typedOut(commands, query) {
  if (!query.endsWith(" ")) return null;
  const wanted = query.toLowerCase().replace(/\s+/g, " ").trim();
  const exact = commands.filter((one) => one.type === "chat" && [displayOf(one).toLowerCase(), pathOf(one).toLowerCase()].includes(wanted));
  return exact.length === 1 ? exact[0] : null;
}

/** Shows the picker for what is typed after "/". */
export async function showPicker(suggest, input, channelId, onChoose) {
  const query = () => input.value.slice(1);
  if (!suggest.open) suggest.show(input, { items: [], empty: t("picker.loading") });
  let commands;
  try {
    commands = await commandsIn(channelId);
  } catch (refusal) {
    suggest.show(input, { items: [], empty: refusal.message });
    return;
  }
  if (!input.value.startsWith("/")) return;
  const typed = typedOut(commands, query());
  if (typed) { onChoose(typed); return; }
  const found = search(commands, query());
  suggest.show(input, {
    items: found.map((command) => ({ name: pathOf(command), heading: command.application?.name ?? "", node: row(command), run: () => onChoose(command) })),
    empty: commands.some((one) => one.type === "chat") ? t("picker.none", { query: query().trim() }) : t(state.bot?.connected ? "picker.no-commands" : "picker.bot-away"),
    foot: h("div.suggest-foot", {}, state.bot?.connected ? null : h("span.warn-text", {}, icon("warn"), " ", t("picker.bot-away-short")),
      h("span.keys", {}, h("kbd", {}, "↑↓"), " ", t("keys.move"), h("kbd", {}, "Enter"), " ", t("keys.choose"), h("kbd", {}, "Esc"), " ", t("keys.close"))),
  });
}

function row(command) {
  const options = (command.options ?? []).map((option) => h(`span.option-hint${option.required ? ".required" : ""}`, {}, option.display_name ?? option.name));
  return [
    h("span.suggest-mark", {}, icon("slash")),
    h("span.suggest-text", {}, h("span.suggest-name", {}, `/${displayOf(command)}`), h("span.option-hints", {}, options), h("span.suggest-description", {}, command.description)),
  ];
}
