// A modal that the bot asked to show: text inputs and selects, sent as one answer.

import { api } from "./api.js";
import { guildChoices } from "./components.js";
import { h, icon, uid } from "./dom.js";
import { markdown } from "./markdown.js";
import { dialog } from "./popover.js";
import { selectBox } from "./select.js";
import { on, state } from "./store.js";
import { t } from "./words.js";

/** Shows the modal until it is answered or dismissed. */
export function showModal(modal) {
  const fields = modal.inputs.map(field);
  const problem = h("p.field-problem", { role: "alert" });
  const send = h("button.button.button-primary", { type: "submit" }, t("modal.submit"));
  const form = h("form.modal-form", { onsubmit: (event) => { event.preventDefault(); submit(); } },
    (modal.texts ?? []).map((text) => h("div.markup", {}, markdown(text))), fields.map((one) => one.element), problem,
    h("p.modal-warning", {}, icon("warn"), " ", t("modal.warning", { name: state.bot?.name ?? "Handbell" })),
    h("footer.dialog-foot", {}, h("button.button.button-secondary", { type: "button", onclick: () => cancel() }, t("dialog.cancel")), send));
  let busy = false;
  const shown = dialog({ name: "modal", title: modal.title, subtitle: state.bot?.name, content: form, onCancel: () => tell() });
  (shown.box.querySelector("input, textarea, .select") ?? send).focus();

  const tell = () => { api.dismissModal(modal.interaction_id).catch(() => { /* it may be over already */ }); };
  function cancel() { tell(); shown.close(); }

  async function submit() {
    if (busy) return;
    const wrong = fields.filter((one) => !one.check());
    if (wrong.length) { wrong[0].focus(); return; }
    setBusy(true);
    problem.textContent = "";
    try {
      const interaction = await api.submitModal(modal.interaction_id, Object.fromEntries(fields.map((one) => [one.id, one.value()])));
      await whenSettled(interaction);
      shown.close();
    } catch (failure) {
      problem.textContent = failure.message;
      setBusy(false);
    }
  }
  function setBusy(value) {
    busy = value;
    send.disabled = value;
    form.setAttribute("aria-busy", String(value));
  }
  return shown;
}

/** Resolves when the bot took the modal; rejects with the sentence that Discord's client shows when it did not. */
function whenSettled(interaction) {
  const judge = (one) => { if (one.state === "failed") throw new Error(one.notice ?? t("modal.failed")); };
  if (interaction.state !== "waiting") return Promise.resolve(interaction).then(judge);
  return new Promise((resolve, reject) => {
    const stop = on("interaction", (one) => {
      if (one.id !== interaction.id || one.state === "waiting") return;
      stop();
      try { judge(one); resolve(); } catch (failure) { reject(failure); }
    });
    // The event may have come before this promise was made.
    if (state.settled.has(interaction.id)) { stop(); resolve(); }
  });
}

function field(data) {
  return data.kind === "select" ? selectField(data) : textField(data);
}

const labelled = (data, id, element, problem) => h("div.form-field", {},
  h("label.field-label", { for: id }, data.label, data.required ? h("span.required-mark", { title: t("option.required-short"), "aria-hidden": "true" }, " *") : null),
  data.description ? h("p.quiet", {}, data.description) : null, element, problem);

function textField(data) {
  const id = uid("input");
  const paragraph = data.style === "paragraph";
  const problem = h("p.field-problem", { role: "alert" });
  const counter = h("span.field-counter", { "aria-hidden": "true" });
  const input = h(paragraph ? "textarea.field" : "input.field", {
    id, type: paragraph ? null : "text", rows: paragraph ? 4 : null, placeholder: data.placeholder, maxlength: data.max_length, value: data.value ?? "",
    "aria-required": data.required ? "true" : null, autocomplete: "off", data: { customId: data.custom_id }, oninput: () => { count(); problem.textContent = ""; input.removeAttribute("aria-invalid"); },
  });
  const count = () => { counter.textContent = data.max_length ? `${[...input.value].length} / ${data.max_length}` : ""; };
  count();
  return {
    id: data.custom_id, element: labelled(data, id, h("div.field-box", {}, input, counter), problem), focus: () => input.focus(), value: () => input.value,
    check() {
      const length = [...input.value].length;
      const wrong = data.required && !input.value.trim() ? t("modal.required")
        : length && data.min_length && length < data.min_length ? t("option.shortest", { n: data.min_length })
          : data.max_length && length > data.max_length ? t("option.longest", { n: data.max_length }) : "";
      problem.textContent = wrong;
      if (wrong) input.setAttribute("aria-invalid", "true");
      return !wrong;
    },
  };
}

/** The component types of selects, for those whose choices come from the guild. */
const GUILD_SELECTS = { user: 5, role: 6, mentionable: 7, channel: 8 };

function selectField(data) {
  const problem = h("p.field-problem", { role: "alert" });
  const options = (data.options ?? guildChoices(GUILD_SELECTS[data.select] ?? 0)).map((one) => ({ ...one, chosen: one.default }));
  let values = options.filter((one) => one.chosen).map((one) => one.value);
  const box = selectBox({
    options, placeholder: data.placeholder ?? t("select.placeholder"), least: data.min_values ?? 1, most: data.max_values ?? 1, label: data.label,
    customId: data.custom_id, onDone: (chosen) => { values = chosen; problem.textContent = ""; },
  });
  box.id = uid("input");
  return {
    id: data.custom_id, element: labelled(data, box.id, box, problem), focus: () => box.focus(), value: () => values,
    check() {
      const fine = !data.required || values.length >= Math.max(1, data.min_values ?? 1);
      problem.textContent = fine ? "" : t("modal.required");
      return fine;
    },
  };
}
