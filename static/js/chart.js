// The charts; their colours are the page's own and follow the theme.
import { timeOfDay } from "./clock.js";

const token = (name) => {
  // A probe resolves light-dark() and color-mix(), which a custom property keeps as written.
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(${name})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
};

function options(holder, words) {
  const grid = { stroke: token("--line"), width: 1 };
  const axis = { stroke: token("--ink-soft"), grid, ticks: { ...grid, size: 4 }, font: "12px system-ui, sans-serif" };
  const accent = token("--accent");
  return {
    width: holder.clientWidth,
    height: 220,
    legend: { show: false },
    cursor: { points: { size: 6 } },
    scales: { y: { range: (_chart, _low, high) => [0, Math.max(4, Math.ceil(high * 1.15))] } },
    series: [
      { label: words.wordsTime },
      { label: words.wordsCalls, stroke: accent, width: 2, fill: accent.replace(/^rgb\((.*)\)$/, "rgba($1, 0.1)"), points: { show: false } },
      { label: words.wordsAttempts, stroke: token("--line-strong"), width: 1.5, dash: [4, 3], points: { show: false } },
    ],
    axes: [
      { ...axis, values: (_chart, times) => times.map((at) => timeOfDay(at * 1000)) },
      { ...axis, size: 44, label: words.wordsAxis, labelSize: 20, labelFont: "12px system-ui, sans-serif", incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
    ],
  };
}

export function drawChart(holder, points, words) {
  const columns = [0, 1, 2].map((column) => points.map((point) => (column ? point[column] : point[0] / 1000)));
  return plotted(holder, columns, () => options(holder, words));
}

// Lines over time: `lines` name a label and a colour by token; amounts may lie below zero.
export function drawLines(holder, columns, { time, axis, when, lines }) {
  return plotted(holder, columns, () => {
    const known = options(holder, {});
    const series = lines.map(({ label, colour, dash, filled }) => {
      const stroke = token(colour);
      return { label, stroke, dash, width: 2, points: { show: columns[0].length < 3 }, fill: filled ? stroke.replace(/^rgb\((.*)\)$/, "rgba($1, 0.1)") : undefined };
    });
    const [across, up] = known.axes;
    return {
      ...known,
      scales: { y: { range: (_chart, low, high) => [Math.min(0, low * 1.15), Math.max(0.01, high * 1.15)] } },
      series: [{ label: time }, ...series],
      axes: [
        { ...across, values: (_chart, moments) => moments.map(when), incrs: [1, 2, 3, 7, 14].map((days) => days * 86400) },
        { ...up, size: 64, label: axis, incrs: undefined },
      ],
    };
  });
}

function plotted(holder, columns, made) {
  if (!holder || !window.uPlot) return null;
  let plot = new window.uPlot(made(), columns, holder);
  const redraw = () => {
    const data = plot.data;
    plot.destroy();
    plot = new window.uPlot(made(), data, holder);
  };
  new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: 220 })).observe(holder);
  document.addEventListener("theme-changed", redraw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return { setData: (data) => plot.setData(data) };
}
