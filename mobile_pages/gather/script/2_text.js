// Visible text: sizes, contrast, what is cut off, what lies on other text, paragraphs.
// --- colour ----------------------------------------------------------------------------------
const parseColor = (text) => {
  const match = /^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/.exec(text);
  if (!match) return null;
  return [+match[1], +match[2], +match[3], match[4] === undefined ? 1 : +match[4]];
};
const over = (top, below) => {
  const alpha = top[3];
  return [0, 1, 2].map((i) => top[i] * alpha + below[i] * (1 - alpha)).concat(1);
};
const luminance = (color) => {
  const linear = color.slice(0, 3).map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};
const hex = (color) => "#" + color.slice(0, 3).map((one) => Math.round(one).toString(16).padStart(2, "0")).join("");
const media = [...document.querySelectorAll("img,video,canvas,svg,picture")].slice(0, 200)
  .filter(isShown).map((element) => ({ element, rect: element.getBoundingClientRect() }));
// Returns every colour that may stand behind the element, or why that cannot be told.
const backgroundsOf = (element, rect) => {
  const layers = [];
  let unsure = "";
  let stops = null;
  for (let one = element; one; one = one.parentElement) {
    const style = styleOf(one);
    const color = parseColor(style.backgroundColor);
    if (!color) unsure = unsure || "color";
    if (style.backgroundImage !== "none") {
      const gradient = /^linear-gradient|^radial-gradient/.test(style.backgroundImage);
      const colors = (style.backgroundImage.match(/rgba?\([^)]*\)/g) || []).map(parseColor);
      if (!gradient || !colors.length || colors.some((each) => !each || each[3] < 1)) unsure = unsure || "image";
      else if (!stops) { stops = { colors, above: layers.length }; break; }
    }
    if (/text/.test(style.webkitBackgroundClip) || style.filter !== "none" || style.mixBlendMode !== "normal") {
      unsure = unsure || "effect";
    }
    if (color && color[3] > 0) layers.push(color);
    if (color && color[3] === 1) {
      const x = rect.left + rect.width / 2;
      const y = rect.top + rect.height / 2;
      const covers = media.some(({ element: other, rect: area }) =>
        one.contains(other) && !element.contains(other) && !other.contains(element)
        && area.left <= x && x <= area.right && area.top <= y && y <= area.bottom);
      if (covers) unsure = unsure || "image";
      break;
    }
  }
  const bases = stops ? stops.colors : [[255, 255, 255, 1]];
  const upper = stops ? layers.slice(0, stops.above) : layers;
  return { unsure, colors: bases.map((base) => upper.reduceRight((below, layer) => over(layer, below), base)) };
};
const opacityOf = (element) => {
  let opacity = 1;
  for (let one = element; one; one = one.parentElement) opacity *= +styleOf(one).opacity;
  return opacity;
};

// --- text: one walk over all text nodes ---------------------------------------------------------
const fonts = {};
const bodyFonts = {};
const contrasts = grouped();
const personal = [];
const unready = grouped();
const runs = [];
const visible = [];
let length = 0;
let glyphHeight = 0;
let growing = 0;
let checked = 0;
const range = document.createRange();
const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
// What belongs to a control that cannot be used may be pale.
const isOfDisabled = (element) => {
  if (element.closest(":disabled,[aria-disabled=true],option")) return true;
  const label = element.closest("label");
  if (label && label.control && label.control.disabled) return true;
  const named = element.closest("[id]");
  return named !== null && document.querySelector(`[aria-disabled=true][aria-labelledby~="${CSS.escape(named.id)}"]`) !== null;
};
// A letter that stands for a picture, such as an X to close: what it means is said elsewhere.
const isSign = (element, text) => /^[\x21-\x7e×✕✖╳]$/.test(text) && element.closest("[aria-label]") !== null;
const contrastOf = (element, text, rect, style) => {
  if (isOfDisabled(element)) return;
  const color = parseColor(style.webkitTextFillColor || style.color);
  const { unsure, colors } = backgroundsOf(element, rect);
  const size = parseFloat(style.fontSize);
  const needed = size > 18 || isSign(element, text) ? 3 : 4.5;
  const opacity = opacityOf(element);
  const ratios = color ? colors.map((below) => contrast(over([color[0], color[1], color[2], color[3] * opacity], below), below)) : [0];
  const worst = Math.min(...ratios);
  checked += 1;
  let doubt = color ? unsure : "color";
  if (!doubt && worst < needed && Math.max(...ratios) >= needed) doubt = "gradient";
  if (!doubt && worst >= needed) return;
  // Hidden from readers and from eyes alike.
  if (!doubt && worst < 1.1 && element.closest("[aria-hidden=true]")) return;
  if (!doubt && style.textShadow !== "none") doubt = "shadow";
  const below = colors[ratios.indexOf(worst)] || colors[0];
  // Doubts are settled one by one by what the picture shows behind each.
  contrasts.add([style.color, hex(below), doubt ? selectorOf(element) : kindOf(element), doubt].join("|"), () => about(element, {
    ratio: Math.floor(worst * 100) / 100, needed, size, doubt, text: text.slice(0, 40), area: boxOf(rect),
    ink: color && doubt !== "effect" ? [color[0], color[1], color[2], color[3] * opacity] : null,
    color: color ? hex(color) : style.color, background: hex(below),
  }));
};
for (let node = walker.nextNode(); node && runs.length < 5000; node = walker.nextNode()) {
  const text = clean(node.data);
  const element = node.parentElement;
  if (!text || !element || /^(script|style|noscript|template|option)$/.test(element.localName)) continue;
  if (!isShown(element)) continue;
  range.selectNodeContents(node);
  const rects = [...range.getClientRects()].filter((rect) => rect.width > 0.5 && rect.height > 0.5);
  if (!rects.length || rects.every(isOffPage) || isCutAway(element)) continue;
  const style = styleOf(element);
  const size = parseFloat(style.fontSize);
  runs.push({ element, rects, text });
  visible.push(text);
  length += text.replace(/\s/g, "").length;
  // Text in drawings keeps its size; it is no part of how far text grows.
  if (!element.closest("svg")) {
    glyphHeight += rects[0].height * text.length;
    growing += text.length;
  }
  fonts[size] = (fonts[size] || 0) + text.length;
  if (!element.closest("h1,h2,h3,h4,h5,h6,button,nav,footer,header")) {
    bodyFonts[size] = (bodyFonts[size] || 0) + text.length;
  }
  if (/建设中|开发中|敬请期待|暂未开放|即将上线|即将开通/.test(text) && text.length < 60) {
    unready.add(kindOf(element) + text, () => about(element, { text: text.slice(0, 60) }));
  }
  if (/[^\d.:/]/.test(text) && /[\p{L}\p{N}]/u.test(text)) contrastOf(element, text, rects[0], style);
}

// --- text that is cut off or lies on other text ---------------------------------------------------
const cut = grouped();
// Glyphs are cut in the middle. Whole lines left out, dots at the end and what moves are a design.
const isCutThrough = (box, style, lines) => lines.some((line) => {
  const below = line.bottom - box.bottom;
  if (/hidden|clip/.test(style.overflowY) && below > line.height * 0.25 && below < line.height * 0.9) return true;
  return /hidden|clip/.test(style.overflowX) && style.textOverflow === "clip"
    && line.left < box.right - 1 && line.right > box.right + 1;
});
const moves = (from, to) => {
  for (let one = from; one; one = one.parentElement) {
    if (styleOf(one).transform !== "none" || styleOf(one).animationName !== "none") return true;
    if (one === to) return false;
  }
  return false;
};
const blocks = new Set(runs.map((run) => {
  let block = run.element;
  while (block.parentElement && styleOf(block).display === "inline") block = block.parentElement;
  return block;
}));
for (const block of blocks) {
  for (let one = block, depth = 0; one && one !== body && depth < 3; one = one.parentElement, depth += 1) {
    const style = styleOf(one);
    const down = /hidden|clip/.test(style.overflowY) && one.scrollHeight > one.clientHeight + 3;
    const aside = /hidden|clip/.test(style.overflowX) && one.scrollWidth > one.clientWidth + 1;
    if (!down && !aside) continue;
    const area = one.getBoundingClientRect();
    const lines = [...block.childNodes].flatMap((node) => {
      if (node.nodeType !== 3 || !clean(node.data)) return [];
      range.selectNodeContents(node);
      return [...range.getClientRects()];
    });
    if (lines.some((line) => line.bottom > area.bottom + 3 || line.right > area.right + 1)) {
      cut.add(selectorOf(block), () => about(block, {
        direction: down ? "down" : "aside", text: clean(block.textContent).slice(0, 40),
        through: isCutThrough(area, style, lines) && !moves(block, one),
      }));
      break;
    }
  }
}
const overlaps = grouped();
// What a box hides or scrolls away lies on nothing.
const windows = new Map();
const windowOf = (element) => {
  if (!element || element === body || element === root) return null;
  if (!windows.has(element)) {
    const outer = windowOf(element.parentElement);
    const own = styleOf(element).overflowX === "visible" ? null : element.getBoundingClientRect();
    windows.set(element, own && outer ? within(own, outer) : own || outer);
  }
  return windows.get(element);
};
const within = (rect, area) => {
  if (!area) return rect;
  const [left, top] = [Math.max(rect.left, area.left), Math.max(rect.top, area.top)];
  const [right, bottom] = [Math.min(rect.right, area.right), Math.min(rect.bottom, area.bottom)];
  return { left, top, right, bottom, width: right - left, height: bottom - top };
};
const lines = runs.flatMap(({ element, rects, text }) => rects.map((rect) => ({ element, rect: within(rect, windowOf(element)), text })))
  .filter(({ rect }) => rect.width > 0.5 && rect.height > 0.5).slice(0, 1500);
lines.sort((one, other) => one.rect.top - other.rect.top);
const layerOf = (element) => element.closest("dialog,[role=dialog]") || [...function* () {
  for (let one = element; one; one = one.parentElement) if (/fixed|sticky/.test(styleOf(one).position)) yield one;
}()][0];
lines.forEach((line, index) => {
  for (let next = index + 1; next < lines.length && lines[next].rect.top < line.rect.bottom - 3; next += 1) {
    const other = lines[next];
    const across = Math.min(line.rect.right, other.rect.right) - Math.max(line.rect.left, other.rect.left);
    const down = Math.min(line.rect.bottom, other.rect.bottom) - other.rect.top;
    const limit = Math.min(line.rect.height, other.rect.height) * 0.35;
    if (across <= 3 || down <= limit || line.element === other.element) continue;
    if (line.element.contains(other.element) || other.element.contains(line.element)) continue;
    if (layerOf(line.element) !== layerOf(other.element)) continue;
    overlaps.add(selectorOf(other.element), () => about(other.element, { text: other.text.slice(0, 40), under: line.text.slice(0, 40) }));
  }
});

// --- paragraphs ------------------------------------------------------------------------------------
const linesOf = (element) => {
  range.selectNodeContents(element);
  const tops = [];
  for (const rect of range.getClientRects()) {
    const middle = rect.top + rect.height / 2;
    if (rect.width > 0 && !tops.some((one) => Math.abs(one - middle) < rect.height / 2)) tops.push(middle);
  }
  return tops.sort((one, other) => one - other);
};
const paragraphs = grouped();
let multiline = 0;
for (const element of [...body.querySelectorAll("p,li,dd,blockquote,td,div")].slice(0, 3000)) {
  const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => clean(node.data)).join("");
  if (own.length < 16 || !isShown(element) || isCutAway(element) || element.querySelector("p,li,div,br")) continue;
  const tops = linesOf(element);
  if (tops.length < 2) continue;
  multiline += 1;
  const size = parseFloat(styleOf(element).fontSize);
  const pitch = (tops[tops.length - 1] - tops[0]) / (tops.length - 1);
  const next = element.nextElementSibling;
  let gap = null;
  if (element.localName === "p" && next && next.localName === "p" && clean(next.textContent)) {
    gap = round((linesOf(next)[0] - tops[tops.length - 1]) / pitch * 10) / 10;
  }
  const ratio = Math.floor(pitch / size * 100 + 0.5) / 100;
  paragraphs.add([kindOf(element), ratio, gap].join("|"), () => about(element, { ratio, gap, size, lines: tops.length, text: own.slice(0, 40) }));
}

const textPart = {
  text: {
    length,
    sample: visible.join(" ").slice(0, 600),
    all: visible.join(" ").slice(0, 100000),
    glyph_height: growing ? Math.round(glyphHeight / growing * 100) / 100 : 0,
  },
  fonts,
  body_fonts: bodyFonts,
  contrast: { checked, list: contrasts.list() },
  cut: cut.list(),
  overlaps: overlaps.list(),
  paragraphs: { count: multiline, list: paragraphs.list() },
  unready: unready.list(),
};
