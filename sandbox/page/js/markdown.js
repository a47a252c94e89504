// Discord's Markdown subset: text in, DOM nodes out. Blocks first, then inline marks; never HTML.

import { h } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { timestamp } from "./time.js";
import { t } from "./words.js";

/** Marks inside marks deeper than this are shown as they were typed. */
const DEEPEST = 8;

/**
 * @param {string} text
 * @param {{resolved?: object, mentions?: object, headings?: boolean}} context names for mentions
 * @returns {Node} a fragment
 */
export function markdown(text, context = {}) {
  const out = document.createDocumentFragment();
  if (text) out.append(...blocks(String(text), context, 0));
  return out;
}

/** Only the inline marks, for titles and field names. */
export function inlineMarkdown(text, context = {}) {
  const out = document.createDocumentFragment();
  if (text) out.append(...inline(String(text), context, 0));
  return out;
}

/** What is left of Markdown when there is one line for it. */
export function plain(text, context = {}) {
  const box = document.createElement("div");
  box.append(markdown(text, context));
  return box.textContent.replace(/\s+/g, " ").trim();
}

// --- blocks ---

function blocks(text, context, depth) {
  const nodes = [];
  const fence = /```(?:([\w+#.-]{1,20})\n)?\n?([\s\S]+?)\n?```/g;
  let from = 0;
  for (let match = fence.exec(text); match; match = fence.exec(text)) {
    nodes.push(...lines(text.slice(from, match.index).replace(/\n$/, ""), context, depth));
    nodes.push(codeBlock(match[2], match[1]));
    from = fence.lastIndex;
    if (text[from] === "\n") from += 1;
  }
  nodes.push(...lines(text.slice(from), context, depth));
  return nodes;
}

function codeBlock(code, language) {
  return h("pre.code-block", { tabindex: 0, data: { language: language ?? null } }, h("code", {}, language === "ansi" ? code.replace(/\u001b\[[0-9;]*m/g, "") : code));
}

const LIST = /^( *)([-*]|\d{1,9}\.) +(.*)$/;

function lines(text, context, depth) {
  if (text === "") return [];
  const all = text.split("\n");
  const nodes = [];
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) nodes.push(h("p", {}, ...inline(paragraph.join("\n"), context, depth)));
    paragraph = [];
  };
  for (let i = 0; i < all.length; i += 1) {
    const line = all[i];
    const heading = /^(#{1,3}) +(.+)$/.exec(line);
    const small = /^-# +(.+)$/.exec(line);
    if (line.startsWith(">>> ") && depth < DEEPEST) {
      flush();
      const rest = [line.slice(4), ...all.slice(i + 1)].join("\n");
      nodes.push(h("blockquote", {}, ...blocks(rest, context, depth + 1)));
      return nodes;
    }
    if (/^> ?/.test(line) && (line.startsWith("> ") || line === ">") && depth < DEEPEST) {
      flush();
      const quoted = [];
      while (i < all.length && (all[i].startsWith("> ") || all[i] === ">")) quoted.push(all[i++].slice(2));
      i -= 1;
      nodes.push(h("blockquote", {}, ...lines(quoted.join("\n"), context, depth + 1)));
    } else if (heading) {
      flush();
      nodes.push(h(`div.heading.heading-${heading[1].length}`, { role: "heading", "aria-level": heading[1].length + 2 }, ...inline(heading[2], context, depth)));
    } else if (small) {
      flush();
      nodes.push(h("div.subtext", {}, ...inline(small[1], context, depth)));
    } else if (LIST.test(line)) {
      flush();
      const items = [];
      while (i < all.length && LIST.test(all[i])) items.push(LIST.exec(all[i++]));
      i -= 1;
      nodes.push(list(items, context, depth));
    } else {
      paragraph.push(line);
    }
  }
  flush();
  return nodes;
}

function list(items, context, depth) {
  const indent = items[0][1].length;
  const ordered = /\d/.test(items[0][2]);
  const root = h(ordered ? "ol" : "ul", ordered ? { start: parseInt(items[0][2], 10) } : {});
  let last = null;
  for (let i = 0; i < items.length; i += 1) {
    if (last && items[i][1].length > indent && depth < DEEPEST) {
      const nested = [];
      while (i < items.length && items[i][1].length > indent) nested.push(items[i++]);
      i -= 1;
      last.append(list(nested, context, depth + 1));
    } else {
      last = h("li", {}, ...inline(items[i][3], context, depth));
      root.append(last);
    }
  }
  return root;
}

// --- inline ---

// Tried in this order at each place where one of these characters stands.
const RULES = [
  // Like Discord: a backslash takes the meaning from any sign that is neither letter, digit nor space.
  [/^\\([^0-9A-Za-z\s])/u, (m) => m[1]],
  [/^(`{1,2})(?!`)([\s\S]*?[^`])\1(?!`)/, (m) => h("code", {}, m[1].length === 2 ? m[2].trim() : m[2])],
  [/^<t:(-?\d{1,13})(?::([tTdDfFsSR]))?>/, (m) => timestamp(Number(m[1]), m[2])],
  [/^<@!?(\d{1,20})>/, (m, c) => mentionUser(m[1], c)],
  [/^<@&(\d{1,20})>/, (m, c) => mentionRole(m[1], c)],
  [/^<#(\d{1,20})>/, (m, c) => mentionChannel(m[1], c)],
  [/^<\/([^:>\n]{1,100}):\d{1,20}>/, (m) => h("span.mention.mention-command", {}, `/${m[1]}`)],
  [/^<a?:(\w{2,32}):\d{1,20}>/, (m) => `:${m[1]}:`],
  [/^@(everyone|here)\b/, (m, c) => h(`span.mention${c.mentions?.everyone ? ".mention-me" : ""}`, {}, m[0])],
  [/^\[([^\]\n]{1,400})\]\(<?(https?:\/\/[^\s)>]{1,2000})>?(?: "[^"\n]*")?\)/, (m, c, d) => link(m[2], inline(m[1], { ...c, noLinks: true }, d + 1))],
  [/^<(https?:\/\/[^\s>]{1,2000})>/, (m) => link(m[1], [m[1]])],
  [/^https?:\/\/[^\s<]{1,2000}/, (m) => bareLink(m)],
  [/^\*\*\*(?=\S)([\s\S]*?\S)\*\*\*/, (m, c, d) => h("em", {}, h("strong", {}, ...inline(m[1], c, d + 1)))],
  [/^\*\*(?=\S)([\s\S]*?\S\*?)\*\*(?!\*)/, (m, c, d) => h("strong", {}, ...inline(m[1], c, d + 1))],
  [/^__(?=\S)([\s\S]*?\S)__(?!_)/, (m, c, d) => h("u", {}, ...inline(m[1], c, d + 1))],
  [/^\*(?=[^\s*])([\s\S]*?[^\s*])\*(?!\*)/, (m, c, d) => h("em", {}, ...inline(m[1], c, d + 1))],
  [/^_(?=[^\s_])([\s\S]*?[^\s_])_(?![\p{L}\p{N}_])/u, (m, c, d) => h("em", {}, ...inline(m[1], c, d + 1))],
  [/^~~(?=\S)([\s\S]*?\S)~~/, (m, c, d) => h("s", {}, ...inline(m[1], c, d + 1))],
  [/^\|\|([\s\S]+?)\|\|/, (m, c, d) => spoiler(inline(m[1], c, d + 1))],
];
const SPECIAL = /[\\`<@[*_~|]|https?:\/\//g;

function inline(text, context, depth) {
  if (depth > DEEPEST) return [document.createTextNode(text)];
  const nodes = [];
  let plainFrom = 0;
  let at = 0;
  const flush = (to) => { if (to > plainFrom) nodes.push(...withEmoji(text.slice(plainFrom, to))); };
  while (at < text.length) {
    SPECIAL.lastIndex = at;
    const special = SPECIAL.exec(text);
    if (!special) break;
    at = special.index;
    const found = rule(text, at, context, depth);
    if (found) {
      flush(at);
      nodes.push(found.node);
      at += found.length;
      plainFrom = at;
    } else {
      // A word_with_underscores is not emphasis: skip the whole run of the same character.
      const character = text[at];
      do at += 1; while (at < text.length && text[at] === character);
    }
  }
  flush(text.length);
  return nodes;
}

function rule(text, at, context, depth) {
  if (text[at] === "_" && at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1])) return null;
  const rest = text.slice(at);
  for (const [pattern, make] of RULES) {
    const match = pattern.exec(rest);
    if (!match || (context.noLinks && /^\[|^<?https?:/.test(match[0]))) continue;
    const node = make(match, context, depth);
    if (node === null) continue;
    return { node: node instanceof Node ? node : document.createTextNode(node), length: match[0].length };
  }
  return null;
}

function bareLink(match) {
  // Punctuation after an address belongs to the sentence.
  const address = match[0].replace(/[.,:;!?'"，。；！？、）]+$/, "").replace(/\)$/, (end) => (match[0].includes("(") ? end : ""));
  match[0] = address;
  return link(address, [address]);
}

/** Only http and https lead anywhere; the rule that calls this has made sure, and this makes sure again. */
export function link(address, children) {
  let url;
  try { url = new URL(address); } catch { return h("span", {}, ...children); }
  if (url.protocol !== "https:" && url.protocol !== "http:") return h("span", {}, ...children);
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow", title: url.href }, ...children);
}

function spoiler(children) {
  const box = h("span.spoiler", { role: "button", tabindex: 0, "aria-expanded": "false", "aria-label": t("message.spoiler") }, h("span", { "aria-hidden": "true" }, ...children));
  const reveal = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    if (box.getAttribute("aria-expanded") === "true") return;
    event.preventDefault();
    box.setAttribute("aria-expanded", "true");
    box.removeAttribute("aria-label");
    box.firstChild.removeAttribute("aria-hidden");
  };
  box.addEventListener("click", reveal);
  box.addEventListener("keydown", reveal);
  return box;
}

// --- mentions ---

const nameOf = (entry) => (typeof entry === "string" ? entry : entry?.display_name ?? entry?.name ?? null);

function mentionUser(id, context) {
  const name = nameOf(context.resolved?.users?.[id]);
  const mine = context.meId === id && context.mentions?.me;
  return h(`span.mention${mine ? ".mention-me" : ""}`, { data: { user: id } }, name ? `@${name}` : t("mention.unknown-user"));
}

function mentionRole(id, context) {
  const role = context.resolved?.roles?.[id];
  const mine = context.mentions?.me && context.mentions?.roles?.includes(id) && context.myRoleIds?.includes(id);
  return h(`span.mention${mine ? ".mention-me" : ""}`, { vars: { "--mention": role?.colour }, data: { role: id } }, role ? `@${nameOf(role)}` : t("mention.unknown-role"));
}

function mentionChannel(id, context) {
  const name = nameOf(context.resolved?.channels?.[id]);
  if (!name) return h("span.mention", {}, t("mention.unknown-channel"));
  return h("a.mention", { href: "#", data: { channel: id }, onclick: (event) => { event.preventDefault(); context.openChannel?.(id); } }, `#${name}`);
}
