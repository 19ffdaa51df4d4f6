// Shared by the parts that follow: naming elements, grouping repeats, visibility.
const CAP = 60;
const root = document.documentElement;
const body = document.body || root;
const width = root.clientWidth;
const screenHeight = window.innerHeight;
const clean = (text) => (text || "").replace(/\s+/g, " ").trim();
const round = (value) => Math.round(value * 10) / 10;
const styles = new Map();
const styleOf = (element) => {
  let style = styles.get(element);
  if (!style) styles.set(element, (style = getComputedStyle(element)));
  return style;
};

// --- naming elements ---------------------------------------------------------------------
const classesOf = (element) => [...element.classList].filter((one) => !/\d{3,}/.test(one)).slice(0, 2);
const step = (element) => {
  const name = element.localName;
  if (element.id && !/\d{3,}/.test(element.id)) return `#${CSS.escape(element.id)}`;
  const classes = classesOf(element).map((one) => `.${CSS.escape(one)}`).join("");
  const parent = element.parentElement;
  if (!parent) return name;
  const twins = [...parent.children].filter((one) => one.localName === name);
  return twins.length > 1 ? `${name}${classes}:nth-of-type(${twins.indexOf(element) + 1})` : name + classes;
};
const selectorOf = (element) => {
  const parts = [];
  for (let one = element; one && one !== root && parts.length < 4; one = one.parentElement) {
    parts.unshift(step(one));
    if (parts[0].startsWith("#")) break;
  }
  return parts.join(" > ");
};
// The same for all rows of a list: repeats of one fault become one finding.
const kindOf = (element) => {
  const names = [];
  for (let one = element; one && one !== body && names.length < 3; one = one.parentElement) {
    names.unshift([one.localName, ...classesOf(one)].join("."));
  }
  return names.join(">");
};
const snippetOf = (element) => clean(element.outerHTML.slice(0, 400)).slice(0, 160);
const boxOf = (rect) => [rect.left + scrollX, rect.top + scrollY, rect.width, rect.height].map(round);
const about = (element, more) => ({
  selector: selectorOf(element),
  family: kindOf(element),
  snippet: snippetOf(element),
  box: boxOf(element.getBoundingClientRect()),
  ...more,
});
const grouped = () => {
  const groups = new Map();
  return {
    add(key, make) {
      const known = groups.get(key);
      if (known) known.count += 1;
      else if (groups.size < CAP) groups.set(key, { count: 1, ...make() });
    },
    list: () => [...groups.values()],
  };
};

// --- visibility ----------------------------------------------------------------------------
const isShown = (element) => {
  if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
  const rect = element.getBoundingClientRect();
  return rect.width > 0 && rect.height > 0;
};
const isOffPage = (rect) => rect.right + scrollX <= 0 || rect.bottom + scrollY <= 0;
// Text that only screen readers get (clip, 1px boxes) is not judged as visible text.
const isCutAway = (element) => {
  for (let one = element; one && one !== body; one = one.parentElement) {
    const style = styleOf(one);
    const rect = one.getBoundingClientRect();
    if (style.position === "absolute" && style.clip !== "auto" && rect.width <= 2) return true;
    if (/hidden|clip/.test(style.overflowX + style.overflowY) && (rect.width <= 2 || rect.height <= 2)) return true;
  }
  return false;
};
