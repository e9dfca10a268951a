// Text of a streaming card appears evenly, though it arrives in lumps.
//
// Each text has a key (message and element). What is shown runs after what has arrived and catches
// up within about half a second; a text that changed otherwise than by growing is shown at once.

import { h } from "./dom.js";
import { markdown } from "./markdown.js";

const CATCH_UP_MS = 450;
const FRAME_MS = 33;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const texts = new Map();
let running = false;

/** An element that shows `content`, typed if `streaming`; `moved` is called when it grows. */
export function typed(key, content, className, world, streaming, moved) {
  const element = h("div", { class: className });
  const known = texts.get(key);
  // A text first seen whole (an old message, a reload) is not typed again.
  if (calm.matches || (!streaming && !known)) {
    element.append(markdown(content, world));
    return element;
  }
  const text = known ?? { shown: streaming && content.length < 40 ? 0 : content.length };
  if (known && !content.startsWith(known.target.slice(0, known.shown))) text.shown = content.length;
  Object.assign(text, { target: content, element, world, streaming, moved });
  texts.set(key, text);
  draw(text);
  run();
  return element;
}

function draw(text) {
  const typing = text.streaming || text.shown < text.target.length;
  const shown = text.target.slice(0, text.shown);
  text.element.replaceChildren(markdown(typing ? closed(shown) : shown, text.world));
  if (typing) lastSpot(text.element).append(h("span", { class: "caret", aria: { hidden: "true" } }));
}

/** The text without marks that are only half there, which would flash up as text. */
function closed(shown) {
  const text = shown.replace(/<\/?[a-z_]*(\s[^<>\n]{0,120})?$/i, "");
  const line = text.slice(text.lastIndexOf("\n") + 1);
  const isCode = (text.match(/^ {0,3}```/gm)?.length ?? 0) % 2 === 1;
  if (isCode || line.includes("```")) return text;
  if ((line.match(/`/g)?.length ?? 0) % 2 === 1) return line.endsWith("`") ? text.slice(0, -1) : `${text}\``;
  if ((line.match(/\*\*/g)?.length ?? 0) % 2 === 0) return text;
  return /\*\*\S/.test(line.slice(line.lastIndexOf("**"))) ? `${text.replace(/\s*\*?$/, "")}**` : text.replace(/\*\*\s*$/, "");
}

/** The innermost place at the end of the text, so that the caret stands right behind it. */
function lastSpot(element) {
  let spot = element;
  while (spot.lastElementChild && /^(P|UL|OL|LI|H\d|BLOCKQUOTE|PRE|CODE|DIV|TABLE|TBODY|TR|TD)$/.test(spot.lastElementChild.tagName)
    && spot.lastElementChild === spot.lastChild) spot = spot.lastElementChild;
  return spot;
}

function run() {
  if (running) return;
  running = true;
  let before = performance.now();
  const frame = (now) => {
    const passed = now - before;
    if (passed >= FRAME_MS) { before = now; step(passed); }
    running = [...texts.values()].some((text) => text.shown < text.target.length);
    if (running) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function step(passed) {
  for (const [key, text] of texts) {
    const left = text.target.length - text.shown;
    if (left > 0) {
      // When the answer has ended, nobody wants to wait for its last letters.
      text.shown += Math.max(text.streaming ? 1 : 12, Math.ceil((left * passed) / CATCH_UP_MS));
      // Half of a surrogate pair is not a character.
      if (/[\ud800-\udbff]/.test(text.target[text.shown - 1] ?? "")) text.shown += 1;
      text.shown = Math.min(text.shown, text.target.length);
      draw(text);
      text.moved?.();
    }
    if (!text.streaming && text.shown >= text.target.length) texts.delete(key);
  }
}
