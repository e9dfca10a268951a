// Draws the platform's markdown dialect (JSON 2.0 `markdown` component) into elements.
//
// It is fed while an answer is still being written, so every construct may be unfinished; what
// cannot be read as markup is shown as the text it is.

import { h, link } from "./dom.js";
import { picture } from "./emoji.js";
import { say, locale } from "./words.js";

const COLOURS = new Set([
  "blue", "wathet", "turquoise", "green", "lime", "yellow", "orange", "red", "carmine", "violet", "purple",
  "indigo", "grey", "neutral", "default",
]);
const NEST_MAX = 8;

/** The elements for a text. `world` knows `nameOf(openId)` and `botId`. */
export function markdown(text, world) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(text.replace(/\r\n?/g, "\n").split("\n"), world, 0));
  return fragment;
}

/** A class for one of the platform's colour names; none for anything else. */
export function colourClass(prefix, colour) {
  const name = String(colour ?? "").replace(/-\d+$/, "");
  return COLOURS.has(name) ? `${prefix}-${name}` : "";
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}(?:([-*_])(?:\s*\1){2,}|<hr\s*\/?>)\s*$/i;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blocks(lines, world, depth) {
  const out = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) { at += 1; continue; }
    const [element, next] = block(lines, at, world, depth);
    out.push(element);
    at = next;
  }
  return out;
}

/** The block that begins at a line, and the line after it. */
function block(lines, at, world, depth) {
  const line = lines[at];
  const fence = FENCE.exec(line);
  if (fence) return fenced(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) return [h(`h${Math.min(6, heading[1].length + 2)}`, { class: `md-h${heading[1].length}` }, inline(heading[2], world)), at + 1];
  if (RULE.test(line)) return [h("hr"), at + 1];
  if (depth < NEST_MAX && QUOTE.test(line)) return quote(lines, at, world, depth);
  if (depth < NEST_MAX && ITEM.test(line)) return list(lines, at, world, depth);
  if (isTable(lines, at)) return table(lines, at, world);
  if (/^ {4,}\S/.test(line)) return indented(lines, at);
  return paragraph(lines, at, world, depth);
}

function fenced(lines, at, [, fence, info]) {
  const body = [];
  let next = at + 1;
  for (; next < lines.length; next += 1) {
    const line = lines[next].trim();
    if (line.startsWith(fence) && /^[`~]+$/.test(line)) { next += 1; break; }
    body.push(lines[next]);
  }
  return [codeBlock(body.join("\n"), info.trim().split(/\s/)[0]), next];
}

function indented(lines, at) {
  const body = [];
  let next = at;
  while (next < lines.length && (/^ {4,}/.test(lines[next]) || !lines[next].trim())) body.push(lines[next++].slice(4));
  return [codeBlock(body.join("\n").trimEnd(), ""), next];
}

/** Code with its language and a button that copies it. */
export function codeBlock(text, language) {
  const copy = h("button", {
    type: "button", class: "quiet copy",
    onclick: () => navigator.clipboard?.writeText(text).then(() => { copy.textContent = say("copied"); }, () => {}),
  }, say("copy"));
  const head = h("div", { class: "code-head" }, h("span", {}, language.toLowerCase()), copy);
  return h("div", { class: "code" }, head, h("pre", { tabindex: "0" }, h("code", {}, text)));
}

function quote(lines, at, world, depth) {
  const body = [];
  let next = at;
  while (next < lines.length && QUOTE.test(lines[next])) body.push(QUOTE.exec(lines[next++])[1]);
  return [h("blockquote", {}, blocks(body, world, depth + 1)), next];
}

function list(lines, at, world, depth) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const base = indent.length;
  const ordered = /\d/.test(mark);
  const items = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next];
    const item = ITEM.exec(line);
    if (item && item[1].length <= base + 1 && !RULE.test(line)) {
      if (item[1].length < base || /\d/.test(item[2]) !== ordered) break;
      items.push([item[3]]);
    } else if (!line.trim()) {
      // A blank line stays in the list only when the list goes on after it.
      if (!/^\s{2,}\S/.test(lines[next + 1] ?? "") && !ITEM.test(lines[next + 1] ?? "")) break;
      items.at(-1).push("");
    } else if (/^\s{2,}\S/.test(line)) {
      items.at(-1).push(line.slice(Math.min(base + 2 + (ordered ? 1 : 0), line.search(/\S/))));
    } else break;
  }
  const start = ordered ? Number.parseInt(mark, 10) : 1;
  const element = h(ordered ? "ol" : "ul", ordered && start !== 1 ? { start: String(start) } : {});
  for (const item of items) element.append(h("li", {}, tight(blocks(item, world, depth + 1))));
  return [element, next];
}

/** An item's only paragraph goes without the paragraph's margins. */
const tight = (elements) => elements.flatMap((element) => (element.tagName === "P" ? [...element.childNodes] : [element]));

function isTable(lines, at) {
  return lines[at].includes("|") && TABLE_RULE.test(lines[at + 1] ?? "") && (lines[at + 1] ?? "").includes("-")
    && cells(lines[at]).length === cells(lines[at + 1]).length;
}

function cells(line) {
  const parts = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "").split(/(?<!\\)\|/);
  return parts.map((part) => part.trim().replaceAll("\\|", "|"));
}

function table(lines, at, world) {
  const aligns = cells(lines[at + 1]).map((rule) => (/^:-+:$/.test(rule) ? "center" : /-:$/.test(rule) ? "right" : ""));
  const row = (name, line) => h("tr", {}, aligns.map((align, index) =>
    h(name, align ? { class: `align-${align}` } : {}, inline(cells(line)[index] ?? "", world))));
  const head = h("thead", {}, row("th", lines[at]));
  const body = h("tbody");
  let next = at + 2;
  while (next < lines.length && lines[next].includes("|") && lines[next].trim()) body.append(row("td", lines[next++]));
  return [h("div", { class: "table", tabindex: "0" }, h("table", {}, head, body)), next];
}

function paragraph(lines, at, world, depth) {
  const body = [lines[at]];
  let next = at + 1;
  const ends = (index) => {
    const line = lines[index];
    return !line.trim() || FENCE.test(line) || HEADING.test(line) || RULE.test(line) || isTable(lines, index)
      || (depth < NEST_MAX && (QUOTE.test(line) || ITEM.test(line)));
  };
  while (next < lines.length && !ends(next)) body.push(lines[next++]);
  return [h("p", {}, inline(body.map((line) => line.trim()).join("\n"), world)), next];
}

const ENTITIES = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'", nbsp: "\u00a0", sim: "~" };

/** What may stand inside a line, tried in this order at every character. */
const RULES = [
  [/\\([!-/:-@[-`{-~])/y, ([, character]) => character],
  [/&(?:#(\d{1,6})|#x([0-9a-f]{1,6})|([a-z]+));/iy, entity],
  [/(`+)([^]*?[^`])\1(?!`)/y, ([, , code]) => h("code", {}, code.trim() || code)],
  [/!\[([^\]]*)\]\(([^)\s]*)\)/y, ([, alt]) => h("span", { class: "chip" }, `🖼 ${alt || say("picture")}`)],
  [/\[([^\]]+)\]\(([^)\s]+)\)/y, ([, text, url], world, depth) => link(url, inline(text, world, depth))],
  [/\*\*(?=\S)([^]*?\S)\*\*/y, ([, text], world, depth) => h("strong", {}, inline(text, world, depth))],
  [/__(?=\S)([^]*?\S)__(?!\w)/y, ([, text], world, depth) => h("strong", {}, inline(text, world, depth))],
  [/~~(?=\S)([^]*?\S)~~/y, ([, text], world, depth) => h("s", {}, inline(text, world, depth))],
  [/\*(?=[^\s*])([^*]*[^\s*])\*(?!\*)/y, ([, text], world, depth) => h("em", {}, inline(text, world, depth))],
  [/(?<!\w)_(?=[^\s_])([^_]*[^\s_])_(?!\w)/y, ([, text], world, depth) => h("em", {}, inline(text, world, depth))],
  [/<br\s*\/?>|\n/iy, () => h("br")],
  [/<at\s+([^>]*?)\/?>(?:\s*<\/at>)?/iy, at],
  [/<person\s+([^>]*?)\/?>(?:\s*<\/person>)?/iy, at],
  [/<(font|text_tag|number_tag|a|link|raw)\b([^>]*)>/iy, element],
  [/<local_datetime\s+([^>]*?)\/?>(?:\s*<\/local_datetime>)?/iy, datetime],
  [/https?:\/\/[^\s<>()\[\]"'，。；、）】]*[^\s<>()\[\]"'，。；、）】.,:;!?*_~]/y, ([url]) => link(url, url)],
  [/:([A-Za-z_]{2,24}):/y, ([whole, name]) => picture(name) ?? whole],
];

function inline(text, world, depth = 0) {
  const out = [];
  let plain = "";
  let at = 0;
  const flush = () => { if (plain) out.push(plain); plain = ""; };
  while (at < text.length) {
    const found = depth < NEST_MAX && match(text, at, world, depth + 1);
    if (!found) { plain += text[at++]; continue; }
    const [made, next] = found;
    if (typeof made === "string") plain += made;
    else { flush(); out.push(made); }
    at = next;
  }
  flush();
  return out;
}

function match(text, at, world, depth) {
  // Letters and most of Chinese begin nothing but a link.
  if (!/[\\&`![*_~<\nh:]/.test(text[at])) return null;
  for (const [pattern, make] of RULES) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (!found) continue;
    const made = make(found, world, depth, text);
    if (made === null) continue;
    return Array.isArray(made) ? made : [made, at + found[0].length];
  }
  return null;
}

function entity([whole, decimal, hex, name]) {
  if (name) return ENTITIES[name.toLowerCase()] ?? whole;
  const code = decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}

/** The value of an attribute, quoted or not. */
function attribute(text, name) {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:'([^']*)'|"([^"]*)"|([^\\s'">/]+))`, "i").exec(text);
  return found ? found[1] ?? found[2] ?? found[3] : "";
}

function at([, attributes], world) {
  const ids = (attribute(attributes, "ids") || attribute(attributes, "id") || attribute(attributes, "email")).split(",");
  const names = ids.filter(Boolean).map((id) => `@${world.nameOf(id)}`);
  return h("span", { class: "mention" }, names.join(" ") || "@?");
}

/** A tag with something inside; while its end has not been written yet, all that follows is inside. */
function element(found, world, depth, text) {
  const [whole, name, attributes] = found;
  const tag = name.toLowerCase();
  const [inner, next] = inside(text, found.index + whole.length, tag);
  if (tag === "raw") return [inner, next];
  const children = inline(inner, world, depth);
  if (tag === "font") return [h("span", { class: colourClass("ink", attribute(attributes, "color")) }, children), next];
  if (tag === "text_tag") return [h("span", { class: `tag ${colourClass("tag", attribute(attributes, "color")) || "tag-neutral"}` }, children), next];
  if (tag === "number_tag") return [h("span", { class: "number-tag" }, children), next];
  return [link(attribute(attributes, "href") || attribute(attributes, "url"), children), next];
}

function datetime([, attributes]) {
  const ms = Number(attribute(attributes, "millisecond"));
  if (!Number.isFinite(ms)) return "";
  const type = attribute(attributes, "format_type");
  const options = type.startsWith("time") ? { timeStyle: type === "time_sec" ? "medium" : "short" }
    : type.startsWith("date") ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
  return h("time", {}, new Intl.DateTimeFormat(locale(), options).format(ms));
}

/** The text up to the end tag that belongs to a tag, and where to go on. */
function inside(text, start, tag) {
  const ends = new RegExp(`<(/?)${tag}\\b[^>]*>`, "gi");
  ends.lastIndex = start;
  let depth = 1;
  for (let found = ends.exec(text); found; found = ends.exec(text)) {
    depth += found[1] ? -1 : 1;
    if (depth === 0) return [text.slice(start, found.index), ends.lastIndex];
  }
  return [text.slice(start), text.length];
}
