// Draws files, images and forwarded messages, and lets one choose what to forward.

import { h } from "./dom.js";
import { say } from "./words.js";

/** A size as people write it. */
export const sizeText = (bytes) => (bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${Math.round(bytes / 1e3)} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

const address = (key) => `/sandbox/files/${encodeURIComponent(key)}`;

/** An image with this key, or a note that there is none. */
export function image(message, key) {
  const known = (message.files ?? []).find((file) => file.key === key);
  if (!known) return h("span", { class: "chip" }, `🖼 ${say("picture")}`);
  return h("a", { href: address(key), target: "_blank", rel: "noopener", class: "shown-image" }, h("img", { src: address(key), alt: say("picture"), loading: "lazy" }));
}

/** A message that is one file or image; null where the sandbox does not have it. */
export function drawFile(message) {
  const [file] = message.files ?? [];
  if (!file) return null;
  if (message.msg_type === "image") return image(message, file.key);
  const kind = { audio: "🎙", media: "🎞" }[message.msg_type] ?? "📄";
  return h("a", { class: "file", href: address(file.key), download: file.name || "file" },
    h("span", { class: "file-kind", aria: { hidden: "true" } }, kind), h("span", {}, h("b", {}, file.name || message.text), h("small", {}, sizeText(file.size))));
}

/** What is in a bundle of forwarded messages, bundles in it included. */
export function drawForwarded(message) {
  const inside = message.forwarded ?? [];
  return h("details", { class: "forwarded", open: true }, h("summary", {}, say("forwarded_messages", inside.length)),
    inside.map((one) => h("div", { class: "forwarded-one" }, h("b", {}, one.sender?.name ?? "?"),
      one.msg_type === "merge_forward" ? drawForwarded(one) : drawFile(one) ?? h("span", {}, one.text))));
}

/** Asks which messages go where; gives `{ids, chat}` or null. */
export function chooseForward(messages, first, chats) {
  return new Promise((resolve) => {
    const boxes = messages.map((message) => h("input", { type: "checkbox", value: message.message_id, checked: message === first }));
    const where = h("select", { aria: { label: say("forward_to") } }, chats.map(([id, name]) => h("option", { value: id }, name)));
    const close = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    const done = () => {
      const ids = boxes.filter((box) => box.checked).map((box) => box.value);
      close(ids.length ? { ids, chat: where.value } : null);
    };
    const dialog = h("dialog", { class: "confirm forward", oncancel: () => close(null) }, h("h3", {}, say("forward")),
      h("div", { class: "forward-list" }, messages.map((message, index) => h("label", {}, boxes[index],
        h("span", {}, h("b", {}, `${message.sender?.name ?? "?"} `), (message.text || message.msg_type).slice(0, 120))))),
      h("label", { class: "forward-to" }, `${say("forward_to")} `, where),
      h("div", { class: "row" }, h("button", { type: "button", class: "card-button", onclick: () => close(null) }, say("cancel")),
        h("button", { type: "button", class: "card-button look-primary", onclick: done }, say("forward"))));
    document.body.append(dialog);
    dialog.showModal();
    boxes[messages.indexOf(first)]?.closest("label").scrollIntoView({ block: "nearest" });
  });
}
