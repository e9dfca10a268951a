// Builds elements. Text only ever becomes text nodes: nothing here parses HTML.

/** An element with properties and children; `on…` are listeners, `data`/`aria` are groups. */
export function h(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else if (key === "data") Object.assign(element.dataset, value);
    else if (key === "aria") for (const [name, text] of Object.entries(value)) element.setAttribute(`aria-${name}`, text);
    else if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A link that may only lead to http(s); anything else stays text. */
export function link(url, ...children) {
  if (!/^https?:\/\//i.test(url)) return h("span", {}, ...children);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

/** Puts `children` in place of what `parent` holds, keeping nodes that are already in place. */
export function arrange(parent, children) {
  children.forEach((child, index) => {
    if (parent.childNodes[index] !== child) parent.insertBefore(child, parent.childNodes[index] ?? null);
  });
  while (parent.childNodes.length > children.length) parent.lastChild.remove();
}

const STROKES = {
  react: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.300 14.200c1 1.500 2.200 2.200 3.700 2.200s2.700-.7 3.700-2.200M9 9.500v.4M15 9.500v.4",
  reply: "M10 6.500 4.500 12l5.500 5.500M5 12h9a5.500 5.500 0 0 1 5.500 5.500V19",
  thread: "M5 4.500h14a1.500 1.500 0 0 1 1.500 1.500v8.500A1.500 1.500 0 0 1 19 16h-7l-4.500 4v-4H5a1.500 1.500 0 0 1-1.500-1.500V6A1.500 1.500 0 0 1 5 4.500zM8 8.700h8M8 12h5",
  edit: "m5 19 .8-4L15.500 5.300a1.800 1.800 0 0 1 2.600 0l.6.6a1.800 1.800 0 0 1 0 2.600L9 18.200zM13.500 7.500l3 3",
  recall: "M4.500 7h15M9.500 7V4.800h5V7M6.500 7l.9 12.200h9.200L17.500 7M10.300 10.500v5.500M13.700 10.500v5.500",
  attach: "m19 11.500-7.600 7.600a4.600 4.600 0 0 1-6.500-6.500l8-8a3.100 3.100 0 0 1 4.400 4.400l-8 8a1.500 1.500 0 0 1-2.100-2.100l7.300-7.300",
  forward: "m14 6.500 5.500 5.500-5.500 5.500M19 12h-9a5.500 5.500 0 0 0-5.500 5.500V19",
  pin: "M14.500 4.500 19.500 9.500l-3 1-3 3-.5 4-6-6 4-.5 3-3zM9.500 14.500 4.500 19.500",
  close: "m6 6 12 12M18 6 6 18",
  more: "M5.500 12h1M11.500 12h1M17.500 12h1",
  back: "m14.500 5-7 7 7 7",
};

/** A line drawing for a button. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", STROKES[name]);
  svg.append(path);
  return svg;
}

const HUES = [212, 36, 168, 262, 342, 96, 188, 14, 292, 58];

/** A round picture with initials, its colour by the name. */
export function avatar(name, isBot = false) {
  if (isBot) return h("span", { class: "avatar us", aria: { hidden: "true" } });
  const letters = /[\u3400-\u9fff]/.test(name)
    ? name.slice(-2)
    : name.split(/[\s._-]+/).filter(Boolean).slice(0, 2).map((part) => part[0].toUpperCase()).join("");
  let sum = 2_166_136_261;
  for (const c of name) sum = Math.imul(sum ^ c.codePointAt(0), 16_777_619) >>> 0;
  const element = h("span", { class: "avatar", aria: { hidden: "true" } }, letters || "?");
  element.style.setProperty("--hue", HUES[(sum >>> 7) % HUES.length]);
  return element;
}
