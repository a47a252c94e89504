// The list above the composer: commands, choices, people. The focus stays in the input; arrows move in the list.

import { fill, h, uid } from "./dom.js";

export class Suggest {
  /** @param {HTMLElement} box where it is drawn @param {string} label what a screen reader calls it */
  constructor(box, label) {
    Object.assign(this, { box, label, input: null, items: [], active: 0, moved: false, id: uid("suggest") });
    box.hidden = true;
  }

  get open() { return !this.box.hidden; }

  /**
   * @param {HTMLElement} input the field that it belongs to
   * @param {{head?: Node, items: {node: Node[], run: () => void, heading?: string, name?: string}[], empty?: Node|string, foot?: Node}} what
   */
  show(input, { head, items, empty, foot, keep = false }) {
    const sameList = keep && items.length === this.items.length;
    Object.assign(this, { input, items, head, empty, foot });
    if (!sameList) { this.active = 0; this.moved = false; }
    this.box.hidden = false;
    this.draw();
  }

  draw() {
    const list = h("div.suggest-list", { role: "listbox", id: this.id, "aria-label": this.label });
    let heading = null;
    this.items.forEach((item, index) => {
      if (item.heading && item.heading !== heading) list.append(h("div.suggest-heading", { role: "presentation" }, item.heading));
      heading = item.heading ?? heading;
      list.append(h("div.suggest-item", {
        role: "option", id: `${this.id}-${index}`, "aria-selected": String(index === this.active), data: { name: item.name ?? null },
        // The input must not lose the focus.
        onmousedown: (event) => event.preventDefault(),
        onmousemove: () => this.point(index),
        onclick: () => item.run(),
      }, item.node));
    });
    if (!this.items.length && this.empty) list.append(h("p.suggest-empty", {}, this.empty));
    fill(this.box, this.head ?? null, this.items.length || this.empty ? list : null, this.foot ?? null);
    this.tellInput();
  }

  point(index) {
    if (index === this.active || !this.items[index]) return;
    this.active = index;
    this.moved = true;
    this.box.querySelectorAll("[role=option]").forEach((element, at) => element.setAttribute("aria-selected", String(at === index)));
    this.tellInput();
  }

  tellInput() {
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-controls", this.id);
    if (this.items.length) this.input.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  hide() {
    if (!this.open) return;
    this.box.hidden = true;
    this.items = [];
    this.input?.setAttribute("aria-expanded", "false");
    this.input?.removeAttribute("aria-activedescendant");
  }

  /** Arrow keys; true when the key was for the list. */
  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[event.key];
    if (!this.open || !this.items.length || step === undefined) return false;
    event.preventDefault();
    const count = this.items.length;
    const to = Math.abs(step) === 1 ? (this.active + step + count) % count : Math.max(0, Math.min(count - 1, this.active + step));
    this.point(to);
    this.moved = true;
    document.getElementById(`${this.id}-${to}`)?.scrollIntoView({ block: "nearest" });
    return true;
  }

  choose() {
    this.items[this.active]?.run();
  }
}
