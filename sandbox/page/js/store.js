// What the page knows about one person's view of the guild, and who wants to hear when it changes.

export const state = {
  me: null,            // the name in the address: who acts
  guild: null,
  bot: null,
  people: [],
  roles: [],
  lab: false,
  build: "",
  clockOffsetMs: 0,    // the sandbox's clock minus the browser's: it can be moved forward
  connection: "connecting", // "connecting" | "live" | "lost"
  channels: [],        // in display order, threads after their parent
  channelsError: null,
  faults: [],
  unread: new Map(),   // channel id → { count, mentions, first }
  typing: new Map(),   // channel id → Map(name → time it ends)
  busyControls: new Map(), // interaction id → "message id/custom id"
  pending: new Map(),  // interaction id → { channelId, command }: sent, no answer in the list yet
  settled: new Set(),  // interactions that went on before the answer to our own request came back
};

const listeners = new Map();

/** Calls `fn` on every `emit(topic)`; the returned function ends that. */
export function on(topic, fn) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic).add(fn);
  return () => listeners.get(topic).delete(fn);
}

export function emit(topic, detail) {
  for (const fn of [...(listeners.get(topic) ?? [])]) fn(detail);
}

/** Forgets everything that belongs to the person before. */
export function forgetPerson() {
  Object.assign(state, { channels: [], channelsError: null, connection: "connecting" });
  for (const map of [state.unread, state.typing, state.busyControls, state.pending]) map.clear();
  state.settled.clear();
}

export const person = () => state.people.find((one) => one.name === state.me || one.id === state.me) ?? null;
export const personById = (id) => state.people.find((one) => one.id === id) ?? null;
export const channel = (id) => state.channels.find((one) => one.id === id) ?? null;
export const isThread = (one) => one?.type === "public_thread" || one?.type === "private_thread";
export const roleByName = (name) => state.roles.find((role) => role.name === name) ?? null;

/** The sandbox's time in milliseconds. */
export const now = () => Date.now() + state.clockOffsetMs;

/** Snowflakes are compared as numbers of up to 64 bits: first by length, then digit by digit. */
export function newer(a, b) {
  if (!a || !b) return Boolean(a) && !b;
  return a.length === b.length ? a > b : a.length > b.length;
}

// --- what has been read: kept per person in this browser ---

const readKey = (id) => `read/${state.me}/${id}`;
const storage = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* private mode: markers last as long as the tab */ } },
};
export const lastRead = (id) => storage.get(readKey(id));

export function markRead(id, messageId) {
  if (messageId && newer(messageId, lastRead(id))) storage.set(readKey(id), messageId);
  if (state.unread.delete(id)) emit("unread");
}

export function markUnread(message) {
  const entry = state.unread.get(message.channel_id) ?? { count: 0, mentions: 0, first: message.id };
  entry.count += 1;
  if (message.mentions?.me) entry.mentions += 1;
  state.unread.set(message.channel_id, entry);
  emit("unread");
}

/** After reading the list of channels: which of them have something newer than what this person read here before. */
export function noteUnreadChannels() {
  for (const one of state.channels) {
    if (one.type === "category" || !one.last_message_id || state.unread.has(one.id)) continue;
    const read = lastRead(one.id);
    if (!read) storage.set(readKey(one.id), one.last_message_id);
    else if (newer(one.last_message_id, read)) state.unread.set(one.id, { count: 0, mentions: 0, first: null });
  }
  emit("unread");
}

export const preference = { get: (key) => storage.get(`page/${key}`), set: (key, value) => storage.set(`page/${key}`, value) };
