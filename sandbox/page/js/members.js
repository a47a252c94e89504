// The right side: who is here, under their highest role.

import { api } from "./api.js";
import { avatar } from "./avatar.js";
import { fill, h, icon, toast } from "./dom.js";
import { menu } from "./popover.js";
import { commandsIn, displayOf, pathOf } from "./picker.js";
import { person, state } from "./store.js";
import { t } from "./words.js";

export function drawMembers(root, channelId) {
  const groups = new Map();
  const ranked = [...state.roles].sort((a, b) => b.position - a.position);
  for (const one of state.people) {
    const top = ranked.find((role) => role.id !== state.guild?.id && one.role_ids.includes(role.id));
    const key = top?.id ?? "";
    if (!groups.has(key)) groups.set(key, { role: top, people: [] });
    groups.get(key).people.push(one);
  }
  const ordered = [...groups.values()].sort((a, b) => (b.role?.position ?? -1) - (a.role?.position ?? -1));
  fill(root, h("div.members", {},
    state.bot ? group(t("members.apps"), null, [botRow()]) : null,
    ordered.map(({ role, people }) => group(role?.name ?? t("members.no-role"), role?.colour, people.map((one) => memberRow(one, channelId)), people.length))));
}

const group = (name, colour, rows, count) => h("section.member-group", {}, h("h3", { vars: { "--name": colour } }, name, count ? ` · ${count}` : null), rows);

function botRow() {
  return h("div.member.member-bot", { data: { connected: String(state.bot.connected) } }, avatar({ ...state.bot, bot: true }, "small"),
    h("span.member-names", {}, h("span.member-name", {}, state.bot.name), h("span.member-note", {}, h(`span.dot${state.bot.connected ? ".dot-on" : ""}`), t(state.bot.connected ? "bot.online" : "bot.offline"))), h("span.tag", {}, t("message.app")));
}

function memberRow(one, channelId) {
  const mine = one.id === person()?.id;
  return h("button.member", { type: "button", "aria-haspopup": "menu", data: { person: one.name }, onclick: (event) => memberMenu(one, channelId, event), oncontextmenu: (event) => { event.preventDefault(); memberMenu(one, channelId, event); } },
    avatar(one, "small"), h("span.member-names", {}, h("span.member-name", { vars: { "--name": one.colour } }, one.display_name, mine ? h("span.quiet", {}, ` ${t("members.you")}`) : null),
      one.display_name !== one.name ? h("span.member-note", {}, `@${one.name}`) : null),
    one.owner ? h("span.owner", { title: t("members.owner") }, icon("crown")) : null);
}

/** Roles can be given and taken here: trying out who may do what is what the sandbox is for. */
async function memberMenu(one, channelId, event) {
  const { currentTarget, type, clientX, clientY } = event;
  let apps = [];
  try { apps = (await commandsIn(channelId)).filter((each) => each.type === "user"); } catch { /* without them */ }
  const roles = state.roles.filter((role) => role.id !== state.guild?.id && !role.managed).sort((a, b) => b.position - a.position);
  menu([
    { heading: `@${one.name}` },
    ...apps.map((each) => ({ name: pathOf(each), label: displayOf(each), hint: each.application?.name, run: () => useOn(each, one, channelId) })),
    apps.length ? "-" : null,
    { heading: t("members.roles") },
    ...roles.map((role) => ({ name: role.name, label: role.name, checked: one.role_ids.includes(role.id), before: h("span.role-dot", { vars: { "--name": role.colour } }), after: one.role_ids.includes(role.id) ? icon("check") : null, run: () => toggleRole(one, role) })),
  ], { currentTarget, type, clientX, clientY, target: currentTarget }, one.display_name);
}

async function toggleRole(one, role) {
  const has = one.role_ids.includes(role.id);
  try {
    await api.changePerson(one.name, { roles: has ? one.role_ids.filter((id) => id !== role.id) : [...one.role_ids, role.id] });
    toast(t(has ? "members.role-taken" : "members.role-given", { name: one.display_name, role: role.name }));
  } catch (refusal) { toast(refusal.message, "error"); }
}

async function useOn(command, target, channelId) {
  try { await api.invoke(channelId, { command: pathOf(command), command_id: command.command_id, target_user_id: target.id }); } catch (refusal) { toast(refusal.message, "error"); }
}
