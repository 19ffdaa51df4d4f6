// Latency by phase of one page: stacked means with p50, p95 and p99, from local ECharts.
"use strict";
(function () {
  const holder = document.getElementById("latency");
  if (!holder || typeof echarts === "undefined") { return; }
  const names = { dns: "域名解析", connect: "建立连接", tls: "加密握手", first_byte: "等待应答", transfer: "传输内容" };
  const colours = { dns: "#8ab4f8", connect: "#6fe0a2", tls: "#d6a8ff", first_byte: "#ffcf66", transfer: "#ff9d95" };
  const lines = { p50: ["P50", "#ffffff", "solid"], p95: ["P95", "#7fd7ff", "dashed"], p99: ["P99", "#ffb3f0", "dotted"] };
  // No inline styles under the page's policy, so the tip is drawn and not written as HTML.
  const chart = echarts.init(holder, null, { renderer: "canvas" });
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function series(data) {
    const areas = Object.keys(names).map(function (key) {
      return { name: names[key], type: "line", stack: "phases", areaStyle: { opacity: 0.75 }, symbol: "none",
        lineStyle: { width: 0 }, color: colours[key], data: data.phases[key] };
    });
    return areas.concat(Object.keys(lines).map(function (key) {
      return { name: lines[key][0], type: "line", symbol: "none", color: lines[key][1],
        lineStyle: { width: 1.5, type: lines[key][2] }, data: data[key] };
    }));
  }

  function label(text) {
    const at = new Date(text);
    const parts = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false });
    return parts.format(at);
  }

  function draw(data) {
    holder.setAttribute("aria-label", summary(data));
    chart.setOption({
      animation: !still,
      textStyle: { color: "#eef3fa", fontSize: 13 },
      grid: { left: 8, right: 12, top: 72, bottom: 8, containLabel: true },
      legend: { top: 0, textStyle: { color: "#eef3fa" }, type: "scroll" },
      tooltip: { trigger: "axis", renderMode: "richText", valueFormatter: function (v) { return v === null || v === undefined ? "–" : v + " 毫秒"; } },
      xAxis: { type: "category", data: data.at.map(label), axisLabel: { color: "#b6c2d1", hideOverlap: true } },
      yAxis: { type: "value", name: "毫秒", nameTextStyle: { color: "#b6c2d1" }, axisLabel: { color: "#b6c2d1" }, splitLine: { lineStyle: { color: "#33445a" } } },
      series: series(data)
    }, true);
  }

  function summary(data) {
    const known = data.p95.filter(function (v) { return v !== null; });
    if (!known.length) { return "这段时间没有数据"; }
    return "打开用时走势，P95 最高 " + Math.max.apply(null, known) + " 毫秒，最低 " + Math.min.apply(null, known) + " 毫秒";
  }

  function load(days) {
    fetch(holder.dataset.source + "?days=" + days, { credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) { throw new Error(String(answer.status)); } return answer.json(); })
      .then(draw)
      .catch(function () { holder.setAttribute("aria-label", "走势图没有取到"); });
  }

  document.querySelectorAll("[data-days]").forEach(function (button) {
    button.addEventListener("click", function () {
      document.querySelectorAll("[data-days]").forEach(function (one) { one.setAttribute("aria-pressed", String(one === button)); });
      load(button.dataset.days);
    });
  });
  window.addEventListener("resize", function () { chart.resize(); });
  // A week of hours is more than a phone's width can tell apart.
  const first = document.querySelector('[data-days="' + (holder.clientWidth < 600 ? 1 : 7) + '"]');
  first.click();
})();
