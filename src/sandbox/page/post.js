// Draws a post, which is rich text in paragraphs, into elements.

import { h, link } from "./dom.js";
import { codeBlock } from "./markdown.js";
import { picture } from "./emoji.js";
import { say } from "./words.js";

const STYLES = { bold: "strong", italic: "em", underline: "u", lineThrough: "s" };

/** The elements of a post as it is received. `marked(text)` marks what is in a text; `nameOf(id)` names who is mentioned; `image(key)` draws an image. */
export function drawPost(post, marked, nameOf, image) {
  const paragraphs = Array.isArray(post?.content) ? post.content : [];
  return [
    post?.title ? h("h3", {}, post.title) : null,
    ...paragraphs.map((paragraph) => {
      const pieces = Array.isArray(paragraph) ? paragraph : [];
      // A line of code or a rule is a block, and blocks stand in no paragraph.
      const name = pieces.some((piece) => ["code_block", "hr"].includes(piece?.tag)) ? "div" : "p";
      return h(name, {}, pieces.flatMap((piece) => draw(piece ?? {}, marked, nameOf, image)));
    }),
  ];
}

function draw(piece, marked, nameOf, image) {
  switch (piece.tag) {
    case "text":
    case "md": return styled(piece, marked(piece.text ?? ""));
    case "a": return styled(piece, [link(piece.href ?? "", piece.text ?? piece.href ?? "")]);
    case "at": return [h("span", { class: "mention" }, `@${nameOf(piece.user_id, piece.user_name)}`)];
    case "code_block": return [codeBlock((piece.text ?? "").trimEnd(), piece.language ?? "")];
    case "hr": return [h("hr")];
    case "emotion": return [picture(piece.emoji_type) ?? `[${piece.emoji_type}]`];
    case "img": return [image(piece.image_key)];
    default: return [h("span", { class: "chip" }, say("not_drawn", piece.tag ?? "?"))];
  }
}

const styled = (piece, inside) => (piece.style ?? []).reduce(
  (within, style) => (Object.hasOwn(STYLES, style) ? [h(STYLES[style], {}, within)] : within), inside);
