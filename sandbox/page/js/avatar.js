// Avatars made of initials, on a colour that follows from the id.

import { h, icon } from "./dom.js";

/** Each has at least 4.5:1 against white letters. */
const COLOURS = ["#8a4b08", "#9a3a2d", "#a12a5e", "#6d3fa8", "#3f51b5", "#1f6391", "#0f6b66", "#2d6a34", "#5d6410", "#5a5f6b"];

export function initials(name) {
  const trimmed = (name ?? "?").trim();
  // Chinese given names stand last: 小明 is known by 明.
  if (/\p{Script=Han}/u.test(trimmed)) return [...trimmed].at(-1);
  const parts = trimmed.split(/[\s_.-]+/u).filter(Boolean);
  const letters = parts.length > 1 ? [[...parts[0]][0], [...parts[1]][0]] : [...(parts[0] ?? "?")].slice(0, 1);
  return letters.join("").toUpperCase();
}

function colourOf(id) {
  let sum = 0;
  for (const character of String(id)) sum = (sum * 31 + character.codePointAt(0)) >>> 0;
  return COLOURS[sum % COLOURS.length];
}

export function avatar(author, size = "") {
  if (author.bot) return h(`span.avatar.avatar-bot${size ? `.avatar-${size}` : ""}`, { "aria-hidden": "true" }, icon("bell"));
  return h(`span.avatar${size ? `.avatar-${size}` : ""}`, { "aria-hidden": "true", vars: { "--avatar": colourOf(author.id) } }, initials(author.display_name ?? author.name));
}
