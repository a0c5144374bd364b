// The live dashboard: counters, tables and the 60-minute chart, from frames of data. Data never becomes markup.
import { drawChart } from "./chart.js";
import { timeOfDay } from "./clock.js";

const cell = (text, className = "") => {
  const td = document.createElement("td");
  td.textContent = text ?? "–";
  if (className) td.className = className;
  return td;
};
const linked = (text, href) => {
  const td = document.createElement("td");
  td.append(href ? Object.assign(document.createElement("a"), { href, textContent: text }) : text);
  return td;
};
const percent = (share) => (share === null || share === undefined ? "–" : `${Math.round(share * 100)} %`);
const lasted = (ms) => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
};
const TONES = { up: ["good", "circle-check"], down: ["bad", "plug-connected-x"], unknown: ["calm", "help-circle"],
  answered: ["good", "phone-check"], ringing: ["busy", "bell"], start: ["busy", "phone-outgoing"] };
const ROWS_AT_MOST = 200;
const SVG = "http://www.w3.org/2000/svg";

const ROWS_SHOWN = 50;

class Dashboard {
  constructor(root) {
    this.root = root;
    this.skew = 0;
    this.sprite = (document.querySelector("svg.icon use")?.getAttribute("href") || "").replace(/#.*/, "");
    this.points = [...root.querySelectorAll("[data-series] tr")].map((row) => [+row.dataset.at, +row.dataset.calls, +row.dataset.attempts]);
    this.chart = drawChart(root.querySelector("[data-chart]"), this.points, root.dataset);
    document.body.addEventListener("frame", (event) => this.hear(event.detail));
    document.body.addEventListener("frames-wanted", () => this.ask());
    setInterval(() => this.tick(), 1000);
  }

  // Without a socket the ordinary view answers with the same frame.
  async ask() {
    if (!this.root.dataset.poll) return;
    const response = await fetch(this.root.dataset.poll, { headers: { Accept: "application/json" } });
    if (response.ok) this.hear(await response.json());
  }

  hear(frame) {
    this.skew = Date.now() - frame.at;
    this.counters(frame.now || {});
    if (frame.type === "snapshot") this.body("live")?.replaceChildren();
    // Newest first in the frame, and each goes to the top.
    [...(frame.live || [])].reverse().forEach((call) => this.call(call, frame.type === "delta"));
    (frame.removed || []).forEach((id) => this.rowOf(id)?.remove());
    this.trim();
    this.none("live");
    this.table("trunks", frame.trunks, (t) => [this.chip(t.health), cell(t.name), cell(t.calls, "num"), cell(percent(t.answered_share), "num")]);
    this.table("customers", frame.customers, (c) => [linked(c.name, this.pageOf(c.id)), cell(c.calls, "num"), cell(percent(c.answered_share), "num")]);
    this.table("failures", frame.failures, (f) => [cell(f.words), cell(f.code, "num"), cell(f.count, "num")]);
    if (frame.series) this.points = frame.series;
    else if (frame.point) this.add(frame.point);
    if (frame.series || frame.point) this.series();
  }

  counters(now) {
    const words = { ...now, answered_share: percent(now.answered_share) };
    this.root.querySelectorAll("[data-now]").forEach((sign) => {
      const value = words[sign.dataset.now];
      if (sign.dataset.now in now && value !== null && sign.textContent !== String(value)) sign.textContent = value;
    });
    document.querySelectorAll("[data-calls-now]").forEach((sentence) => {
      const form = now.calls === 0 ? "none" : now.calls === 1 ? "one" : "many";
      sentence.textContent = sentence.dataset[form].replace("%", now.calls);
    });
  }

  trim() {
    const rows = this.body("live")?.rows || [];
    while (rows.length > ROWS_SHOWN) rows[rows.length - 1].remove();
  }

  add(point) {
    if (this.points.at(-1)?.[0] === point[0]) this.points[this.points.length - 1] = point;
    else this.points.push(point);
    this.points = this.points.filter(([at]) => at > point[0] - 3_600_000);
  }

  series() {
    this.chart?.setData([0, 1, 2].map((column) => this.points.map((point) => (column ? point[column] : point[0] / 1000))));
    const rows = this.points.map(([at, calls, attempts]) => {
      const row = document.createElement("tr");
      row.append(cell(timeOfDay(at)), cell(calls, "num"), cell(attempts, "num"));
      return row;
    });
    this.body("series", "[data-series]")?.replaceChildren(...rows);
  }

  body(name, selector = `[data-rows=${name}]`) {
    return this.root.querySelector(selector);
  }

  rowOf(id) {
    return this.body("live")?.querySelector(`tr[data-id="${CSS.escape(id)}"]`);
  }

  call(call, isNew) {
    const body = this.body("live");
    if (!body) return;
    const old = this.rowOf(call.id);
    const row = document.createElement("tr");
    row.dataset.id = call.id;
    row.dataset.since = call.since;
    if (isNew && !old) row.className = "is-new";
    row.append(this.chip(call.state));
    if ("withCustomer" in body.dataset) row.append(cell(call.customer));
    row.append(cell(this.root.dataset[`wordsDirection${call.direction[0].toUpperCase()}${call.direction.slice(1)}`] || call.direction),
      cell(call.caller, "phone"), cell(call.called, "phone"), cell(call.trunk), cell(this.age(call.since), "num"));
    this.name(row, body);
    if (old) old.replaceWith(row);
    else body.prepend(row);
    while (body.children.length > ROWS_AT_MOST) body.lastElementChild.remove();
  }

  chip(state) {
    const [tone, icon] = TONES[state] || ["calm", "circle"];
    const words = this.root.dataset;
    const name = `${state?.[0]?.toUpperCase() || ""}${state?.slice(1) || ""}`;
    const td = document.createElement("td");
    const chip = td.appendChild(document.createElement("span"));
    chip.className = `chip chip-${tone}`;
    const svg = chip.appendChild(document.createElementNS(SVG, "svg"));
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    svg.appendChild(document.createElementNS(SVG, "use")).setAttribute("href", `${this.sprite}#${icon}`);
    chip.appendChild(document.createElement("span")).textContent = words[`wordsState${name}`] || words[`words${name}`] || state;
    return td;
  }

  table(name, items, cells) {
    const body = this.body(name);
    if (!body || !items) return;
    // What frames do not carry stays as the page drew it: the small lines of the last hour.
    const kept = new Map([...body.querySelectorAll("tr[data-key]")].map((row) => [row.dataset.key, row.querySelector("[data-kept]")]));
    body.replaceChildren(...items.map((item) => {
      const row = document.createElement("tr");
      row.append(...cells(item));
      if (item.id !== undefined) {
        row.dataset.key = item.id;
        row.append(kept.get(String(item.id)) || Object.assign(document.createElement("td"), { textContent: "–" }));
      }
      this.name(row, body);
      return row;
    }));
    this.none(name);
  }

  // On a phone a row is a card, and each of its cells says what it is.
  name(row, body) {
    const heads = body.parentElement.querySelectorAll("th");
    [...row.cells].forEach((td, column) => {
      td.dataset.label = heads[column].textContent.trim();
      td.classList.toggle("off-card", "offCard" in heads[column].dataset);
    });
  }

  none(name) {
    const words = this.root.querySelector(`[data-none=${name}]`);
    if (words) words.hidden = this.body(name).children.length > 0;
  }

  pageOf(customer) {
    return customer ? this.body("customers").dataset.page.replace("/0/", `/${customer}/`) : "";
  }

  age(since) {
    return lasted(Date.now() - this.skew - since);
  }

  tick() {
    this.body("live")?.querySelectorAll("tr").forEach((row) => {
      row.lastElementChild.textContent = this.age(+row.dataset.since);
    });
  }
}

export function startDashboards() {
  document.querySelectorAll("[data-live=dashboard]").forEach((root) => new Dashboard(root));
}
