// What needs special care: captchas, advertising, a locked orientation, big pictures, the footer's text.

// --- captchas and ways around them ---------------------------------------------------------------------
const CAPTCHA = /captcha|verify-?(code|img|image)|vcode|check-?code|auth-?code|rand-?code|valid(ate)?-?code|yzm/i;
const SLIDER = "[class*=geetest],[class*=nc_wrapper],[class*=slide-verify],[class*=slider],[class*=captcha],[id*=captcha]";
const captchas = grouped();
for (const element of [...body.querySelectorAll("img,canvas,input[type=image]")].filter(isShown)) {
  const hints = [element.getAttribute("src"), element.id, element.getAttribute("class"), element.getAttribute("name")].join(" ");
  const words = `${element.getAttribute("alt") || ""} ${element.title}`;
  if (CAPTCHA.test(hints.slice(0, 500)) || /验证码/.test(words)) captchas.add(kindOf(element), () => about(element, { kind: "image" }));
}
for (const element of [...body.querySelectorAll(SLIDER)].filter(isShown)) {
  if (/拖动|滑块|向右滑|滑动验证|完成拼图/.test(element.textContent)) captchas.add("slider", () => about(element, { kind: "slider" }));
}
const WAY_ROUND = /语音(验证|播报|播放|读)|听(不清|验证码)|音频|(改|换)用短信|短信验证方式|换一种(验证)?方式|无障碍验证|文字验证/;
const waysRound = [...body.querySelectorAll("a,button,[role=button],audio,summary")].filter((one) => isShown(one) && WAY_ROUND.test(nameOf(one)))
  .slice(0, 5).map((one) => nameOf(one).slice(0, 40));

// --- advertising and what lures ----------------------------------------------------------------------------
const LURE = /领(取)?(现金)?红包|(立即|点击|幸运|免费)抽奖|恭喜(您|你)?(中奖|获得)|免费领取|限时(抢购|优惠|特价)|立即(抢购|下单|购买)|点击领取|扫码(加|进)群/;
const AD_MARK = /(^|[\s_-])(ads?|adv|advert\w*|adsbygoogle|guanggao)([\s_-]|$)/i;
const advertising = grouped();
for (const { element, text } of runs) {
  if (/^(广告|推广|赞助商?)$/.test(text)) advertising.add("label", () => about(element, { kind: "label", text }));
  else if (LURE.test(text)) advertising.add("lure" + text, () => about(element, { kind: "lure", text: text.slice(0, 40) }));
}
for (const element of [...body.querySelectorAll("[class],[id]")].slice(0, 3000)) {
  if (!AD_MARK.test(`${element.getAttribute("class") || ""} ${element.id}`) || !isShown(element)) continue;
  if (element.matches("iframe,img") || element.querySelector("img,iframe,video,a[href]")) {
    advertising.add("block" + kindOf(element), () => about(element, { kind: "block", text: clean(element.textContent).slice(0, 40) }));
  }
}

// --- orientation (ACT b33eff): elements that style sheets turn by a right angle ---------------------------
const UNITS = { deg: 1, grad: 0.9, rad: 180 / Math.PI, turn: 360 };
const declaredAngle = (style) => {
  const turn = /rotate(?:Z)?\(\s*(-?[\d.]+)(deg|grad|rad|turn)/.exec(style.transform) || /(-?[\d.]+)(deg|grad|rad|turn)\s*$/.exec(style.rotate);
  if (turn) return parseFloat(turn[1]) * UNITS[turn[2]];
  const spin = /rotate3d\(\s*0\s*,\s*0\s*,\s*(-?[\d.]+)\s*,\s*(-?[\d.]+)(deg|grad|rad|turn)/.exec(style.transform);
  if (spin) return Math.sign(parseFloat(spin[1])) * parseFloat(spin[2]) * UNITS[spin[3]];
  const matrix = /matrix(3d)?\(([^)]*)\)/.exec(style.transform);
  if (matrix) {
    const [cos, sin] = matrix[2].split(",").map(Number);
    return Math.atan2(sin, cos) * 180 / Math.PI;
  }
  return style.transform || style.rotate ? 0 : null;
};
const turns = [];
let unreadSheets = 0;
let rulesLeft = 20000;
const readRules = (rules, orientation) => {
  for (const rule of rules) {
    rulesLeft -= 1;
    if (rulesLeft < 0) return;
    const condition = rule.media ? /orientation\s*:\s*(portrait|landscape)/i.exec(rule.media.mediaText) : null;
    if (rule.style && rule.selectorText) {
      const angle = declaredAngle(rule.style);
      if (angle !== null) turns.push({ selector: rule.selectorText, orientation, angle });
    }
    if (rule.styleSheet) readSheet(rule.styleSheet, condition ? condition[1].toLowerCase() : orientation);
    else if (rule.cssRules) readRules(rule.cssRules, condition ? condition[1].toLowerCase() : orientation);
  }
};
const readSheet = (sheet, orientation) => {
  let rules;
  try {
    rules = sheet.cssRules;
  } catch (error) {
    unreadSheets += 1;
    return;
  }
  const condition = sheet.ownerNode ? /orientation\s*:\s*(portrait|landscape)/i.exec(sheet.media.mediaText) : null;
  readRules(rules, condition ? condition[1].toLowerCase() : orientation);
};
for (const sheet of document.styleSheets) readSheet(sheet, null);
const turned = grouped();
const matching = (selector) => {
  try {
    return [...document.querySelectorAll(selector)].slice(0, 20);
  } catch (error) {
    return [];
  }
};
const angleIn = (element, orientation) => {
  const fitting = turns.filter((one) => (one.orientation === null || one.orientation === orientation) && element.matches(one.selector));
  return fitting.length ? fitting[fitting.length - 1].angle : 0;
};
for (const { selector } of turns.filter((one) => one.orientation).slice(0, 200)) {
  for (const element of matching(selector)) {
    const angle = Math.abs(angleIn(element, "landscape") - angleIn(element, "portrait")) % 180;
    if (Math.abs(angle - 90) <= 1 && clean(element.textContent) && element.checkVisibility()) {
      turned.add(selectorOf(element), () => about(element, { angle: Math.round(angle), text: clean(element.textContent).slice(0, 40) }));
    }
  }
}

// --- the footer's text, pictures larger than shown, places that only look like buttons ------------------------
const footerFonts = {};
for (const { element, text } of runs) {
  if (!footer || !footer.contains(element)) continue;
  const size = parseFloat(styleOf(element).fontSize);
  footerFonts[size] = (footerFonts[size] || 0) + text.length;
}
const oversized = grouped();
for (const image of [...body.querySelectorAll("img")].slice(0, 300)) {
  const rect = image.getBoundingClientRect();
  const room = 1.5 * devicePixelRatio;
  if (image.naturalWidth < 300 || !isShown(image) || /\.svg(\?|$)/i.test(image.currentSrc)) continue;
  if (image.naturalWidth > rect.width * room && image.naturalHeight > rect.height * room) {
    oversized.add(kindOf(image), () => about(image, { natural: [image.naturalWidth, image.naturalHeight], shown: [round(rect.width), round(rect.height)] }));
  }
}
const seeming = grouped();
for (const element of [...body.querySelectorAll("div,span,i,li,img,p,em,b,td,section")].slice(0, 3000)) {
  const style = styleOf(element);
  if (style.cursor !== "pointer" || styleOf(element.parentElement).cursor === "pointer") continue;
  if (!isShown(element) || element.closest(TAP) || element.closest("label") || element.querySelector(TAP)) continue;
  const reach = reachOf(element);
  if (Math.min(reach.width, reach.height) >= 43.5) continue;
  seeming.add(kindOf(element), () => about(element, { size: [round(reach.width), round(reach.height)], text: clean(element.textContent).slice(0, 40) }));
}

const carePart = {
  captchas: { list: captchas.list(), ways_round: waysRound },
  advertising: advertising.list(),
  orientation: { turned: turned.list(), unread_sheets: unreadSheets },
  footer_fonts: footerFonts,
  oversized: oversized.list(),
  seeming_targets: seeming.list(),
};
