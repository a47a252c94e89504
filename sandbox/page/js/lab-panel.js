// "Break something": the lab's faults, with what it says about them.

import { api } from "./api.js";
import { fill, h, icon, toast } from "./dom.js";
import { language, t } from "./words.js";

const REFRESH_MS = 4000;

export class LabPanel {
  constructor(root) {
    Object.assign(this, { root, faults: null, problem: null, busy: new Set(), said: new Map() });
    this.timer = setInterval(() => { if (!document.hidden && !this.busy.size) this.read(); }, REFRESH_MS);
    this.draw();
    this.read();
  }

  close() { clearInterval(this.timer); }

  async read() {
    try {
      const answer = await api.labFaults();
      this.faults = Array.isArray(answer) ? answer : answer.faults;
      this.problem = null;
    } catch (refusal) { this.problem = refusal.message; }
    if (this.root.isConnected) this.draw();
  }

  draw() {
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    const drawing = JSON.stringify([this.faults, this.problem, [...this.busy], [...this.said], language()]);
    if (drawing === this.drawn) return;
    this.drawn = drawing;
    fill(this.root, h("p.panel-intro", {}, t("lab.intro")),
      this.problem ? h("div.panel-problem", { role: "alert" }, icon("warn"), h("span", {}, t("lab.unreachable", { why: this.problem }))) : null,
      this.faults === null && !this.problem ? h("p.quiet.pad", {}, t("lab.loading")) : null,
      this.faults ? h("ul.fault-list", {}, [...this.faults].sort((a, b) => Number(b.applies || b.broken) - Number(a.applies || a.broken)).map((one) => this.row(one))) : null,
      this.faults?.some((one) => one.broken) ? h("button.button.button-success.wide", { type: "button", disabled: this.busy.size > 0, data: { act: "heal-all" }, onclick: () => this.healAll() }, t("lab.heal-all")) : null);
    if (focused) [...this.root.querySelectorAll("[data-act]")].find((one) => one.dataset.act === focused && !one.disabled)?.focus();
  }

  row(one) {
    const busy = this.busy.has(one.name);
    const status = one.broken ? "broken" : one.applies ? "whole" : "absent";
    const said = this.said.get(one.name);
    return h(`li.fault.fault-${status}`, { data: { fault: one.name, state: status } },
      h("div.fault-head", {}, h("span.fault-title", {}, one.title?.[language()] ?? one.title?.en ?? one.name), h(`span.fault-state`, {}, t(`lab.${status}`))),
      h("code.fault-name", {}, one.name),
      one.why_not && !one.broken ? h("p.fault-why", {}, one.why_not) : null,
      said ? h(`p.fault-said${said.ok ? "" : ".fault-said-wrong"}`, { role: "status" }, said.text) : null,
      h("div.fault-actions", {},
        one.broken
          ? h("button.button.button-success", { type: "button", disabled: busy, "aria-busy": busy ? "true" : null, data: { act: `heal ${one.name}` }, onclick: () => this.act(one, "labHeal") }, busy ? h("span.spinner") : null, t("lab.heal"))
          : h("button.button.button-danger", { type: "button", disabled: busy || !one.applies, "aria-busy": busy ? "true" : null, data: { act: `break ${one.name}` }, onclick: () => this.act(one, "labBreak") }, busy ? h("span.spinner") : null, t("lab.break"))));
  }

  async act(one, what) {
    this.busy.add(one.name);
    this.said.delete(one.name);
    this.draw();
    try {
      const answer = await api[what](one.name);
      this.said.set(one.name, { ok: answer.ok !== false, text: answer.said });
    } catch (refusal) {
      this.said.set(one.name, { ok: false, text: refusal.message });
    }
    this.busy.delete(one.name);
    await this.read();
    this.draw();
  }

  async healAll() {
    for (const one of this.faults.filter((each) => each.broken)) await this.act(one, "labHeal");
    toast(t("lab.healed"));
  }
}
