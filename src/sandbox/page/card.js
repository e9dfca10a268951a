// Draws a card (JSON 2.0, and what 1.0 had besides) into elements.
//
// A card is drawn anew whenever it changes; which panels are open and what was typed into its
// fields is kept by the caller's `kept` map, so a redraw does not take it away.

import { h, link } from "./dom.js";
import { markdown, colourClass } from "./markdown.js";
import { say, currentLanguage } from "./words.js";

const TEMPLATES = new Set([
  "blue", "wathet", "turquoise", "green", "yellow", "orange", "red", "carmine", "violet", "purple", "indigo", "grey",
]);
const SMALL = new Set(["notation", "small", "x-small", "xx-small", "xxx-small", "medium-small"]);

/**
 * The element for a card.
 * `world`: nameOf(id); text(key, content, className) draws markdown, perhaps as typing;
 * press({button, value, form} or {component, option, options, checked, input}); kept: Map.
 */
export function drawCard(card, world, streaming) {
  const root = h("article", { class: "card" });
  if (card.header) root.append(header(card.header));
  const elements = card.body?.elements ?? card.elements ?? Object.values(card.i18n_elements ?? {})[0] ?? [];
  root.append(h("div", { class: "card-body" }, children(elements, { ...world, path: "" })));
  if (streaming) {
    const dots = h("span", { class: "dots", aria: { hidden: "true" } }, h("i"), h("i"), h("i"));
    root.append(h("p", { class: "generating", role: "img", title: say("generating"), aria: { label: say("generating") } }, dots));
  }
  return root;
}

/** The card a message's content holds, or nothing when it holds only a reference. */
export function cardOf(content) {
  let card = content;
  try { card = typeof content === "string" ? JSON.parse(content) : content; } catch { return null; }
  if (typeof card?.data === "string") { try { card = { ...card, ...JSON.parse(card.data) }; } catch { /* stays as it is */ } }
  if (card?.card && typeof card.card === "object") card = card.card;
  const drawable = card && typeof card === "object" && (card.body || card.header || card.elements || card.schema);
  // The degraded form that the platform gives to bots has rows of elements, not elements.
  return drawable && !Array.isArray(card.elements?.[0]) ? card : null;
}

function header(head) {
  const template = TEMPLATES.has(head.template) ? head.template : "default";
  const tags = (head.text_tag_list ?? []).slice(0, 3).map((tag) =>
    h("span", { class: `tag ${colourClass("tag", tag.color) || "tag-neutral"}` }, plain(tag.text)));
  return h("header", { class: `card-head head-${template}` },
    h("div", { class: "card-title" }, h("h3", {}, plain(head.title)), tags),
    head.subtitle?.content ? h("p", {}, plain(head.subtitle)) : null);
}

/** A text as it stands in the card, whatever the reader's language. */
const written = (text) => (typeof text === "string" ? text : text?.content ?? "");

/** A text as the reader sees it: in the language of the client, where the card has it. */
const plain = (text) => text?.i18n_content?.[currentLanguage() === "zh" ? "zh_cn" : "en_us"] ?? written(text);

const children = (elements, world) => (Array.isArray(elements) ? elements : []).map((element, index) => {
  const inside = { ...world, path: `${world.path}/${element?.element_id ?? index}` };
  const draw = Object.hasOwn(DRAW, element?.tag) ? DRAW[element.tag] : unknown;
  return draw(element ?? {}, inside);
});

const unknown = (element) => h("p", { class: "chip" }, say("not_drawn", element.tag ?? "?"));

/** Text that is `plain_text` or some markdown, with the size and colour that it asks for. */
function text(element, world, of = element) {
  const classes = ["text", SMALL.has(of.text_size) ? "small" : "", /^heading|large$/.test(of.text_size ?? "") ? "big" : "",
    colourClass("ink", of.text_color), ["center", "right"].includes(of.text_align) ? `align-${of.text_align}` : ""];
  const name = classes.filter(Boolean).join(" ");
  if (of.tag === "plain_text") return h("div", { class: name }, plain(of));
  return world.text(world.path, plain(of), name);
}

const DRAW = {
  markdown: (element, world) => text(element, world),
  lark_md: (element, world) => text(element, world),
  plain_text: (element, world) => text(element, world),
  div(element, world) {
    const fields = (element.fields ?? []).map((field, index) =>
      h("div", { class: field.is_short ? "short" : "" }, text(element, { ...world, path: `${world.path}/f${index}` }, field.text ?? {})));
    return h("div", { class: "div" }, element.text ? text(element, world, element.text) : null,
      fields.length ? h("div", { class: "fields" }, fields) : null,
      element.extra ? children([element.extra], world) : null);
  },
  hr: () => h("hr"),
  note: (element, world) => h("div", { class: "small ink-grey note" }, children(element.elements, world)),
  action: (element, world) => h("div", { class: "row" }, children(element.actions, world)),
  img: (element) => h("p", { class: "chip" }, `🖼 ${plain(element.alt) || say("picture")}`),
  img_combination: () => h("p", { class: "chip" }, `🖼 ${say("picture")}`),
  chart: () => h("p", { class: "chip" }, `📊 ${say("chart")}`),
  person: (element, world) => person(element.user_id, world),
  person_list: (element, world) => h("div", { class: "row" }, (element.persons ?? []).map((one) => person(one.id, world))),
  column_set(element, world) {
    const columns = (element.columns ?? []).map((column, index) => {
      const inside = { ...world, path: `${world.path}/${index}` };
      const drawn = h("div", { class: "column" }, children(column.elements, inside));
      const weight = column.width === "auto" ? "0 0 auto" : `${Math.min(5, Math.max(1, Number(column.weight) || 1))} 1 0`;
      drawn.style.flex = /^\d+px$/.test(column.width ?? "") ? `0 0 ${column.width}` : weight;
      // As wide as it needs to be, also where columns flow.
      if (column.width === "auto") drawn.style.minWidth = "0";
      drawn.style.alignSelf = { center: "center", bottom: "flex-end" }[column.vertical_align] ?? "";
      return drawn;
    });
    const look = ["columns", element.flex_mode === "none" || !element.flex_mode ? "" : "wrap",
      element.background_style && element.background_style !== "default" ? "tinted" : ""];
    return h("div", { class: look.filter(Boolean).join(" ") }, columns);
  },
  column: (element, world) => h("div", { class: "column" }, children(element.elements, world)),
  interactive_container(element, world) {
    const box = h("div", { class: `container ${element.has_border ? "bordered" : ""}` }, children(element.elements, world));
    return pressable(box, element, world, "");
  },
  collapsible_panel(element, world) {
    const key = `open:${world.path}`;
    const open = world.kept.get(key) ?? element.expanded === true;
    const title = element.header?.title ?? {};
    const summary = h("summary", {}, text(title, { ...world, path: `${world.path}/title` }, title));
    const panel = h("details", { class: "panel" }, summary, h("div", { class: "panel-body" }, children(element.elements, world)));
    panel.open = open;
    panel.addEventListener("toggle", () => world.kept.set(key, panel.open));
    return panel;
  },
  table,
  button,
  form(element, world) {
    const fields = new Map();
    const inside = { ...world, fields, form: element.name };
    const form = h("form", { class: "form", onsubmit: (event) => event.preventDefault() }, children(element.elements, inside));
    return form;
  },
  input(element, world) {
    const many = element.input_type === "multiline_text";
    const input = h(many ? "textarea" : "input", {
      placeholder: plain(element.placeholder), disabled: element.disabled === true,
      type: many ? null : element.input_type === "password" ? "password" : "text",
      rows: many ? String(element.rows ?? 3) : null, maxlength: String(element.max_length ?? 1000),
    });
    if (!world.fields) {
      // Outside of a form, Enter sends it.
      input.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        use(element, world, { input: input.value }, input);
      });
    }
    return field(element, world, input, () => input.value, element.default_value ?? "");
  },
  select_static: select,
  multi_select_static: choices,
  select_person: select,
  multi_select_person: choices,
  overflow: select,
  date_picker: (element, world) => picker("date", element, world, element.initial_date),
  picker_time: (element, world) => picker("time", element, world, element.initial_time),
  picker_datetime: (element, world) => picker("datetime-local", element, world, element.initial_datetime?.replace(" ", "T")),
  checker(element, world) {
    const box = h("input", { type: "checkbox", disabled: element.disabled === true });
    const key = `field:${world.path}`;
    box.checked = world.kept.get(key) ?? element.checked === true;
    world.fields?.set(element.name, { value: () => box.checked });
    box.addEventListener("change", () => {
      if (!world.fields) return use(element, world, { checked: box.checked }, box);
      world.kept.set(key, box.checked);
    });
    return h("label", { class: "checker" }, box, text(element, world, element.text ?? {}));
  },
};

const person = (id, world) => h("span", { class: "mention" }, world.nameOf(id));

function table(element, world) {
  const columns = element.columns ?? [];
  const cell = (column, value, path) => {
    if (Array.isArray(value)) {
      return value.map((one) => (one?.text !== undefined
        ? h("span", { class: `tag ${colourClass("tag", one.color) || "tag-neutral"}` }, String(one.text))
        : h("span", { class: "mention" }, world.nameOf(one))));
    }
    if (column.data_type === "date" && Number.isFinite(value)) return new Date(value).toLocaleDateString();
    if (["markdown", "lark_md"].includes(column.data_type)) return world.text(path, String(value ?? ""), "text");
    return String(value ?? "");
  };
  const head = h("tr", {}, columns.map((column) => h("th", {}, column.display_name ?? column.name)));
  const rows = (element.rows ?? []).map((row, index) => h("tr", {}, columns.map((column) =>
    h("td", ["center", "right"].includes(column.horizontal_align) ? { class: `align-${column.horizontal_align}` } : {},
      cell(column, row[column.name], `${world.path}/${index}/${column.name}`)))));
  return h("div", { class: "table", tabindex: "0" }, h("table", {}, h("thead", {}, head), h("tbody", {}, rows)));
}

function field(element, world, input, value, initial) {
  const key = `field:${world.path}`;
  input.value = world.kept.get(key) ?? initial;
  input.addEventListener("input", () => {
    world.kept.set(key, input.value);
    input.removeAttribute("aria-invalid");
  });
  world.fields?.set(element.name, { value, required: element.required === true, input });
  const label = plain(element.label) || plain(element.placeholder) || element.name || "";
  const mark = element.required ? h("b", { class: "ink-red", title: say("required") }, " *") : null;
  if (!plain(element.label)) input.setAttribute("aria-label", label);
  return h("label", { class: "field" }, plain(element.label) ? h("span", {}, label, mark) : null, input);
}

const picker = (type, element, world, initial) => {
  const input = h("input", { type, disabled: element.disabled === true });
  if (!world.fields) input.addEventListener("change", () => use(element, world, { option: input.value }, input));
  return field(element, world, input, () => input.value, initial ?? "");
};

/** Outside of a form each part tells the bot by itself. The client then shows the card as it was, until the bot changes it. */
async function use(element, world, how, input) {
  const component = element.name || element.element_id || written(element.label) || written(element.placeholder) || written(element.text);
  const initial = element.initial_option ?? element.initial_date ?? element.initial_time ?? element.default_value ?? "";
  await world.press({ component, ...how }, input);
  if (input.type === "checkbox") input.checked = element.checked === true;
  else input.value = initial;
}

function select(element, world) {
  const options = (element.options ?? []).map((option) =>
    h("option", { value: option.value ?? "" }, plain(option.text) || world.nameOf(option.value)));
  const input = h("select", { disabled: element.disabled === true },
    h("option", { value: "" }, plain(element.placeholder) || say("choose")), options);
  if (!world.fields) input.addEventListener("change", () => input.value && use(element, world, { option: input.value }, input));
  return field(element, world, input, () => input.value, element.initial_option ?? "");
}

/** A choice of several: a box for each, which needs no modifier key. */
function choices(element, world) {
  const key = `field:${world.path}`;
  const chosen = new Set(world.kept.get(key) ?? element.selected_values ?? []);
  const value = () => [...chosen];
  const boxes = (element.options ?? []).map((option) => {
    const box = h("input", { type: "checkbox", disabled: element.disabled === true });
    box.checked = chosen.has(option.value);
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(option.value); else chosen.delete(option.value);
      group.removeAttribute("aria-invalid");
      if (!world.fields) return use(element, world, { options: value() }, box);
      world.kept.set(key, value());
    });
    return h("label", { class: "checker" }, box, h("span", {}, plain(option.text) || world.nameOf(option.value)));
  });
  const label = plain(element.placeholder) || element.name || "";
  const group = h("div", { class: "choices", role: "group", tabindex: "-1", aria: { label } }, boxes);
  world.fields?.set(element.name, { value, required: element.required === true, input: group });
  return group;
}

function valueOf(element) {
  return element.behaviors?.find((behavior) => behavior.type === "callback")?.value ?? element.value;
}

const BUTTON_LOOKS = new Set(["primary", "danger", "text", "primary_text", "danger_text", "primary_filled", "danger_filled", "laser"]);

function button(element, world) {
  const name = plain(element.text);
  const look = BUTTON_LOOKS.has(element.type) ? `look-${element.type}` : "";
  const size = ["tiny", "small", "large"].includes(element.size) ? `size-${element.size}` : "";
  const made = h("button", {
    type: "button", class: `card-button ${look} ${size} ${element.width === "fill" ? "fill" : ""}`,
    disabled: element.disabled === true,
    title: plain(element.disabled ? element.disabled_tips : element.hover_tips) || null,
  }, name || "…");
  return pressable(made, element, world, written(element.text));
}

/** Makes an element do what its behaviours say: open a link, and tell the bot. */
function pressable(made, element, world, name) {
  const opens = element.behaviors?.find((behavior) => behavior.type === "open_url");
  const url = opens?.default_url ?? opens?.pc_url ?? element.url ?? element.multi_url?.url;
  const submits = element.form_action_type === "submit" || element.action_type === "form_submit";
  const resets = element.form_action_type === "reset";
  const value = valueOf(element);
  made.addEventListener("click", async (event) => {
    if (event.target.closest("button, a, input, select, textarea, summary") !== made && made.tagName !== "BUTTON") return;
    if (element.confirm && !(await world.confirm(plain(element.confirm.title), plain(element.confirm.text)))) return;
    if (url) link(url).click?.();
    if (resets) return resetFields(world);
    const form = submits ? readFields(world) : undefined;
    if (form === null) return;
    if (value !== undefined || submits) world.press({ button: name || element.name, value, form }, made);
  });
  return made;
}

/** What the form's fields hold, or null when a required one is empty. */
function readFields(world) {
  const form = {};
  for (const [name, one] of world.fields ?? []) {
    form[name] = one.value();
    if (one.required && (form[name] === "" || form[name]?.length === 0)) {
      one.input?.focus();
      one.input?.setAttribute("aria-invalid", "true");
      return null;
    }
  }
  return form;
}

function resetFields(world) {
  for (const one of world.fields?.values() ?? []) if (one.input && "value" in one.input) one.input.value = "";
}
