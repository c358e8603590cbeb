"""What has changed between two tables: the figures, what is tested, new phrases, and the command."""

from __future__ import annotations

import csv
import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import jobscam
from jobscam import knowledge
from jobscam.cli.app import app
from jobscam.drift import Drift, compare, render, statistics
from jobscam.drift.phrases import _Reader, rising
from jobscam.errors import InputError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.posting import Posting
from jobscam.scoring import Scorer

run = CliRunner().invoke
COLUMNS = ("id", "text", "jobscam_campaign", *OUTPUT_COLUMNS)
READER = _Reader(knowledge.load())


def row(number: int, p: float, **values: str) -> dict[str, str]:
    tier = "critical" if p >= 0.9 else "high" if p >= 0.6 else "medium" if p >= 0.2 else "low"
    base = dict.fromkeys(COLUMNS, "") | {
        "id": str(number),
        "text": "lowongan",
        "jobscam_campaign": f"c{number}",
        "jobscam_probability": f"{p:.6f}",
        "jobscam_tier": tier,
        "jobscam_status": "scored",
        "jobscam_language": "id",
        "jobscam_destination": "ID",
        "jobscam_model": "m-1.0.0",
    }
    return base | values


def table(rows: list[dict[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def sample(seed: int, n: int, power: float, fee: float = 0.1) -> pd.DataFrame:
    """Ads whose probabilities lean to 0 the more, the larger the power; a part asks for a fee."""
    draw = random.Random(seed)
    rows = []
    for i in range(n):
        names = ["fee_before_work"] if draw.random() < fee else []
        names += ["company_mail"] if draw.random() < 0.3 else []
        rows.append(row(i, draw.random() ** power, jobscam_indicators=";".join(names)))
    return table(rows)


@pytest.mark.parametrize(
    ("reference", "new", "expected"),
    # By hand, without the half row: sum of (n - r) * ln(n / r).
    [([500, 500], [500, 500], 0.0), ([5000, 5000], [6000, 4000], 0.0405), ([1000, 9000], [9000, 1000], 3.5156)],
)
def test_stability_index(reference: list[int], new: list[int], expected: float) -> None:
    assert statistics.stability_index(reference, new) == pytest.approx(expected, abs=0.01)
    assert statistics.stability_index(new, reference) == pytest.approx(statistics.stability_index(reference, new))


def test_index_by_chance_is_what_chance_gives() -> None:
    rng = np.random.default_rng(0)
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    found = [statistics.stability_index(*rng.multinomial([300, 200], shares).tolist()) for _ in range(400)]
    assert np.mean(found) == pytest.approx(statistics.index_by_chance(4, 300, 200), rel=0.1)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_false_discovery(p_values: list[float]) -> None:
    q = statistics.false_discovery(p_values)
    assert all(a <= b <= 1 for a, b in zip(p_values, q, strict=True))
    order = sorted(range(len(q)), key=p_values.__getitem__)
    assert [q[i] for i in order] == sorted(q)


def test_difference_interval_covers() -> None:
    """Nineteen in twenty times, and it exists where a share is 0 or 1."""
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(500):
        k1, k2 = int(rng.binomial(60, 0.1)), int(rng.binomial(40, 0.25))
        low, high = statistics.difference_interval(k1, 60, k2, 40)
        inside += low <= 0.15 <= high
    assert 0.92 <= inside / 500 <= 0.985
    low, high = statistics.difference_interval(0, 10, 10, 10)
    assert 0.5 < low < high == 1.0


def test_nothing_has_changed() -> None:
    frame = sample(0, 400, 2.0)
    found = compare(frame, frame)
    assert (found.psi, found.ks, found.ks_p) == (0.0, 0.0, 1.0)
    assert not any(s.is_sure for s in found.indicators)
    assert found.phrases == ()
    assert all(s.difference == 0 for s in (*found.bins, *found.tiers, *found.statuses, *found.languages))
    other = compare(frame, sample(1, 400, 2.0))
    assert other.psi < 4 * other.psi_by_chance
    assert other.ks_p > 0.01
    assert not any(s.is_sure for s in other.indicators)


def test_what_has_changed_is_found() -> None:
    found = compare(sample(0, 400, 3.0), sample(1, 400, 1.0, fee=0.4))
    assert found.psi > 0.25 > found.psi_by_chance
    assert found.ks_p < 1e-6
    first, second = found.indicators
    assert first.share.name == "fee_before_work"
    assert first.is_sure and not second.is_sure
    assert 0 < first.low < first.share.difference < first.high
    assert first.share.difference == pytest.approx(0.3, abs=0.1)
    assert sum(s.new for s in found.bins) == sum(s.new for s in found.tiers) == 400
    assert sum(s.new_share for s in found.bins) == pytest.approx(1)


def test_counts_of_rows() -> None:
    one = [row(1, 0.1, jobscam_salary_month_idr="4000000"), row(2, 0.7, jobscam_destination="KH")]
    two = [
        row(1, 0.1, jobscam_salary_month_idr="6000000"),
        row(2, 0.1, jobscam_salary_month_idr="8000000"),
        row(3, 0, jobscam_status="not_assessable", jobscam_language="other", jobscam_probability="", jobscam_tier=""),
        row(4, 0.99, jobscam_status="warning_or_news", jobscam_tier=""),
    ]
    found = compare(table(one), table(two))
    assert (found.rows, found.scored, found.campaigns) == ((2, 4), (2, 2), (1, 0))
    assert (found.unsupported.new, found.unsupported.new_share) == (1, 0.25)
    assert {s.name: (s.reference, s.new) for s in found.statuses} == {
        "not_assessable": (0, 1), "scored": (2, 2), "warning_or_news": (0, 1),
    }  # fmt: skip
    assert [(s.name, s.reference, s.new) for s in found.tiers] == [
        ("low", 1, 2), ("medium", 0, 0), ("high", 1, 0), ("critical", 0, 0),
    ]  # fmt: skip
    assert {s.name: s.difference for s in found.destinations} == {"ID": 0.5, "KH": -0.5}
    assert found.pay.reference_quartiles == (4e6, 4e6, 4e6)
    assert found.pay.new_quartiles == (6.5e6, 7e6, 7.5e6)
    assert (found.pay.stating.reference, found.pay.stating.new) == (1, 2)
    assert compare(table(one[1:]), table(two)).pay.reference_quartiles is None


@pytest.mark.parametrize("at", [0, 1])
def test_a_table_without_scored_rows_is_refused(at: int) -> None:
    tables = [table([row(1, 0.5)]), table([row(1, 0.5)])]
    tables[at]["jobscam_status"] = "not_an_ad"
    with pytest.raises(InputError, match=f"no row of the {('reference', 'new')[at]} table"):
        compare(*tables)


ADS = ["Loker Kamboja, CS, gaji 12jt, paspor ditanggung, tanpa pengalaman", "Dicari kasir toko di Depok, gaji 2,5jt, jujur"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"jobscam_model": "old-1.0.0"}, "scored by different models"),
        ({"jobscam_probability": "0.300000", "jobscam_tier": "critical"}, "scored with different thresholds"),
        (None, "not both tables were scored"),
    ],
    ids=str,
)
def test_tables_are_made_comparable(change: dict[str, str] | None, why: str, scorer: Scorer) -> None:
    frame = scorer.score(pd.DataFrame({"text": ADS}))
    frame.loc[1, ["jobscam_probability", "jobscam_tier"]] = [0.4, "medium"]
    other = frame.assign(**change) if change else frame[["text"]]
    asked = []

    def load() -> Scorer:
        asked.append(1)
        return scorer

    assert compare(frame, frame, scorer=load).notes == ()
    assert asked == []
    found = compare(frame, other, scorer=load)
    assert found.notes[0].startswith(why)
    assert found.notes[0].endswith(f"both were scored anew by {scorer.name}")
    assert found.model == scorer.name
    assert found.psi == 0.0
    assert asked == [1]


def test_a_given_scorer_decides(scorer: Scorer) -> None:
    frame = table([row(1, 0.9, text=ADS[0]), row(2, 0.1, text=ADS[1])])
    found = compare(frame, frame, scorer=scorer)
    assert found.notes == (f"scored by m-1.0.0: both were scored anew by {scorer.name}",)


def phrases(reference: list[tuple[str, str]], new: list[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    sides = [([Posting(description=text) for text, _ in ads], [name for _, name in ads]) for ads in (reference, new)]
    return {p.text: (p.reference, p.new) for p in rising(*sides, knowledge.load())[0]}


OLD = [(f"lowongan gudang bagian {word} shift malam", f"r{word}") for word in "abcdefghijklmnopqrstuvwxyz"]


def test_a_new_phrase_rises() -> None:
    new = [(f"lowongan gudang bagian {c} lewat jalur zumba hijau", f"n{c}") for c in "abcdefgh"]
    found = phrases(OLD, new)
    assert found == {"jalur zumba hijau": (0, 8)}


def test_a_flood_is_one_voice() -> None:
    flood = [("kirim berkas lewat jalur zumba hijau", "flood")] * 500
    assert phrases(OLD, flood) == {}
    assert phrases(OLD, flood + [("jalur zumba", f"n{i}") for i in range(8)]) == {"jalur zumba": (0, 9)}


def test_what_is_rare_or_usual_does_not_rise() -> None:
    assert phrases(OLD, [("jalur zumba hijau", f"n{i}") for i in range(2)]) == {}
    assert phrases(OLD, OLD) == {}
    assert phrases([], OLD) == {}
    assert phrases(OLD, []) == {}


def test_known_phrases_and_contacts_are_left_out() -> None:
    text = "paspor ditanggung, tanpa pengalaman. zumba hubungi WA 0812-0000-0000, t.me/zumba_kerja, hr@zumba.example, gaji 12jt"
    found = set(READER.phrases(Posting(description=text)))
    assert "zumba" in found
    assert "00jt" in found
    for word in ("zumba_kerja", "me", "paspor", "ditanggung", "pengalaman", "0812", "0000", "hr", "example", "t"):
        assert not any(word in phrase.split() for phrase in found), word


@given(st.text(max_size=200) | st.from_regex(r"([a-z]{1,4}[ .@|]|[0-9]{1,9}|\+62){1,30}", fullmatch=True))
def test_phrases_of_any_text(text: str) -> None:
    for phrase in READER.phrases(Posting(description=text)):
        assert 1 <= len(phrase.split()) <= 3
        assert not any(c in "123456789|@" for c in phrase)


def change() -> Drift:
    one = sample(0, 200, 3.0)
    two = sample(1, 200, 1.0)
    two.loc[:99, "jobscam_destination"] = "K|H\x1b[2J<b>"
    return compare(one, two)


def test_reports_are_safe_and_complete() -> None:
    found = change()
    text = render.markdown(found)
    assert not {"\x1b", "<b>"} & {text[i : i + n] for n in (1, 3) for i in range(len(text))}
    assert "K\\|H \\[2J\\<b\\>" in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")
    for words in ("## Scores", f"{found.psi:.3f}", "## Indicators", "fee_before_work", "## New phrases"):
        assert words in text
    stored = json.loads(json.dumps(render.as_mapping(found), allow_nan=False))
    assert stored["psi"] == found.psi
    assert stored["indicators"][0]["share"]["name"] == found.indicators[0].share.name


def test_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = change()
    for name in ("a.png", "b.png"):
        render.plot(found, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="name a picture"):
        render.plot(found, tmp_path / "a.docx")


def test_plot_needs_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install 'jobscam\[plot\]'"):
        render.check_plot()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, frame in (("old.csv", sample(0, 200, 3.0)), ("new.csv", sample(1, 200, 1.0))):
        frame.to_csv(name, index=False, quoting=csv.QUOTE_MINIMAL)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["old.csv", "new.csv"], 0),
        (["old.csv", "new.csv", "--fail-over", "0.25"], 1),
        (["old.csv", "old.csv", "--fail-over", "0.25"], 0),
        (["old.csv", "new.csv", "--fail-over", "9"], 0),
        (["old.csv", "new.csv", "-o", "drift.docx"], 2),
        (["old.csv"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_command_ends_with(arguments: list[str], code: int, files: Path) -> None:
    result = run(app, ["drift", *arguments])
    assert result.exit_code == code, result.output
    assert result.stdout.startswith("# Drift\n") is (code != 2)
    assert ("The scores moved" in result.stderr) is (code == 1)


def test_command_writes(files: Path) -> None:
    shown = run(app, ["drift", "old.csv", "new.csv"])
    assert run(app, ["drift", "old.csv", "new.csv", "-o", "d.md"]).exit_code == 0
    assert (files / "d.md").read_text(encoding="utf-8") == shown.stdout
    assert run(app, ["drift", "old.csv", "new.csv", "-o", "d.json"]).exit_code == 0
    as_json = run(app, ["drift", "old.csv", "new.csv", "--json"])
    assert (files / "d.json").read_text(encoding="utf-8") == as_json.stdout
    assert json.loads(as_json.stdout)["rows"] == [200, 200]


def test_command_says_what_it_leaves_out(files: Path) -> None:
    with (files / "new.csv").open("a") as stream:
        stream.write("too,many,cells" + ",x" * 20 + "\n")
    result = run(app, ["drift", "old.csv", "new.csv"])
    assert result.exit_code == 3
    assert "new.csv, line 202: left out: " in result.stderr
    assert json.loads(run(app, ["drift", "old.csv", "new.csv", "--json"]).stdout)["rows"] == [200, 200]


def test_modules_are_at_hand() -> None:
    found: Any = jobscam
    assert found.drift.compare is compare
    assert callable(found.queue.select)
