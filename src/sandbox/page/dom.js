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

const HUES = [212, 34, 168, 262, 342, 96, 190, 18];

/** A round picture with initials, its colour by the name. */
export function avatar(name, isBot = false) {
  if (isBot) return h("span", { class: "avatar bot", aria: { hidden: "true" } });
  const letters = /[\u3400-\u9fff]/.test(name)
    ? name.slice(-2)
    : name.split(/[\s._-]+/).filter(Boolean).slice(0, 2).map((part) => part[0].toUpperCase()).join("");
  let sum = 0;
  for (const c of name) sum = (sum * 31 + c.codePointAt(0)) >>> 0;
  const element = h("span", { class: "avatar", aria: { hidden: "true" } }, letters || "?");
  element.style.setProperty("--hue", HUES[sum % HUES.length]);
  return element;
}
