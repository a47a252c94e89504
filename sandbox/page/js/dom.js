// Building the page's elements. Everything that comes from outside becomes a text node or an attribute value here;
// nothing in this page ever parses a string as HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element. `spec` is "tag.class.class"; properties starting with "on" are listeners, "data" is the dataset,
 * "vars" are CSS custom properties, everything else is an attribute (false, null and undefined leave it out).
 */
export function h(spec, props, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "data") for (const [key, item] of Object.entries(value)) { if (item !== null && item !== undefined) element.dataset[key] = item; }
    else if (name === "vars") for (const [key, item] of Object.entries(value)) { if (item) element.style.setProperty(key, item); }
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/** Appends strings as text nodes, nodes as they are, and skips what is null or false. */
export function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    parent.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return parent;
}

/** Replaces everything in `parent`. */
export function fill(parent, ...children) {
  parent.replaceChildren();
  return append(parent, children);
}

// Our own line drawings on a 24 × 24 grid, each a list of path data.
const ICONS = {
  hash: ["M9 4 7 20", "M17 4l-2 16", "M4 9h17", "M3 15h17"],
  thread: ["M5 5v8a4 4 0 0 0 4 4h10", "M15 13l4 4-4 4"],
  bell: ["M12 3v3", "M10 3.600h4", "M12 6c-3.200 0-4.300 2.400-4.600 5.600-.2 2-.7 3.300-1.900 4.400h13c-1.200-1.100-1.700-2.400-1.900-4.400C16.300 8.400 15.200 6 12 6z", "M10.500 19c.3.700.8 1 1.500 1s1.200-.3 1.500-1"],
  wrench: ["M14.500 6.500a4 4 0 0 0-5.300 5.100L4 16.800 7.200 20l5.200-5.200a4 4 0 0 0 5.100-5.300L15 12l-3-3z"],
  bolt: ["M13 3 5 14h6l-1 7 8-11h-6z"],
  people: ["M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z", "M3 20c0-3.500 2.500-6 6-6s6 2.500 6 6", "M16 4.500a3.500 3.500 0 0 1 0 6.500", "M18 14.500c2 .8 3 2.800 3 5.500"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  menu: ["M4 7h16", "M4 12h16", "M4 17h16"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  reply: ["M9 6 4 11l5 5", "M4 11h9a6 6 0 0 1 6 6v2"],
  plus: ["M12 5v14", "M5 12h14"],
  send: ["M4 12 20 4l-5 16-4-6z", "M11 14 20 4"],
  file: ["M6 3h8l4 4v14H6z", "M14 3v4h4", "M9 12h6", "M9 16h6"],
  download: ["M12 4v11", "M7 11l5 5 5-5", "M5 20h14"],
  check: ["M5 12.500l4.500 4.500L19 7.500"],
  down: ["M6 9l6 6 6-6"],
  right: ["M9 6l6 6-6 6"],
  link: ["M14 4h6v6", "M20 4 11 13", "M18 14v5H5V6h5"],
  sun: ["M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8z", "M12 3v1", "M12 20v1", "M3 12h1", "M20 12h1", "M5.600 5.600l.7.700", "M17.700 17.700l.7.700", "M5.600 18.400l.7-.7", "M17.700 6.300l.7-.7"],
  eye: ["M3 12c2.500-4.500 5.500-6.500 9-6.500s6.500 2 9 6.500c-2.500 4.500-5.500 6.500-9 6.500S5.500 16.500 3 12z", "M12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z"],
  warn: ["M12 4 3 20h18z", "M12 10v4", "M12 17h.01"],
  pencil: ["M4 20l1-4L16 5l3 3L8 19z"],
  bin: ["M5 7h14", "M9 7V4h6v3", "M7 7l1 13h8l1-13"],
  copy: ["M9 9h11v11H9z", "M15 9V4H4v11h5"],
  slash: ["M15 5 9 19"],
  crown: ["M4 8l4 4 4-7 4 7 4-4-2 10H6z"],
  globe: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M3 12h18", "M12 3c3 3 3.500 6 3.500 9s-.5 6-3.500 9c-3-3-3.500-6-3.500-9S9 6 12 3z"],
  clock: ["M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z", "M12 7v5l3 2"],
};

/** A decorative icon; what it means must be said in words by the element around it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  for (const data of ICONS[name] ?? []) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", data);
    svg.append(path);
  }
  return svg;
}

/** A button that shows only an icon; `label` is what a screen reader says and what hovering shows. */
export function iconButton(name, label, props) {
  return h("button.icon-button", { type: "button", "aria-label": label, title: label, ...props }, icon(name));
}

let lastId = 0;
/** A new id for aria-labelledby and its kin. */
export const uid = (prefix = "id") => `${prefix}-${++lastId}`;

/** A short note in the corner, also read aloud. */
export function toast(text, kind = "info") {
  const note = h(`div.toast.toast-${kind}`, {}, icon(kind === "error" ? "warn" : "check"), h("span", {}, text));
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), kind === "error" ? 8000 : 4000);
}
