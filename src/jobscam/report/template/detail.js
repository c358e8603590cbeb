"use strict";
// One ad: what it is, what is marked in it, and how the model's number comes about.

const STRONGEST = 10;
const LEAST = 0.05;
// Fields that say where an ad stands, not what it says.
const ASIDE = ["id", "url", "source", "posted_at"];

function fact(name, value, more) {
  const box = make("div", "fact");
  const said = make("dd", "", value);
  if (more) said.append(make("span", "more", more));
  box.append(make("dt", "", name), said);
  return box;
}

function labelButtons(index) {
  const box = make("div", "labels", null, { role: "group", "aria-label": say("label_group") });
  const chosen = labelOf(index);
  for (const [label, key] of [["scam", "S"], ["legit", "L"], ["unsure", "U"]]) {
    const button = make("button", "label " + label, null, {
      type: "button", "data-label-as": label, "aria-pressed": String(chosen === label), "aria-keyshortcuts": key,
    });
    button.append(make("span", "", say("label_" + label)), make("kbd", "", key, { "aria-hidden": "true" }));
    button.addEventListener("click", () => labelAs(label));
    box.append(button);
  }
  return box;
}

function head(index) {
  const ad = ADS[index];
  const box = make("header", "head " + tierOf(ad));
  const row = make("div", "steps");
  const back = make("button", "back", "‹ " + say("back"), { type: "button" });
  back.addEventListener("click", () => read(false));
  const previous = make("button", "step", "↑", { type: "button", "aria-label": say("previous_ad"), title: say("previous_ad") + " (K)" });
  const next = make("button", "step", "↓", { type: "button", "aria-label": say("next_ad"), title: say("next_ad") + " (J)" });
  const at = rowOf(index);
  for (const [button, key] of [[previous, "K"], [next, "J"]]) button.append(make("kbd", "", key, { "aria-hidden": "true" }));
  previous.disabled = at <= 0;
  next.disabled = at < 0 || at >= state.rows.length - 1;
  previous.addEventListener("click", () => move(-1));
  next.addEventListener("click", () => move(1));
  row.append(back, tierPill(ad), make("span", "big", percent(ad.p), { title: say("probability") }), make("span", "grow"), previous, next);
  const title = plain(titleOf(ad));
  box.append(row);
  if (title) box.append(make("h2", "", title, { dir: "auto" }));
  if (ad.w >= 0) box.append(make("p", "why", DATA.sentences[ad.w][second()]));
  return box;
}

function facts(ad) {
  const list = make("dl", "factlist");
  list.append(fact(say("fact_place"), placeName(ad.d)));
  const times = ad.pay && ad.ref ? say("pay_times", { ratio: number(ad.pay / ad.ref, 1), reference: rupiah(ad.ref) }) : "";
  list.append(fact(say("fact_pay"), ad.pay ? rupiah(ad.pay) : say("none_stated"), times));
  list.append(fact(say("fact_agency"), say("agency_" + ad.a)));
  list.append(fact(say("fact_status"), say("status_" + ad.s)));
  list.append(fact(say("fact_language"), say("language_" + ad.l)));
  list.append(fact(say("fact_row"), String(ad.n)));
  DATA.columns.forEach(([name, field], i) => {
    if (field === "id" && ad.x[i].trim()) list.append(fact(name, plain(ad.x[i]).slice(0, 60)));
  });
  const given = DATA.columns.findIndex(([name]) => name === "label");
  if (given >= 0 && ad.x[given]) list.append(fact(say("given_label"), plain(ad.x[given]).slice(0, 40)));
  return list;
}

function words(ad) {
  const section = make("section", "ad");
  const bar = make("div", "sectionhead");
  const keys = make("span", "keys");
  for (const sign of ["risk", "safety"]) {
    const key = make("span", "key");
    key.append(make("mark", sign, "Aa"), say("legend_" + sign));
    keys.append(key);
  }
  const check = make("label", "check");
  const box = make("input", "", null, { type: "checkbox", id: "words" });
  box.checked = state.words;
  box.addEventListener("change", () => {
    state.words = box.checked;
    showDetail();
    $("words").focus();
  });
  check.append(box, say("legend_words"));
  keys.append(check);
  bar.append(make("h3", "", say("words_of_ad")), keys);
  section.append(bar);
  const marks = marksOf(ad);
  const others = make("dl", "others");
  DATA.columns.forEach(([name, field], column) => {
    if (!ad.x[column].trim()) return;
    if (field && !ASIDE.includes(field)) {
      const cell = make("div", "cell");
      cell.append(make("h4", "", name), ...cellBlock(ad, column, marks[column]));
      section.append(cell);
    } else if (name !== "label" && field !== "id") {
      others.append(fact(name, plain(ad.x[column]).slice(0, 200)));
    }
  });
  if (others.children.length) {
    const more = make("details", "more");
    more.append(make("summary", "", say("other_columns")), others);
    section.append(more);
  }
  return section;
}

function firstWords(ad, kind, spans) {
  const flat = kind >= 0 ? (ad.e.find(([index]) => index === kind) || [0, []])[1] : spans || [];
  const said = [];
  for (let i = 0; i < Math.min(flat.length, 9); i += 3) {
    const [column, from, to] = flat.slice(i, i + 3);
    const covered = (ad.h || []).some((h) => h[0] === column && h[1] < to && from < h[2]);
    const piece = plain(ad.x[column].slice(from, Math.min(to, from + 80)));
    said.push(covered ? dots(piece) : piece);
  }
  return [...new Set(said)].join(" … ");
}

function reasonRow(weight, sentence, quote, most, kind) {
  const row = make("tr", weight > 0 ? "risk" : "safety");
  const bar = make("td", "bar", null, { "aria-hidden": "true" });
  const fill = make("span");
  fill.style.width = (50 * Math.min(1, Math.abs(weight) / most)) + "%";
  bar.append(fill);
  const text = make("td", "sentence", null, { dir: "auto" });
  text.append(sentence);
  if (quote) text.append(make("q", "", quote, { dir: "auto" }));
  row.append(make("td", "weight", signed(weight)), bar, text);
  if (kind >= 0) {
    row.classList.add("linked");
    row.addEventListener("click", () => flash(kind));
  }
  return row;
}

function reasons(ad) {
  const section = make("section", "why");
  const bar = make("div", "sectionhead");
  bar.append(make("h3", "", say("reasons")), make("span", "note", say("reasons_note")));
  section.append(bar);
  const strong = ad.r.filter(([, weight], i) => i < STRONGEST && Math.abs(weight) >= LEAST).length;
  const shown = state.wide ? ad.r : ad.r.slice(0, strong);
  const most = Math.max(1, Math.abs(ad.b), ...ad.r.map(([, weight]) => Math.abs(weight)));
  const table = make("table", "reasons");
  const body = make("tbody");
  for (const [sentence, weight, kind, spans] of shown) {
    body.append(reasonRow(weight, DATA.sentences[sentence][second()], firstWords(ad, kind, spans), most, kind));
  }
  const rest = ad.r.slice(shown.length);
  if (rest.length) {
    body.append(reasonRow(rest.reduce((sum, r) => sum + r[1], 0), say("rest", { n: rest.length }), "", most, -1));
  }
  body.append(reasonRow(ad.b, say("bias"), "", most, -1));
  table.append(body);
  if (ad.z !== undefined) {
    const foot = make("tfoot");
    const sum = make("tr");
    sum.append(make("td", "weight", signed(ad.z)), make("td"), make("td", "", say("sum") + " → " + percent(ad.p)));
    foot.append(sum);
    table.append(foot);
  }
  section.append(table);
  if (ad.r.length > strong) {
    const button = make("button", "link", say(state.wide ? "hide_rest" : "show_rest"), { type: "button", id: "all-reasons" });
    button.addEventListener("click", () => {
      state.wide = !state.wide;
      showDetail();
      $("all-reasons")?.focus();
    });
    section.append(button);
  }
  const weighed = new Set(ad.r.map((r) => r[2]));
  const idle = ad.e.map(([index]) => index).filter((index) => !weighed.has(index));
  if (idle.length) section.append(make("p", "note", say("not_weighed") + ": " + idle.map(indicatorName).join(" · ")));
  return section;
}

function repeats(index) {
  const alike = groups.get(ADS[index].g).filter((i) => i !== index);
  if (!alike.length) return null;
  const section = make("section", "repeats");
  const bar = make("div", "sectionhead");
  const check = make("label", "check");
  const box = make("input", "", null, { type: "checkbox" });
  box.checked = state.together;
  box.addEventListener("change", () => { state.together = box.checked; });
  check.append(box, say("together"));
  bar.append(make("h3", "", say("repeats_heading", { n: number(alike.length) })), check);
  const list = make("ul");
  for (const i of alike.slice(0, 100)) {
    const ad = ADS[i];
    const entry = make("li");
    const button = make("button", "repeat", null, { type: "button" });
    button.append(tierPill(ad), make("span", "share", percent(ad.p)));
    if (labelOf(i)) button.append(badge(labelOf(i)));
    button.append(make("span", "excerpt", plain(titleOf(ad) || proseOf(ad)).slice(0, 120), { dir: "auto" }));
    button.addEventListener("click", () => select(i));
    entry.append(button);
    list.append(entry);
  }
  section.append(bar, list);
  return section;
}

function flash(kind) {
  const found = [...$("detail").querySelectorAll("mark")].filter((mark) => mark.marks?.some(([k]) => k === kind));
  for (const mark of found) {
    mark.classList.remove("flash");
    void mark.offsetWidth;
    mark.classList.add("flash");
  }
  found[0]?.scrollIntoView({ block: "center" });
}

function showDetail() {
  hideTip();
  const box = $("detail");
  const index = state.current;
  if (index < 0) {
    box.replaceChildren(make("p", "empty", say("found_none")));
    return;
  }
  const ad = ADS[index];
  const parts = [head(index), labelButtons(index), words(ad), facts(ad), reasons(ad), repeats(index)];
  box.replaceChildren(...parts.filter(Boolean));
}
