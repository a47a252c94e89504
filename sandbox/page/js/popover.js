// Things that float: popovers beside an anchor, menus, and modal dialogs. One popover at a time.

import { append, h, iconButton, uid } from "./dom.js";
import { t } from "./words.js";

const MARGIN_PX = 8;
let current = null;

/** Closes what floats, if anything does. */
export function closePopover() { current?.close(); }

/**
 * Shows `content` beside `anchor` (an element, or a point {x, y}) until it is closed, Esc is pressed or the person
 * clicks elsewhere.
 */
export function popover(content, anchor, { onClose, width = false, label } = {}) {
  closePopover();
  const box = h("div.popover", { "aria-label": label ?? null }, content);
  // Inside a dialog it must be a child of it: the rest of the page is inert then.
  const host = (anchor instanceof Element && anchor.closest("dialog")) || document.getElementById("overlays");
  host.append(box);
  if (width && anchor instanceof Element) box.style.minWidth = `${anchor.getBoundingClientRect().width}px`;
  const place = () => {
    const at = anchor instanceof Element ? anchor.getBoundingClientRect() : { left: anchor.x, top: anchor.y, bottom: anchor.y };
    const size = box.getBoundingClientRect();
    const below = at.bottom + 4 + size.height <= innerHeight - MARGIN_PX;
    const top = below ? at.bottom + 4 : Math.max(MARGIN_PX, at.top - 4 - size.height);
    box.style.top = `${Math.min(top, Math.max(MARGIN_PX, innerHeight - size.height - MARGIN_PX))}px`;
    box.style.left = `${Math.max(MARGIN_PX, Math.min(at.left, innerWidth - size.width - MARGIN_PX))}px`;
  };
  place();
  const outside = (event) => { if (!box.contains(event.target) && !(anchor instanceof Element && anchor.contains(event.target))) close(); };
  const key = (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
    if (anchor instanceof Element) anchor.focus();
  };
  function close() {
    if (current !== handle) return;
    current = null;
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", key, true);
    removeEventListener("resize", close);
    box.remove();
    onClose?.();
  }
  const handle = { close, place, box };
  current = handle;
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", key, true);
  addEventListener("resize", close);
  return handle;
}

/**
 * A menu. An item is {label, icon, run, danger, checked, radio}, a heading {heading}, or "-" for a line.
 * `from` is the event that asked for it: the menu opens at the pointer, or at the button.
 */
export function menu(items, from, label) {
  const byPointer = from.type === "contextmenu" && from.clientX > 0;
  const anchor = byPointer ? { x: from.clientX, y: from.clientY } : from.currentTarget ?? from.target;
  const back = document.activeElement;
  const list = h("div.menu", { role: "menu", "aria-label": label });
  for (const one of items.filter(Boolean)) list.append(menuItem(one, () => { pop.close(); if (back?.isConnected) back.focus(); }));
  const pop = popover(list, anchor);
  const buttons = [...list.querySelectorAll("button")];
  buttons[0]?.focus();
  list.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (event.key === "Tab") { event.preventDefault(); pop.close(); back?.focus?.(); return; }
    if (to === undefined) return;
    event.preventDefault();
    buttons[(to + buttons.length) % buttons.length]?.focus();
  });
  return pop;
}

function menuItem(one, close) {
  if (one === "-") return h("hr");
  if (one.heading) return h("div.menu-heading", {}, one.heading);
  const role = one.radio ? "menuitemradio" : one.checked === undefined ? "menuitem" : "menuitemcheckbox";
  return h(`button.menu-item${one.danger ? ".danger" : ""}`, {
    type: "button", role, "aria-checked": one.checked === undefined ? null : String(Boolean(one.checked)), data: { item: one.name ?? null },
    onclick: () => { close(); one.run(); },
  }, one.before ?? null, h("span.menu-label", {}, one.label, one.hint ? h("span.menu-hint", {}, one.hint) : null), one.after ?? null);
}

/**
 * A modal dialog. `build(close)` gives its content; Esc and the cross call `onCancel`.
 */
export function dialog({ title, subtitle, content, foot, onCancel, name }) {
  closePopover();
  const back = document.activeElement;
  const id = uid("title");
  const box = h("dialog.dialog", { "aria-labelledby": id, data: { dialog: name ?? null } });
  const close = () => { if (box.open) box.close(); box.remove(); if (back?.isConnected) back.focus(); };
  append(box, [h("header.dialog-head", {}, h("div", {}, h("h2", { id }, title), subtitle ? h("p.quiet", {}, subtitle) : null),
    iconButton("close", t("dialog.close"), { onclick: () => { onCancel?.(); close(); } })), h("div.dialog-content", {}, content), foot ? h("footer.dialog-foot", {}, foot) : null]);
  box.addEventListener("cancel", (event) => { event.preventDefault(); onCancel?.(); close(); });
  document.getElementById("overlays").append(box);
  box.showModal();
  return { close, box };
}
