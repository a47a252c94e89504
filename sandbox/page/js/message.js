// One message as one person sees it: an <article>.

import { avatar } from "./avatar.js";
import { attachmentList } from "./attachment.js";
import { componentRows } from "./components.js";
import { append, h, icon, iconButton, uid } from "./dom.js";
import { embed } from "./embed.js";
import { markdown, plain } from "./markdown.js";
import { person, state } from "./store.js";
import { clock, format, messageTime } from "./time.js";
import { t } from "./words.js";

/** Messages of one author within this time stand under one head. */
const GROUP_MS = 7 * 60 * 1000;

/** Whether `message` continues what `previous` began, so that it needs no head of its own. */
export function continues(message, previous) {
  return Boolean(previous) && message.kind === "default" && previous.author.id === message.author.id
    && ["default", "reply"].includes(previous.kind) && previous.ephemeral === message.ephemeral
    && new Date(message.at) - new Date(previous.at) < GROUP_MS;
}

/** What the Markdown of a message needs to know about names. */
export function contextOf(message, actions) {
  return {
    resolved: message.resolved, mentions: message.mentions,
    meId: person()?.id, myRoleIds: person()?.role_ids ?? [], openChannel: actions.openChannel,
  };
}

/**
 * @param actions what the buttons do: reply, menu, thread, dismiss, jump, openChannel, openThread, edit…
 * @param {boolean} compact without avatar and name
 */
export function messageElement(message, actions, compact) {
  if (message.kind === "thread_created" || message.kind === "pinned") return systemLine(message, actions);
  const context = contextOf(message, actions);
  const headId = uid("head");
  const classes = ["message",
    compact ? "message-compact" : null,
    message.mentions?.me ? "message-mentions-me" : null,
    message.ephemeral || message.kind === "notice" ? "message-ephemeral" : null,
    message.reply_to || message.command ? "message-with-context" : null].filter(Boolean).join(".");
  const article = h(`article.${classes}`, {
    tabindex: -1, "aria-labelledby": headId,
    data: { id: message.id, author: message.author.name, state: message.state, kind: message.kind, ephemeral: message.ephemeral ? "true" : null },
    oncontextmenu: (event) => { if (!event.target.closest("a, textarea, input")) { event.preventDefault(); actions.menu(message, event); } },
  });
  const body = h("div.message-body");
  append(article, [contextLine(message, actions), gutter(message, compact), body]);
  body.append(head(message, headId, compact));
  append(body, [content(message, context), ...parts(message, context, actions), footer(message, actions)]);
  article.append(toolbar(message, actions));
  return article;
}

function gutter(message, compact) {
  if (compact) return h("span.message-gutter", { "aria-hidden": "true" }, h("time", {}, clock(message.at)));
  return h("span.message-gutter", {}, avatar(message.author));
}

function head(message, id, compact) {
  const time = messageTime(message.at);
  return h(`header.message-head${compact ? ".visually-hidden" : ""}`, { id },
    h("span.author", { vars: { "--name": message.author.bot ? null : message.author.colour } }, message.author.display_name ?? message.author.name),
    message.author.bot ? h("span.tag", { title: t("message.app-title") }, t("message.app")) : null,
    " ", time);
}

/** The line above: what this answers, or who used which command. */
function contextLine(message, actions) {
  if (message.command) {
    const who = message.command.person;
    return h("div.message-context", {},
      avatar(who, "tiny"), h("span.context-name", {}, who.display_name ?? who.name), " ",
      h("span", {}, t("message.used")), " ", h("span.command-name", {}, message.kind === "context" ? message.command.name : `/${message.command.name}`));
  }
  const reply = message.reply_to;
  if (!reply) return null;
  if (reply.deleted) return h("div.message-context", {}, icon("reply"), h("em", {}, t("message.reply-deleted")));
  return h("button.message-context.message-context-link", { type: "button", onclick: () => actions.jump(reply.id) },
    icon("reply"), h("span.context-name", {}, `@${reply.author}`), " ", h("span.context-excerpt", {}, plain(reply.excerpt) || t("message.reply-attachment")));
}

function content(message, context) {
  if (message.state === "thinking") {
    return h("p.thinking", {}, h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i")), " ", t("message.thinking", { name: message.author.display_name ?? message.author.name }));
  }
  if (message.state === "failed") return h("p.failed", { role: "alert" }, icon("warn"), " ", message.content || t("message.failed"));
  const edited = message.edited_at ? h("span.edited", { title: format(new Date(message.edited_at), { dateStyle: "full", timeStyle: "medium" }) }, t("message.edited")) : null;
  if (!message.content) return edited && !message.embeds?.length && !message.components?.length ? edited : null;
  const box = h("div.markup.message-content", {}, markdown(message.content, context));
  if (edited) (box.lastElementChild?.tagName === "P" ? box.lastElementChild : box).append(" ", edited);
  return box;
}

function parts(message, context, actions) {
  const embeds = message.suppress_embeds ? [] : message.embeds ?? [];
  return [
    ...embeds.map((one) => embed(one, context)),
    attachmentList(message.attachments ?? []),
    componentRows(message, context),
    message.notice ? h("p.notice", { role: "alert" }, icon("warn"), " ", message.notice) : null,
    message.thread ? threadCard(message.thread, actions) : null,
  ];
}

function threadCard(thread, actions) {
  return h("button.thread-card", { type: "button", data: { thread: thread.id }, onclick: () => actions.openThread(thread.id) },
    icon("thread"), h("span.thread-card-name", {}, thread.name),
    h("span.thread-card-count", {}, t("thread.messages", { n: thread.message_count ?? 0 })),
    thread.archived ? h("span.tag.tag-quiet", {}, t("thread.archived")) : null, icon("right"));
}

function footer(message, actions) {
  if (!message.ephemeral && message.kind !== "notice") return null;
  return h("p.ephemeral-line", {}, icon("eye"), " ", t("message.only-you"), " · ",
    h("button.link-button", { type: "button", onclick: () => actions.dismiss(message) }, t("message.dismiss")));
}

function toolbar(message, actions) {
  const buttons = [];
  if (message.state === "sent" && !message.ephemeral && message.kind !== "notice") {
    if (actions.canSend()) buttons.push(iconButton("reply", t("menu.reply"), { onclick: () => actions.reply(message) }));
    if (actions.canOpenThread(message)) buttons.push(iconButton("thread", t("menu.thread"), { onclick: () => actions.thread(message) }));
    if (message.mine) buttons.push(iconButton("pencil", t("menu.edit"), { onclick: () => actions.edit(message) }));
  }
  buttons.push(iconButton("more", t("menu.more"), { "aria-haspopup": "menu", onclick: (event) => actions.menu(message, event) }));
  return h("div.message-toolbar", { role: "group", "aria-label": t("menu.of-message") }, ...buttons);
}

function systemLine(message, actions) {
  const name = h("b", {}, message.author.display_name ?? message.author.name);
  const threadId = message.thread?.id ?? null;
  const label = message.kind === "pinned" ? t("message.pinned") : t("message.thread-created");
  return h("article.message.message-system", { tabindex: -1, data: { id: message.id, kind: message.kind, author: message.author.name } },
    h("span.message-gutter", {}, icon(message.kind === "pinned" ? "check" : "thread")),
    h("div.message-body", {}, h("p", {}, name, " ", label, " ",
      message.kind === "thread_created" ? (threadId ? h("button.link-button", { type: "button", onclick: () => actions.openThread(threadId) }, message.content) : h("b", {}, message.content)) : null,
      " ", messageTime(message.at))));
}

/** The row for a command that was sent and has no answer yet. Only its sender has it. */
export function pendingElement(pending) {
  return h("article.message.message-pending", { data: { state: "sending" } },
    h("span.message-gutter", {}, avatar({ bot: true })),
    h("div.message-body", {},
      h("header.message-head", {}, h("span.author", {}, state.bot?.name ?? "Handbell"), h("span.tag", {}, t("message.app"))),
      h("p.thinking", {}, h("span.dots", { "aria-hidden": "true" }, h("i"), h("i"), h("i")), " ", t("message.sending-command", { command: pending.command }))));
}
