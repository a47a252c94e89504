// Buttons and selects on messages, and the layout components around them.

import { api } from "./api.js";
import { attachmentList, isLocal } from "./attachment.js";
import { h, icon, toast } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { link, markdown } from "./markdown.js";
import { emit, state } from "./store.js";
import { selectBox } from "./select.js";
import { t } from "./words.js";

const BUTTON_STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

export function componentRows(message, context) {
  if (!message.components?.length) return null;
  return h("div.components", {}, message.components.map((one) => component(one, message, context)));
}

const MAKE = {
  1: (data, message, context) => h("div.component-row", {}, children(data, message, context)),
  2: button,
  3: select, 5: select, 6: select, 7: select, 8: select,
  9: (data, message, context) => h("div.component-section", {}, h("div.component-section-text", {}, children(data, message, context)), data.accessory ? component(data.accessory, message, context) : null),
  10: (data, message, context) => h("div.markup.text-display", {}, markdown(data.content, context)),
  11: (data) => media(data.media, data.description),
  12: (data) => h("div.media-gallery", {}, (data.items ?? []).map((item) => media(item.media, item.description))),
  13: (data, message) => attachmentList((message.attachments ?? []).filter((one) => data.file?.url?.endsWith(one.filename))),
  14: (data) => (data.divider === false ? h("div.separator-space") : h("hr.separator")),
  17: (data, message, context) => h("div.embed.component-container", { vars: { "--edge": data.accent_color ? `#${data.accent_color.toString(16).padStart(6, "0")}` : null } }, h("div.embed-main", {}, children(data, message, context))),
};

const component = (data, message, context) => MAKE[data.type]?.(data, message, context) ?? null;
const children = (data, message, context) => (data.components ?? []).map((one) => component(one, message, context));

function media(item, description) {
  if (!item?.url) return null;
  return isLocal(item.url) ? h("img.media", { src: item.url, alt: description ?? "", loading: "lazy" }) : link(item.url, [item.url]);
}

const controlKey = (message, data) => `${message.id}/${data.custom_id}`;
const isBusy = (message, data) => [...state.busyControls.values()].includes(controlKey(message, data));

function emoji(data) {
  return data.emoji?.name ? h("span.emoji", { "aria-hidden": "true" }, data.emoji.id ? `:${data.emoji.name}:` : withEmoji(data.emoji.name)) : null;
}

function button(data, message) {
  const style = BUTTON_STYLES[data.style] ?? "secondary";
  if (style === "link") {
    let url = null;
    try { url = new URL(data.url); } catch { /* drawn as a disabled button */ }
    const usable = url && /^https?:$/.test(url.protocol) && !data.disabled;
    return h("a.button.button-link", { href: usable ? url.href : null, "aria-disabled": usable ? null : "true", target: "_blank", rel: "noopener noreferrer nofollow" }, emoji(data), data.label ?? "", icon("link"));
  }
  const busy = isBusy(message, data);
  const dead = message.state !== "sent";
  return h(`button.button.button-${style}`, {
    type: "button", disabled: data.disabled || dead, "aria-busy": busy ? "true" : null, data: { customId: data.custom_id },
    "aria-label": data.label ? null : data.emoji?.name,
    onclick: () => { if (!isBusy(message, data)) act(message, data, () => api.click(message.id, data.custom_id)); },
  }, busy ? h("span.spinner", { "aria-label": t("message.waiting") }) : null, emoji(data), data.label ? h("span", {}, data.label) : null);
}

/** Presses a control: it is busy until its interaction has gone on. */
async function act(message, data, request) {
  const key = controlKey(message, data);
  const waiting = `asking ${key}`;
  state.busyControls.set(waiting, key);
  emit("redraw", message.id);
  try {
    const interaction = await request();
    if (interaction.state === "waiting" && !state.settled.has(interaction.id)) state.busyControls.set(interaction.id, key);
  } catch (refusal) {
    toast(refusal.message, "error");
  }
  state.busyControls.delete(waiting);
  emit("redraw", message.id);
}

/** The choices of a user, role, mentionable or channel select come from the guild. */
export function guildChoices(type) {
  const people = () => [...(state.bot ? [{ value: state.bot.id, label: state.bot.name }] : []), ...state.people.map((one) => ({ value: one.id, label: one.display_name, description: `@${one.name}` }))];
  const roles = () => state.roles.filter((role) => role.id !== state.guild?.id).map((one) => ({ value: one.id, label: one.name, colour: one.colour }));
  const channels = () => state.channels.filter((one) => one.type !== "category").map((one) => ({ value: one.id, label: `#${one.name}` }));
  return { 5: people, 6: roles, 7: () => [...people(), ...roles()], 8: channels }[type]?.() ?? [];
}

function select(data, message) {
  const options = data.type === 3
    ? (data.options ?? []).map((one) => ({ value: one.value, label: one.label, description: one.description, emoji: one.emoji?.name, chosen: one.default }))
    : guildChoices(data.type).map((one) => ({ ...one, chosen: data.default_values?.some((chosen) => chosen.id === one.value) }));
  return selectBox({
    options, placeholder: data.placeholder ?? t("select.placeholder"), least: data.min_values ?? 1, most: data.max_values ?? 1,
    disabled: data.disabled || message.state !== "sent", busy: isBusy(message, data), filter: data.type !== 3, customId: data.custom_id,
    onDone: (values) => act(message, data, () => api.select(message.id, data.custom_id, values)),
  });
}
