// The box to write in, with its mention completion. One stands under the chat, one under a thread.

import { h, avatar, icon } from "./dom.js";
import { say } from "./words.js";
import { sizeText } from "./files.js";
import { excerpt } from "./messages.js";

export class Composer {
  /** `options`: id, placeholder(), people() -> [{name, bot}], send({text, files, mentionBot, mentionAll, replyTo, editing}). */
  constructor(place, options) {
    this.options = options;
    this.choices = [];
    this.active = 0;
    this.about = null;
    this.files = [];
    this.box = h("textarea", {
      rows: "1", role: "combobox",
      aria: { expanded: "false", controls: `${options.id}-mentions`, autocomplete: "list" },
      oninput: () => this.changed(), onkeydown: (event) => this.key(event), onclick: () => this.complete(),
      onblur: () => setTimeout(() => this.close(), 150),
      onpaste: (event) => { if (event.clipboardData?.files.length) { event.preventDefault(); this.attach(event.clipboardData.files); } },
      ondragover: (event) => event.preventDefault(),
      ondrop: (event) => { if (event.dataTransfer?.files.length) { event.preventDefault(); this.attach(event.dataTransfer.files); } },
    });
    this.picker = h("input", { type: "file", multiple: true, hidden: true, onchange: () => { this.attach(this.picker.files); this.picker.value = ""; } });
    this.attachButton = h("button", { type: "button", class: "icon-button", onclick: () => this.picker.click() }, icon("attach"));
    this.attached = h("div", { class: "attached", hidden: true });
    this.list = h("ul", { class: "mentions", id: `${options.id}-mentions`, role: "listbox", hidden: true });
    this.banner = h("div", { class: "about", hidden: true });
    this.hint = h("div", { class: "hint", hidden: true });
    this.sendButton = h("button", { type: "button", class: "send", onclick: () => this.send() });
    this.mentionButton = h("button", { type: "button", class: "icon-button", onclick: () => this.insert("@") }, "@");
    place.append(h("div", { class: "composer" }, this.hint, this.list, this.banner, this.attached, this.picker,
      h("div", { class: "write" }, this.mentionButton, this.attachButton, this.box, this.sendButton)));
    this.keys = h("p", { class: "keys" });
    place.firstElementChild.append(this.keys);
    this.label();
    this.changed();
  }

  /** Puts its words in the page's language. */
  label() {
    const placeholder = this.options.placeholder();
    this.box.placeholder = placeholder;
    this.box.setAttribute("aria-label", placeholder);
    this.list.setAttribute("aria-label", say("mention_choices"));
    this.mentionButton.setAttribute("aria-label", say("mention"));
    this.mentionButton.title = say("mention");
    this.attachButton.setAttribute("aria-label", say("attach"));
    this.attachButton.title = say("attach");
    this.keys.textContent = say("keys");
    this.sendButton.textContent = this.about?.editing ? say("save") : say("send");
  }

  /** Shows what might be asked; clicking it puts it into the box. */
  suggest(text) {
    this.hint.hidden = !text;
    this.hint.replaceChildren(...(text ? [h("span", {}, `${say("try_it")}: `), h("button", {
      type: "button", onclick: () => { this.box.value = text; this.changed(); this.close(); this.box.focus(); },
    }, text)] : []));
  }

  /** What the text is about: a message to reply to, or one's own to edit. */
  take(about) {
    this.about = about;
    this.banner.hidden = !about;
    if (about) {
      const title = about.editing ? say("editing") : say("replying_to", about.message.sender?.name ?? "?");
      this.banner.replaceChildren(h("span", {}, h("b", {}, title), " ", excerpt(about.message)),
        h("button", { type: "button", class: "icon-button", aria: { label: say("cancel") }, title: say("cancel"), onclick: () => this.cancel() }, icon("close")));
      if (about.editing) this.box.value = about.message.text ?? "";
      this.box.focus();
    }
    this.label();
    this.changed();
  }

  cancel() {
    if (this.about?.editing) this.box.value = "";
    this.take(null);
  }

  /** Puts files beside the text, to be sent with it. */
  attach(files) {
    this.files.push(...files);
    this.drawAttached();
    this.box.focus();
  }

  drawAttached() {
    this.attached.hidden = !this.files.length;
    this.attached.replaceChildren(...this.files.map((file) => h("span", { class: "chip" }, `${file.name} (${sizeText(file.size)}) `,
      h("button", { type: "button", class: "icon-button", aria: { label: say("detach", file.name) }, title: say("detach", file.name),
        onclick: () => { this.files = this.files.filter((one) => one !== file); this.drawAttached(); } }, icon("close")))));
    this.changed();
  }

  insert(text) {
    this.box.setRangeText(text, this.box.selectionStart, this.box.selectionEnd, "end");
    this.box.focus();
    this.changed();
  }

  changed() {
    this.fit();
    this.sendButton.disabled = !this.box.value.trim() && !this.files.length;
    this.complete();
  }

  /** Makes the box as high as its text; a box that is not shown has no height to go by. */
  fit() {
    this.box.style.height = "";
    if (this.box.scrollHeight > 0 && this.box.value) this.box.style.height = `${Math.min(this.box.scrollHeight, 200)}px`;
  }

  /** The piece of a name behind an @ just before the cursor. */
  started() {
    const before = this.box.value.slice(0, this.box.selectionStart);
    return /(?:^|[\s，。、：:（(])@([^@\n]{0,24})$/.exec(before)?.[1] ?? null;
  }

  complete() {
    const part = this.started();
    if (part === null || document.activeElement !== this.box) return this.close();
    const wanted = part.toLowerCase();
    this.choices = this.options.people().filter((one) => one.name.toLowerCase().includes(wanted) && one.name.toLowerCase() !== wanted.trimEnd()).slice(0, 8);
    if (this.choices.length === 0) return this.close();
    this.active = Math.min(this.active, this.choices.length - 1);
    this.list.replaceChildren(...this.choices.map((one, index) => h("li", {
      id: `${this.list.id}-${index}`, role: "option", aria: { selected: String(index === this.active) },
      onmousedown: (event) => { event.preventDefault(); this.choose(index); },
    }, avatar(one.name, one.bot), h("span", {}, one.name), one.about ? h("small", {}, one.about) : null, one.bot ? h("span", { class: "badge" }, say("bot")) : null)));
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
    this.box.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
  }

  close() {
    this.list.hidden = true;
    this.active = 0;
    this.choices = [];
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  choose(index) {
    const part = this.started() ?? "";
    const end = this.box.selectionStart;
    this.box.setRangeText(`${this.choices[index].name} `, end - part.length, end, "end");
    this.close();
    this.changed();
    this.close();
  }

  key(event) {
    // While an input method composes, Enter takes its proposal and sends nothing.
    if (event.isComposing || event.keyCode === 229) return;
    const open = !this.list.hidden;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (open && moves[event.key]) {
      event.preventDefault();
      this.active = (this.active + moves[event.key] + this.choices.length) % this.choices.length;
      this.complete();
    } else if (open && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      this.choose(this.active);
    } else if (event.key === "Escape") {
      // With nothing of its own to give up, the key is left to the page, which closes the thread.
      if (!open && !this.about) return;
      if (open) this.close();
      else this.cancel();
      event.stopPropagation();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }

  async send() {
    const text = this.box.value.trim();
    if ((!text && !this.files.length) || this.sending) return;
    const people = this.options.people();
    const named = (one) => text.includes(`@${one.name}`);
    this.sending = true;
    const sent = await this.options.send({
      text, files: this.files, mentionBot: people.some((one) => one.bot && named(one)), mentionAll: people.some((one) => one.all && named(one)),
      replyTo: this.about && !this.about.editing ? this.about.message.message_id : undefined,
      editing: this.about?.editing ? this.about.message : undefined,
    });
    this.sending = false;
    if (!sent) return;
    this.box.value = "";
    this.files = [];
    this.drawAttached();
    this.take(null);
  }
}
