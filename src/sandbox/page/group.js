// What one can do with a group: its name, who is in it, its end. And the bot's menu in the direct chat.

import { h, avatar, icon } from "./dom.js";
import { say } from "./words.js";
import * as api from "./api.js";
import { world, groups, nameOf, hasBot, chatName } from "./world.js";

/** The entries that the sandbox's app has in its menu: what they say, and their keys. */
const MENU = [["menu_help", "help"], ["menu_new", "new"], ["menu_stop", "stop"], ["menu_status", "status"]];

/** The buttons of the bot's menu. */
export const menuButtons = (attempt) => MENU.map(([word, key]) =>
  h("button", { type: "button", onclick: () => attempt(() => api.pressMenu(world.me, key)) }, say(word)));

/** Opens the dialog of a group. `attempt` does and tells what goes wrong, `changed` reads the state again, `show` goes to a message. */
export async function openGroup(chatId, { attempt, confirmed, changed, show }) {
  let about = await attempt(() => api.readChat(chatId));
  if (!about) return;
  const dialog = h("dialog", { class: "confirm group" });
  const close = () => { dialog.close(); dialog.remove(); };
  const chat = () => groups().find((one) => one.chat_id === chatId);
  const act = async (work) => {
    await attempt(work);
    await changed();
    about = (await attempt(() => api.readChat(chatId))) ?? about;
    if (chat()) draw(); else close();
  };
  const members = (change) => act(() => api.changeMembers(chatId, { operator: world.me, ...change }));

  function draw() {
    const name = h("input", { type: "text", maxlength: "60", value: chat().name, aria: { label: say("group_name") } });
    const rename = () => act(() => api.rename(chatId, name.value, world.me));
    const row = (id, isBot, remove) => h("li", {}, avatar(nameOf(id), isBot), h("span", {}, nameOf(id)), role(id, isBot),
      h("button", { type: "button", class: "icon-button", title: say("take_out", nameOf(id)), aria: { label: say("take_out", nameOf(id)) }, onclick: remove }, icon("close")));
    const people = chat().members.map((id) => row(id, false, () => members({ remove: [id] })));
    const bot = hasBot(chat()) ? [row(world.bot.id, true, () => members({ bot: false }))] : [];
    const others = world.users.filter((user) => !user.left && !chat().members.includes(user.open_id));
    const choices = [...(hasBot(chat()) ? [] : [["bot", world.bot.name]]), ...others.map((user) => [user.open_id, user.name])];
    const add = h("select", {
      aria: { label: say("take_in") },
      onchange: () => add.value && members(add.value === "bot" ? { bot: true } : { add: [add.value] }),
    }, h("option", { value: "" }, say("take_in")), choices.map(([id, text]) => h("option", { value: id }, text)));
    dialog.replaceChildren(
      h("h3", {}, chatName(chat())),
      h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); rename(); } }, name, h("button", { class: "card-button" }, say("rename"))),
      h("ul", { class: "people" }, bot, people),
      ...(choices.length ? [add] : []),
      ...(about.pins.length ? [h("h4", {}, say("pins")), h("ul", { class: "pins" }, about.pins.map(pinned))] : []),
      h("div", { class: "row" },
        h("button", { type: "button", class: "card-button look-danger", onclick: dissolve }, say("dissolve")),
        h("button", { type: "button", class: "card-button", onclick: leave }, say("leave")),
        h("button", { type: "button", class: "card-button", onclick: close }, say("close"))),
    );
  }

  /** What somebody is in the group, where that is more than a member. */
  function role(id, isBot) {
    const found = isBot ? about.bot_role : about.members.find((one) => one.open_id === id)?.role;
    const words = { owner: say("role_owner"), manager: say("role_manager") };
    return words[found] ? h("small", {}, words[found]) : null;
  }

  const pinned = (pin) => h("li", {}, h("button", { type: "button", class: "quote", onclick: () => { close(); show(pin.message_id); } },
    h("b", {}, `${pin.pinned.name} `), pin.text || "…"));

  async function leave() {
    if (await confirmed(say("leave"), say("leave_about"))) await act(() => api.leave(chatId, world.me));
  }

  async function dissolve() {
    if (await confirmed(say("dissolve"), say("dissolve_about"))) await act(() => api.dissolve(chatId, world.me));
  }

  dialog.addEventListener("cancel", close);
  draw();
  document.body.append(dialog);
  dialog.showModal();
}
