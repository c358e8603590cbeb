"use strict";
// The words of an ad with their evidence. Offsets in the data count UTF-16 units, as strings do here.

const SHOWN = 3000;
// Characters that are invisible or steer what follows: shown by name, so that they do nothing. Joiners of emoji stay.
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function putText(parent, text) {
  let at = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (match.index > at) parent.append(text.slice(at, match.index));
    const code = match[0].charCodeAt(0);
    parent.append(make("span", "unprintable", "U+" + code.toString(16).toUpperCase().padStart(4, "0")));
    at = match.index + match[0].length;
  }
  if (at < text.length) parent.append(text.slice(at).replaceAll(/\r\n?/g, "\n"));
}
function plain(text) { return text.replaceAll(UNSEEN, "").replaceAll(/\s+/g, " ").trim(); }
// Characters as a reader counts them: an emoji is one, whatever it takes.
function lengthOf(text) { return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g) || []).length; }
function dots(text) { return text.replaceAll(/x{3,}|0/g, (found) => "•".repeat(found.length)); }

// Marks of one ad by column: [start, end, indicator or -1 for learned words, weight].
function marksOf(ad) {
  const byColumn = ad.x.map(() => []);
  const weights = new Map();
  for (const [, weight, kind] of ad.r) if (kind >= 0) weights.set(kind, (weights.get(kind) || 0) + weight);
  const put = (spans, kind, weight) => {
    for (let i = 0; i < spans.length; i += 3) byColumn[spans[i]].push([spans[i + 1], spans[i + 2], kind, weight]);
  };
  for (const [index, spans] of ad.e) put(spans, index, weights.get(index) || 0);
  if (state.words) for (const [, weight, kind, spans] of ad.r) if (kind === -2) put(spans, -1, weight);
  return byColumn;
}

function signClass(kind, weight) {
  if (kind >= 0 && weight === 0) return signOf(kind);
  return weight > 0 ? "risk" : "safety";
}

// Overlapping marks are cut where any of them begins or ends; each piece has the colour of its strongest mark.
function putMarked(parent, text, marks, hidden, end) {
  const cuts = new Set([0, end]);
  for (const [from, to] of marks.concat(hidden)) {
    if (from < end) cuts.add(from);
    if (to < end) cuts.add(to);
  }
  const edges = [...cuts].sort((a, b) => a - b);
  const starting = [...marks].sort((a, b) => a[0] - b[0]);
  const covering = [...hidden].sort((a, b) => a[0] - b[0]);
  let open = [], next = 0, nextHidden = 0, mask = null;
  for (let i = 0; i + 1 < edges.length; i++) {
    const [from, to] = [edges[i], edges[i + 1]];
    open = open.filter((mark) => mark[1] > from);
    while (next < starting.length && starting[next][0] <= from) {
      if (starting[next][1] > from) open.push(starting[next]);
      next++;
    }
    while (nextHidden < covering.length && covering[nextHidden][0] <= from) mask = covering[nextHidden++];
    const masked = mask !== null && mask[1] > from ? mask : null;
    let piece = text.slice(from, to);
    let into = parent;
    if (open.length) {
      const strongest = open.reduce((best, mark) => (Math.abs(mark[3]) > Math.abs(best[3]) ? mark : best));
      into = make("mark", signClass(strongest[2], strongest[3]), null, { tabindex: "0" });
      if (strongest[2] === -1) into.classList.add("word");
      if (open.length > 1) into.classList.add("several");
      into.marks = open.map(([, , kind, weight]) => [kind, weight]);
      parent.append(into);
    }
    if (masked) {
      const pill = make("span", "masked", null, { title: say("hidden_contact", { kind: say("kind_" + masked[2]) }) });
      into.append(pill);
      into = pill;
      piece = dots(piece);
    }
    putText(into, piece);
  }
}

function cellBlock(ad, column, marks) {
  const text = ad.x[column];
  const key = ad.k + ":" + column;
  const block = make("div", "words", null, { dir: "auto" });
  const hidden = (ad.h || []).filter((h) => h[0] === column).map(([, from, to, kind]) => [from, to, kind]);
  let end = text.length;
  const long = text.length > SHOWN * 1.2;
  if (long && !state.full.has(key)) {
    end = SHOWN;
    if (/[\ud800-\udbff]/.test(text[end - 1])) end -= 1;
  }
  putMarked(block, text, marks, hidden, end);
  const parts = [block];
  if (long) {
    if (end < text.length) block.append("…");
    const full = end === text.length;
    const button = make("button", "link", full ? say("show_less") : say("show_all", { n: number(lengthOf(text)) }), { type: "button" });
    button.addEventListener("click", () => {
      if (full) state.full.delete(key);
      else state.full.add(key);
      showDetail();
    });
    parts.push(button);
  }
  const cut = (ad.u || []).find(([c]) => c === column);
  if (cut) parts.push(make("p", "note", say("cut_note", { n: number(lengthOf(text)), total: number(cut[1]) })));
  return parts;
}

// What a mark stands for, on hover, focus or touch.
function tipText(mark) {
  return mark.marks.map(([kind, weight]) => [kind < 0 ? say("words_learned") : indicatorName(kind), weight, signClass(kind, weight)]);
}
function showTip(mark) {
  const tip = $("tip");
  tip.replaceChildren();
  for (const [name, weight, sign] of tipText(mark)) {
    const line = make("div", sign);
    line.append(make("span", "dot"), name);
    if (weight) line.append(make("b", "", signed(weight)));
    tip.append(line);
  }
  tip.hidden = false;
  const box = mark.getClientRects()[0] || mark.getBoundingClientRect();
  const left = Math.min(Math.max(8, box.left), Math.max(8, innerWidth - tip.offsetWidth - 8));
  const above = box.top - tip.offsetHeight - 6;
  tip.style.left = left + "px";
  tip.style.top = (above > 4 ? above : box.bottom + 6) + "px";
  mark.setAttribute("aria-describedby", "tip");
}
function hideTip() { $("tip").hidden = true; }
