"use strict";
// Three small charts over all ads of the page; bars are buttons that set a filter.

const KINDS = [...TIERS, "none"];
const BINS = [0.5, 1, 1.5, 2, 3, 5, 10];

function countTiers(indices) {
  const counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  for (const i of indices) counts[tierOf(ADS[i])]++;
  return counts;
}
function kindName(kind) { return say("tier_" + kind); }
function summary(counts) {
  return KINDS.filter((k) => counts[k]).map((k) => kindName(k) + " " + number(counts[k])).join(", ");
}
function stack(counts, className) {
  const bar = make("span", className, null, { "aria-hidden": "true" });
  for (const kind of KINDS) {
    if (!counts[kind]) continue;
    const part = make("span", "fill " + kind);
    part.style.flexGrow = counts[kind];
    bar.append(part);
  }
  return bar;
}

function tierChart() {
  const counts = countTiers(ADS.keys());
  const box = $("tiers");
  box.replaceChildren(stack(counts, "stack tall"));
  const list = make("div", "legend");
  for (const kind of KINDS) {
    if (!counts[kind]) continue;
    const button = make("button", "count", null, { type: "button", "aria-pressed": String(state.tier === kind) });
    button.append(make("span", "dot " + kind), make("span", "name", kindName(kind)), make("b", "", number(counts[kind])));
    button.addEventListener("click", () => choose("tier", state.tier === kind ? "" : kind));
    list.append(button);
  }
  box.append(list);
}

function placeChart() {
  const byPlace = new Map();
  ADS.forEach((ad, i) => {
    const place = ad.d || "?";
    if (!byPlace.has(place)) byPlace.set(place, []);
    byPlace.get(place).push(i);
  });
  const ranked = [...byPlace].filter(([iso]) => iso !== "?").sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1));
  const shown = ranked.slice(0, 5);
  const rest = ranked.slice(5).flatMap(([, indices]) => indices);
  if (rest.length) shown.push(["", rest]);
  if (byPlace.has("?")) shown.push(["?", byPlace.get("?")]);
  const most = Math.max(1, ...shown.map(([, indices]) => indices.length));
  const box = $("places");
  box.replaceChildren();
  for (const [iso, indices] of shown) {
    const counts = countTiers(indices);
    const name = iso === "" ? say("other_places") : placeName(iso === "?" ? "" : iso);
    const row = iso === "" ? make("div", "place") : make("button", "place", null, { type: "button", "aria-pressed": String(state.place === iso) });
    const track = make("span", "track");
    const bar = stack(counts, "stack");
    bar.style.width = (100 * indices.length) / most + "%";
    track.append(bar);
    row.append(make("span", "name", name), track, make("b", "", number(indices.length)));
    row.title = name + ": " + summary(counts);
    if (iso !== "") row.addEventListener("click", () => choose("place", state.place === iso ? "" : iso));
    box.append(row);
  }
}

function binName(i) {
  const edge = (at) => number(BINS[at], Number.isInteger(BINS[at]) ? 0 : 1);
  if (i === 0) return "<" + edge(0);
  return i === BINS.length ? ">" + edge(i - 1) : edge(i - 1) + "–" + edge(i);
}
function payChart() {
  const bins = Array.from({ length: BINS.length + 1 }, () => []);
  let total = 0;
  ADS.forEach((ad, i) => {
    if (!ad.pay || !ad.ref) return;
    const ratio = ad.pay / ad.ref;
    const at = BINS.findIndex((edge) => ratio < edge);
    bins[at < 0 ? BINS.length : at].push(i);
    total++;
  });
  const box = $("pay");
  box.replaceChildren();
  if (!total) {
    box.append(make("p", "note", say("chart_pay_none")));
    return;
  }
  const most = Math.max(...bins.map((bin) => bin.length));
  const plot = make("div", "plot", null, { role: "img" });
  const said = [];
  bins.forEach((bin, i) => {
    const counts = countTiers(bin);
    const column = make("div", "col");
    const bar = stack(counts, "pile");
    bar.style.height = (72 * bin.length) / most + "px";
    column.append(make("b", "", bin.length ? number(bin.length) : ""), bar, make("span", "tick", binName(i)));
    column.title = binName(i) + "×: " + (summary(counts) || "0");
    said.push(binName(i) + "×: " + bin.length);
    plot.append(column);
  });
  plot.setAttribute("aria-label", said.join("; "));
  box.append(plot, make("p", "note", say("chart_pay_note", { n: number(total) })));
}
function showCharts() {
  tierChart();
  placeChart();
  payChart();
}
