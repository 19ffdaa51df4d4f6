// Times of the first and the largest paint (ms since the address was asked for), and how far the layout
// jumped: the worst session window of layout shifts (CLS).
(async () => {
  const entriesOf = (type) => new Promise((resolve) => {
    const found = [];
    const observer = new PerformanceObserver((list) => found.push(...list.getEntries()));
    observer.observe({ type, buffered: true });
    setTimeout(() => { observer.disconnect(); resolve(found); }, 30);
  });
  const [paints, largest, shifts] = await Promise.all(["paint", "largest-contentful-paint", "layout-shift"].map(entriesOf));
  const firstPaint = paints.find((one) => one.name === "first-contentful-paint");
  let cls = 0;
  let session = { value: 0, start: 0, last: -1 };
  // Nobody touches the page; Chromium sets hadRecentInput also after the resize that emulation begins with.
  for (const shift of shifts) {
    const joins = session.last >= 0 && shift.startTime - session.last < 1000 && shift.startTime - session.start < 5000;
    if (!joins) session = { value: 0, start: shift.startTime, last: 0 };
    session.value += shift.value;
    session.last = shift.startTime;
    cls = Math.max(cls, session.value);
  }
  return {
    fcp: firstPaint ? Math.round(firstPaint.startTime) : null,
    lcp: largest.length ? Math.round(largest[largest.length - 1].startTime) : null,
    cls: Math.round(cls * 1000) / 1000,
  };
})()
