// Joins the parts of the page: what is shown where, what happens when something is heard or pressed.

import { h, avatar, arrange, icon } from "./page/dom.js";
import { say, currentLanguage, switchLanguage } from "./page/words.js";
import * as api from "./page/api.js";
import { chooseForward } from "./page/files.js";
import { MessageList } from "./page/messages.js";
import { Composer } from "./page/composer.js";
import { openAlerts } from "./page/alerts.js";
import { isVisible } from "./page/marks.js";
import { menuButtons, openGroup } from "./page/group.js";
import {
  world, NEW_DIRECT, takeState, groups, direct, openChat, nameOf, keep, chatName, isDirect, isUs, hasBot, rootOf, threadMessages, byId,
} from "./page/world.js";

const $ = (id) => document.getElementById(id);
const NEAR_END_PX = 90;
const THEMES = ["system", "light", "dark"];

/** Shows a short notice; the kind is Feishu's: info, success, warning, error. */
function toast(text, kind = "info") {
  const element = h("p", { class: `toast ${["success", "warning", "error"].includes(kind) ? kind : "info"}` }, text);
  $("toasts").append(element);
  setTimeout(() => element.remove(), 4500);
}

/** Does something with the sandbox; what goes wrong is shown. */
async function attempt(work) {
  try { return (await work()) ?? true; } catch (error) {
    toast(say("failed", error.message), "error");
    return null;
  }
}

function confirmed(title, text) {
  return new Promise((resolve) => {
    const close = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    const dialog = h("dialog", { class: "confirm", oncancel: () => close(false) }, h("h3", {}, title), h("p", {}, text),
      h("div", { class: "row" }, h("button", { type: "button", class: "card-button", onclick: () => close(false) }, say("cancel")),
        h("button", { type: "button", class: "card-button look-primary", onclick: () => close(true) }, say("confirm"))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

// ---- what one can do with a message

const act = {
  moved: () => { follow(); },
  confirm: confirmed,
  show(id) {
    const row = document.querySelector(`.messages [data-id="${CSS.escape(id)}"]`);
    row?.scrollIntoView({ block: "center", behavior: "smooth" });
    row?.classList.add("flash");
    setTimeout(() => row?.classList.remove("flash"), 1600);
  },
  reply: (message, place) => (place === "thread" ? threadComposer : composer).take({ message }),
  edit: (message, place) => (place === "thread" ? threadComposer : composer).take({ message, editing: true }),
  async forward(message) {
    const messages = world.messages.filter((one) => !one.deleted && one.msg_type !== "system").slice(-60);
    if (!messages.includes(message)) messages.unshift(message);
    const own = direct()?.chat_id ?? "";
    const chats = [...groups().map((chat) => [chat.chat_id, chatName(chat)]), [own, world.bot.name]];
    const chosen = await chooseForward(messages, message, chats);
    if (chosen) await attempt(() => api.forward(world.me, chosen.ids, chosen.chat)).then(refreshMessages);
  },
  thread(message) {
    world.thread = { root: message.message_id };
    drawThread();
    threadComposer.box.focus();
  },
  recall: (message) => attempt(() => api.recall(message.message_id, world.me)).then(refreshMessages),
  react: (message, type, remove) => attempt(() => api.react(message.message_id, world.me, type, remove)).then(refreshMessages),
  pin: (message) => attempt(() => api.pin(message.message_id, world.me, Boolean(message.pinned))).then(refreshMessages),
  saw: (message) => attempt(() => api.confirmUrgent(message.message_id, world.me)).then(refreshMessages),
  async press(message, press, button) {
    if (button) button.classList.add("busy");
    const answer = await attempt(() => api.click({ message_id: message.message_id, operator: world.me, ...press }));
    button?.classList.remove("busy");
    if (!answer) return;
    if (answer.client_error) {
      const code = answer.client_error.code ?? answer.client_error;
      toast(say("client_error", typeof code === "object" ? JSON.stringify(code) : code), "error");
    } else if (answer.toast) {
      const text = answer.toast.i18n?.[currentLanguage() === "zh" ? "zh_cn" : "en_us"] ?? answer.toast.content;
      if (text) toast(text, answer.toast.type);
    }
    refreshMessages();
  },
};

const list = new MessageList(act);
const threadList = new MessageList(act);

// ---- writing

async function send(draft, thread) {
  if (draft.editing) return attempt(() => api.edit(draft.editing.message_id, world.me, draft.text)).then((done) => { refreshMessages(); return done; });
  const chat = openChat();
  const place = chat.chat_id === NEW_DIRECT ? {} : { chat_id: chat.chat_id };
  if (thread) Object.assign(place, { thread: true, reply_to: world.thread.root });
  // As on the platform, each file is a message of its own; the words come after them.
  for (const file of draft.files) {
    const sent = await attempt(async () => {
      const kept = await api.upload(file);
      const content = kept.image_key ? { image_key: kept.image_key } : { file_key: kept.file_key };
      return api.say({ sender: world.me, ...place, msg_type: kept.image_key ? "image" : "file", content });
    });
    if (!sent) return false;
  }
  if (draft.files.length && !draft.text) {
    if (chat.chat_id === NEW_DIRECT) await refreshStateNow();
    refreshMessages();
    return true;
  }
  const message = { sender: world.me, text: draft.text };
  if (chat.chat_id !== NEW_DIRECT) message.chat_id = chat.chat_id;
  if (draft.mentionBot) message.mention_bot = true;
  if (draft.mentionAll) message.mention_all = true;
  const replyTo = draft.replyTo ?? (thread ? world.thread.root : undefined);
  if (replyTo) message.reply_to = replyTo;
  if (thread) message.thread = true;
  const sent = await attempt(() => api.say(message));
  if (!sent) return false;
  pinned.set("messages", true);
  if (chat.chat_id === NEW_DIRECT && sent.chat_id) {
    keep("chat", sent.chat_id);
    await refreshStateNow();
  }
  refreshMessages();
  return true;
}

function people() {
  const chat = openChat();
  const others = [...(chat?.members ?? []), ...(chat?.bots ?? [])].filter((id) => id !== world.me && id !== world.bot.id);
  // The platform's own word for everybody is "all", in any language.
  const all = isDirect(chat) ? [] : [{ name: "all", about: say("mention_all"), all: true }];
  return [...(hasBot(chat) ? [{ name: world.bot.name, bot: true }] : []), ...others.map((id) => ({ name: nameOf(id) })), ...all];
}

const composer = new Composer($("composer"), {
  id: "chat-box", people, send: (draft) => send(draft, false),
  placeholder: () => say("write_here", openChat() ? chatName(openChat()) : ""),
});
const threadComposer = new Composer($("thread-composer"), {
  id: "thread-box", people, send: (draft) => send(draft, true), placeholder: () => say("write_in_thread"),
});

// ---- drawing

/** Whether a list is at its end and should stay there. */
const pinned = new Map([["messages", true], ["thread-messages", true]]);

function follow() {
  for (const [id, stays] of pinned) if (stays) $(id).scrollTop = $(id).scrollHeight;
}

for (const id of pinned.keys()) {
  $(id).addEventListener("scroll", () => {
    const box = $(id);
    pinned.set(id, box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX);
    if (id === "messages") $("jump").hidden = pinned.get(id);
  }, { passive: true });
}

function drawChats() {
  const entry = (chat, id, isNew) => {
    const open = openChat()?.chat_id === (chat?.chat_id ?? NEW_DIRECT);
    const unread = !open && world.unread.has(id);
    const name = isDirect(chat) || isNew ? world.bot.name : chatName(chat);
    return h("button", {
      type: "button", class: `chat ${open ? "open" : ""} ${unread ? "unread" : ""}`, aria: open ? { current: "true" } : {},
      onclick: () => showChat(id),
    }, isDirect(chat) || isNew ? avatar(name, true) : h("span", { class: "avatar group", aria: { hidden: "true" } }, "#"),
    h("span", { class: "chat-name" }, name), unread ? h("span", { class: "dot", title: say("unread"), aria: { label: say("unread") }, role: "img" }) : null);
  };
  const section = (title, entries) => h("section", { aria: { label: title } }, h("h3", {}, title), entries);
  const mine = groups().map((chat) => entry(chat, chat.chat_id));
  const own = direct();
  arrange($("chats"), [
    section(say("groups"), mine.length ? mine : [h("p", { class: "nothing" }, say("no_chats", nameOf(world.me)))]),
    section(say("direct"), [entry(own, own?.chat_id ?? NEW_DIRECT, true)]),
  ]);
}

function drawFrame() {
  document.documentElement.lang = currentLanguage() === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
  $("language").textContent = say("language_name");
  $("language").title = say("switch_language");
  $("language").setAttribute("aria-label", say("switch_language"));
  $("alerts").title = say("fire_alert");
  $("theme").textContent = { system: "◐", light: "☀", dark: "☾" }[theme];
  $("theme").title = say(`theme_${theme}`);
  $("theme").setAttribute("aria-label", say(`theme_${theme}`));
  $("link-state").textContent = say("link_lost");
  $("bot-state").className = `state ${world.bot.connected ? "up" : "down"}`;
  $("bot-state").textContent = say(world.bot.connected ? "bot_connected" : "bot_missing");
  const options = world.users.map((user) => h("option", { value: user.open_id }, user.left ? say("has_left", user.name) : user.name));
  $("me").replaceChildren(...options);
  $("me").value = world.me;
  $("me-avatar").replaceChildren(avatar(nameOf(world.me)));
  const chat = openChat();
  $("chat-name").textContent = chat ? chatName(chat) : "";
  const members = (chat?.members ?? []).filter((id) => id !== world.bot.id);
  $("chat-about").textContent = !chat ? "" : isDirect(chat) ? say("direct_about")
    : `${say("members", members.length)} · ${members.map(nameOf).join(currentLanguage() === "zh" ? "、" : ", ")}`;
  $("group").hidden = !chat || isDirect(chat);
  $("group").title = say("group_menu");
  $("menu").hidden = !isDirect(chat);
  $("menu").replaceChildren(...menuButtons(attempt));
  composer.label();
  threadComposer.label();
}

/** While a button is held down nothing is drawn anew: a press on a replaced button would be lost. */
let held = false;
let waiting = false;
addEventListener("pointerdown", () => { held = true; }, true);
for (const end of ["pointerup", "pointercancel", "dragend", "blur"]) {
  addEventListener(end, () => setTimeout(() => {
    held = false;
    if (waiting) drawMessages();
  }), true);
}

/** Draws, and gives the focus back to the row and the place in it that had it. */
function drawMessages() {
  waiting = held;
  if (held) return;
  const focused = document.activeElement;
  const row = focused?.closest?.(".message");
  const box = row?.closest(".messages");
  const inRow = (element) => [...element.querySelectorAll("button, a, input, select, textarea, summary, [tabindex]")];
  const index = row ? inRow(row).indexOf(focused) : -1;
  drawLists();
  if (index < 0 || document.contains(focused)) return;
  const now = box.querySelector(`[data-id="${CSS.escape(row.dataset.id)}"]`);
  if (now) inRow(now)[index]?.focus({ preventScroll: true });
}

function drawLists() {
  const chat = openChat();
  const inThread = (message) => message.thread_id && rootOf(message.thread_id)?.message_id !== message.message_id;
  const shown = world.messages.filter((message) => !inThread(message) && isVisible(message));
  const rows = list.draw(shown, "chat");
  if (!chat) rows.push(h("p", { class: "nothing" }, world.users.length ? say("no_chats", nameOf(world.me)) : say("no_users")));
  else if (!rows.length) {
    rows.push(h("div", { class: "nothing" }, avatar(world.bot.name, true), h("p", {}, isDirect(chat) ? say("empty_direct", world.bot.name) : say("empty_group"))));
  }
  arrange($("messages"), rows);
  // What the bot says by itself, such as a greeting, answers nobody.
  const asked = world.messages.some((message) => isUs(message.sender) && message.parent_id);
  composer.suggest(!hasBot(chat) || asked ? "" : isDirect(chat) ? say("try_direct") : say("try_group", world.bot.name));
  drawThread();
  follow();
}

function drawThread() {
  const root = world.thread && byId(world.thread.root);
  $("thread").hidden = !root;
  $("app").classList.toggle("with-thread", Boolean(root));
  if (!root) return $("thread-messages").replaceChildren();
  const replies = root.thread_id ? threadMessages(root.thread_id).filter((message) => message !== root) : [];
  arrange($("thread-messages"), threadList.draw([root, ...replies], "thread"));
  $("thread-about").textContent = openChat() ? chatName(openChat()) : "";
  follow();
}

function closeThread() {
  world.thread = null;
  drawThread();
}

// ---- what is asked again when something happened

async function loadState() {
  takeState(await api.readState());
  if (!openChat()) keep("chat", groups()[0]?.chat_id ?? NEW_DIRECT);
  drawFrame();
  drawChats();
}
const refreshState = api.coalesced(loadState, 250);
const refreshStateNow = () => attempt(loadState);

const refreshMessages = api.coalesced(async () => {
  const chat = openChat();
  const asked = chat?.chat_id;
  const messages = asked && asked !== NEW_DIRECT ? await api.readMessages(asked) : [];
  // The reader may have gone to another chat meanwhile.
  if (openChat()?.chat_id !== asked) return refreshMessages();
  world.messages = messages;
  drawMessages();
}, 100);

/** Whoever opens the direct chat is noticed by the bot. */
function enterDirect() {
  if (isDirect(openChat())) attempt(() => api.enter(world.me)).then(refreshStateNow).then(refreshMessages);
}

function showChat(id) {
  keep("chat", id);
  world.unread.delete(id);
  world.thread = null;
  world.messages = [];
  pinned.set("messages", true);
  $("jump").hidden = true;
  composer.cancel();
  $("app").classList.add("chat-open");
  drawFrame();
  drawChats();
  drawMessages();
  refreshMessages();
  enterDirect();
}

function heard({ kind, chat_id: chat }) {
  if (["connection", "chat", "user", "everything"].includes(kind)) refreshState();
  if (!chat || chat === openChat()?.chat_id) refreshMessages();
  else if (kind === "message") {
    if (!world.chats.some((known) => known.chat_id === chat)) refreshState();
    world.unread.add(chat);
    drawChats();
  }
}

// ---- the frame's own switches

let theme = THEMES.includes(localStorage.getItem("nightjar.theme")) ? localStorage.getItem("nightjar.theme") : "system";
const applyTheme = () => { document.documentElement.dataset.theme = theme; };

$("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  localStorage.setItem("nightjar.theme", theme);
  applyTheme();
  drawFrame();
});
$("language").addEventListener("click", () => {
  switchLanguage();
  list.forget();
  threadList.forget();
  drawFrame();
  drawChats();
  drawMessages();
});
$("me").addEventListener("change", () => {
  const wasDirect = isDirect(openChat());
  keep("me", $("me").value);
  world.unread.clear();
  showChat(wasDirect ? direct()?.chat_id ?? NEW_DIRECT : openChat()?.chat_id ?? groups()[0]?.chat_id ?? NEW_DIRECT);
  if (matchMedia("(max-width: 760px)").matches) $("app").classList.remove("chat-open");
});
// A link to a chat opens it here, as it does in the client.
document.addEventListener("click", (event) => {
  const chat = event.target.closest("a")?.href.match(/[?&]openChatId=(oc_\w+)/)?.[1];
  if (!chat || !groups().some((one) => one.chat_id === chat)) return;
  event.preventDefault();
  showChat(chat);
});
$("jump").addEventListener("click", () => { pinned.set("messages", true); $("jump").hidden = true; follow(); });
$("back").addEventListener("click", () => $("app").classList.remove("chat-open"));
$("thread-close").addEventListener("click", closeThread);
$("group").addEventListener("click", () => openGroup(openChat().chat_id, { attempt, confirmed, changed: refreshStateNow, show: act.show }));
$("alerts").addEventListener("click", () => openAlerts({ attempt, toast }));
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && world.thread) closeThread(); });
addEventListener("resize", follow);

$("back").append(icon("back"));
$("thread-close").append(icon("close"));
$("group").append(icon("more"));
applyTheme();
$("app").classList.add("chat-open");
await refreshStateNow();
drawFrame();
refreshMessages();
enterDirect();
api.listen(heard, (up) => {
  $("link-state").hidden = up;
  if (up) { refreshState(); refreshMessages(); }
});
