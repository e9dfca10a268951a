// The dialog in which alerts are fired at the bot's own web address.

import { h } from "./dom.js";
import { say, currentLanguage } from "./words.js";
import * as api from "./api.js";

const choice = (label, options, value, changed = () => {}) => {
  const select = h("select", { aria: { label }, onchange: () => changed(select.value) },
    options.map(([id, text]) => h("option", { value: id, selected: id === value }, text)));
  return [select, h("label", { class: "field" }, h("span", {}, label), select)];
};

/** What was chosen last, for the next time. */
const last = { format: "alertmanager", scenario: "", status: "firing" };

/** Opens the dialog. `attempt` does and tells what goes wrong, `toast` tells what came of it. */
export async function openAlerts({ attempt, toast }) {
  const offered = await attempt(api.offeredAlerts);
  if (!offered) return;
  const dialog = h("dialog", { class: "confirm alerts" });
  const close = () => { dialog.close(); dialog.remove(); };
  const counted = (id) => String(offered.scenarios.find((one) => one.id === id)?.count ?? 1);
  const scenarios = offered.scenarios.map((one) => [one.id, one[currentLanguage()]]);
  const first = last.scenario || scenarios[0][0];
  const count = h("input", { type: "number", min: "1", max: "1000", value: counted(first) });
  const [scenario, scenarioField] = choice(say("alert_scenario"), scenarios, first, (id) => { count.value = counted(id); });
  const [format, formatField] = choice(say("alert_format"), offered.formats.map((one) => [one, one]), last.format);
  const [status, statusField] = choice(say("alert_status"), [["firing", say("alert_firing")], ["resolved", say("alert_resolved")]], last.status);

  async function fire(event) {
    event.preventDefault();
    Object.assign(last, { format: format.value, scenario: scenario.value, status: status.value });
    const button = dialog.querySelector(".look-primary");
    button.classList.add("busy");
    const answer = await attempt(() => api.fireAlerts({ ...last, count: Number(count.value) }));
    button.classList.remove("busy");
    if (!answer) return;
    const refused = answer.answers.find((one) => !(one.status >= 200 && one.status < 300));
    if (refused) toast(say("alert_refused", refused.status ?? "–", refused.body || refused.url), "error");
    else { toast(say("alert_sent", answer.alerts), "success"); close(); }
  }

  const where = offered.to
    ? h("p", { class: "where" }, say("alert_to"), " ", h("code", {}, offered.to.base_url))
    : h("p", { class: "where missing" }, say("alert_to_nobody"));
  dialog.append(h("h3", {}, say("fire_alert")), where,
    h("form", { onsubmit: fire }, scenarioField, formatField, statusField,
      h("label", { class: "field" }, h("span", {}, say("alert_count")), count),
      h("div", { class: "row" },
        h("button", { type: "button", class: "card-button", onclick: close }, say("cancel")),
        h("button", { type: "submit", class: "card-button look-primary", disabled: !offered.to }, say("fire")))));
  dialog.addEventListener("cancel", close);
  document.body.append(dialog);
  dialog.showModal();
}
