"use strict";
// What the page knows and what is chosen in it. Text of ads only ever goes into text nodes.

const DATA = JSON.parse(document.getElementById("data").textContent);
const ADS = DATA.ads;
const TIERS = ["critical", "high", "medium", "low"];
const LABELS = ["scam", "legit", "unsure"];
const PAGE = 50;
const STORE = "jobscam-report:" + DATA.digest;

const state = {
  lang: DATA.lang,
  search: "", tier: "", language: "", indicator: "", place: "", label: "",
  fold: true, together: false,
  rows: [],        // groups of numbers of ads that fit, each led by its riskiest
  page: 0,
  current: -1,     // number of the ad shown
  wide: false,     // all reasons
  words: false,    // learned words marked
  full: new Set(), // cells shown in full
  reading: false,  // on a phone: the ad is shown, not the list
};
const labels = new Map();
const history = [];
let storage = true;

function $(id) { return document.getElementById(id); }

// An element with a class, a text and attributes. Attributes are set by us, never by data that an ad could choose.
function make(tag, className, text, attributes) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined && text !== null) element.textContent = text;
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  return element;
}

function say(key, values) {
  const text = DATA.strings[state.lang][key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all)) : text;
}
function second() { return state.lang === "en" ? 1 : 0; }
function locale() { return state.lang === "en" ? "en-GB" : "id-ID"; }
const formats = new Map();
function number(value, digits = 0) {
  const key = locale() + digits;
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  }
  return formats.get(key).format(value);
}
function signed(value) { return (value < 0 ? "−" : "+") + number(Math.abs(value), 2); }
function percent(p) {
  if (p === undefined) return "–";
  if (p > 0.999) return ">" + number(99.9, 1) + "%";
  if (p < 0.001) return "<" + number(0.1, 1) + "%";
  return number(100 * p, p > 0.99 || p < 0.1 ? 1 : 0) + "%";
}
function rupiah(value) {
  if (value >= 1e9) return "Rp" + number(value / 1e9, 1) + (state.lang === "en" ? " billion" : " miliar");
  return "Rp" + number(value / 1e6, 1) + (state.lang === "en" ? " million" : " jt");
}
function tierOf(ad) { return ad.t || "none"; }
function tierName(ad) { return ad.t ? say("tier_" + ad.t) : say("status_" + ad.s); }
function placeName(iso) { return iso ? DATA.countries[iso]?.[second()] ?? iso : say("unknown_place"); }
function indicatorName(index) {
  const [name, , ...said] = DATA.indicators[index];
  const mark = DATA.strings[state.lang]["mark_" + name];
  return mark ?? said[second()];
}
function signOf(index) { return DATA.indicators[index][1]; }
function labelOf(index) { return labels.get(ADS[index].k) || ""; }

// Everything that is looked up again and again, made once.
const columnsOf = (field) => DATA.columns.flatMap(([, f], i) => (f === field ? [i] : []));
const TITLE = columnsOf("title");
const PROSE = columnsOf("description").concat(columnsOf("requirements"), columnsOf("benefits"), columnsOf("company_profile"));
const groups = new Map();
ADS.forEach((ad, i) => {
  ad.e = ad.e || [];
  ad.r = ad.r || [];
  if (!groups.has(ad.g)) groups.set(ad.g, []);
  groups.get(ad.g).push(i);
});
const HAS_GROUPS = groups.size < ADS.length;

// The beginning of the first of these cells that holds anything, what is hidden in it as dots.
function startOf(ad, columns, length) {
  const column = columns.find((i) => ad.x[i].trim());
  if (column === undefined) return "";
  let text = ad.x[column].slice(0, length);
  for (const [at, from, to] of ad.h || []) {
    if (at === column && from < length) text = text.slice(0, from) + dots(text.slice(from, to)) + text.slice(to);
  }
  return text;
}
function titleOf(ad) { return startOf(ad, TITLE, 160); }
function proseOf(ad) { return startOf(ad, PROSE, 320); }

let searchable = null;
function fold(text) { return text.normalize("NFKC").toLowerCase(); }
function haystack(i) {
  if (searchable === null) searchable = new Array(ADS.length);
  if (searchable[i] === undefined) searchable[i] = fold(ADS[i].x.join("\n"));
  return searchable[i];
}

function fits(i, words) {
  const ad = ADS[i];
  if (state.tier && tierOf(ad) !== state.tier) return false;
  if (state.language && ad.l !== state.language) return false;
  if (state.place && (ad.d || "?") !== state.place) return false;
  if (state.indicator !== "" && !ad.e.some(([index]) => index === state.indicator)) return false;
  if (state.label) {
    const label = labelOf(i);
    if (state.label === "none" ? label : state.label === "any" ? !label : label !== state.label) return false;
  }
  return words.every((word) => haystack(i).includes(word));
}

function filter() {
  const words = fold(state.search).split(/\s+/).filter(Boolean);
  const at = new Map();
  state.rows = [];
  for (let i = 0; i < ADS.length; i++) {
    if (!fits(i, words)) continue;
    const row = state.fold ? at.get(ADS[i].g) : undefined;
    if (row !== undefined) {
      state.rows[row].push(i);
    } else {
      at.set(ADS[i].g, state.rows.length);
      state.rows.push([i]);
    }
  }
}
function rowOf(index) { return state.rows.findIndex((row) => row.includes(index)); }

// Labels: kept in this browser under the digest of the content, so that a page made again finds them.
function load() {
  for (const ad of ADS) if (ad.y) labels.set(ad.k, ad.y);
  try {
    const kept = JSON.parse(localStorage.getItem(STORE) || "{}");
    for (const ad of ADS) {
      if (!Object.hasOwn(kept, ad.k)) continue;
      if (LABELS.includes(kept[ad.k])) labels.set(ad.k, kept[ad.k]);
      else labels.delete(ad.k);
    }
  } catch {
    storage = false;
  }
}
function keep() {
  const kept = {};
  for (const ad of ADS) if (labels.get(ad.k) !== (ad.y || undefined)) kept[ad.k] = labels.get(ad.k) || "";
  try {
    localStorage.setItem(STORE, JSON.stringify(kept));
  } catch {
    storage = false;
  }
}
function setLabel(index, label) {
  const alike = state.together ? groups.get(ADS[index].g) : [index];
  const value = labelOf(index) === label ? "" : label;
  history.push({ index, before: alike.map((i) => [ADS[i].k, labelOf(i)]) });
  for (const i of alike) {
    if (value) labels.set(ADS[i].k, value);
    else labels.delete(ADS[i].k);
  }
  keep();
  return value;
}
function undoLabel() {
  const last = history.pop();
  if (!last) return -1;
  for (const [key, value] of last.before) {
    if (value) labels.set(key, value);
    else labels.delete(key);
  }
  keep();
  return last.index;
}

// A cell that a spreadsheet would run gets an apostrophe, which jobscam takes away again. The rule is that of jobscam/io/inert.py.
const FORMULA = /^'*(?:[\t\r]|[\u0000-\u0020\u007f-\u00a0\u00ad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])/;
const HARMLESS = /^(?:'*(?:[+\-][0-9]+(?:[.,][0-9]+)*%?|\+[0-9]{1,3} [0-9 ()./\-]*|-+))$/;
function inert(text) { return FORMULA.test(text) && !HARMLESS.test(text) ? "'" + text : text; }
function csvCell(cell) {
  const text = inert(cell);
  return /[",;|\t\r\n\ufeff]/.test(text) || !text.trim() ? '"' + text.replaceAll('"', '""') + '"' : text;
}
function labelsCsv() {
  const row = DATA.masked ? ["jobscam_row"] : [];
  const lines = [[...row, ...DATA.export, DATA.label_column, DATA.hand_column]];
  for (const ad of ADS) {
    const label = labels.get(ad.k);
    if (label) lines.push([...(DATA.masked ? [String(ad.n)] : []), ...ad.x, label, "1"]);
  }
  return lines.map((cells) => cells.map(csvCell).join(",") + "\r\n").join("");
}
