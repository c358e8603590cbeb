"""The review page as a file: inert, masked, exact, the same each time."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from jobscam import knowledge, report
from jobscam.cli.app import app
from jobscam.errors import InputError
from jobscam.indicators.contact_finder import Contact
from jobscam.labelled import read_labelled
from jobscam.model import artifact
from jobscam.posting import ColumnMap, Posting, field_of
from jobscam.report.collect import Collector, Riskiest
from jobscam.report.layout import Layout, utf16
from jobscam.report.mask import Masker
from jobscam.report.page import SCRIPTS, inert, render, strings
from jobscam.report.record import CELL_LIMIT
from jobscam.scoring import Scorer
from jobscam.streaming import score_table
from jobscam.values import Span

pytestmark = pytest.mark.skipif(not artifact.list_artifacts(), reason="no shipped model in models/ yet")
ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "data" / "samples" / "ads.csv"
LURE = "🔥🔥 Loker Kamboja 🇰🇭, admin slot, gaji 12jt, tiket & paspor ditanggung, WA +855 23 0000 111"
HONEST = "Dicari kasir toko di Depok, jujur dan rajin, gaji 2,5jt, lamaran antar langsung ke toko"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!-- <script> --> ]]> &lt;script&gt; {{script}} {{data}}",
    "\u202egnp.exe \u2066 gaji \u2069 \u200f kerja",
    "nol \x00 dan \x1b[2J dan \x7f\x85\u2028\u2029\ufeff",
    "sebagian \ud83d saja",
)


MASKER = Masker(knowledge.load())


@pytest.fixture
def masker() -> Masker:
    return MASKER


def data_of(page: str) -> Any:
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def written(tmp_path: Path, data: Any, scorer: Scorer, **options: Any) -> tuple[str, Any]:
    report.write(tmp_path / "page.html", data, scorer=scorer, **options)
    page = (tmp_path / "page.html").read_bytes().decode()
    return page, data_of(page)


# --- the file -----------------------------------------------------------------------------------------------------------


def test_hostile_ads_are_data_and_nothing_else(tmp_path: Path, scorer: Scorer) -> None:
    page, data = written(tmp_path, [f"{HONEST} {text}" for text in HOSTILE], scorer)
    shell = render({**data, "ads": []}).replace(inert({**data, "ads": [], "strings": strings()}), "")
    json_text = re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)[0]
    assert not set("<>&\u2028\u2029\u202e\u2066\u2069\x00\x1b") & set(json_text)
    assert page.replace(json_text, "") == shell
    shown = {ad["x"][0] for ad in data["ads"]}
    assert shown == {f"{HONEST} {text}".replace("\ud83d", "\ufffd") for text in HOSTILE}


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_json_comes_back_and_holds_no_markup(text: str) -> None:
    found = inert({"text": text})
    assert json.loads(found) == {"text": text}
    assert not set("<>&\u2028\u2029") & set(found)


def test_policy_allows_the_script_and_style_of_the_page_alone(tmp_path: Path, scorer: Scorer) -> None:
    page, _ = written(tmp_path, [LURE], scorer)
    policy = html.unescape(re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[0])
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert len(scripts) == len(styles) == 1
    for rule, text in (("script-src", scripts[0]), ("style-src", styles[0])):
        assert rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert rules["default-src"] == rules["connect-src"] == "'none'"
    assert "unsafe" not in policy
    outside = page.replace(scripts[0], "").replace(styles[0], "")
    assert not re.search(r"(?:src|href)=\"(?!data:,|#)", outside)


def test_script_never_parses_markup() -> None:
    folder = Path(report.__file__).parent / "template"
    assert sorted(p.name for p in folder.glob("*.js")) == sorted(SCRIPTS)
    for path in folder.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for word in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "</script",
            "<!--",
        ):
            assert word not in text, f"{path.name}: {word}"


def test_interface_says_everything_in_both_languages() -> None:
    said = strings()
    assert set(said["id"]) == set(said["en"])
    for key, text in said["id"].items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", said["en"][key])), key
    folder = Path(report.__file__).parent / "template"
    used = "\n".join(p.read_text(encoding="utf-8") for p in (*folder.glob("*.js"), folder / "page.html"))
    named = set(re.findall(r'say\("(\w+)"', used)) | set(re.findall(r'data-(?:say|label)="(\w+)"', used))
    assert {name for name in named if not name.endswith("_")} <= set(said["en"])


def test_same_bytes_each_time(tmp_path: Path) -> None:
    lines = SAMPLES.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "ads.csv").write_text("".join(lines[:400]), encoding="utf-8")
    for name in ("one", "two"):
        report.write_table(tmp_path / "ads.csv", tmp_path / f"{name}.html", {}, language="en", limit=40)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


# --- what it holds ------------------------------------------------------------------------------------------------------


def test_riskiest_first_and_the_rest_counted(tmp_path: Path, scorer: Scorer) -> None:
    _, data = written(tmp_path, [HONEST, LURE, "halo", HONEST + " segera"], scorer, limit=2, language="en")
    assert data["ads"][0]["n"] == 2
    assert data["counts"] == {"assessed": 4, "shown": 2, "left_out": 2, "rejected": 0}
    assert data["lang"] == "en"
    probabilities = [ad["p"] for ad in data["ads"]]
    assert probabilities == sorted(probabilities, reverse=True)


def test_weights_add_up(tmp_path: Path, scorer: Scorer) -> None:
    _, data = written(tmp_path, [HONEST, LURE], scorer)
    for ad in data["ads"]:
        assert ad["b"] + sum(r[1] for r in ad["r"]) == pytest.approx(ad["z"], abs=1e-2)
        found = scorer.assess(ad["x"][0])
        assert ad["z"] == pytest.approx(found.logit, abs=0.2)


def test_spans_point_at_the_words_in_utf16(tmp_path: Path, scorer: Scorer) -> None:
    _, data = written(tmp_path, [LURE], scorer, show_contacts=True)
    ad = data["ads"][0]
    units = ad["x"][0].encode("utf-16-le")
    words = {
        data["indicators"][index][0]: units[2 * spans[1] : 2 * spans[2]].decode("utf-16-le") for index, spans in ad["e"] if spans
    }
    assert words["gambling_work"] == "admin slot"
    assert words["destination_hub"] == "Kamboja"
    assert words["phone_in_hub_country"] == "+855 23 0000 111"


@given(st.text(st.sampled_from("ab😀🇰é"), max_size=20))
def test_utf16_offsets(text: str) -> None:
    at = utf16(text)
    assert [at(i) for i in range(len(text) + 1)] == [len(text[:i].encode("utf-16-le")) // 2 for i in range(len(text) + 1)]


def test_a_field_of_several_columns_is_shown_in_each() -> None:
    mapping = ColumnMap.from_header(["teks", "isi", "judul"])
    layout = Layout(mapping)
    cells = ["satu dua", "  ", "tiga"]
    assert layout.spans(cells, Span("description", 5, 8)) == [(0, 5, 8)]
    cells = ["satu", "dua tiga", "empat"]
    assert mapping.posting(cells).description == "satu\ndua tiga"
    assert layout.spans(cells, Span("description", 2, 8)) == [(0, 2, 4), (1, 0, 3)]
    assert layout.spans(cells, Span("title", 0, 5)) == [(2, 0, 5)]


@pytest.mark.parametrize(
    ("header", "overrides"),
    [(["x1"], {}), (["text", "isi_saya"], {"description": "isi_saya"}), (["a", "b"], {"title": "a", "description": "b"})],
)
def test_exported_names_are_read_alike(header: list[str], overrides: dict[str, str]) -> None:
    mapping = ColumnMap.from_header(header, overrides)
    names = [*Layout(mapping).export_names(range(len(header))), "label", "labelled_by_hand"]
    assert ColumnMap.from_header(names).fields == mapping.fields


def test_long_ads_are_cut_and_said_to_be(tmp_path: Path, scorer: Scorer) -> None:
    page, data = written(tmp_path, ["gaji " * 200_000, HONEST], scorer)
    (long,) = [ad for ad in data["ads"] if "u" in ad]
    assert long["u"] == [[0, 1_000_000]]
    assert len(long["x"][0]) == CELL_LIMIT
    assert len(page) < 600_000


def test_page_is_bounded(tmp_path: Path, scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobscam.report.collect.PAGE_LIMIT", 10_000)
    _, data = written(tmp_path, [f"{HONEST} {i}" for i in range(5)], scorer)
    assert data["counts"] == {"assessed": 5, "shown": 2, "left_out": 3, "rejected": 0}


def test_kinds_of_input(tmp_path: Path, scorer: Scorer) -> None:
    frame = pd.DataFrame({"judul": ["Kasir", None], "isi": [HONEST, LURE], "jobscam_tier": ["low", "low"], "no": [1.0, 2.0]})
    _, data = written(tmp_path, frame, scorer, show_contacts=True)
    assert [c[0] for c in data["columns"]] == ["judul", "isi", "no"]
    assert data["ads"][0]["x"] == ["", LURE, "2"]
    mappings = [{"text": HONEST}, {"judul": "Admin", "text": LURE}]
    postings = [Posting(description=HONEST), Posting(title="Admin", description=LURE)]
    for kind in (mappings, postings, scorer.assess_many(postings)):
        _, data = written(tmp_path, kind, scorer)
        assert [ad["n"] for ad in data["ads"]] == [2, 1]
    for wrong in ({"language": "fr"}, {"limit": 0}):
        with pytest.raises(InputError):
            report.write(tmp_path / "page.html", [LURE], scorer=scorer, **wrong)
    with pytest.raises(InputError, match="cannot be written"):
        report.write(tmp_path / "no" / "page.html", [LURE], scorer=scorer)


def test_equal_ads_have_keys_of_their_own(tmp_path: Path, scorer: Scorer) -> None:
    _, data = written(tmp_path, [LURE, LURE, HONEST], scorer)
    keys = [ad["k"] for ad in data["ads"]]
    assert len(set(keys)) == 3 and keys[1] == f"{keys[0]}-2"
    _, again = written(tmp_path, [HONEST, LURE, LURE], scorer, language="en")
    assert again["digest"] == data["digest"]


def test_campaigns_come_from_the_module_that_groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scorer: Scorer) -> None:
    monkeypatch.setattr("jobscam.report.collect.of_postings", lambda postings: [p.description[:6] for p in postings])
    _, data = written(tmp_path, [LURE, HONEST, HONEST + " segera"], scorer)
    assert sorted(Counter(ad["g"] for ad in data["ads"]).values()) == [1, 2]


@given(st.lists(st.integers(-5, 5), max_size=30), st.integers(1, 8))
def test_riskiest_is_the_head_of_the_sorted_list(values: list[int], limit: int) -> None:
    best: Riskiest[int] = Riskiest(limit)
    keys = [(0, float(value), i) for i, value in enumerate(values)]
    for key in keys:
        best.offer(key, lambda key=key: key[2])  # type: ignore[misc]
    assert best.ranked() == [key[2] for key in sorted(keys)[:limit]]


# --- contacts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("WA 0812-0000-1473 ya", "WA 0800-0000-0000 ya"),
        ("hub +62 812 0000 1473", "hub +62 000 0000 0000"),
        ("telp +855 23 0000 111", "telp +855 00 0000 000"),
        ("call (555) 123-0000", "call (500) 000-0000"),
        ("CV ke sari.contoh@gmail.com.", "CV ke xxxxxx@gmail.com."),
        ("CV ke hrd@contoh-garment.example", "CV ke xxxxxx@xxxxxx.example"),
        ("klik https://bit.ly/AbC12?x=1 segera", "klik https://bit.ly/xxxxxx segera"),
        ("klik wa.me/6281200001473 segera", "klik wa.me/xxxxxx segera"),
        ("www.contoh-jaya.com/karir", "xxxxxx.example/xxxxxx"),
        ("DM @bos.contoh ya", "DM @xxxxxx ya"),
        ("sudah #PHONE_0123456789abcdef# disamarkan", "sudah #PHONE_0123456789abcdef# disamarkan"),
        ("gaji 15.000.000, usia 18-35, jam 08.00-17.00", "gaji 15.000.000, usia 18-35, jam 08.00-17.00"),
    ],
)
def test_masks(masker: Masker, text: str, shown: str) -> None:
    masked = masker.mask(text, masker.find(text))
    assert masked.text == shown
    assert [c.kind for c in masker.find(shown)] == [c.kind for c in masker.find(text)]
    assert [masked.text[h.start : h.end].strip("0x -.)") for h in masked.hidden if h.kind == "phone"] == [""] * sum(
        h.kind == "phone" for h in masked.hidden
    )


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=80), st.data())
def test_offsets_survive_masking(text: str, data: Any) -> None:
    bounds = st.integers(0, len(text))
    pairs = data.draw(st.lists(st.tuples(bounds, bounds), max_size=4))
    contacts = [
        Contact(data.draw(st.sampled_from(["phone", "email", "handle"])), min(p), max(p), "") for p in pairs if p[0] != p[1]
    ]
    masked = MASKER.mask(text, contacts)
    inside = {i for c in contacts for i in range(c.start, c.end)}
    for i in range(len(text)):
        start, end = masked.span(i, i + 1)
        assert 0 <= start <= end <= len(masked.text)
        if i not in inside:
            assert masked.text[start:end] == text[i]


def test_no_contact_is_left_anywhere_in_a_masked_page(tmp_path: Path, scorer: Scorer, masker: Masker) -> None:
    rows = list(csv.DictReader(io.StringIO(SAMPLES.read_text(encoding="utf-8"))))[:250]
    header = [*rows[0], "url", "akun", "pengirim"]
    for i, row in enumerate(rows):
        row.update(url=f"https://social.example/p/{i}/08120000{i:04}", akun=f"@penjual{i}.contoh", pengirim=f"0812 0000 {i:04}")
    with (tmp_path / "ads.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, header)
        writer.writeheader()
        writer.writerows(rows)
    report.write_table(tmp_path / "ads.csv", tmp_path / "page.html", {})
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    data = data_of(page)
    names = [name for name, _ in data["columns"]]
    assert "contact" in names and "label" in names
    assert not {"url", "akun", "pengirim", "note", "campaign"} & set(names)
    whole = page.lower()
    looked_for = 0
    for row in rows:
        for text in row.values():
            for contact in masker.find(text):
                said = text[contact.start : contact.end].lower()
                if contact.kind == "link" and "/" not in said.split("//")[-1]:
                    continue  # a bare host, shared by many
                if said.isalpha():
                    continue  # an account called by a word
                if all(c in "0 -+8()" for c in said):
                    continue  # written as a masked number already
                looked_for += 1
                assert inert(said)[1:-1] not in whole, contact.kind
    assert looked_for > 600


def test_masked_texts_score_alike(scorer: Scorer) -> None:
    from jobscam.io import Row, open_table

    with open_table(SAMPLES) as table:
        header = table.header
        rows = [row for row in table if isinstance(row, Row)][:100]
    mapping = ColumnMap.from_header(header)
    collector = Collector(header, mapping, scorer.knowledge, show_contacts=False, limit=1000)
    before = {row.line: scorer.assess(mapping.posting(row.cells)) for row in rows}
    for row in rows:
        collector.add(row.line, row.cells, before[row.line])
    content = collector.content(source="ads", language="id", thresholds={})
    again = ColumnMap.from_header(content["export"])
    moved = [abs((scorer.assess(again.posting(ad["x"])).logit or 0.0) - (before[ad["n"]].logit or 0.0)) for ad in content["ads"]]
    assert sum(m < 0.1 for m in moved) >= 0.97 * len(moved)
    assert max(moved) < 1.5


def test_contacts_are_kept_if_asked_for(tmp_path: Path, scorer: Scorer) -> None:
    frame = pd.DataFrame({"text": [LURE], "url": ["https://social.example/p/1"], "catatan": ["x"]})
    _, data = written(tmp_path, frame, scorer, show_contacts=True)
    assert data["ads"][0]["x"] == [LURE, "https://social.example/p/1", "x"]
    assert data["masked"] is False and "h" not in data["ads"][0]


def test_a_contact_at_the_cut_is_masked_whole(tmp_path: Path, scorer: Scorer) -> None:
    text = "kerja " * 40_000
    text = text[: CELL_LIMIT - 6] + " 0812-0000-1473 " + text[:20_000]
    page, data = written(tmp_path, [text], scorer)
    assert "0812" not in page and "1473" not in data["ads"][0]["x"][0]


# --- labels -------------------------------------------------------------------------------------------------------------


def test_labels_of_an_earlier_page_are_taken_over(tmp_path: Path, scorer: Scorer) -> None:
    frame = pd.DataFrame(
        {"text": [LURE, HONEST, HONEST + " x"], "label": ["scam", "legit", "nonsense"], "labelled_by_hand": ["1", "", "1"]}
    )
    _, data = written(tmp_path, frame, scorer)
    assert {ad["n"]: ad.get("y") for ad in data["ads"]} == {1: "scam", 2: None, 3: None}
    assert data["label_column"] == "label" and [c[0] for c in data["columns"]] == ["text"]


@pytest.mark.parametrize("name", ["label", "Label", "LABEL "])
def test_labels_of_the_table_are_not_overwritten(name: str, tmp_path: Path, scorer: Scorer) -> None:
    _, data = written(tmp_path, pd.DataFrame({"text": [LURE], name: ["legit"]}), scorer, show_contacts=True)
    assert data["label_column"] == "jobscam_label"
    assert data["export"] == ["text", name] and field_of("jobscam_label") is None
    (tmp_path / "labels.csv").write_text(f'text,{name},jobscam_label,labelled_by_hand\n"{LURE}",legit,scam,1\n', encoding="utf-8")
    assert read_labelled(tmp_path / "labels.csv").labels.tolist() == [1.0], "the label that was given by hand"


# --- the commands -------------------------------------------------------------------------------------------------------


def test_report_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ads.csv").write_text(f'id,isi_saya\n1,"{LURE}"\n2,"{HONEST}"\n3,\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["report", "ads.csv", "--lang", "en", "--map", "description=isi_saya", "--limit", "1"])
    assert result.exit_code == 3, result.output
    assert result.stdout == ""
    for said in ("isi_saya as description", "3 rows read = 2 assessed + 1 rejected", "the 1 riskiest ads (1 left out)", "masked"):
        assert said in result.stderr
    data = data_of(Path("ads.report.html").read_text(encoding="utf-8"))
    assert data["lang"] == "en" and data["export"] == ["id", "description"]
    assert data["counts"] == {"assessed": 2, "shown": 1, "left_out": 1, "rejected": 1}
    assert "no text" in Path("ads.report.rejects.csv").read_text(encoding="utf-8")
    shown = CliRunner().invoke(app, ["report", "ads.csv", "-q", "--map", "description=isi_saya", "-o", "-", "--show-contacts"])
    assert data_of(shown.stdout)["masked"] is False and shown.stderr == ""
    same = CliRunner().invoke(app, ["report", "ads.csv", "--map", "description=isi_saya", "-o", "ads.csv"])
    assert same.exit_code == 1 and "is the input itself" in str(same.exception)


def test_a_scored_table_gives_the_same_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ads.csv").write_text(f'id,text\n1,"{LURE}"\n2,"{HONEST}"\n', encoding="utf-8")
    done = CliRunner().invoke(app, ["score", "ads.csv", "-o", "scored.csv", "--report", "a.html", "--report-limit", "1"])
    assert done.exit_code == 0, done.output
    assert "Review page: a.html, the 1 riskiest ads (1 left out), contacts masked" in done.stderr
    first = data_of(Path("a.html").read_text(encoding="utf-8"))
    assert first["counts"] == {"assessed": 2, "shown": 1, "left_out": 1, "rejected": 0}
    assert CliRunner().invoke(app, ["report", "ads.csv", "-o", "b.html", "--limit", "1"]).exit_code == 0
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()
    assert CliRunner().invoke(app, ["report", "scored.csv", "-o", "c.html"]).exit_code == 0
    again = data_of(Path("c.html").read_text(encoding="utf-8"))
    assert again["columns"] == first["columns"] and all(again["ads"][0][k] == first["ads"][0][k] for k in "kxzpnt")


@pytest.mark.parametrize("where", ["-", "scored.csv", "ads.csv"])
def test_the_page_of_a_run_has_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ads.csv").write_text(f'id,text\n1,"{LURE}"\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["score", "ads.csv", "-o", "scored.csv", "--report", where])
    assert result.exit_code in (1, 2)
    assert not Path("scored.csv").exists()


def test_rows_are_handed_over_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "ads.csv").write_text(f'text\n"{HONEST}"\n"{LURE}"\n', encoding="utf-8")
    pages = []
    for order, workers in (("risk", 1), ("input", 1)):
        page = report.RunPage(5)
        summary = score_table(tmp_path / "ads.csv", tmp_path / "out.csv", {}, order=order, workers=workers, on_row=page.take)
        page.write(tmp_path / "page.html", tmp_path / "ads.csv", summary, {})
        pages.append((tmp_path / "page.html").read_bytes())
    assert pages[0] == pages[1]
