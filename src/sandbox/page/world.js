// What the page knows: people, chats, messages, and who is looking.

import { say } from "./words.js";

export const world = {
  users: [],
  bots: [],
  chats: [],
  bot: { id: "", name: "Nightjar", connected: false },
  me: localStorage.getItem("nightjar.me") ?? "",
  chat: localStorage.getItem("nightjar.chat") ?? "",
  thread: null,
  messages: [],
  unread: new Set(),
  /** What was opened or typed in cards, by message. */
  kept: new Map(),
};

/** A chat that does not exist yet: the direct chat with the bot before its first message. */
export const NEW_DIRECT = "direct:new";

export function takeState(state) {
  world.users = state.users ?? [];
  world.chats = state.chats ?? [];
  world.bots = state.bots ?? [];
  const app = state.app ?? {};
  world.bot = { id: app.open_id ?? "", appId: app.app_id ?? "", name: app.name ?? app.bot_name ?? state.bot?.name ?? "Nightjar", connected: state.bot_connected === true };
  if (!world.users.some((user) => user.open_id === world.me)) world.me = world.users[0]?.open_id ?? "";
}

export const isDirect = (chat) => chat?.chat_type === "p2p";
export const groups = () => world.chats.filter((chat) => !isDirect(chat) && (chat.members ?? []).includes(world.me));
export const direct = () => world.chats.find((chat) => isDirect(chat) && (chat.members ?? []).includes(world.me));

/** The chat that is open, or a stand-in for a direct chat that is yet to be made. */
export function openChat() {
  const chat = world.chats.find((chat) => chat.chat_id === world.chat);
  if (chat && (chat.members ?? []).includes(world.me)) return chat;
  if (world.chat === NEW_DIRECT) return direct() ?? { chat_id: NEW_DIRECT, chat_type: "p2p", name: world.bot.name, members: [world.me] };
  return null;
}

/** The name of a person or of the bot; an unknown id stays as it is. */
export function nameOf(id) {
  if (id === "all") return say("mention_all");
  if (id === world.bot.id || id === world.bot.appId) return world.bot.name;
  return [...world.users, ...world.bots].find((one) => one.open_id === id)?.name ?? id;
}

export const userName = () => nameOf(world.me);
export const keep = (name, value) => { world[name] = value; localStorage.setItem(`nightjar.${name}`, value); };
export const chatName = (chat) => (isDirect(chat) ? world.bot.name : chat.name || chat.chat_id);
/** Whether the bot is in a chat; a sandbox that does not tell has it everywhere. */
export const hasBot = (chat) => Boolean(chat) && chat.bot !== false;
export const byId = (id) => world.messages.find((message) => message.message_id === id);
/** Whether it is the bot that lives here, and not another one. */
export const isUs = (sender) => isBot(sender) && (sender.open_id ? [world.bot.id, world.bot.appId].includes(sender.open_id) : sender.name === world.bot.name);
export const isBot = (sender) => sender?.type === "bot" || sender?.type === "app";

/** Messages of a thread, its root first. */
export const threadMessages = (thread) => world.messages.filter((message) => message.thread_id === thread);

/** The root of a thread: the first of its messages that answers none of the others. */
export function rootOf(thread) {
  const all = threadMessages(thread);
  const ids = new Set(all.map((message) => message.message_id));
  const first = all.find((message) => !ids.has(message.parent_id));
  // Where the root itself does not carry the thread's id, the first reply's parent is it.
  return byId(first?.parent_id) && first.parent_id !== first.message_id ? byId(first.parent_id) : first;
}
