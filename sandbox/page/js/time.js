// Times as people read them: absolute, relative, and Discord's <t:…:X> styles. Relative ones are refreshed by `tick`.

import { h } from "./dom.js";
import { now } from "./store.js";
import { locale, t } from "./words.js";

const STYLES = {
  t: { timeStyle: "short" }, T: { timeStyle: "medium" }, d: { dateStyle: "short" }, D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" }, F: { dateStyle: "full", timeStyle: "short" },
  s: { dateStyle: "short", timeStyle: "short" }, S: { dateStyle: "short", timeStyle: "medium" },
};
const UNITS = [["year", 31_536_000], ["month", 2_592_000], ["week", 604_800], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

export const format = (date, options) => new Intl.DateTimeFormat(locale(), options).format(date);

export function relative(date) {
  const seconds = Math.round((date.getTime() - now()) / 1000);
  const [unit, size] = UNITS.find(([, one]) => Math.abs(seconds) >= one) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
}

/** `<t:SECONDS:STYLE>` as an element; the full date shows on hover. */
export function timestamp(seconds, style) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return t("time.invalid");
  const text = style === "R" ? relative(date) : format(date, STYLES[style] ?? STYLES.f);
  return h("time.stamp", { datetime: date.toISOString(), title: format(date, STYLES.F), data: style === "R" ? { relative: date.getTime() } : {} }, text);
}

function sameDay(a, b) {
  return a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate();
}

/** When a message was sent: "14:05" today, "yesterday 14:05", then the date. */
export function messageTime(iso) {
  const date = new Date(iso);
  const today = new Date(now());
  const yesterday = new Date(now() - 86_400_000);
  const clock = format(date, { timeStyle: "short" });
  const text = sameDay(date, today) ? clock : sameDay(date, yesterday) ? t("time.yesterday", { clock }) : format(date, STYLES.s);
  return h("time", { datetime: iso, title: format(date, STYLES.F) }, text);
}

export const clock = (iso) => format(new Date(iso), { timeStyle: "short" });
export const dayKey = (iso) => new Date(iso).toDateString();
export const dayName = (iso) => format(new Date(iso), { dateStyle: "full" });

/** Brings every relative time on the page up to date. */
export function tick() {
  for (const element of document.querySelectorAll("time[data-relative]")) {
    const text = relative(new Date(Number(element.dataset.relative)));
    if (element.textContent !== text) element.textContent = text;
  }
}

export function bytes(count) {
  if (count < 1024) return t("size.bytes", { n: count });
  const [value, unit] = count < 1024 * 1024 ? [count / 1024, "KiB"] : [count / 1024 / 1024, "MiB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
