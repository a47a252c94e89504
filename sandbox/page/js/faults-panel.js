// "Discord faults": what a bot must live with, on request.

import { api } from "./api.js";
import { fill, h, icon, iconButton, toast } from "./dom.js";
import { on, state } from "./store.js";
import { t } from "./words.js";

/** What the buttons set. The words are under "faults.NAME". */
const PRESETS = [
  ["rate-limit", { kind: "rate_limit", times: 10, retry_after_ms: 1000 }],
  ["server-error", { kind: "server_error", times: 5, status: 502 }],
  ["slow", { kind: "slow", delay_ms: 2000 }],
  ["lost-answer", { kind: "lost_answer", times: 1 }],
  ["gateway-drop", { kind: "gateway_drop" }],
  ["gateway-session", { kind: "gateway_invalid_session", resumable: false }],
  ["gateway-refuse", { kind: "gateway_refuse", times: 3 }],
  ["expire", { kind: "expire_interactions" }],
  ["permissions", { kind: "lose_permissions", permissions: ["SEND_MESSAGES"] }],
  ["outage", { kind: "guild_outage" }],
];
const QUARTER_MS = 15 * 60 * 1000;

export class FaultsPanel {
  constructor(root) {
    this.root = root;
    this.stop = on("faults", () => this.draw());
    this.draw();
    this.read();
  }

  close() { this.stop(); }

  async read() {
    try { state.faults = (await api.faults()).faults; this.problem = null; } catch (refusal) { this.problem = refusal.message; }
    this.draw();
  }

  draw() {
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    fill(this.root, h("p.panel-intro", {}, t("faults.intro")),
      this.problem ? h("div.panel-problem", { role: "alert" }, icon("warn"), h("span", {}, this.problem)) : null,
      h("section", { "aria-label": t("faults.active") }, h("h3.panel-heading", {}, t("faults.active")), this.active()),
      h("h3.panel-heading", {}, t("faults.cause")), h("ul.fault-list", {}, PRESETS.map(([name, fault]) => this.preset(name, fault))),
      h("h3.panel-heading", {}, t("faults.clock")),
      h("div.panel-buttons", {}, h("button.button.button-secondary", { type: "button", data: { act: "clock" }, onclick: () => this.forward() }, icon("clock"), t("faults.forward")),
        h("button.button.button-secondary", { type: "button", data: { act: "reset" }, onclick: () => this.reset() }, t("faults.reset"))));
    if (focused) [...this.root.querySelectorAll("[data-act]")].find((one) => one.dataset.act === focused && !one.disabled)?.focus();
  }

  active() {
    if (!state.faults.length) return h("p.quiet", {}, t("faults.none"));
    return [h("ul.active-faults", {}, state.faults.map((one) => h("li", { data: { kind: one.kind } }, h("span", {}, t(`fault.${one.kind}`), one.times_left === null || one.times_left === undefined ? "" : ` · ${t("faults.left", { n: one.times_left })}`),
      iconButton("close", t("faults.end", { name: t(`fault.${one.kind}`) }), { data: { act: `end ${one.id}` }, onclick: () => this.run(() => api.endFault(one.id)) })))),
    state.faults.length > 1 ? h("button.link-button", { type: "button", data: { act: "end-all" }, onclick: () => this.run(() => api.endFaults()) }, t("faults.end-all")) : null];
  }

  preset(name, fault) {
    return h("li.fault", { data: { fault: name } }, h("div.fault-head", {}, h("span.fault-title", {}, t(`faults.${name}`)),
      h("button.button.button-secondary.small", { type: "button", "aria-label": t("faults.start", { name: t(`faults.${name}`) }), data: { act: `start ${name}` }, onclick: () => this.run(() => api.addFault(fault), t("faults.started", { name: t(`faults.${name}`) })) }, t("faults.go"))),
    h("p.fault-why", {}, t(`faults.${name}.what`)));
  }

  async run(action, said) {
    try { await action(); if (said) toast(said); } catch (refusal) { toast(refusal.message, "error"); }
    this.read();
  }

  async forward() {
    try {
      const { now } = await api.advanceClock(QUARTER_MS);
      state.clockOffsetMs = new Date(now) - Date.now();
      toast(t("faults.forwarded"));
    } catch (refusal) { toast(refusal.message, "error"); }
  }

  async reset() {
    try { await api.reset(); toast(t("faults.was-reset")); } catch (refusal) { toast(refusal.message, "error"); }
  }
}
