// Draws messages, in the chat and in a thread.

import { h, avatar, link, icon } from "./dom.js";
import { say, locale } from "./words.js";
import { picture, OFFERED } from "./emoji.js";
import { drawCard, cardOf } from "./card.js";
import { drawPost } from "./post.js";
import { drawFile, drawForwarded, image } from "./files.js";
import { drawMarks } from "./marks.js";
import { typed } from "./typing.js";
import { world, nameOf, isBot, isUs, byId, rootOf, threadMessages } from "./world.js";

const TOGETHER_MS = 3 * 60 * 1000;

/** `act` has reply, forward, thread, edit, recall, react, pin, saw, press, confirm, moved. */
export class MessageList {
  constructor(act) {
    this.act = act;
    this.nodes = new Map();
  }

  /** The elements for these messages: day dividers and rows. Unchanged rows stay what they were. */
  draw(messages, place) {
    const out = [];
    const seen = new Set();
    let before = null;
    for (const message of messages) {
      const day = new Date(message.create_time_ms).toDateString();
      if (!before || new Date(before.create_time_ms).toDateString() !== day) {
        out.push(this.node(`day:${day}`, place, () => dayDivider(message.create_time_ms), seen));
        before = null;
      }
      const together = before && before.sender?.name === message.sender?.name && before.sender?.type === message.sender?.type
        && message.create_time_ms - before.create_time_ms < TOGETHER_MS && !message.deleted && !before.deleted;
      const view = this.view(message, together, place);
      out.push(this.node(message.message_id, JSON.stringify(view), () => this.row(message, view, place), seen));
      before = message;
    }
    for (const key of this.nodes.keys()) if (!seen.has(key)) this.nodes.delete(key);
    return out;
  }

  node(key, signature, make, seen) {
    seen.add(key);
    const known = this.nodes.get(key);
    if (known?.signature === signature) return known.element;
    const element = make();
    this.nodes.set(key, { signature, element });
    return element;
  }

  forget() { this.nodes.clear(); }

  /** Everything that the drawing of a message depends on. */
  view(message, together, place) {
    const parent = place === "chat" || byId(message.parent_id)?.message_id !== rootOf(message.thread_id)?.message_id ? byId(message.parent_id) : null;
    const thread = place === "chat" && message.thread_id && rootOf(message.thread_id)?.message_id === message.message_id
      ? threadMessages(message.thread_id).filter((reply) => reply !== message) : [];
    return {
      message, together: Boolean(together), me: world.me,
      parent: message.parent_id && !(place === "thread" && !parent) ? [parent?.sender?.name, excerpt(parent), parent?.deleted] : null,
      thread: thread.length ? [thread.length, thread.at(-1).sender?.name, [...new Set(thread.map((reply) => reply.sender?.name))].slice(0, 3), thread.at(-1).card?.streaming] : null,
    };
  }

  row(message, view, place) {
    if (message.deleted) return note(say("recalled", message.sender?.name ?? "?"), message);
    if (message.msg_type === "system") return note(message.text, message);
    const bot = isBot(message.sender);
    const name = message.sender?.name ?? (bot ? world.bot.name : "?");
    const time = h("time", { class: "when", title: new Date(message.create_time_ms).toLocaleString(locale()) }, clock(message.create_time_ms));
    const head = view.together ? null : h("div", { class: "row-head" }, h("b", {}, name), bot ? h("span", { class: "badge" }, say("bot")) : null, time);
    return h("div", { class: `message ${view.together ? "together" : ""} ${bot ? "by-bot" : ""} ${message.sender?.open_id === world.me ? "mine" : ""}`, data: { id: message.message_id } },
      view.together ? h("span", { class: "gutter" }, time) : avatar(name, isUs(message.sender)),
      h("div", { class: "row-body" }, head, view.parent ? this.quote(message, view.parent) : null, this.body(message, place),
        message.edited ? h("span", { class: "edited" }, say("edited")) : null,
        drawMarks(message, () => this.act.saw(message)), this.reactions(message), view.thread ? this.threadChip(message, view.thread) : null),
      this.toolbar(message, place));
  }

  quote(message, [name, text, deleted]) {
    const shown = name === undefined || deleted ? say("message_gone") : text;
    return h("button", { type: "button", class: "quote", onclick: () => this.act.show(message.parent_id) },
      name === undefined ? null : h("b", {}, `${name} `), shown);
  }

  body(message, place) {
    if (message.msg_type === "post") return h("div", { class: "said post" }, post(message));
    if (message.msg_type === "merge_forward" && message.forwarded?.length) return drawForwarded(message);
    const file = ["image", "file", "audio", "media"].includes(message.msg_type) ? drawFile(message) : null;
    if (file) return h("div", { class: "said" }, file);
    if (message.msg_type !== "interactive") return h("div", { class: "said" }, plainText(message));
    const streaming = message.card?.streaming === true;
    const key = `${place}:${message.message_id}`;
    const kept = world.kept.get(message.message_id) ?? world.kept.set(message.message_id, new Map()).get(message.message_id);
    const scene = {
      nameOf, kept, confirm: this.act.confirm,
      press: (press, button) => this.act.press(message, press, button),
      // Small print such as a state or a footer is put there whole; only an answer is typed.
      text: (path, content, className) =>
        typed(`${key}${path}`, content, `${className} md`, scene, streaming && !/\bsmall\b/.test(className), this.act.moved),
    };
    const card = cardOf(message.content) ?? cardOf(message.card?.json)
      ?? { body: { elements: [{ tag: "markdown", content: message.text || say("no_card_json") }] } };
    return drawCard(card, scene, streaming);
  }

  reactions(message) {
    const kinds = new Map();
    for (const reaction of message.reactions ?? []) {
      const all = kinds.get(reaction.emoji_type) ?? kinds.set(reaction.emoji_type, []).get(reaction.emoji_type);
      all.push(reaction);
    }
    if (kinds.size === 0) return null;
    const chips = [...kinds].map(([type, all]) => {
      const mine = all.some((one) => one.by === "user" && (one.open_id ? one.open_id === world.me : one.name === nameOf(world.me)));
      const names = all.map((one) => one.name ?? "?").join(", ");
      return h("button", {
        type: "button", class: `reaction ${mine ? "own" : ""}`, title: say("reacted_by", type, names),
        aria: { pressed: String(mine), label: say("reacted_by", type, names) },
        onclick: () => this.act.react(message, type, mine),
      }, picture(type) ? h("span", { class: "emoji" }, picture(type)) : h("span", { class: "emoji-name" }, type), h("span", {}, names));
    });
    return h("div", { class: "reactions" }, chips);
  }

  threadChip(message, [count, last, names]) {
    return h("button", { type: "button", class: "thread-chip", onclick: () => this.act.thread(message) },
      h("span", { class: "faces" }, names.map((name) => avatar(name ?? "?", name === world.bot.name))),
      h("b", {}, count === 1 ? say("one_reply") : say("replies", count)), h("span", {}, say("last_by", last ?? "?")), h("span", { class: "go" }, "›"));
  }

  toolbar(message, place) {
    const own = message.sender?.open_id === world.me && !isBot(message.sender);
    const action = (key, sign, run) => h("button", { type: "button", class: "icon-button", title: say(key), aria: { label: say(key) }, onclick: run }, sign);
    const open = (event) => palette(event.currentTarget, (type) => this.act.react(message, type, false));
    return h("div", { class: "toolbar", role: "toolbar", aria: { label: say("actions") } },
      action("react", icon("react"), open),
      action("reply", icon("reply"), () => this.act.reply(message, place)),
      place === "chat" ? action("reply_in_thread", icon("thread"), () => this.act.thread(message)) : null,
      message.only_for ? null : action(message.pinned ? "unpin" : "pin", icon("pin"), () => this.act.pin(message)),
      action("forward", icon("forward"), () => this.act.forward(message)),
      own && message.msg_type === "text" ? action("edit", icon("edit"), () => this.act.edit(message, place)) : null,
      own ? action("recall", icon("recall"), () => this.act.recall(message)) : null);
  }
}

/** One line of a message, for quotes. */
export function excerpt(message) {
  const text = (message?.text ?? "").replace(/\s+/g, " ").trim();
  return text.length > 120 ? `${text.slice(0, 118)}…` : text || `[${message?.msg_type ?? "?"}]`;
}

const clock = (ms) => new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" }).format(ms);
const note = (text, message) => h("p", { class: "note-line", data: { id: message.message_id } }, text);

function dayDivider(ms) {
  const day = new Date(ms);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(ms).setHours(0, 0, 0, 0)) / 86_400_000);
  const text = days === 0 ? say("today") : days === 1 ? say("yesterday")
    : new Intl.DateTimeFormat(locale(), { weekday: "long", day: "numeric", month: "long" }).format(day);
  return h("p", { class: "day" }, h("span", {}, text));
}

/** Text with mentions and links marked; other kinds by their name. */
function plainText(message) {
  const text = message.text ?? "";
  return message.msg_type === "text" ? marked(text) : [h("span", { class: "chip" }, message.msg_type), ` ${text}`];
}

function post(message) {
  let content = null;
  try { content = JSON.parse(message.content); } catch { return marked(message.text ?? ""); }
  const mentioned = (key, name) => (message.mentions ?? []).find((mention) => mention.key === key)?.name ?? name ?? nameOf(key);
  return drawPost(content, marked, mentioned, (key) => image(message, key));
}

function marked(text) {
  const names = [world.bot.name, ...world.users.map((user) => user.name), ...world.bots.map((bot) => bot.name), "all"].filter(Boolean).sort((a, b) => b.length - a.length);
  const quoted = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const marks = new RegExp(`(@(?:${quoted})|https?://[^\\s<>"'，。；、）】]*[^\\s<>"'，。；、）】.,:;!?)])`, "g");
  return text.split(marks).map((part, index) => {
    if (index % 2 === 0) return part;
    if (!part.startsWith("@")) return link(part, part);
    return h("span", { class: `mention ${[nameOf(world.me), world.bot.name].includes(part.slice(1)) ? "strong" : ""}` }, part);
  });
}

/** A small choice of emoji beside a button. */
function palette(beside, chosen) {
  document.querySelector(".palette")?.remove();
  const close = () => { box.remove(); document.removeEventListener("pointerdown", away, true); };
  const away = (event) => { if (!box.contains(event.target)) close(); };
  const box = h("div", {
    class: "palette", role: "menu", aria: { label: say("react") },
    onkeydown: (event) => { if (event.key === "Escape") { close(); beside.focus(); } },
  }, OFFERED.map((type) => h("button", { type: "button", role: "menuitem", title: type, aria: { label: type }, onclick: () => { close(); chosen(type); } }, picture(type))));
  const at = beside.getBoundingClientRect();
  document.body.append(box);
  box.style.left = `${Math.max(8, Math.min(at.right - box.offsetWidth, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${at.bottom + box.offsetHeight + 8 > innerHeight ? at.top - box.offsetHeight - 4 : at.bottom + 4}px`;
  document.addEventListener("pointerdown", away, true);
  box.firstElementChild.focus();
}
