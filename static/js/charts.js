// Draws each [data-chart] from the table it names, so that chart and table can never differ. Columns of the same
// data-panel share one panel; the oldest row is the last. Nothing here is required: without it the table is there.
// The library is fetched when the first chart comes near the screen.

const [LEGEND_HEIGHT, PANEL_GAP, DAYS_HEIGHT] = [36, 16, 20];
const charts = new Map();
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let library;

function load(url) {
  library ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = url;
    script.addEventListener("load", () => done(globalThis.echarts));
    script.addEventListener("error", () => failed(new Error("The chart library did not load.")));
    document.head.append(script);
  });
  return library;
}

function read(table) {
  const rows = [...table.tBodies[0].rows].reverse();
  const columns = [...table.tHead.rows[0].cells].slice(1).map((head, index) => ({
    name: head.textContent.trim(),
    panel: head.dataset.panel,
    values: rows.map((row) => Number(row.cells[index + 1].dataset.value)),
  }));
  return { labels: rows.map((row) => row.cells[0].textContent.trim()), columns };
}

// Colours are asked of the page, where theme and style sheet decide them.
function colour(host, css) {
  const probe = document.createElement("span");
  probe.className = css;
  host.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function options(host, { labels, columns }) {
  const panels = [...new Set(columns.map((column) => column.panel))];
  const [text, line, axis] = ["chart-text", "chart-line", "chart-axis"].map((css) => colour(host, css));
  // Each panel is its legend, the bars and a gap; below the last one stand the days.
  const height = (host.clientHeight - DAYS_HEIGHT) / panels.length;
  const font = { color: text, fontFamily: getComputedStyle(host).fontFamily };
  return {
    animation: !calm.matches,
    animationDuration: 300,
    textStyle: font,
    aria: { enabled: true, label: { enabled: false }, decal: { show: true } },
    legend: panels.map((name, index) => ({
      type: "scroll", top: index * height, left: 0, itemWidth: 16, itemGap: 12, textStyle: font, pageTextStyle: font,
      pageIconColor: text, data: columns.filter((column) => column.panel === name).map((column) => column.name),
    })),
    tooltip: {
      // Drawn on the canvas: the other way writes style attributes, which the content policy refuses.
      renderMode: "richText", trigger: "axis", confine: true, transitionDuration: calm.matches ? 0 : 0.2,
      backgroundColor: colour(host, "chart-surface"), borderColor: line, textStyle: font,
    },
    axisPointer: { link: [{ xAxisIndex: "all" }], type: "shadow" },
    grid: panels.map((_, index) => ({
      left: 48, right: 8, top: index * height + LEGEND_HEIGHT, height: height - LEGEND_HEIGHT - PANEL_GAP,
    })),
    xAxis: panels.map((_, index) => ({
      type: "category", data: labels, gridIndex: index, axisTick: { show: false }, axisPointer: { type: "shadow" },
      axisLine: { lineStyle: { color: axis } }, axisLabel: { show: index === panels.length - 1, color: text, hideOverlap: true },
    })),
    yAxis: panels.map((name, index) => ({
      type: "value", gridIndex: index, minInterval: 1, splitNumber: 3,
      axisLabel: { color: text }, splitLine: { lineStyle: { color: line } },
    })),
    series: columns.map((column, index) => ({
      type: "bar", name: column.name, data: column.values, barMaxWidth: 24, barGap: "10%",
      xAxisIndex: panels.indexOf(column.panel), yAxisIndex: panels.indexOf(column.panel),
      itemStyle: { color: colour(host, `chart-series-${index + 1}`) },
    })),
  };
}

function draw(host) {
  const chart = charts.get(host);
  const table = document.getElementById(host.dataset.chart);
  if (chart && table) chart.setOption(options(host, read(table)), { notMerge: true });
}

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) charts.get(target)?.resize();
});

const near = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting) show(target);
}, { rootMargin: "300px" });

async function show(host) {
  near.unobserve(host);
  try {
    const echarts = await load(host.dataset.library);
    if (!host.isConnected || charts.has(host)) return;
    charts.set(host, echarts.init(host, null, { renderer: "canvas" }));
    draw(host);
    sizes.observe(host);
  } catch {
    // The numbers stay readable as a table.
    host.hidden = true;
  }
}

function scan() {
  for (const [host, chart] of charts) {
    if (host.isConnected) continue;
    sizes.unobserve(host);
    chart.dispose();
    charts.delete(host);
  }
  for (const host of document.querySelectorAll("[data-chart]")) {
    if (charts.has(host)) continue;
    host.hidden = false;
    near.observe(host);
  }
}

const redraw = () => { for (const host of charts.keys()) draw(host); };
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme", "data-accent"] });
for (const question of [calm, matchMedia("(prefers-color-scheme: dark)")]) question.addEventListener("change", redraw);
document.addEventListener("htmx:after:swap", scan);
scan();
