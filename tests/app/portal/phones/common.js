// What the fakes share: they note every call and answer as window.plan says.
window.calls = [];
window.plan = PLAN;
window.note = function (name, given) {
  window.calls.push([name, JSON.parse(JSON.stringify(given === undefined ? null : given))]);
};
document.addEventListener("click", function (event) {
  if (event.target.protocol === "tel:") { window.note("tel", event.target.href); event.preventDefault(); }
}, true);
