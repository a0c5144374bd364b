// What calls earned, cost and left, day by day, from the table beside the chart; colours follow the theme.
import { drawLines } from "./chart.js";

const holder = document.querySelector("[data-margin-chart]");
if (holder) {
  const words = holder.dataset;
  const rows = [...holder.querySelectorAll("tr[data-day]")];
  const money = (text) => Number(text) / 1e6;
  const columns = [
    rows.map((row) => Date.parse(`${row.dataset.day}T12:00:00`) / 1000),
    rows.map((row) => money(row.dataset.earned)),
    rows.map((row) => money(row.dataset.cost)),
    rows.map((row) => money(row.dataset.earned) - money(row.dataset.cost)),
  ];
  const day = new Intl.DateTimeFormat(document.documentElement.lang || "en", { day: "numeric", month: "short" });
  drawLines(holder.querySelector("[data-chart]"), columns, {
    time: words.wordsDay,
    axis: words.wordsAxis,
    when: (at) => day.format(at * 1000),
    lines: [
      { label: words.wordsRevenue, colour: "--accent", filled: true },
      { label: words.wordsCost, colour: "--line-strong", dash: [4, 3] },
      { label: words.wordsMargin, colour: "--good" },
    ],
  });
}
