"use strict";
// What the user does: keys, buttons, export.

function announce(text) { $("said").textContent = text; }

function read(on) {
  state.reading = on;
  document.body.classList.toggle("reading", on);
  if (onPhone()) {
    scrollTo(0, 0);
    $("detail").focus({ preventScroll: true });
  } else if (!on) {
    const chosen = $("items").querySelector("[aria-current]");
    chosen?.scrollIntoView({ block: "center" });
    chosen?.focus({ preventScroll: true });
  }
}

function labelAs(label) {
  const index = state.current;
  if (index < 0) return;
  const row = rowOf(index);
  const following = row >= 0 && row + 1 < state.rows.length ? state.rows[row + 1][0] : index;
  const value = setLabel(index, label);
  announce(value ? say("label_" + value) : say("label_none"));
  if (value) state.current = following;
  if (state.label) {
    update();
  }
  select(state.current);
  showNotices();
}
function undo() {
  const index = undoLabel();
  if (index < 0) return;
  if (state.label) filter();
  select(index);
  announce(say("undo"));
}

function exportLabels() {
  const csv = labelsCsv();
  const n = ADS.filter((ad) => labels.get(ad.k)).length;
  if (!n) {
    announce(say("export_none"));
    return;
  }
  const address = URL.createObjectURL(new Blob([csv], { type: "text/csv;charset=utf-8" }));
  const link = make("a", "", "", { download: "jobscam-labels-" + DATA.digest.slice(0, 8) + ".csv" });
  link.href = address;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  announce(say("exported", { n: number(n) }));
}

// A paragraph in which options of the command line stay whole.
function paragraph(className, text) {
  const box = make("p", className);
  box.append(...text.split(/(--[\w-]+)/).map((part) => (part.startsWith("--") ? make("code", "", part) : part)));
  return box;
}
function showHelp() {
  const dialog = $("help-dialog");
  const close = make("button", "primary", say("close"), { type: "button" });
  close.addEventListener("click", () => dialog.close());
  const keys = make("dl", "shortcuts");
  for (const [key, name] of [["S", "scam"], ["L", "legit"], ["U", "unsure"], ["J ↓", "next"], ["K ↑", "previous"],
    ["Z", "undo"], ["/", "search"], ["?", "help"]]) {
    const row = make("div");
    const term = make("dt");
    for (const part of key.split(" ")) term.append(make("kbd", "", part));
    row.append(term, make("dd", "", say("key_" + name)));
    keys.append(row);
  }
  const parts = [make("h2", "", say("help_heading"), { id: "help-heading" }), make("p", "", say("help_intro")), keys, make("p", "", say("help_csv"))];
  if (DATA.masked) parts.push(paragraph("", say("masked_export")));
  dialog.replaceChildren(...parts, close);
  dialog.showModal();
}

function showNotices() {
  const { assessed, shown, left_out: left, rejected } = DATA.counts;
  const said = [];
  if (left) said.push(say("note_left_out", { shown: number(shown), assessed: number(assessed), left_out: number(left) }));
  if (rejected) said.push(say("note_rejected", { rejected: number(rejected) }));
  if (DATA.masked) said.push(say("masked_export"));
  const box = $("notices");
  box.replaceChildren();
  if (said.length) box.append(paragraph("notice", said.join(" ")));
  if (!storage) box.append(make("p", "notice strong", say("note_storage")));
}

function showAll() {
  document.documentElement.lang = state.lang;
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
    if (element.tagName === "BUTTON") element.title = say(element.dataset.label);
  }
  const meta = [DATA.source, say("found_ads", { ads: number(ADS.length) }), say("meta_model", { model: DATA.model })];
  if (DATA.prevalence) meta.push(say("meta_share", { share: number(100 * DATA.prevalence, DATA.prevalence < 0.01 ? 1 : 0) + "%" }));
  meta.push(say(DATA.masked ? "meta_masked" : "meta_shown"));
  $("meta").textContent = meta.join(" · ");
  for (const button of $("languages").children) button.setAttribute("aria-pressed", String(button.dataset.lang === state.lang));
  showNotices();
  showFilters();
  update();
}

const KEYS = {
  s: () => labelAs("scam"), l: () => labelAs("legit"), u: () => labelAs("unsure"),
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  z: undo, "/": () => { $("search").focus(); $("search").select(); }, "?": showHelp, Escape: () => read(false),
};

const MOVES = new Set([KEYS.j, KEYS.k, KEYS.ArrowDown, KEYS.ArrowUp]);

function listen() {
  let waiting = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => choose("search", $("search").value), 120);
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["tier", "language", "place", "label"]) {
    $("f-" + name).addEventListener("change", (event) => choose(name, event.target.value));
  }
  $("f-indicator").addEventListener("change", (event) => choose("indicator", event.target.value === "" ? "" : Number(event.target.value)));
  $("reset").addEventListener("click", () => {
    Object.assign(state, { search: "", tier: "", language: "", indicator: "", place: "", label: "" });
    $("search").value = "";
    update();
  });
  $("more").addEventListener("click", () => {
    const open = $("filters").classList.toggle("open");
    $("more").setAttribute("aria-expanded", String(open));
  });
  $("fold").addEventListener("change", () => choose("fold", $("fold").checked));
  $("page-previous").addEventListener("click", () => turn(state.page - 1));
  $("page-next").addEventListener("click", () => turn(state.page + 1));
  $("export").addEventListener("click", exportLabels);
  $("help").addEventListener("click", showHelp);
  for (const button of $("languages").children) {
    button.addEventListener("click", () => {
      state.lang = button.dataset.lang;
      showAll();
    });
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea");
    if (event.key === "Escape" && typing) typing.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || typing || $("help-dialog").open) return;
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    if (event.repeat && !MOVES.has(act)) return; // a key held down must not label one ad after the other
    act();
  });
  const detail = $("detail");
  const over = (event) => {
    const mark = event.target.closest("mark[tabindex]");
    if (mark) showTip(mark);
    else hideTip();
  };
  for (const kind of ["pointerover", "focusin", "click"]) detail.addEventListener(kind, over);
  detail.addEventListener("pointerleave", hideTip);
  detail.addEventListener("focusout", hideTip);
  addEventListener("scroll", hideTip, { passive: true, capture: true });
  addEventListener("storage", (event) => {
    if (event.key !== STORE || !storage) return; // labels that could not be stored are nowhere else
    labels.clear();
    load();
    update();
  });
}

load();
listen();
if (matchMedia("(max-width: 759px)").matches) $("overview").open = false;
showAll();
