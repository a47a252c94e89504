// The page's own words. Each language has the same keys; the page's tests hold them against each other.

import { en } from "./words-en.js";
import { zh } from "./words-zh.js";

const LANGUAGES = { en, zh };
let current = "en-US";

/** The languages that a person can be switched to, as Discord names them. */
export const LOCALES = [["en-US", "English"], ["zh-CN", "中文"]];

export function setLocale(value) {
  current = value ?? "en-US";
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
}
export const locale = () => current;
export const language = () => (current.startsWith("zh") ? "zh" : "en");

/** The words for `key`, with {name} replaced. A number `n` picks "key.one" where the language has it. */
export function t(key, values = {}) {
  const words = LANGUAGES[language()];
  const text = (values.n === 1 ? words[`${key}.one`] : undefined) ?? words[key];
  if (text === undefined) {
    console.error(`no words for ${key} in ${language()}`);
    return key;
  }
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
