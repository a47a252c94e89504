// The left side: the guild, its channels with their threads, and who one is.

import { avatar, initials } from "./avatar.js";
import { fill, h, icon, iconButton } from "./dom.js";
import { menu } from "./popover.js";
import { api } from "./api.js";
import { channel, isThread, on, person, preference, state } from "./store.js";
import { toast } from "./dom.js";
import { LOCALES, locale, t } from "./words.js";

export class Sidebar {
  /** @param {{openChannel, openThread, become, current: () => {channel, thread}, setTheme, toggle}} go */
  constructor(rail, root, go) {
    Object.assign(this, { rail, root, go });
    for (const topic of ["channels", "unread", "people", "bot", "view", "person"]) on(topic, () => this.draw());
  }

  draw() {
    this.drawRail();
    const focusId = this.root.contains(document.activeElement) ? document.activeElement.dataset.channel ?? document.activeElement.dataset.role : null;
    this.root.setAttribute("aria-label", t("sidebar.label"));
    fill(this.root,
      h("header.guild-head", {}, h("h1", {}, state.guild?.name ?? t("app.name")), h("span.local-badge", { title: t("app.local-long") }, t("app.local"))),
      h("div.channel-list", {}, this.channelList()), this.userBar());
    if (focusId) [...this.root.querySelectorAll("[data-channel], [data-role]")].find((one) => one.dataset.channel === focusId || one.dataset.role === focusId)?.focus();
  }

  drawRail() {
    this.rail.setAttribute("aria-label", t("rail.label"));
    fill(this.rail,
      h("span.guild-badge", { role: "img", "aria-label": state.guild?.name ?? "", title: state.guild?.name ?? "" }, initials(state.guild?.name ?? "?")),
      h("span.rail-line"), h("span.rail-space"),
      iconButton("globe", t("rail.language"), { data: { role: "language" }, onclick: (event) => this.languageMenu(event) }),
      iconButton("sun", t("rail.theme"), { data: { role: "theme" }, onclick: (event) => this.themeMenu(event) }));
  }

  channelList() {
    if (!state.channels.length) return state.channelsError ? h("p.quiet.pad", { role: "alert" }, state.channelsError) : h("div.skeletons.pad", {}, h("span.skeleton.skeleton-long"), h("span.skeleton.skeleton-middle"), h("span.skeleton.skeleton-long"));
    const open = this.go.current();
    return state.channels.map((one) => {
      if (one.type === "category") return h("h2.category", {}, one.name);
      if (isThread(one) && !this.showsThread(one, open)) return null;
      return this.channelButton(one, open);
    });
  }

  /** Archived threads stand in the list only while they are open. */
  showsThread(one, open) { return !one.archived || one.id === open.channel || one.id === open.thread; }

  channelButton(one, open) {
    const here = one.id === open.channel || one.id === open.thread;
    const unread = state.unread.get(one.id);
    const thread = isThread(one);
    const words = [one.name, thread ? t("sidebar.thread") : null, unread ? t("sidebar.unread") : null, unread?.mentions ? t("sidebar.mentions", { n: unread.mentions }) : null].filter(Boolean).join(", ");
    return h(`button.channel${thread ? ".channel-thread" : ""}${here ? ".channel-here" : ""}${unread ? ".channel-unread" : ""}`, {
      type: "button", "aria-label": words, "aria-current": here ? "page" : null, data: { channel: one.id },
      onclick: () => (thread ? this.go.openThread(one.id) : this.go.openChannel(one.id)),
    }, icon(thread ? "thread" : "hash"), h("span.channel-name", {}, one.name), unread?.mentions ? h("span.count", {}, unread.mentions) : null);
  }

  userBar() {
    const me = person();
    if (!me) return null;
    return h("footer.user-bar", {},
      h("button.user-button", { type: "button", "aria-haspopup": "menu", "aria-label": t("user.switch", { name: me.display_name }), data: { role: "person" }, onclick: (event) => this.personMenu(event) },
        avatar(me), h("span.user-names", {}, h("span.user-name", {}, me.display_name), h("span.user-role", {}, me.roles.length ? me.roles.join(", ") : t("user.no-role"))), icon("down")));
  }

  personMenu(event) {
    const me = person();
    menu([
      { heading: t("user.be") },
      ...state.people.map((one) => ({ name: one.name, radio: true, checked: one.id === me?.id, label: one.display_name, hint: one.roles.join(", ") || t("user.no-role"), before: avatar(one, "small"), after: one.id === me?.id ? icon("check") : null, run: () => this.go.become(one.name) })),
      "-",
      { heading: t("rail.language") },
      ...this.languageItems(),
      "-",
      { name: "new-tab", label: t("user.new-tab"), hint: t("user.new-tab-hint"), after: icon("link"), run: () => window.open(location.href, "_blank", "noopener") },
    ], event, t("user.switch", { name: me?.display_name ?? "" }));
  }

  languageItems() {
    return LOCALES.map(([id, name]) => ({ name: id, radio: true, checked: locale() === id, label: name, after: locale() === id ? icon("check") : null, run: () => this.setLanguage(id) }));
  }

  languageMenu(event) { menu([{ heading: t("rail.language-of", { name: person()?.display_name ?? "" }) }, ...this.languageItems()], event, t("rail.language")); }

  async setLanguage(id) {
    try { await api.changePerson(state.me, { locale: id }); } catch (refusal) { toast(refusal.message, "error"); }
  }

  themeMenu(event) {
    const now = preference.get("theme") ?? "dark";
    menu(["dark", "light", "auto"].map((one) => ({ name: one, radio: true, checked: one === now, label: t(`theme.${one}`), after: one === now ? icon("check") : null, run: () => this.go.setTheme(one) })), event, t("rail.theme"));
  }
}

/** The title of the browser's tab: unread mentions, channel, person (there may be a tab for each). */
export function documentTitle(channelId) {
  let mentions = 0;
  for (const one of state.unread.values()) mentions += one.mentions;
  const here = channel(channelId);
  const name = here ? (isThread(here) ? here.name : `#${here.name}`) : t("app.name");
  return `${mentions ? `(${mentions}) ` : state.unread.size ? "• " : ""}${name} · ${person()?.display_name ?? ""} · ${t("app.name")}`;
}
