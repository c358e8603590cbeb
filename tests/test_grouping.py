"""Campaigns of a table: what is written of them, and that nothing an ad says can break a file."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from jobscam import knowledge, sorting
from jobscam.campaigns import graph
from jobscam.campaigns.contacts import mask, shipped_keys
from jobscam.campaigns.summary import CAMPAIGN_COLUMNS
from jobscam.cli.app import app
from jobscam.errors import InputError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.grouping import GroupSummary, group_table
from jobscam.posting import Posting
from jobscam.streaming import score_table
from jobscam.text.dates import DateReader

LURE = "Dicari operator game online penempatan {place}, bisa mengetik cepat, mess dan makan disediakan, paspor dibuatkan bos, gaji {pay}jt"
WAITER = "Restoran di Bandung mencari pramusaji yang ramah dan rapi, shift pagi atau sore, makan siang disediakan, gaji UMR"
DRIVER = "Perusahaan ekspedisi mencari sopir truk dengan SIM B umum, hafal jalan lintas Sumatra, uang jalan di luar gaji pokok"
SEEKER = "Saya mencari kerja apa saja di Medan, tamatan SMA, bisa mengemudi dan memasak, siap kerja minggu depan"
ADS = [
    ("a1", LURE.format(place="Poipet", pay=12) + " WA 0812-0000-1473", "10/11/2026", "grup loker"),
    ("a2", WAITER, "", "portal"),
    ("a3", "🔥 " + LURE.format(place="Poipet", pay=9) + " WA 0856-0000-2211", "2026-11-02 08:00", "grup loker"),
    ("a4", "", "", ""),
    ("a5", DRIVER + " WA 0856 0000 2211", "3 Nov 2026", "kanal <b>"),
    ("a6", SEEKER, "", "portal"),
    ("a7", SEEKER, "", "portal"),
]


class FakeScorer:
    """Risk by a word of the ad; the seeker's post is no ad."""

    def assess_many(self, items: Sequence[Posting]) -> list[Any]:
        return [self._assess(item.text()) for item in items]

    def _assess(self, text: str) -> Any:
        seeker = text.startswith("Saya")
        probability = 0.9 if "gaji 9jt" in text else 0.8 if "operator" in text else 0.1
        values = dict.fromkeys(OUTPUT_COLUMNS, "") | {
            "jobscam_probability": f"{probability:.6f}",
            "jobscam_tier": "" if seeker else "high" if probability > 0.5 else "low",
            "jobscam_status": "not_an_ad" if seeker else "scored",
            "jobscam_reasons": "wa 0856-0000-2211",
            "jobscam_salary_month_idr": f"{text.split('gaji ')[1].split('jt')[0]}000000" if "jt" in text else "",
            "jobscam_destination": "KH" if "Poipet" in text else "ID",
            "jobscam_model": "fake-1",
        }
        return SimpleNamespace(
            columns=lambda reasons, language: values, logit=probability, probability=probability, prevalence=0.1
        )


def write(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = ("id", "text", "tanggal", "sumber")) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def run(tmp_path: Path, rows: Sequence[Sequence[str]] = ADS, **options: Any) -> tuple[list[dict[str, str]], GroupSummary]:
    write(tmp_path / "ads.csv", rows)
    summary = group_table(tmp_path / "ads.csv", tmp_path / "out.csv", options.pop("factory", FakeScorer), **options)
    return read(tmp_path / "out.csv"), summary


def test_what_is_said_of_a_campaign(tmp_path: Path) -> None:
    rows, summary = run(tmp_path)
    lure, seeker = rows
    assert list(lure) == list(CAMPAIGN_COLUMNS)
    assert {k: v for k, v in lure.items() if k not in ("campaign", "ad")} == {
        "size": "3",
        "tier": "high",
        "probability": "0.900000",
        "first_date": "2026-11-02",
        "last_date": "2026-11-10",
        "sources": "grup loker (2); kanal <b> (1)",
        "contacts": "phone:62856*** (2); phone:62812*** (1)",
        "destinations": "KH (2); ID (1)",
        "salary_min_idr": "9000000",
        "salary_median_idr": "10500000",
        "salary_max_idr": "12000000",
        "line": "4",
        "id": "a3",
        "reasons": "wa 0856***",
    }
    assert lure["ad"].startswith("🔥 Dicari operator") and lure["ad"].endswith("WA 0856***")
    # Ads that are not ranked come last, whatever their probability.
    assert (seeker["size"], seeker["tier"], seeker["id"], seeker["first_date"], seeker["contacts"]) == ("2", "", "a6", "", "")
    assert (summary.rows_in, summary.rows_out, summary.rejected) == (7, 6, 1)
    assert (summary.found, summary.listed, summary.ads, summary.was_scored) == (3, 2, 5, False)
    assert [r["reason"] for r in read(tmp_path / "out.rejects.csv")] == ["no text"]


def test_contacts_in_full_only_where_asked_for(tmp_path: Path) -> None:
    rows, _ = run(tmp_path, show_contacts=True)
    assert rows[0]["contacts"] == "phone:6285600002211 (2); phone:6281200001473 (1)"
    assert rows[0]["ad"].endswith("WA 0856-0000-2211")
    shown = (tmp_path / "out.csv").read_text(encoding="utf-8")
    run(tmp_path)
    masked = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert "2211" in shown and "2211" not in masked


def test_members_and_unique(tmp_path: Path) -> None:
    rows, _ = run(tmp_path, members=tmp_path / "members.csv", unique=tmp_path / "unique.csv")
    members, unique = read(tmp_path / "members.csv"), read(tmp_path / "unique.csv")
    expected = ["id", "text", "tanggal", "sumber", *OUTPUT_COLUMNS, "jobscam_campaign", "jobscam_campaign_size"]
    assert list(members[0]) == list(unique[0]) == expected
    assert [r["id"] for r in members] == ["a1", "a3", "a5", "a6", "a7"]
    assert {r["jobscam_campaign"] for r in members} == {r["campaign"] for r in rows}
    assert [(r["id"], r["jobscam_campaign_size"]) for r in unique] == [("a3", "3"), ("a2", "1"), ("a6", "2")]
    assert unique[0]["jobscam_reasons"] == "wa 0856-0000-2211"


def test_campaigns_of_one(tmp_path: Path) -> None:
    rows, summary = run(tmp_path, min_size=1, members=tmp_path / "members.csv", unique=tmp_path / "unique.csv")
    assert [r["size"] for r in rows] == ["3", "1", "2"]
    assert summary.listed == summary.found == 3
    assert len(read(tmp_path / "members.csv")) == 6 and len(read(tmp_path / "unique.csv")) == 3
    assert run(tmp_path, min_size=4)[0] == []


def test_scored_tables_keep_their_scores(tmp_path: Path) -> None:
    first, _ = run(tmp_path)
    score_table(tmp_path / "ads.csv", tmp_path / "scored.csv", FakeScorer, order="input", campaigns=True)

    def no_scorer() -> FakeScorer:
        raise AssertionError("the table is scored")

    summary = group_table(tmp_path / "scored.csv", tmp_path / "again.csv", no_scorer, unique=tmp_path / "unique.csv")
    assert summary.was_scored
    again = read(tmp_path / "again.csv")
    assert [{**r, "line": ""} for r in again] == [{**r, "line": ""} for r in first]
    names = [name for name in read(tmp_path / "unique.csv")[0] if name.startswith("jobscam_")]
    assert names == [*OUTPUT_COLUMNS, "jobscam_campaign", "jobscam_campaign_size"]


@pytest.mark.parametrize("value", ["viel", "1.5", "nan", "-0.1"])
def test_a_score_that_cannot_be_read_is_rejected(tmp_path: Path, value: str) -> None:
    header = ("text", "jobscam_probability", "jobscam_tier", "jobscam_status")
    write(
        tmp_path / "in.csv",
        [(WAITER, value, "low", "scored"), (DRIVER, "0.5", "high", "scored"), (SEEKER, "", "", "not_an_ad")],
        header,
    )
    summary = group_table(tmp_path / "in.csv", tmp_path / "out.csv", FakeScorer, min_size=1)
    assert (summary.rows_in, summary.rows_out, summary.rejected) == (3, 2, 1)
    (reject,) = read(tmp_path / "out.rejects.csv")
    assert reject["line"] == "2" and reject["reason"] == f"jobscam_probability '{value}' is not what jobscam writes there"
    assert WAITER in reject["raw"]


def test_same_bytes_for_any_workers_chunk_and_order_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("out.csv", "members.csv", "unique.csv", "g.graphml")
    options = {"members": tmp_path / "members.csv", "unique": tmp_path / "unique.csv", "graph_to": tmp_path / "g.graphml"}
    seen = set()
    for workers, chunk, run_bytes in [(1, 256, 1 << 26), (2, 1, 300)]:
        monkeypatch.setattr(sorting, "_RUN_BYTES", run_bytes)
        run(tmp_path, workers=workers, chunk=chunk, **options)
        seen.add(tuple((tmp_path / name).read_bytes() for name in names))
    assert len(seen) == 1
    first = [{**r, "line": ""} for r in read(tmp_path / "out.csv")]
    shuffled = random.Random(4).sample(ADS[:6], 6)  # without the copy, of which the first in the table stands for both
    again, _ = run(tmp_path, shuffled)
    assert [{**r, "line": ""} for r in again] == first[:1]


def test_score_adds_the_campaign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "ads.csv", ADS)
    for order in ("risk", "input"):
        seen = set()
        for workers, chunk, run_bytes in [(1, 256, 1 << 26), (2 if order == "risk" else 1, 1, 300)]:
            monkeypatch.setattr(sorting, "_RUN_BYTES", run_bytes)
            score_table(
                tmp_path / "ads.csv",
                tmp_path / f"{order}.csv",
                FakeScorer,
                order=order,
                campaigns=True,
                workers=workers,
                chunk=chunk,
            )  # type: ignore[arg-type]
            seen.add((tmp_path / f"{order}.csv").read_bytes())
        assert len(seen) == 1
    rows = read(tmp_path / "input.csv")
    assert list(rows[0])[-2:] == ["jobscam_campaign", "jobscam_model"]
    a1, a2, a3, a5, a6, a7 = (r["jobscam_campaign"] for r in rows)
    assert a1 == a3 == a5 and a6 == a7 and len({a1, a2, a6}) == 3
    assert {r["id"]: r["jobscam_campaign"] for r in read(tmp_path / "risk.csv")} == {r["id"]: r["jobscam_campaign"] for r in rows}
    score_table(tmp_path / "ads.csv", tmp_path / "plain.csv", FakeScorer, order="risk")
    without = [{k: v for k, v in r.items() if k != "jobscam_campaign"} for r in read(tmp_path / "risk.csv")]
    assert without == read(tmp_path / "plain.csv")


def elements(path: Path, tag: str) -> list[ElementTree.Element]:
    return [e for e in ElementTree.parse(path).iter() if e.tag.endswith("}" + tag)]


@pytest.mark.parametrize("suffix", graph.FORMATS)
def test_graph(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"g{suffix}"
    rows, _ = run(tmp_path, graph_to=path)
    nodes = {e.attrib["id"] for e in elements(path, "node")}
    lines = {f"line-{n}" for n in (2, 4, 6, 7, 8)}
    assert nodes == {r["campaign"] for r in rows} | lines | {"contact-1", "contact-2"}
    edges = {(e.attrib["source"], e.attrib["target"]) for e in elements(path, "edge")}
    lure, seeker = (r["campaign"] for r in rows)
    assert edges == {
        *((lure, f"line-{n}") for n in (2, 4, 6)),
        *((seeker, f"line-{n}") for n in (7, 8)),
        (lure, "contact-1"),
        (lure, "contact-2"),
        ("line-2", "contact-1"),
        ("line-4", "contact-2"),
        ("line-6", "contact-2"),
    }
    assert "2211" not in path.read_text(encoding="utf-8")


@given(st.sampled_from(graph.FORMATS), st.text())
def test_no_text_breaks_a_graph(kind: str, text: str) -> None:
    nodes = [graph.Node(f"n{text}", text, text, "1", text, "0.5", text), graph.Node("m", "ad", "")]
    data = b"".join(graph.encoded(kind, nodes, [graph.Edge(f"n{text}", "m")]))
    root = ElementTree.fromstring(data)
    known = graph._NOT_XML.sub("", text)
    ids = [e.attrib["id"] for e in root.iter() if e.tag.endswith("}node")]
    assert ids == [f"n{known}", "m"]
    assert [e.attrib["source"] for e in root.iter() if e.tag.endswith("}edge")] == [f"n{known}"]


@given(st.text(max_size=120))
def test_masking_any_text(text: str) -> None:
    ad = f"{text}\nWA 0812-0000-1473"
    assert "1473" not in shipped_keys().masked(ad)[len(text) :]
    assert mask(f"handle:{text}").endswith("***")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2025-07-15 16:17:33.000000 UTC", "2025-07-15"),
        ("2022-12-24T06:54:18.000Z", "2022-12-24"),
        ("21 Jan 2024", "2024-01-21"),
        ("Senin, 17 Agustus 2025", "2025-08-17"),
        ("May 3, 2026", "2026-05-03"),
        ("3-5-2026", "2026-05-03"),
        ("12/31/2025", "2025-12-31"),
        ("31/02/2025", ""),
        ("2 hari lalu", ""),
        ("99 Xyz 2025", ""),
        ("", ""),
    ],
)
def test_dates(text: str, found: str) -> None:
    assert DateReader(knowledge.load()).read(text) == found


@given(st.text(max_size=150))
def test_dates_of_any_text(text: str) -> None:
    assert len(DateReader(knowledge.load()).read(text)) in (0, 10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"graph_to": "g.png"}, "graphs are written as .graphml or .gexf"),
        ({"min_size": 0}, "min_size must be at least 1"),
        ({"members": "ads.csv"}, "is the input itself"),
        ({"members": "./out.csv"}, "is named twice"),
        ({"members": "-", "unique": "-"}, "only one table can go to standard output"),
    ],
)
def test_wrong_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], words: str) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "ads.csv", ADS)
    with pytest.raises(InputError, match=words):
        group_table("ads.csv", "out.csv", FakeScorer, **options)
    assert [p.name for p in tmp_path.iterdir()] == ["ads.csv"]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr("jobscam.scoring.load", lambda **_: FakeScorer())
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "ads.csv", ADS)
    return CliRunner().invoke


def test_command(cli: Any, tmp_path: Path) -> None:
    result = cli(app, ["campaigns", "ads.csv", "--graph", "g.gexf", "--members", "m.csv", "--unique", "u.csv"])
    assert result.exit_code == 3, result.output  # one row holds no text
    assert result.stdout == ""
    for words in (
        "Columns read: id as id, text as description, tanggal as posted_at, sumber as source",
        "7 rows read = 6 grouped + 1 rejected",
        "6 ads in 3 campaigns",
        "2 campaigns of 2 ads or more, with 5 ads in all, written to ads.campaigns.csv",
        "3 ads, high 0.900, 2026-11-02 to 2026-11-10, line 4",
        "One ad for each campaign: u.csv",
    ):
        assert words in result.stderr
    assert "2211" not in result.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "ads.campaigns.csv", "ads.campaigns.rejects.csv", "ads.csv", "g.gexf", "m.csv", "u.csv",
    ]  # fmt: skip


def test_command_streams(cli: Any) -> None:
    result = cli(app, ["campaigns", "-", "-o", "-", "-q", "--show-contacts"], input=f"text\n{DRIVER}\n{DRIVER}\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("campaign,size,") and result.stdout.count("\n") == 2


def test_score_command_adds_the_campaign(cli: Any, tmp_path: Path) -> None:
    assert cli(app, ["score", "ads.csv", "-q", "--campaigns"]).exit_code == 3
    assert all(r["jobscam_campaign"].startswith("c-") for r in read(tmp_path / "ads.scored.csv"))
    assert cli(app, ["campaigns", "ads.csv", "--graph", "g.dot"]).exit_code == 1
