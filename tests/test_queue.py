"""Which ads to label next: spread, the same for any order of the rows, and honest where drawn at random."""

from __future__ import annotations

import csv
import io
import json
import math
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import jobscam
from jobscam import scored
from jobscam.cli.app import app
from jobscam.errors import InputError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.labelled import read_labelled
from jobscam.labelling import AD, CONFIG, tasks
from jobscam.posting import Posting
from jobscam.queue import RANDOM, REASON, RISKIEST, UNCERTAIN, WEIGHT, select
from jobscam.scoring import Scorer

run = CliRunner().invoke
COLUMNS = ("id", "text", "label", "jobscam_campaign", *OUTPUT_COLUMNS)


def row(number: int, p: float | str, **values: str) -> dict[str, str]:
    """A scored row, a campaign of its own."""
    tier = "" if p == "" else "critical" if float(p) >= 0.9 else "high" if float(p) >= 0.6 else "low"
    base = dict.fromkeys(COLUMNS, "") | {
        "id": f"a{number}",
        "text": f"Iklan nomor {number}",
        "jobscam_campaign": f"c{number}",
        "jobscam_probability": str(p),
        "jobscam_tier": tier,
        "jobscam_status": "scored",
        "jobscam_language": "id",
        "jobscam_model": "m-1.0.0",
    }
    return base | values


def table(rows: list[dict[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


SPREAD = [row(i, f"{(i % 100) / 100:.6f}") for i in range(300)]


def test_parts_and_columns() -> None:
    out = select(table(SPREAD), 50)
    assert Counter(out[REASON]) == {UNCERTAIN: 30, RISKIEST: 10, RANDOM: 10}
    assert list(out.columns) == [*COLUMNS, REASON, WEIGHT]
    assert out.loc[out[REASON] == RANDOM, WEIGHT].tolist() == [30.0] * 10
    assert out.loc[out[REASON] != RANDOM, WEIGHT].isna().all()
    assert out["id"].is_unique
    p = out["jobscam_probability"].astype(float)
    # The tier high begins at 0.6 here, which the rows tell: the highest below is 0.59, the lowest in it 0.60.
    assert (p[out[REASON] == UNCERTAIN] - 0.595).abs().max() < 0.15
    assert p[out[REASON] == RISKIEST].min() > 0.8
    assert out[REASON].tolist() != sorted(out[REASON])


def test_around_moves_the_uncertain() -> None:
    out = select(table(SPREAD), 20, around=0.2, random_share=0, riskiest_share=0)
    assert (out["jobscam_probability"].astype(float) - 0.2).abs().max() < 0.1


def test_one_of_a_campaign() -> None:
    rows = [row(i, 0.6, jobscam_campaign=f"c{i % 7}") for i in range(70)]
    out = select(table(rows), 40, random_share=0.1)
    drawn = out[out[REASON] == RANDOM]["jobscam_campaign"]
    others = out[out[REASON] != RANDOM]["jobscam_campaign"]
    assert len(drawn) == 4
    assert others.is_unique
    assert not set(others) & set(drawn)
    assert set(others) | set(drawn) == {f"c{i}" for i in range(7)}


def test_a_large_campaign_does_not_starve_the_queue() -> None:
    flood = [row(i, 0.6, jobscam_campaign="flood") for i in range(400)]
    others = [row(1000 + i, 0.9) for i in range(10)]
    out = select(table(flood + others), 4, random_share=0, riskiest_share=0)
    assert len(out) == 4
    assert out["jobscam_campaign"].is_unique


@pytest.mark.parametrize(
    ("column", "value"),
    [("jobscam_language", "en"), ("jobscam_destination", "KH"), ("jobscam_indicators", "no_fee"), ("jobscam_tier", "medium")],
)
def test_rare_kinds_are_taken_although_they_lie_farther(column: str, value: str) -> None:
    near = [row(i, 0.6) for i in range(40)]
    far = [row(100 + i, 0.8, **{column: value, "jobscam_tier": "high"} | {column: value}) for i in range(5)]
    out = select(table(near + far), 20, random_share=0, riskiest_share=0)
    assert 1 <= sum(out[column] == value) < 20
    assert sum(out["jobscam_probability"] == "0.6") >= 12


def test_labelled_and_unreadable_rows_are_left_out() -> None:
    rows = [
        row(1, 0.6, label="scam"),
        row(2, 0.6, label="  "),
        row(3, "", jobscam_status="not_assessable"),
        row(4, 0.6, jobscam_status="warning_or_news", jobscam_tier=""),
        row(5, ""),
    ]
    assert sorted(select(table(rows), 10, random_share=0)["id"]) == ["a2"]
    # The random part also sees what the model did not rank.
    assert sorted(select(table(rows), 10, random_share=1, riskiest_share=0)["id"]) == ["a2", "a4", "a5"]


def test_label_columns() -> None:
    frame = table(SPREAD[:20])
    assert list(select(frame.drop(columns="label"), 5).columns[-3:]) == ["label", REASON, WEIGHT]
    renamed = frame.rename(columns={"label": "Label"})
    renamed.loc[:9, "Label"] = 0.0
    out = select(renamed, 20)
    assert "label" not in out.columns
    assert set(out.index) == set(range(10, 20))
    with pytest.raises(InputError, match="there is no column 'verdict'"):
        select(frame, 5, label="verdict")


@pytest.mark.parametrize("name", ["fraudulent", "Penipuan", "is_scam", "Status-Label", "jobscam_label"])
def test_labels_are_found_under_the_names_that_training_knows(name: str, tmp_path: Path) -> None:
    rows = [{**{k: v for k, v in row(i, 0.6).items() if k != "label"}, name: "1" if i < 5 else ""} for i in range(10)]
    frame = pd.DataFrame(rows, dtype=object)
    out = select(frame, 10)
    assert sorted(out["id"]) == [f"a{i}" for i in range(5, 10)]
    assert "label" not in out.columns
    assert len(select(frame.drop(columns=name), 10)) == 10
    # What the queue leaves out is what training reads as labelled.
    frame.to_csv(tmp_path / "labels.csv", index=False)
    found = read_labelled(tmp_path / "labels.csv")
    assert found.column == name
    assert sorted(ad.posting.id for ad in found.ads) == [f"a{i}" for i in range(5)]


def test_a_label_by_hand_goes_before_the_one_of_the_table() -> None:
    frame = table(SPREAD[:10]).assign(label="scam", jobscam_label=["legit"] * 4 + [""] * 6)
    assert set(select(frame, 10).index) == set(range(4, 10))
    assert len(select(frame, 10, label="label")) == 0


def test_a_queue_can_be_queued_again() -> None:
    first = select(table(SPREAD), 50)
    first["label"] = ["scam"] * 25 + [""] * 25
    again = select(first, 50)
    assert len(again) == 25
    assert list(again.columns) == list(first.columns)


@pytest.mark.parametrize(
    "arguments",
    [{"n": 0}, {"random_share": -0.1}, {"random_share": 0.7, "riskiest_share": 0.7}, {"around": 1.0}, {"around": 0.0}],
    ids=str,
)
def test_wrong_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        select(table(SPREAD), **arguments)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["satu", "dua", "tiga", "empat", "🔥", ""]),
        st.sampled_from(["", "0", "0.2", "0.6", "0.600001", "1"]),
        st.sampled_from(["id", "en"]),
        st.sampled_from(["", "c1", "c2"]),
        st.sampled_from(["", "scam"]),
    ),
    max_size=15,
)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(cells: list[tuple[str, ...]], random: Any) -> None:
    rows = [
        row(0, p, id="", text=text, jobscam_language=language, jobscam_campaign=campaign, label=label)
        for text, p, language, campaign, label in cells
    ]
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, two = (select(table(given_rows), 8).astype(object).fillna("").to_numpy().tolist() for given_rows in (rows, shuffled))
    assert one == two
    assert len(one) <= min(8, sum(not label for *_, label in cells))


def test_random_part_estimates_without_bias() -> None:
    """Over many seeds the weighted count of scams is the true one, although a third is one campaign and others are risky."""
    rows = [row(i, 0.01 if i % 3 else 0.97, jobscam_campaign=f"c{0 if i < 30 else i}") for i in range(90)]
    scams = {f"a{i}" for i in range(0, 90, 5)}
    frame = table(rows)
    estimates, inclusions = [], Counter[str]()
    for seed in range(150):
        out = select(frame, 30, random_share=0.5, seed=seed)
        drawn = out[out[REASON] == RANDOM]
        inclusions.update(drawn["id"])
        estimates.append(sum(drawn[WEIGHT][drawn["id"].isin(scams)]))
    mean = sum(estimates) / len(estimates)
    error = math.sqrt(sum((e - mean) ** 2 for e in estimates) / len(estimates) ** 2)
    assert error > 0.2
    assert abs(mean - len(scams)) < 3.5 * error
    assert len(inclusions) == 90  # every row can be drawn, and none much more often than others
    assert max(inclusions.values()) < 2.2 * 150 * 15 / 90


def test_campaigns() -> None:
    texts = ["Dicari koki, gaji 5 juta", "dicari  KOKI, gaji 5 juta", "Kasir toko, gaji 6 juta"]
    ads = [Posting(description=text) for text in texts]
    frame = pd.DataFrame({"text": texts})
    one, two, three = scored.campaigns(frame, ads)
    assert one == two != three
    assert scored.campaigns(frame.assign(jobscam_campaign=["x", "y", "z"]), ads) == ["x", "y", "z"]
    assert scored.campaigns(frame.assign(jobscam_campaign=["x", "", "z"]), ads) == ["x", two, "z"]


def test_rows_that_are_not_scored_yet_are_scored(scorer: Scorer) -> None:
    ads = ["Loker Kamboja, CS, gaji 12jt, paspor ditanggung, tanpa pengalaman", "Dicari kasir toko di Depok, gaji 2,5jt"]
    out = jobscam.queue.select(pd.DataFrame({"isi": ads}), 2, scorer=scorer, overrides={"description": "isi"})
    assert sorted(out["isi"]) == sorted(ads)
    assert list(out.columns) == ["isi", *OUTPUT_COLUMNS, "label", REASON, WEIGHT]
    assert out["jobscam_probability"].between(0, 1).all()


def test_labelling_tasks_point_at_the_words(scorer: Scorer) -> None:
    text = "🔥 LOKER 🇰🇭 Kamboja\r\ngaji 12-15jt  bersih, tiket & paspor ditanggung, tanpa pengalaman, WA 0812-0000-0000"
    frame = scorer.score(pd.DataFrame({"title": ["CS 🔥", "Kasir"], "text": [text, "Dicari kasir toko di Depok, gaji 2,5jt"]}))
    frame[REASON], frame[WEIGHT] = [UNCERTAIN, RANDOM], [math.nan, 2.0]
    first, second = tasks(frame, scorer)
    assert first["data"][AD] == f"CS 🔥\n\n{text}"
    assert first["data"]["title"] == "CS 🔥"
    prediction = first["predictions"][0]
    assert prediction["model_version"] == scorer.name
    assert prediction["score"] == pytest.approx(float(frame["jobscam_probability"].iloc[0]))
    regions = prediction["result"]
    assert {r["meta"]["text"][0] for r in regions} <= set(first["data"]["jobscam_indicators"].split(";"))
    for region in regions:
        value = region["value"]
        assert first["data"][AD][value["start"] : value["end"]] == value["text"] != ""
    assert any("paspor" in r["value"]["text"] for r in regions)
    assert len({r["id"] for r in regions}) == len(regions)
    assert "predictions" not in second  # whoever labels for an estimate must not see the score
    interface = ET.fromstring(CONFIG)
    text_tag, labels = interface.find("Text"), interface.find("Labels")
    assert text_tag is not None and labels is not None
    assert text_tag.get("value") == f"${AD}"
    names = {tag.get("value") for tag in labels}
    for region in regions:
        assert (region["from_name"], region["to_name"]) == (labels.get("name"), text_tag.get("name"))
        assert set(region["value"]["labels"]) <= names


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = [row(900, 0.5, text='"zitiert", ja\n  \x1b[2J 🔥 ', label="scam"), row(901, 0.61, text='a "b", c\r\nd')]
    write(tmp_path / "s.csv", SPREAD[:100] + odd)
    result = run(app, ["queue", "s.csv", "--n", "30"])
    assert result.exit_code == 0, result.output
    assert "102 rows read, 1 labelled (column 'label'), 0 rejected" in result.stderr
    assert "30 chosen = 18 uncertain + 6 riskiest + 6 random" in result.stderr
    with (tmp_path / "s.queue.csv").open(encoding="utf-8", newline="") as stream:
        found = list(csv.DictReader(stream))
    assert list(found[0]) == [*COLUMNS, REASON, WEIGHT]
    given = {r["id"]: r for r in SPREAD + odd}
    for chosen in found:
        weight, reason = chosen.pop(WEIGHT), chosen.pop(REASON)
        assert chosen == given[chosen["id"]]
        assert weight == ("16.833333" if reason == RANDOM else "")  # 101 rows without a label, 6 drawn
    again = run(app, ["queue", "-", "-o", "-", "--n", "30"], input=(tmp_path / "s.csv").read_bytes())
    assert again.stdout_bytes == (tmp_path / "s.queue.csv").read_bytes()
    assert isinstance(run(app, ["queue", "s.csv", "-o", "./s.csv"]).exception, InputError)
    assert isinstance(run(app, ["queue", "s.csv", "--label-column", "x"]).exception, InputError)
    assert run(app, ["queue", "s.csv", "--n", "0"]).exit_code == 2
    assert run(app, ["queue", "s.csv", "--label-studio", "t.xml"]).exit_code == 2


def test_command_rejects_what_jobscam_did_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bad = ["2", "-0.1", "nan", "inf", "high", "0,5"]
    write(tmp_path / "s.csv", SPREAD[:10] + [row(900 + i, 0.5, jobscam_probability=p) for i, p in enumerate(bad)])
    result = run(app, ["queue", "s.csv"])
    assert result.exit_code == 3
    assert "16 rows read, 0 labelled (column 'label'), 6 rejected" in result.stderr
    rejected = list(csv.DictReader(io.StringIO((tmp_path / "s.queue.rejects.csv").read_text())))
    assert [r["line"] for r in rejected] == [str(n) for n in range(12, 18)]
    assert rejected[0]["reason"] == "jobscam_probability '2' is not what jobscam writes there"


def test_command_writes_for_label_studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ads.csv").write_text(
        'id,text\n1,"Loker Kamboja, CS, gaji 12jt, paspor ditanggung"\n2,"Dicari kasir toko di Depok, gaji 2,5jt"\n'
    )
    arguments = ["queue", "ads.csv", "--random-share", "0", "--label-studio", "tasks.json"]
    result = run(app, arguments)
    assert result.exit_code == 0, result.output
    assert "not scored yet" in result.stderr
    raw = (tmp_path / "tasks.json").read_bytes()
    found = json.loads(raw)
    assert {task["data"]["id"] for task in found} == {"1", "2"}
    assert all(task["predictions"][0]["model_version"].startswith("jobscam-") for task in found)
    assert (tmp_path / "tasks.xml").read_text() == CONFIG
    assert run(app, arguments).exit_code == 0
    assert (tmp_path / "tasks.json").read_bytes() == raw
