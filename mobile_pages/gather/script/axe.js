// axe-core as a second witness: what it is sure of and what it leaves open, named as our own measure names it.
const RULES = [
  "button-name", "link-name", "input-button-name", "label", "select-name", "frame-title", "summary-name",
  "aria-command-name", "aria-toggle-field-name", "aria-input-field-name",
  "image-alt", "input-image-alt", "role-img-alt", "svg-img-alt", "area-alt", "object-alt",
  "empty-heading", "aria-hidden-focus", "scrollable-region-focusable",
  "target-size", "color-contrast", "autocomplete-valid",
];
const MANY = 4000;
if (document.getElementsByTagName("*").length > MANY) return null;
const answer = await axe.run(document, {
  runOnly: { type: "rule", values: RULES },
  resultTypes: ["violations", "incomplete"],
  elementRef: true,
  iframes: false,
  preload: false,
});
const detailsOf = (rule, node) => {
  const data = [...node.any, ...node.all, ...node.none].map((check) => check.data).find((one) => one && typeof one === "object") || {};
  if (rule === "color-contrast") {
    return { ratio: data.contrastRatio || 0, size: parseFloat((/([\d.]+)px/.exec(data.fontSize || "") || [])[1] || 0), color: data.fgColor || "", background: data.bgColor || "" };
  }
  return {};
};
const told = {};
for (const [kind, results] of [["violations", answer.violations], ["incomplete", answer.incomplete]]) {
  for (const result of results) {
    const list = grouped();
    for (const node of result.nodes.slice(0, 500)) {
      if (!node.element) continue;
      const details = detailsOf(result.id, node);
      list.add(kindOf(node.element) + JSON.stringify(details), () => about(node.element, { text: clean(node.element.textContent).slice(0, 40), ...details }));
    }
    told[result.id] = { violations: [], incomplete: [], ...told[result.id], [kind]: list.list() };
  }
}
return { version: axe.version, rules: told };
