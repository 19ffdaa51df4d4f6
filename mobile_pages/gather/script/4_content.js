// What the page says and asks: names, forms, footer, overlays, storage.

// --- accessible names (the part of accname that phone pages need) ------------------------------------
const labelledBy = (element) => {
  const ids = (element.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
  return clean(ids.map((id) => (document.getElementById(id) || {}).textContent || "").join(" "));
};
const textAlternative = (element) => {
  if (element.nodeType === 3) return element.data;
  if (element.nodeType !== 1 || element.getAttribute("aria-hidden") === "true") return "";
  if (styleOf(element).display === "none") return "";
  const label = labelledBy(element) || clean(element.getAttribute("aria-label"));
  if (label) return label;
  if (/^(img|area)$/.test(element.localName)) return element.getAttribute("alt") || element.title;
  if (element.localName === "svg") return (element.querySelector("title") || {}).textContent || "";
  return [...element.childNodes].map(textAlternative).join(" ");
};
const nameOf = (element) => {
  const labelled = labelledBy(element);
  if (labelled) return labelled;
  const label = clean(element.getAttribute("aria-label"));
  if (label) return label;
  const labels = clean([...(element.labels || [])].map(textAlternative).join(" "));
  if (labels) return labels;
  if (element.localName === "input" && /^(submit|reset)$/.test(element.type)) return clean(element.value) || "提交";
  if (element.type === "button" && element.localName === "input") return clean(element.value);
  if (element.type === "image") return clean(element.alt || element.title);
  const content = /^(a|button|summary)$/.test(element.localName) || element.hasAttribute("role") ? clean(textAlternative(element)) : "";
  return content || clean(element.title) || clean(element.getAttribute("placeholder"));
};
const isForReaders = (element) => isShown(element) && !element.closest("[aria-hidden=true]");
const nameless = grouped();
const NAMED = "a[href],button,input:not([type=hidden]):not([type=image]),select,textarea,summary,[role=button],[role=link],[role=tab],[role=checkbox],[role=switch]";
for (const element of [...body.querySelectorAll(NAMED)].slice(0, 800)) {
  const isNothing = element.disabled && /^(none|presentation)$/.test(element.getAttribute("role") || "");
  if (isForReaders(element) && !isNothing && !nameOf(element)) {
    const what = element.localName === "a" ? "link" : element.matches("button,[role=button]") ? "button" : "control";
    nameless.add(what + kindOf(element), () => about(element, { what }));
  }
}
for (const area of body.querySelectorAll("map area[href]")) {
  const image = body.querySelector(`img[usemap="#${CSS.escape(area.parentElement.name || "")}"]`);
  if (image && isForReaders(image) && !clean(area.alt) && !nameOf(area)) {
    nameless.add("link" + kindOf(area), () => about(area, { what: "link" }));
  }
}
for (const frame of body.querySelectorAll("iframe")) {
  const skipped = frame.tabIndex < 0 || /^(none|presentation)$/.test(frame.getAttribute("role") || "");
  if (isForReaders(frame) && !skipped && !nameOf(frame)) {
    nameless.add("frame" + kindOf(frame), () => about(frame, { what: "frame" }));
  }
}
const images = grouped();
let imageCount = 0;
for (const element of [...body.querySelectorAll("img,input[type=image],[role=img],svg[role]")].slice(0, 500)) {
  if (!isForReaders(element) || /^(none|presentation)$/.test(element.getAttribute("role") || "")) continue;
  imageCount += 1;
  const name = element.localName === "img" ? element.getAttribute("alt") : nameOf(element) || clean(textAlternative(element)) || null;
  const labelled = clean(element.getAttribute("aria-label")) || element.hasAttribute("aria-labelledby") || clean(element.title);
  if (name === null && !labelled) images.add("missing" + kindOf(element), () => about(element, { problem: "missing" }));
  else if (/\.(png|jpe?g|gif|webp|svg)$/i.test(clean(name))) images.add("file" + kindOf(element), () => about(element, { problem: "file_name", alt: clean(name).slice(0, 60) }));
}

// --- headings, buttons, forms ----------------------------------------------------------------------------
const headings = [...body.querySelectorAll("h1,h2,h3,h4,h5,h6")].filter(isShown).slice(0, 60)
  .map((one) => [+one.localName[1], clean(one.textContent).slice(0, 60)]);
const buttons = [...body.querySelectorAll("button,input[type=submit],input[type=button],[role=button],a[class*=btn],a[class*=button]")]
  .filter(isShown).map((element) => ({ element, rect: element.getBoundingClientRect(), name: nameOf(element) }));
const mainButton = buttons.reduce((best, one) =>
  (best && best.rect.width * best.rect.height >= one.rect.width * one.rect.height ? best : one), null);
const before = (element) => {
  for (let one = element; one && one !== body; one = one.parentElement) {
    const prior = one.previousElementSibling;
    if (prior && clean(prior.textContent)) return clean(prior.textContent).slice(-40);
  }
  return "";
};
const inputs = [...body.querySelectorAll("input,select,textarea")].filter((one) => isShown(one) && !/^(hidden|submit|button|reset|image)$/.test(one.type))
  .slice(0, 80).map((element) => about(element, {
    type: element.type, mode: element.inputMode, autocomplete: element.getAttribute("autocomplete") || "",
    label: (nameOf(element) || before(element)).slice(0, 40), name: element.name || element.id || "",
    read_only: element.readOnly || element.disabled || element.getAttribute("aria-disabled") === "true", filled: Boolean(element.value), masked: /\*/.test(element.value),
  }));
const signIns = [...body.querySelectorAll("form,[class*=login],[class*=signin],[class*=register],[id*=login],[id*=register]")].filter(isShown)
  .filter((form) => form.querySelector("input:not([type=hidden]):not([type=search])")
    && [...form.querySelectorAll("button,input[type=submit],[role=button],a")].some((one) => /^(立即|账号|手机号?|一键)?(登\s*录|登\s*陆|注\s*册)$/.test(nameOf(one))))
  .slice(0, 5).map((form) => about(form, {}));
const passwords = [...body.querySelectorAll("input[type=password]")].filter(isShown).map((one) => about(one, {}));

// --- footer, lists, bars, overlays ---------------------------------------------------------------------------
const footers = [...body.querySelectorAll("footer,[role=contentinfo],#footer,[class*=footer],[class*=Footer],[class*=copyright]")].filter(isShown);
const footer = footers[footers.length - 1] || null;
const tail = runs.filter(({ rects }) => rects[0].top + scrollY > root.scrollHeight * 0.6).map(({ text }) => text).join(" ").slice(-600);
const telephones = [...document.querySelectorAll("a[href^='tel:' i]")].slice(0, 30).map((one) => decodeURI(one.getAttribute("href")).slice(4));
const emptyLists = grouped();
for (const element of body.querySelectorAll("ul,ol,tbody,dl,[class*=list],[class*=List]")) {
  const known = element.checkVisibility() && !clean(element.textContent) && !element.querySelector("img,svg,input,canvas,video,iframe");
  if (known && !element.closest("nav,[aria-hidden=true],[hidden]") && before(element)) {
    emptyLists.add(kindOf(element), () => about(element, { heading: before(element) }));
  }
}
for (const heading of body.querySelectorAll("h1,h2,h3,h4")) {
  const next = heading.nextElementSibling;
  const alone = isShown(heading) && !next && heading.parentElement !== body && !heading.closest("header,a,button,nav")
    && clean(heading.parentElement.textContent) === clean(heading.textContent) && !heading.parentElement.querySelector("img,svg,input,canvas");
  if (alone && heading.parentElement.matches("section,article,[class*=module],[class*=section],[class*=panel]")) {
    emptyLists.add(kindOf(heading), () => about(heading, { heading: clean(heading.textContent) }));
  }
}
const BACK = /^(返回|后退|<|‹|〈|←|❮|back)$/i;
const topBars = [...body.querySelectorAll("header,nav,div,a,button,[role=banner],[role=button],i,span,img")].slice(0, 800).map((element) => {
  const rect = element.getBoundingClientRect();
  const top = rect.top + scrollY;
  if (top < -1 || top + rect.height > 89 || !isShown(element)) return null;
  const text = clean(element.textContent);
  const hint = [element.getAttribute("aria-label"), element.getAttribute("alt"), text].map(clean).find((one) => BACK.test(one));
  const named = /(^|[\s_-])(icon-?)?(back|goback|arrow-left|return)([\s_-]|$)/i.test(element.getAttribute("class") || "");
  if ((hint || (named && !text)) && rect.left < width * 0.3) return about(element, { kind: "back" });
  const wide = rect.width >= width * 0.8 && rect.height >= 30 && rect.height <= 89;
  if (wide && /fixed|sticky/.test(styleOf(element).position) && text && text === clean(document.title)) return about(element, { kind: "title" });
  return null;
}).filter(Boolean).slice(0, 5);

const panels = new Set([...body.querySelectorAll("dialog[open],[role=dialog],[role=alertdialog],[aria-modal=true]")].filter(isShown));
for (const element of [...body.querySelectorAll("div,section,aside")].slice(0, 3000)) {
  const style = styleOf(element);
  if (style.position !== "fixed" || !isShown(element)) continue;
  const rect = element.getBoundingClientRect();
  const color = parseColor(style.backgroundColor);
  const dims = color && color[3] >= 0.2 && color[3] < 0.95;
  if (!dims || rect.width < width * 0.95 || rect.height < screenHeight * 0.8) continue;
  const sibling = element.nextElementSibling && /fixed|absolute/.test(styleOf(element.nextElementSibling).position) ? element.nextElementSibling : null;
  const panel = element.firstElementChild && clean(element.textContent) ? element.firstElementChild : sibling;
  if (panel && isShown(panel) && ![...panels].some((one) => one.contains(panel) || panel.contains(one))) panels.add(panel);
}
const CLOSE = /^(关闭|取消|知道了|我知道了|确定|好的?|同意|不同意|暂不.*|稍后.*|跳过|×|✕|✖|x|╳|close)$/i;
const dialogs = [...panels].slice(0, 5).map((panel) => {
  const area = panel.getBoundingClientRect();
  const holder = panel.parentElement && panel.parentElement !== body ? panel.parentElement : panel;
  const found = [...new Set([...panel.querySelectorAll("*"), ...holder.querySelectorAll("button,a,[role=button],[class*=close]")])].filter((one) => {
    const hint = [one.getAttribute("aria-label"), one.getAttribute("alt"), one.title, one.textContent].map(clean).some((text) => CLOSE.test(text));
    const tappable = one.matches("a,button,[role=button],[onclick],input,[class*=close],[class*=btn],[tabindex]");
    return tappable && (hint || /(^|[\s_-])close/i.test(one.getAttribute("class") || "")) && isShown(one);
  }).map((one) => ({ one, reach: reachOf(one) })).sort((a, b) => b.reach.width * b.reach.height - a.reach.width * a.reach.height);
  const placeOf = ({ reach }) => {
    const across = ((reach.left + reach.right) / 2 - area.left) / area.width;
    const down = ((reach.top + reach.bottom) / 2 - area.top) / area.height;
    if (down < 0.34 && across < 0.34) return "top-left";
    if (down < 0.34 && across > 0.66) return "top-right";
    if (down > 0.6) return "bottom";
    return "elsewhere";
  };
  const closes = found.map((each) => ({ selector: selectorOf(each.one), size: [round(each.reach.width), round(each.reach.height)], place: placeOf(each) }));
  return about(panel, { text: clean(panel.textContent).slice(0, 60), closes: closes.slice(0, 5) });
});

// --- addresses, storage, structure -------------------------------------------------------------------------------
const schemes = [...document.querySelectorAll("a[href],iframe[src],area[href]")].slice(0, 1000)
  .map((one) => [one, one.getAttribute("href") || one.getAttribute("src") || ""])
  .filter(([, url]) => /^[a-z][a-z0-9+.-]*:/i.test(url) && !/^(https?|javascript|data|about|blob):/i.test(url))
  .slice(0, 40).map(([one, url]) => about(one, { scheme: url.split(":")[0].toLowerCase(), url: url.slice(0, 120) }));
const links = [...new Set([...document.querySelectorAll("a[href]")].map((one) => one.href).filter((url) => /^https?:/.test(url)))];
const storage = [];
const keep = (store, key, value) => storage.length < 100 && storage.push([store, key.slice(0, 80), value.slice(0, 4000)]);
const dump = (name) => {
  try {
    const store = window[name];
    for (let i = 0; i < Math.min(store.length, 50); i += 1) keep(name, store.key(i), store.getItem(store.key(i)) || "");
  } catch (error) {
    // A sandboxed or opaque origin has no storage.
  }
};
dump("localStorage");
dump("sessionStorage");
try {
  for (const one of document.cookie.split("; ").filter(Boolean)) {
    const [key, ...value] = one.split("=");
    keep("cookie", key, decodeURIComponent(value.join("=").replace(/%(?![0-9a-f]{2})/gi, "%25")));
  }
} catch (error) {
  // As above, or a cookie that is no UTF-8.
}
const skeleton = [...body.querySelectorAll("*")].filter((one) => !/^(script|style)$/.test(one.localName)).slice(0, 1500)
  .map((one) => [one.localName, ...classesOf(one)].join(".")).join(" ");
let fingerprint = 0x811c9dc5;
for (let i = 0; i < skeleton.length; i += 1) fingerprint = Math.imul(fingerprint ^ skeleton.charCodeAt(i), 0x01000193) >>> 0;

const contentPart = {
  title: clean(document.title).slice(0, 200),
  lang: root.lang,
  viewport: ((document.querySelector("meta[name=viewport i]") || {}).content || "").slice(0, 200),
  headings,
  main_button: mainButton ? mainButton.name.slice(0, 40) : "",
  main_button_box: mainButton ? boxOf(mainButton.rect) : null,
  fields: inputs.map((one) => one.label || one.name),
  inputs,
  passwords,
  sign_ins: signIns,
  nameless: nameless.list(),
  images: { count: imageCount, list: images.list() },
  footer: { found: footer !== null, text: footer ? clean(footer.textContent).slice(0, 600) : tail, box: footer ? boxOf(footer.getBoundingClientRect()) : null, font: footer ? parseFloat(styleOf(footer).fontSize) : null },
  telephones,
  empty_lists: emptyLists.list(),
  top_bars: topBars,
  dialogs,
  schemes,
  links: links.slice(0, 200),
  storage,
  fingerprint: fingerprint.toString(16),
};
