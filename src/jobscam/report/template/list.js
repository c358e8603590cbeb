"use strict";
// Filters, and the list of what fits, fifty at a time.

function option(value, text) { return make("option", "", text, { value }); }
function fill(id, entries, chosen) {
  const select = $(id);
  select.replaceChildren(option("", say("all")), ...entries);
  select.value = String(chosen);
}
function counted(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
  return counts;
}
const places = [...counted(ADS.map((ad) => ad.d || "?"))];
const languages = [...counted(ADS.map((ad) => ad.l))].sort((a, b) => b[1] - a[1]);
const signs = counted(ADS.flatMap((ad) => ad.e.map(([index]) => index)));

function showFilters() {
  fill("f-tier", KINDS.map((kind) => option(kind, kindName(kind))), state.tier);
  fill("f-language", languages.map(([code, n]) => option(code, say("language_" + code) + " (" + number(n) + ")")), state.language);
  const named = places.map(([iso, n]) => [iso, placeName(iso === "?" ? "" : iso), n]).sort((a, b) => a[1].localeCompare(b[1], locale()));
  fill("f-place", named.map(([iso, name, n]) => option(iso, name + " (" + number(n) + ")")), state.place);
  const byLabel = [["none", say("unlabelled")], ["any", say("labelled")], ...LABELS.map((label) => [label, say("label_" + label)])];
  fill("f-label", byLabel.map(([value, name]) => option(value, name)), state.label);
  const families = ["risk", "safety", "context"].map((sign) => {
    const group = make("optgroup", "", null, { label: say(sign + "_signs") });
    const found = [...signs].filter(([index]) => signOf(index) === sign).map(([index, n]) => [index, indicatorName(index), n]);
    found.sort((a, b) => a[1].localeCompare(b[1], locale()));
    group.append(...found.map(([index, name, n]) => option(String(index), name + " (" + number(n) + ")")));
    return group;
  });
  fill("f-indicator", families.filter((group) => group.children.length), state.indicator);
  $("search").placeholder = say("search_hint");
}

function choose(name, value) {
  state[name] = value;
  update();
}

// After any change of what fits: filter anew, keep the ad shown if it still fits, else show the first.
function update() {
  filter();
  const row = rowOf(state.current);
  if (row < 0) {
    state.page = 0;
    state.current = state.rows.length ? state.rows[0][0] : -1;
  } else {
    state.page = Math.floor(row / PAGE);
  }
  for (const name of ["tier", "language", "place", "label", "indicator"]) $("f-" + name).value = String(state[name]);
  const chosen = ["tier", "language", "place", "label", "indicator"].filter((name) => state[name] !== "").length;
  $("more").textContent = say("filters") + (chosen ? " (" + chosen + ")" : "");
  $("more").classList.toggle("active", chosen > 0);
  showCharts();
  showList();
  showDetail();
}

function badge(label) { return make("span", "badge " + label, say("label_" + label)); }
function tierPill(ad) {
  const pill = make("span", "pill " + tierOf(ad));
  pill.append(make("span", "dot"), tierName(ad));
  return pill;
}

function item(row) {
  const index = row[0];
  const ad = ADS[index];
  const shown = row.includes(state.current);
  const entry = make("li");
  const button = make("button", "item " + tierOf(ad), null, { type: "button", "data-ad": String(index) });
  if (shown) button.setAttribute("aria-current", "true");
  const head = make("span", "line");
  head.append(tierPill(ad), make("span", "share", percent(ad.p)));
  if (row.length > 1) head.append(make("span", "alike", say("repeats", { n: row.length - 1 })));
  const label = labelOf(shown ? state.current : index);
  if (label) head.append(badge(label));
  const title = plain(titleOf(ad));
  const prose = plain(proseOf(ad));
  button.append(head);
  if (title) button.append(make("span", "title", title.slice(0, 120), { dir: "auto" }));
  if (prose) button.append(make("span", title ? "excerpt" : "excerpt more", prose.slice(0, 240), { dir: "auto" }));
  const facts = make("span", "facts");
  if (ad.d) facts.append(make("span", "", placeName(ad.d)));
  if (ad.pay) facts.append(make("span", "", rupiah(ad.pay)));
  facts.append(make("span", "", say("fact_row") + " " + ad.n));
  button.append(facts);
  button.addEventListener("click", () => {
    select(index);
    read(true);
  });
  entry.append(button);
  return entry;
}

function showList() {
  const held = $("items").contains(document.activeElement);
  const from = state.page * PAGE;
  const visible = state.rows.slice(from, from + PAGE);
  $("items").replaceChildren(...visible.map(item));
  const ads = state.rows.reduce((sum, row) => sum + row.length, 0);
  const all = state.rows.length;
  $("found").textContent = !all ? say("found_none")
    : all < ads ? say("found_groups", { groups: number(all), ads: number(ads) }) : say("found_ads", { ads: number(ads) });
  $("fold-label").hidden = !HAS_GROUPS;
  $("pager").hidden = all <= PAGE;
  $("page-of").textContent = say("page_of", { from: number(from + 1), to: number(Math.min(from + PAGE, all)), total: number(all) });
  $("page-previous").disabled = state.page === 0;
  $("page-next").disabled = from + PAGE >= all;
  if (held) $("items").querySelector("[aria-current]")?.focus();
  showProgress();
}
function showProgress() {
  let done = 0;
  for (let i = 0; i < ADS.length; i++) if (labelOf(i)) done++;
  $("progress").textContent = say("progress", { done: number(done), total: number(ADS.length) });
  $("export").disabled = done === 0;
}

function turn(page) {
  state.page = Math.max(0, Math.min(page, Math.ceil(state.rows.length / PAGE) - 1));
  state.current = state.rows[state.page * PAGE]?.[0] ?? -1;
  showList();
  showDetail();
  $("list").scrollIntoView({ block: "start" });
}

function select(index) {
  state.current = index;
  state.wide = false;
  const row = rowOf(index);
  if (row >= 0) state.page = Math.floor(row / PAGE);
  showList();
  showDetail();
  $("detail").scrollTop = 0;
  if (onPhone()) scrollTo(0, 0); // there the page scrolls, not the ad
  const chosen = $("items").querySelector("[aria-current]");
  if (chosen && chosen.offsetParent) chosen.scrollIntoView({ block: "nearest" });
}
function onPhone() { return state.reading && getComputedStyle($("list")).display === "none"; }
function move(step) {
  if (!state.rows.length) return;
  const row = rowOf(state.current) + step;
  if (row >= 0 && row < state.rows.length) select(state.rows[row][0]);
}
