// Attached files: pictures inline, text with a preview, everything with a download.

import { fill, h, icon } from "./dom.js";
import { bytes } from "./time.js";
import { t } from "./words.js";

/** A text file larger than this is only offered for download. */
const PREVIEW_BYTES = 512 * 1024;
const PREVIEW_LINES = 6;
/** From so many files on, none is previewed until somebody asks for it. */
const MANY_FILES = 2;

/** A file that the sandbox itself serves. */
export const isLocal = (url) => /^\/attachments\//.test(url) || url.startsWith(`${location.origin}/attachments/`);

export function attachmentList(list) {
  if (!list.length) return null;
  return h("div.attachments", {}, list.map((one) => (isImage(one) ? imageBox(one) : fileBox(one, list.length >= MANY_FILES ? 0 : PREVIEW_LINES))));
}

const isImage = (one) => /^image\/(png|jpeg|gif|webp)/.test(one.content_type ?? "");
const isText = (one) => /^(text\/|application\/(json|toml|xml|x-ndjson))/.test(one.content_type ?? "") || /\.(txt|log|md|json|toml|csv|ya?ml)$/i.test(one.filename);

function imageBox(one) {
  return h("a.attachment-image", { href: one.url, target: "_blank", rel: "noopener", title: one.filename },
    h("img", { src: one.url, alt: one.description ?? one.filename, loading: "lazy", width: one.width, height: one.height }));
}

function fileBox(one, shownLines) {
  const box = h("div.attachment", { data: { filename: one.filename } });
  box.append(h("div.attachment-head", {}, icon("file"),
    h("span.attachment-name", {}, one.filename), h("span.attachment-size", {}, bytes(one.size)),
    h("a.icon-button", { href: one.url, download: one.filename, "aria-label": t("file.download", { name: one.filename }), title: t("file.download", { name: one.filename }) }, icon("download"))));
  if (isText(one) && one.size <= PREVIEW_BYTES && isLocal(one.url)) preview(one, box, shownLines);
  return box;
}

// A message is drawn anew on every edit; its files are not fetched anew.
const texts = new Map();
const opened = new Set();
const KEPT_TEXTS = 50;

async function read(url) {
  if (!texts.has(url)) {
    if (texts.size >= KEPT_TEXTS) texts.delete(texts.keys().next().value);
    const reading = fetch(url).then((response) => (response.ok ? response.text() : Promise.reject(new Error(String(response.status)))));
    texts.set(url, reading);
    reading.then((text) => texts.set(url, text), () => texts.delete(url));
  }
  return texts.get(url);
}

async function preview(one, box, shownLines) {
  const pre = h("pre.attachment-preview", { tabindex: 0, "aria-label": one.filename }, t("file.loading"));
  pre.hidden = shownLines === 0;
  box.append(pre);
  let text = texts.get(one.url);
  if (typeof text !== "string") {
    try { text = await read(one.url); } catch { fill(pre, t("file.gone")); return; }
  }
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  const more = all.length > shownLines;
  const button = h("button.link-button.attachment-more", { type: "button" });
  const draw = () => {
    const whole = opened.has(one.url) || !more;
    fill(pre, (whole ? all : all.slice(0, shownLines)).join("\n"));
    pre.hidden = !whole && shownLines === 0;
    button.textContent = whole ? t("file.less") : t("file.more", { n: all.length });
    button.setAttribute("aria-expanded", String(whole));
  };
  button.addEventListener("click", () => { if (!opened.delete(one.url)) opened.add(one.url); draw(); });
  draw();
  if (more) box.append(button);
}
