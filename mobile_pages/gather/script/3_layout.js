// Width, and what a finger taps.
// --- width ---------------------------------------------------------------------------------------
const scrollWidth = Math.max(root.scrollWidth, body.scrollWidth);
const hides = (element) => /hidden|clip/.test(styleOf(element).overflowX);
const offenders = grouped();
const fixedWidths = grouped();
const clippedBy = (element) => {
  for (let one = element.parentElement; one && one !== body && one !== root; one = one.parentElement) {
    if (styleOf(one).overflowX !== "visible") return true;
  }
  return false;
};
for (const element of [...body.querySelectorAll("*")].slice(0, 8000)) {
  const rect = element.getBoundingClientRect();
  if (!rect.width || !rect.height) continue;
  const right = rect.right + scrollX;
  if (right > width + 1 && !clippedBy(element) && isShown(element)) {
    const deeper = [...element.children].some((one) => one.getBoundingClientRect().right + scrollX >= right - 0.5);
    if (!deeper) offenders.add(kindOf(element), () => about(element, { over: round(right - width) }));
  }
  if (rect.width > 480 && rect.width > width + 1 && element.children.length > 1 && !clippedBy(element)) {
    fixedWidths.add(kindOf(element), () => about(element, { width: round(rect.width) }));
  }
}

// --- what a finger taps ------------------------------------------------------------------------------
const TAP = "a[href],button,input:not([type=hidden]),select,textarea,summary,[onclick],[role=button],[role=link],"
  + "[role=checkbox],[role=radio],[role=tab],[role=switch],[role=menuitem],[contenteditable=true]";
const reachOf = (element) => {
  const holder = /^(checkbox|radio)$/.test(element.type) ? element.closest("label") || (element.labels || [])[0] || element : element;
  const rects = [holder, ...holder.querySelectorAll("*")].slice(0, 20)
    .map((one) => one.getBoundingClientRect()).filter((rect) => rect.width && rect.height);
  const left = Math.min(...rects.map((rect) => rect.left));
  const top = Math.min(...rects.map((rect) => rect.top));
  const right = Math.max(...rects.map((rect) => rect.right));
  const bottom = Math.max(...rects.map((rect) => rect.bottom));
  return { left, top, right, bottom, width: right - left, height: bottom - top };
};
// A link inside a sentence takes its height from the line; WCAG 2.5.8 leaves it out.
const isInSentence = (element) => {
  if (styleOf(element).display !== "inline" || !element.parentElement) return false;
  const own = clean(element.textContent).length;
  const block = element.closest("p,li,td,dd,div,section,label,article,footer");
  const others = [...(block || element.parentElement).childNodes]
    .filter((node) => node.nodeType === 3).map((node) => clean(node.data)).join("");
  return own > 0 && others.replace(/[|·\s/,、]/g, "").length > 3;
};
const isMain = (element) => element.matches("button,input,select,textarea,summary,[role=button],[role=tab],[role=switch]")
  || (element.matches("a[href]") && styleOf(element).display !== "inline");
const taps = [...body.querySelectorAll(TAP)].slice(0, 600)
  .filter((one) => isShown(one) && !one.disabled && !one.parentElement.closest("a[href],button"))
  .map((element) => ({ element, reach: reachOf(element), sentence: isInSentence(element) }))
  .filter(({ reach }) => reach.right + scrollX > 0 && reach.bottom + scrollY > 0);
const centre = ({ reach }) => [(reach.left + reach.right) / 2, (reach.top + reach.bottom) / 2];
const isSmall = ({ reach }, size) => reach.width < size - 0.5 || reach.height < size - 0.5;
const isCrowded = (tap) => taps.some((other) => {
  if (other === tap || other.element.contains(tap.element) || tap.element.contains(other.element)) return false;
  const [x, y] = centre(tap);
  const [otherX, otherY] = centre(other);
  if (isSmall(other, 24) && Math.hypot(x - otherX, y - otherY) < 24) return true;
  const dx = Math.max(other.reach.left - x, 0, x - other.reach.right);
  const dy = Math.max(other.reach.top - y, 0, y - other.reach.bottom);
  return Math.hypot(dx, dy) < 12;
});
const targets = grouped();
let mainTargets = 0;
for (const tap of taps) {
  if (isMain(tap.element)) mainTargets += 1;
  if (tap.sentence || !isSmall(tap, 60)) continue;
  const { reach, element } = tap;
  const size = [round(reach.width), round(reach.height)];
  const crowded = isSmall(tap, 24) && isCrowded(tap);
  targets.add([kindOf(element), Math.round(Math.min(...size)), crowded].join("|"), () => ({
    selector: selectorOf(element), family: kindOf(element), snippet: snippetOf(element), box: boxOf(reach), size, crowded,
    main: isMain(element), text: clean(element.textContent || element.value || "").slice(0, 40),
  }));
}

const layoutPart = {
  layout: {
    client_width: width,
    scroll_width: scrollWidth,
    height: Math.max(root.scrollHeight, body.scrollHeight),
    overflow: Math.max(0, scrollWidth - width),
    hidden: hides(root) || hides(body),
    offenders: offenders.list(),
    fixed_widths: fixedWidths.list(),
    plugins: [...document.querySelectorAll("object,embed,applet")].map((one) => about(one, { type: one.type || one.localName })),
  },
  targets: { count: taps.length, main: mainTargets, list: targets.list() },
};
