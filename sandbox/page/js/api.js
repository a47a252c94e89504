// The sandbox's HTTP interface (docs/sandbox.md), as functions. Every failure is a Refusal whose message can be shown.

import { state } from "./store.js";
import { t } from "./words.js";

/** What the sandbox said no to, or why it could not be asked. */
export class Refusal extends Error {
  constructor(message, code, status) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** How often a request that changes nothing, or may safely be repeated, is tried when the network fails. A browser gives
 * up whatever is under way when a network interface comes or goes, as it does whenever a container starts or stops. */
const TRIES = 4;
const TRY_AGAIN_MS = 200;

async function reach(url, options, tries) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await fetch(url, options);
    } catch {
      if (tried >= tries) throw new Refusal(t("error.unreachable"), "unreachable", 0);
      await new Promise((resolve) => { setTimeout(resolve, TRY_AGAIN_MS * tried); });
    }
  }
}

async function call(method, path, { query, body, repeatable = method === "GET" } = {}) {
  const url = new URL(path.replace(/^\//, ""), document.baseURI);
  for (const [name, value] of Object.entries(query ?? {})) if (value !== null && value !== undefined) url.searchParams.set(name, value);
  const response = await reach(url, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }, repeatable ? TRIES : 1);
  let answer = null;
  try { answer = await response.json(); } catch { /* an empty or foreign body: the status tells */ }
  if (response.ok && answer !== null) return answer;
  throw new Refusal(answer?.error ?? answer?.said ?? t("error.status", { status: response.status }), answer?.code ?? "failed", response.status);
}

const get = (path, query) => call("GET", path, { query });
const post = (path, body = {}) => call("POST", path, { body });
const as = (rest) => ({ as: state.me, ...rest });

export const api = {
  state: () => get("/sandbox/state"),
  channels: () => get("/sandbox/channels", as()),
  messages: (channel, query) => get(`/sandbox/channels/${channel}/messages`, as({ limit: 50, ...query })),
  members: (channel) => get(`/sandbox/channels/${channel}/members`, as()),
  commands: (channel) => get("/sandbox/commands", as({ channel_id: channel })),
  send: (channel, message) => post(`/sandbox/channels/${channel}/messages`, as(message)),
  edit: (id, content) => call("PATCH", `/sandbox/messages/${id}`, { body: as({ content }) }),
  remove: (id) => call("DELETE", `/sandbox/messages/${id}`, { body: as() }),
  typing: (channel) => post(`/sandbox/channels/${channel}/typing`, as()),
  invoke: (channel, body) => post("/sandbox/commands/invoke", as({ channel_id: channel, ...body })),
  autocomplete: (channel, body) => post("/sandbox/commands/autocomplete", as({ channel_id: channel, ...body })),
  click: (id, customId) => post(`/sandbox/messages/${id}/click`, as({ custom_id: customId })),
  select: (id, customId, values) => post(`/sandbox/messages/${id}/select`, as({ custom_id: customId, values })),
  submitModal: (id, values) => post(`/sandbox/modals/${id}/submit`, as({ values })),
  dismissModal: (id) => post(`/sandbox/modals/${id}/dismiss`, as()),
  createThread: (channel, messageId, name) => post("/sandbox/threads", as({ channel_id: channel, message_id: messageId, name, private: false })),
  threadAction: (id, action) => post(`/sandbox/threads/${id}`, as({ action })),
  changePerson: (who, change) => call("PATCH", `/sandbox/people/${encodeURIComponent(who)}`, { body: change }),
  faults: () => get("/sandbox/faults"),
  addFault: (fault) => post("/sandbox/faults", fault),
  endFault: (id) => call("DELETE", `/sandbox/faults/${id}`),
  endFaults: () => call("DELETE", "/sandbox/faults"),
  advanceClock: (ms) => post("/sandbox/clock", { advance_ms: ms }),
  reset: () => post("/sandbox/reset"),
  labFaults: () => get("/lab/faults"),
  labBreak: (name) => call("POST", `/lab/break/${encodeURIComponent(name)}`, { body: {}, repeatable: true }),
  labHeal: (name) => call("POST", `/lab/heal/${encodeURIComponent(name)}`, { body: {}, repeatable: true }),
};
