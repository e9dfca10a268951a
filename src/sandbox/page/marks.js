// What stands below a message beside its reactions: its pin, whom it buzzed, and that only one person sees it.

import { h } from "./dom.js";
import { say } from "./words.js";
import { world, nameOf } from "./world.js";

/** Whether the one who is looking sees this message at all. */
export const isVisible = (message) => !message.only_for || (message.only_for === world.me && !message.deleted);

/** The lines, or nothing. `confirm` says that the one who is looking saw it. */
export function drawMarks(message, confirm) {
  const lines = [];
  if (message.pinned) lines.push(h("p", { class: "mark pin" }, h("span", { class: "emoji" }, "📌"), say("pinned_by", message.pinned.name)));
  if (message.urgent?.length) {
    const names = message.urgent.map((one) => `${one.name}${one.confirmed ? " ✓" : ""}`).join(", ");
    const mine = message.urgent.some((one) => one.open_id === world.me && !one.confirmed);
    lines.push(h("p", { class: "mark urgent" }, h("span", { class: "emoji" }, "⚡"), say("buzzed", names),
      mine ? h("button", { type: "button", class: "quiet", onclick: confirm }, say("saw_it")) : null));
  }
  if (message.only_for) lines.push(h("p", { class: "mark" }, h("span", { class: "emoji" }, "👁"), say("only_for", nameOf(message.only_for))));
  return lines.length ? h("div", { class: "marks" }, lines) : null;
}
