// A listbox behind a button: for selects on messages and in modals.

import { fill, h, icon, uid } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { popover } from "./popover.js";
import { t } from "./words.js";

/**
 * @param {{options: {value: string, label: string, description?: string, emoji?: string, colour?: string, chosen?: boolean}[],
 *   placeholder: string, least: number, most: number, disabled?: boolean, busy?: boolean, filter?: boolean,
 *   customId?: string, label?: string, onDone: (values: string[]) => void}} spec
 */
export function selectBox(spec) {
  let chosen = new Set(spec.options.filter((one) => one.chosen).map((one) => one.value));
  const listId = uid("listbox");
  const button = h("button.select", {
    type: "button", role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": listId,
    "aria-label": spec.label ?? null, "aria-busy": spec.busy ? "true" : null, disabled: spec.disabled, data: { customId: spec.customId ?? null },
    onclick: () => open(), onkeydown: (event) => { if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); open(); } },
  });
  const show = () => {
    const labels = spec.options.filter((one) => chosen.has(one.value)).map((one) => one.label);
    fill(button, labels.length ? h("span.select-value", {}, labels.join(", ")) : h("span.select-placeholder", {}, spec.placeholder), spec.busy ? h("span.spinner") : icon("down"));
  };
  show();

  function finish(values) {
    chosen = new Set(values);
    show();
    spec.onDone(values);
  }

  function open() {
    if (spec.busy || spec.disabled) return;
    openList({ ...spec, listId, chosen: new Set(chosen), anchor: button, finish });
  }
  return button;
}

function openList({ options, chosen, least, most, filter, listId, anchor, finish, placeholder, label }) {
  const multiple = most > 1;
  const box = h("div.select-list");
  const list = h("div.options", { role: "listbox", id: listId, tabindex: 0, "aria-label": label ?? placeholder, "aria-multiselectable": multiple ? "true" : null });
  const search = filter ? h("input.field", { type: "text", placeholder: t("select.filter"), "aria-label": t("select.filter"), "aria-controls": listId, autocomplete: "off", spellcheck: "false" }) : null;
  const done = multiple ? h("button.button.button-primary", { type: "button", onclick: () => close(true) }, t("select.done")) : null;
  if (search) box.append(search);
  box.append(list);
  if (done) box.append(h("div.select-foot", {}, h("span", {}, least === most ? t("select.exactly", { n: most }) : t("select.range", { least, most })), done));
  let active = 0;
  let shown = options;

  const draw = () => {
    const wanted = (search?.value ?? "").trim().toLowerCase();
    shown = options.filter((one) => !wanted || `${one.label} ${one.description ?? ""}`.toLowerCase().includes(wanted));
    active = Math.max(0, Math.min(active, shown.length - 1));
    fill(list, shown.map(item), shown.length ? null : h("p.quiet", {}, t("select.none")));
    list.setAttribute("aria-activedescendant", shown.length ? `${listId}-${active}` : "");
    list.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
    if (done) done.disabled = chosen.size < least || chosen.size > most;
  };
  const item = (one, index) => h("div.option", {
    role: "option", id: `${listId}-${index}`, "aria-selected": String(chosen.has(one.value)), data: { active: index === active ? "" : null, value: one.value },
    onmousemove: () => { if (active !== index) { active = index; draw(); } }, onclick: () => choose(one),
  }, one.emoji ? h("span.emoji", {}, withEmoji(one.emoji)) : null,
  h("span.option-text", {}, h("span.option-label", { vars: { "--name": one.colour } }, one.label), one.description ? h("span.option-description", {}, one.description) : null),
  chosen.has(one.value) ? icon("check") : null);

  function choose(one) {
    if (!multiple) { chosen.clear(); chosen.add(one.value); close(true); return; }
    if (!chosen.delete(one.value) && chosen.size < most) chosen.add(one.value);
    draw();
  }
  const pop = popover(box, anchor, { onClose: () => anchor.setAttribute("aria-expanded", "false"), width: true });
  function close(send) {
    const values = options.filter((one) => chosen.has(one.value)).map((one) => one.value);
    pop.close();
    anchor.focus();
    if (send && values.length >= least) finish(values);
  }
  box.addEventListener("keydown", (event) => {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in moves) active += moves[event.key];
    else if (event.key === "Home" && event.target !== search) active = 0;
    else if (event.key === "End" && event.target !== search) active = shown.length - 1;
    else if ((event.key === "Enter" || (event.key === " " && event.target !== search)) && event.target !== done && shown[active]) choose(shown[active]);
    else return;
    event.preventDefault();
    if (box.isConnected) draw();
  });
  search?.addEventListener("input", () => { active = 0; draw(); });
  anchor.setAttribute("aria-expanded", "true");
  draw();
  (search ?? list).focus();
}
