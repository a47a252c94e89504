// The page: who is looking (from the address), what is open, and the event stream that keeps it current.
// The address is #/PERSON/CHANNEL/THREAD, so several tabs can be several people.

import { api } from "./api.js";
import { Conversation, askThreadName } from "./conversation.js";
import { fill, h, icon, iconButton, toast } from "./dom.js";
import { FaultsPanel } from "./faults-panel.js";
import { LabPanel } from "./lab-panel.js";
import { markdown } from "./markdown.js";
import { drawMembers } from "./members.js";
import { showModal } from "./modal.js";
import { closePopover, menu } from "./popover.js";
import { documentTitle, Sidebar } from "./sidebar.js";
import { channel, emit, forgetPerson, isThread, markUnread, noteUnreadChannels, now, on, person, preference, state } from "./store.js";
import { Stream } from "./stream.js";
import { tick } from "./time.js";
import { locale, setLocale, t } from "./words.js";

const TYPING_HOLDS_MS = 10_000;
const TICK_MS = 1000;
const RETRY_START_MS = 1500;
/** From this width on the right side is open unless the person closed it. */
const WIDE_PX = 1180;
const WIDE_WITH_THREAD_PX = 1560;

const $ = (id) => document.getElementById(id);
const view = { channel: null, thread: null, aside: null, main: null, side: null, panel: null, stream: null, modal: null };

// --- the address ---

function readAddress() {
  const [who, here, thread] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  return { who: who || null, channel: here || null, thread: thread || null };
}

function writeAddress(replace = false) {
  const parts = [state.me, view.channel, view.thread].filter(Boolean).map(encodeURIComponent);
  const hash = `#/${parts.join("/")}`;
  if (location.hash === hash) return;
  if (replace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
}

// --- starting, and being somebody else ---

async function start() {
  setTheme(preference.get("theme") ?? "dark");
  try {
    takeState(await api.state());
  } catch (refusal) {
    $("app").removeAttribute("data-loading");
    fill($("main"), h("div.empty.empty-page", { role: "alert" }, icon("warn"), h("h1", {}, t("start.failed")), h("p", {}, refusal.message), h("p.quiet", {}, t("start.retrying"))));
    setTimeout(start, RETRY_START_MS);
    return;
  }
  $("app").removeAttribute("data-loading");
  if (!sidebar) sidebar = new Sidebar($("rail"), $("sidebar"), go);
  await become(readAddress().who);
}
let sidebar = null;

async function become(who) {
  closePopover();
  view.modal?.close();
  view.stream?.close();
  const known = state.people.find((one) => one.name === who || one.id === who) ?? state.people.find((one) => one.name === preference.get("person")) ?? state.people[0];
  if (!known) { fill($("main"), h("div.empty.empty-page", {}, h("p", {}, t("start.nobody")))); return; }
  forgetPerson();
  state.me = known.name;
  preference.set("person", known.name);
  setLocale(known.locale);
  rebuild();
  await readChannels();
  const wanted = readAddress();
  await openChannel(channel(wanted.channel) ? wanted.channel : firstChannel(), { replace: true });
  if (wanted.thread && channel(wanted.thread) && wanted.thread !== view.channel) openThread(wanted.thread);
  view.stream = new Stream(state.me, receive, connection);
}

/** Everything that carries words is built anew: for another person, and for another language. */
function rebuild() {
  closeThread(false);
  view.main?.close();
  view.main = new Conversation(go);
  $("skip").textContent = t("app.skip");
  $("skip").onclick = (event) => { event.preventDefault(); view.main.composer.focus(); };
  $("main").setAttribute("aria-label", t("main.label"));
  emit("person");
  drawBanner();
}

/** Where a keyboard on the screen would open by itself, the field does not take the focus by itself. */
const onTouch = () => matchMedia("(pointer: coarse)").matches;
const firstChannel = () => (state.channels.find((one) => one.type === "text" && one.can_send) ?? state.channels.find((one) => one.type !== "category"))?.id ?? null;

async function readChannels() {
  try {
    state.channels = (await api.channels()).channels;
    state.channelsError = null;
    noteUnreadChannels();
  } catch (refusal) { state.channelsError = refusal.message; }
  emit("channels");
}

function takeState(data) {
  Object.assign(state, { guild: data.guild, bot: data.bot, people: data.people, roles: data.roles, lab: Boolean(data.lab), build: data.build, clockOffsetMs: new Date(data.now) - Date.now() });
}

// --- where one is ---

const go = {
  openChannel: (id) => openChannel(id), openThread: (id) => openThread(id), current: () => ({ channel: view.channel, thread: view.thread }), setTheme,
  become: async (who) => { history.pushState(null, "", `#/${encodeURIComponent(who)}/${view.channel ?? ""}`); await become(who); },
};

async function openChannel(id, { replace = false } = {}) {
  if (!id) { drawMain(); return; }
  if (isThread(channel(id)) && view.thread === id) closeThread(false);
  view.channel = id;
  $("app").classList.remove("drawer-open");
  if (!isThread(channel(id)) && channel(view.thread)?.parent_id !== id) closeThread(false);
  writeAddress(replace);
  drawMain();
  emit("view");
  await view.main.open(id);
  if (!onTouch()) view.main.composer.focus();
}

async function openThread(id) {
  if (!channel(id)) await readChannels();
  const thread = channel(id);
  if (!thread) return;
  if (thread.parent_id !== view.channel) await openChannel(thread.parent_id, { replace: true });
  view.side?.close();
  Object.assign(view, { thread: id, side: new Conversation(go) });
  $("app").classList.remove("drawer-open");
  writeAddress();
  drawThread();
  drawMain();
  emit("view");
  await view.side.open(id);
  if (!onTouch()) view.side.composer.focus();
}

function closeThread(write = true) {
  view.side?.close();
  Object.assign(view, { side: null, thread: null });
  $("thread-panel").hidden = true;
  $("app").classList.remove("has-thread");
  if (write) { writeAddress(); drawMain(); emit("view"); view.main.composer.focus(); }
}

// --- drawing the frame ---

function drawMain() {
  const here = channel(view.channel);
  document.title = documentTitle(view.channel);
  if (!here) {
    fill($("main"), h("div.empty.empty-page", {}, icon("hash"), h("p", {}, state.channelsError ?? t("main.no-channel"))));
    return;
  }
  const asideNow = asideWanted();
  const tool = (name, iconName, label) => h(`button.tool${asideNow === name ? ".tool-on" : ""}`, { type: "button", "aria-pressed": String(asideNow === name), title: label, data: { tool: name }, onclick: () => setAside(asideNow === name ? "none" : name) }, icon(iconName), h("span.tool-label", {}, label));
  const head = h("header.main-head", {},
    iconButton("menu", t("sidebar.open"), { class: "icon-button only-narrow", onclick: () => $("app").classList.toggle("drawer-open") }),
    h("h2", {}, icon(isThread(here) ? "thread" : "hash"), h("span.head-name", {}, here.name)),
    h("p.head-topic", {}, here.topic ? markdown(here.topic) : null),
    h("span.head-space"),
    h("div.tools", { role: "toolbar", "aria-label": t("tools.label") },
      state.lab ? tool("lab", "wrench", t("tools.lab")) : null, tool("faults", "bolt", t("tools.faults")),
      here.can_open_threads && !isThread(here) ? iconButton("thread", t("thread.new"), { onclick: () => askThreadName("", async (name) => openThread((await api.createThread(here.id, null, name)).id)) }) : null,
      tool("members", "people", t("tools.members"))));
  const line = h("p.sandbox-line", {}, icon("bell"), h("span", {}, t("app.local-long")));
  replaceHead($("main"), [head, line], view.main.element);
  drawAside();
}

/** Draws what stands above a conversation without touching the conversation: it keeps its scroll position and focus. */
function replaceHead(root, head, conversation) {
  if (root.lastElementChild !== conversation) { fill(root, head, conversation); return; }
  const focused = root.contains(document.activeElement) ? document.activeElement.dataset.tool : null;
  while (root.firstElementChild !== conversation) root.firstElementChild.remove();
  conversation.before(...head);
  if (focused) root.querySelector(`[data-tool="${focused}"]`)?.focus();
}

function drawThread() {
  const thread = channel(view.thread);
  if (!thread || !view.side) return;
  $("thread-panel").hidden = false;
  $("thread-panel").setAttribute("aria-label", t("thread.label", { name: thread.name }));
  $("app").classList.add("has-thread");
  const actions = [
    { name: "join", label: t(thread.joined ? "thread.leave" : "thread.join"), run: () => threadAction(thread.joined ? "leave" : "join") },
    { name: "archive", label: t(thread.archived ? "thread.unarchive" : "thread.archive"), run: () => threadAction(thread.archived ? "unarchive" : "archive") },
    { name: "full", label: t("thread.full"), run: () => { const id = view.thread; closeThread(false); openChannel(id); } },
  ];
  const head = h("header.main-head", {}, h("h2", {}, icon("thread"), h("span.head-name", {}, thread.name)), thread.archived ? h("span.tag.tag-quiet", {}, t("thread.archived")) : null, h("span.head-space"),
    iconButton("more", t("menu.more"), { "aria-haspopup": "menu", onclick: (event) => menu(actions, event, t("menu.more")) }),
    iconButton("close", t("thread.close"), { onclick: () => closeThread() }));
  replaceHead($("thread-panel"), [head], view.side.element);
}

async function threadAction(action) {
  try { await api.threadAction(view.thread, action); await readChannels(); } catch (refusal) { toast(refusal.message, "error"); }
}

// --- the right side ---

function asideWanted() {
  if (view.aside === "lab" && !state.lab) return "none";
  return view.aside ?? (innerWidth >= (view.thread ? WIDE_WITH_THREAD_PX : WIDE_PX) ? "members" : "none");
}

function setAside(name) {
  view.aside = name;
  drawMain();
  if (name !== "none") $("aside").querySelector("button")?.focus();
  else $("main").querySelector(".tool")?.focus();
}

function drawAside() {
  const wanted = asideWanted();
  const aside = $("aside");
  aside.hidden = wanted === "none";
  $("app").classList.toggle("has-aside", wanted !== "none");
  const shown = `${wanted}/${locale()}/${state.me}`;
  if (wanted === "members" && aside.dataset.shown === shown) { drawMembers(aside.lastElementChild, view.channel); return; }
  if (aside.dataset.shown === shown) return;
  view.panel?.close?.();
  view.panel = null;
  aside.dataset.shown = shown;
  if (wanted === "none") { fill(aside); return; }
  const title = t(`tools.${wanted}`);
  aside.setAttribute("aria-label", title);
  const body = h("div.aside-body");
  fill(aside, h("header.main-head", {}, h("h2", {}, title), h("span.head-space"), iconButton("close", t("aside.close"), { onclick: () => setAside("none") })), body);
  if (wanted === "members") drawMembers(body, view.channel);
  if (wanted === "lab") view.panel = new LabPanel(body);
  if (wanted === "faults") view.panel = new FaultsPanel(body);
}

function drawBanner() {
  const banner = $("banner");
  banner.hidden = state.connection !== "lost";
  fill(banner, icon("warn"), t("banner.lost"));
}

// --- what the stream says ---

function connection(now) {
  const back = state.connection === "lost" && now === "live";
  state.connection = now;
  drawBanner();
  if (back) readEverything();
}

async function readEverything() {
  try { takeState(await api.state()); } catch { return; }
  await readChannels();
  emit("commands");
  emit("people");
  emit("bot");
  view.main?.timeline.reload();
  view.side?.timeline.reload();
}

const HANDLERS = {
  hello(data) { takeState(data); emit("people"); emit("bot"); },
  reset() { readEverything(); },
  message(one) {
    const here = channel(one.channel_id);
    if (here) here.last_message_id = one.id;
    const open = one.channel_id === view.channel || one.channel_id === view.thread;
    if (!open && !one.mine) markUnread(one);
    state.typing.get(one.channel_id)?.delete(one.author.display_name);
    state.typing.get(one.channel_id)?.delete(one.author.name);
    emit("message", one);
  },
  message_edit(one) { emit("message_edit", one); },
  message_delete(one) { emit("message_delete", one); },
  typing({ channel_id: id, name }) {
    if (!state.typing.has(id)) state.typing.set(id, new Map());
    state.typing.get(id).set(name, now() + TYPING_HOLDS_MS);
    emit("typing");
  },
  channel() { channelsChanged(); },
  channel_delete() { channelsChanged(); },
  interaction(one) { interactionChanged(one); },
  modal(one) { view.modal?.close(); view.modal = showModal(one); },
  commands() { emit("commands"); },
  people(data) { Object.assign(state, { people: data.people, roles: data.roles }); emit("commands"); emit("people"); },
  bot(data) { state.bot = data; emit("commands"); emit("bot"); },
  faults(data) { state.faults = data.faults; emit("faults"); },
};

function receive(name, data) { HANDLERS[name]?.(data); }

/** The order of the list is the server's: it is read anew, once for a burst of changes. */
let channelsTimer = null;
function channelsChanged() {
  clearTimeout(channelsTimer);
  channelsTimer = setTimeout(async () => {
    await readChannels();
    if (view.thread && !channel(view.thread)) closeThread();
    if (!channel(view.channel)) openChannel(firstChannel(), { replace: true });
  }, 60);
}

function interactionChanged(one) {
  const command = one.kind.endsWith("command");
  if (one.state === "waiting") {
    if (command && !state.settled.has(one.id)) state.pending.set(one.id, { channelId: one.channel_id, command: one.command });
  } else {
    state.settled.add(one.id);
    state.pending.delete(one.id);
    const busy = state.busyControls.get(one.id);
    state.busyControls.delete(one.id);
    if (busy) emit("redraw", busy.split("/")[0]);
  }
  emit("pending");
  emit("interaction", one);
}

on("people", () => {
  const me = person();
  if (!me) { become(null); return; }
  if (me.locale !== locale()) { const { thread } = view; setLocale(me.locale); rebuild(); if (view.channel) reopen(thread); return; }
  drawMain();
});
on("channels", () => { if (view.channel && channel(view.channel)) { drawMain(); drawThread(); } });
on("unread", () => { document.title = documentTitle(view.channel); });
on("bot", () => { if (view.channel) drawMain(); });

/** The same places in the new language. */
function reopen(thread) {
  openChannel(view.channel, { replace: true }).then(() => thread && openThread(thread));
}

const systemIsLight = matchMedia("(prefers-color-scheme: light)");
function setTheme(name) {
  preference.set("theme", name);
  document.documentElement.dataset.theme = name === "light" || (name === "auto" && systemIsLight.matches) ? "light" : "dark";
}
systemIsLight.addEventListener("change", () => setTheme(preference.get("theme") ?? "dark"));

addEventListener("popstate", () => {
  const wanted = readAddress();
  if (wanted.who !== state.me) { become(wanted.who); return; }
  if (wanted.channel !== view.channel && channel(wanted.channel)) openChannel(wanted.channel, { replace: true });
  if (wanted.thread && channel(wanted.thread)) openThread(wanted.thread);
  else if (view.thread) closeThread(false);
});
addEventListener("resize", () => { if (view.aside === null && view.channel) drawMain(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) { view.main?.timeline.seen(); view.side?.timeline.seen(); } });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if ($("app").classList.contains("drawer-open")) $("app").classList.remove("drawer-open");
  else if (view.thread) closeThread();
});
// Typing with nothing in focus is meant for the message field.
document.addEventListener("keydown", (event) => {
  const nowhere = document.activeElement === document.body || document.activeElement?.matches("article, .timeline, .main");
  if (nowhere && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey && !document.querySelector("dialog[open]")) (view.side ?? view.main)?.composer.focus();
});
setInterval(tick, TICK_MS);

start();
