// The emoji that reports and buttons use, drawn here: a fresh Linux machine has no font for them.

import { h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const disc = (colour) => [["M12 2.500a9.500 9.500 0 1 0 0 19 9.500 9.500 0 0 0 0-19z", colour]];
const line = (colour, width = 2.2) => [null, colour, width];

/** Character → shapes on a 24 × 24 grid: [path, fill, stroke, stroke width]. */
const DRAWN = {
  "🔴": disc("#e5484d"), "🟠": disc("#ee8b33"), "🟡": disc("#f2c230"), "🟢": disc("#3bb56c"), "🔵": disc("#4a8df0"), "🟣": disc("#9a6be0"), "⚪": disc("#d7dde4"), "⚫": disc("#454d57"),
  "✅": [["M5 2h14a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H5a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3z", "#2f9e5b"], ["M6.500 12.500l3.800 3.800L17.500 8.500", ...line("#fff", 2.6)]],
  "❌": [["M5 5l14 14M19 5 5 19", ...line("#e5484d", 4)]],
  "⚠": [["M12 2.500 1.800 21h20.400z", "#f2b632"], ["M12 9v6M12 18v.1", ...line("#2a1e00", 2.4)]],
  "❓": [["M8 8.500c0-5.500 8-5.500 8 0 0 3.500-4 3-4 7M12 20v.1", ...line("#e5484d", 3.4)]],
  "❔": [["M8 8.500c0-5.500 8-5.500 8 0 0 3.500-4 3-4 7M12 20v.1", ...line("#c6ced8", 3.4)]],
  "❗": [["M12 3v12M12 20v.1", ...line("#e5484d", 4)]],
  "ℹ": [["M5 2h14a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H5a3 3 0 0 1-3-3V5a3 3 0 0 1 3-3z", "#3f78d8"], ["M12 11v6.500M12 7v.1", ...line("#fff", 2.6)]],
  "🔔": [["M12 3c-4.500 0-6 3.500-6.300 7.500-.2 3-1 4.600-2.700 6h18c-1.700-1.400-2.500-3-2.700-6C18 6.500 16.500 3 12 3z", "#f0b54d"], ["M9.500 18.500c.4 1.700 1.300 2.500 2.500 2.500s2.100-.8 2.500-2.500z", "#c98a1c"]],
  "🔒": [["M7.500 11V8a4.500 4.500 0 0 1 9 0v3", ...line("#aeb8c4", 2.4)], ["M5 10.500h14v10.500H5z", "#eeb13f"], ["M12 14.500v3", ...line("#5b3f06", 2.2)]],
  "🔁": [["M2.500 2.500h19v19h-19z", "#3f78d8"], ["M6.500 11V9.500h10M14 6.500l3 3-3 3M17.500 13v1.500h-10M10 17.500l-3-3 3-3", ...line("#fff", 1.9)]],
  "🔄": [["M2.500 2.500h19v19h-19z", "#3f78d8"], ["M17 9a6 6 0 0 0-10.500 1M7 15a6 6 0 0 0 10.500-1M17.500 5.500V9.500H13.500M6.500 18.500v-4h4", ...line("#fff", 1.9)]],
  "⏳": [["M6 3h12M6 21h12M7.500 3c0 6 9 6 9 18M16.500 3c0 6-9 6-9 18", ...line("#c9a15a", 2)]],
  "🔧": [["M15 4a5 5 0 0 0-5.500 6.700L3.500 16.700 7.300 20.500l6-6A5 5 0 0 0 20 9l-3 2.500-4-4z", "#9fb0c3"]],
  "🚨": [["M6.500 18v-6a5.500 5.500 0 0 1 11 0v6z", "#e5484d"], ["M4.500 18h15v3.500h-15z", "#8592a1"], ["M12 1v2.500M3.500 5l2 2M20.500 5l-2 2", ...line("#e5484d", 2)]],
  "📎": [["M18 9l-7.500 7.500a2.500 2.500 0 0 1-3.500-3.500L15 5a4 4 0 0 1 5.500 5.500L12 19.500", ...line("#9fb0c3", 2)]],
};
const KNOWN = new RegExp(`(${Object.keys(DRAWN).join("|")})\\uFE0F?`, "gu");

/** Text as nodes: what can be drawn is drawn (and still there as a character), the rest is text. */
export function withEmoji(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(KNOWN)) {
    if (match.index > from) nodes.push(document.createTextNode(text.slice(from, match.index)));
    nodes.push(h("span.drawn", {}, drawing(match[1]), h("span.visually-hidden", {}, match[0])));
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push(document.createTextNode(text.slice(from)));
  return nodes;
}

function drawing(character) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const [data, fill, stroke, width] of DRAWN[character]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", data);
    path.setAttribute("fill", fill ?? "none");
    if (stroke) {
      path.setAttribute("stroke", stroke);
      path.setAttribute("stroke-width", width);
      path.setAttribute("stroke-linecap", "round");
      path.setAttribute("stroke-linejoin", "round");
    }
    svg.append(path);
  }
  return svg;
}
