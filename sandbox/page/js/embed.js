// An embed: a card with a coloured edge.

import { isLocal } from "./attachment.js";
import { h } from "./dom.js";
import { inlineMarkdown, link, markdown } from "./markdown.js";
import { messageTime } from "./time.js";

const hex = (colour) => (Number.isInteger(colour) && colour > 0 ? `#${colour.toString(16).padStart(6, "0")}` : null);

export function embed(data, context) {
  const box = h("div.embed", { role: "group", "aria-label": data.title ?? undefined, vars: { "--edge": hex(data.color) } });
  const main = h("div.embed-main");
  box.append(main);
  if (data.author?.name) main.append(h("div.embed-author", {}, data.author.url ? link(data.author.url, [data.author.name]) : data.author.name));
  if (data.title) {
    const title = inlineMarkdown(data.title, context);
    main.append(h("div.embed-title", { role: "heading", "aria-level": 3 }, data.url ? link(data.url, [title]) : title));
  }
  if (data.description) main.append(h("div.markup.embed-description", {}, markdown(data.description, context)));
  if (data.fields?.length) main.append(fields(data.fields, context));
  const image = picture(data.image, "embed-image");
  if (image) main.append(image);
  const foot = footer(data);
  if (foot) main.append(foot);
  const thumbnail = picture(data.thumbnail, "embed-thumbnail");
  if (thumbnail) box.append(thumbnail);
  return box;
}

/** Inline fields stand up to three in a row; one that is not inline has the row to itself. */
function fields(list, context) {
  const grid = h("dl.embed-fields");
  for (let i = 0; i < list.length; i += 1) {
    let run = 0;
    while (list[i + run]?.inline) run += 1;
    if (run === 0) grid.append(field(list[i], context, 12));
    for (let j = 0; j < run; j += 1) {
      const inRow = Math.min(3, run - Math.floor(j / 3) * 3);
      grid.append(field(list[i + j], context, 12 / inRow));
    }
    i += Math.max(0, run - 1);
  }
  return grid;
}

function field(one, context, span) {
  return h(`div.embed-field.span-${span}`, {}, h("dt", {}, inlineMarkdown(one.name, context)), h("dd.markup", {}, markdown(one.value, context)));
}

function footer(data) {
  if (!data.footer?.text && !data.timestamp) return null;
  return h("div.embed-footer", {}, data.footer?.text ?? null, data.footer?.text && data.timestamp ? " · " : null, data.timestamp ? messageTime(data.timestamp) : null);
}

/** Only files of the sandbox itself are shown; a picture elsewhere is a link, because nothing here leaves the machine. */
function picture(data, name) {
  if (!data?.url) return null;
  if (isLocal(data.url)) return h(`img.${name}`, { src: data.url, alt: data.description ?? "", loading: "lazy" });
  return h(`div.${name}-link`, {}, link(data.url, [data.url]));
}
