"""Labels in, a better model out: reading and checking labels, adapting, comparing, guarding."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from jobscam import comparison, retraining
from jobscam.cli.app import app
from jobscam.errors import InputError
from jobscam.labelled import Labelled, contradictory, problems, read_labelled
from jobscam.model import artifact
from jobscam.scoring import Scorer, load

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "data" / "samples" / "seen.csv"
HONEST = {"text": "Kasir toko di Depok, gaji 2,5jt, antar lamaran langsung ke toko", "label": "legit", "source": "x"}
run = CliRunner().invoke


def table(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def samples(number: int, start: int = 0) -> list[dict[str, str]]:
    with SAMPLES.open(encoding="utf-8", newline="") as stream:
        rows = [{"text": r["text"] or r["title"], "label": r["label"]} for r in csv.DictReader(stream)]
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows[i] for i in order[start : start + number]]


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Labelled:
    return read_labelled(table(tmp_path_factory.mktemp("labels") / "labels.csv", samples(90)))


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return table(tmp_path_factory.mktemp("rest") / "rest.csv", samples(60, 90))


@pytest.fixture(scope="module")
def adapted(scorer: Scorer, labels: Labelled) -> retraining.Retrained:
    return retraining.adapt_model(scorer, labels, "mine-1.1.0")


@pytest.mark.parametrize(
    ("header", "scam", "honest"),
    [
        ("label", "scam", "legit"),
        ("fraudulent", "1", "0"),
        ("Penipuan", "ya", "tidak"),
        ("label", "penipuan", "asli"),
        ("is_scam", "TRUE", "FALSE"),
    ],
)
def test_labels_are_understood(tmp_path: Path, header: str, scam: str, honest: str) -> None:
    rows = [
        {"text": f"iklan kerja nomor {word}", header: value} for word, value in (("satu", scam), ("dua", honest), ("tiga", ""))
    ]
    found = read_labelled(table(tmp_path / "labels.csv", rows))
    assert ([ad.label for ad in found.ads], found.column, found.undecided) == ([1, 0], header, [4])


def test_unknown_labels_are_rejected_with_their_line(tmp_path: Path) -> None:
    rows = [{"text": "kasir toko", "label": "legit"}, {"text": "admin slot", "label": "biru"}, {"text": "", "label": "scam"}]
    found = read_labelled(table(tmp_path / "labels.csv", rows))
    assert [(r.line, r.reason) for r in found.rejects] == [(3, "column 'label': label 'biru' is not known"), (4, "no text")]
    named = read_labelled(tmp_path / "labels.csv", positive=["BIRU"])
    assert [ad.label for ad in named.ads] == [0, 1]


def test_a_table_without_labels_names_its_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column of labels was recognised; name it with --label\. Columns: text, nilai"):
        read_labelled(table(tmp_path / "labels.csv", [{"text": "kasir", "nilai": "1"}]))


ADS = [f"Lowongan {job} di {place}, gaji sesuai UMK, kirim lamaran ke toko" for job in ("kasir", "koki", "satpam") for place in
       ("Depok", "Medan", "Kupang", "Bogor")]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "fatal", "words"),
    [
        ([{"text": t, "label": "legit"} for t in ADS], True, "all 12 labels are legitimate; both classes are needed"),
        ([{"text": t, "label": "scam" if i < 2 else "legit"} for i, t in enumerate(ADS)], True, "only 2 scams"),
        ([{"text": ADS[0], "label": "scam"}, *({"text": t, "label": "legit"} for t in ADS)], False, "equal ads with different labels"),
        (
            [{"text": f"{t} {i}", "source": "a" if i % 2 else "b", "label": "scam" if i % 2 else "legit"} for i, t in enumerate(ADS * 3)],
            False,
            "scams come from 'a', legitimate ads from 'b'",
        ),
        (
            [{"text": f"{t} {i}", "company": "PT Contoh" if i % 2 else "", "label": "legit" if i % 2 else "scam"} for i, t in enumerate(ADS * 3)],
            False,
            "column 'company': filled for legitimate ads only",
        ),
        (
            [{"text": f"{'[HOAKS] ' if i % 2 else ''}{t}", "label": "scam" if i % 2 else "legit"} for i, t in enumerate(ADS * 3)],
            False,
            "begin with '[hoaks]'",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_labels_is_said(tmp_path: Path, rows: list[dict[str, str]], fatal: bool, words: str) -> None:
    found = read_labelled(table(tmp_path / "labels.csv", rows))
    # Campaigns are not what these cases are about.
    found.campaigns[:] = [ad.posting.text() for ad in found.ads]
    said = [problem for problem in problems(found) if words in str(problem)]
    assert said and said[0].fatal is fatal, [str(p) for p in problems(found)]


def test_contradictions_are_not_trained_on(tmp_path: Path) -> None:
    rows = [*samples(60), {"text": ADS[0], "label": "scam"}, {"text": ADS[0], "label": "legit"}]
    found = read_labelled(table(tmp_path / "labels.csv", rows))
    assert len(contradictory(found)) == 2
    assert len(retraining.usable(found).ads) == len(found.ads) - 2


def test_adapting_helps_and_stays_additive(adapted: retraining.Retrained, scorer: Scorer, rest: Path) -> None:
    new = Scorer(adapted.model, scorer.knowledge, adapted.manifest)
    held = read_labelled(rest)
    made = comparison.compare(scorer, new, held)
    assert "average precision" not in made.worse
    for ad in held.ads:
        found = new.assess(ad.posting)
        assert found.logit == pytest.approx(found.bias + sum(c.value for c in found.contributions), abs=1e-9)
    assert 0 <= adapted.adapted.trust <= 1  # type: ignore[union-attr]


def test_signs_keep_their_side(adapted: retraining.Retrained, scorer: Scorer) -> None:
    weight = dict(zip(adapted.model.names, adapted.model.dense, strict=True))
    space = scorer.space
    for name, low, high in zip(space.names, space.lower, space.upper, strict=True):
        assert low - 1e-9 <= weight[name] <= high + 1e-9, name


def test_no_labels_left_out_means_no_claim(scorer: Scorer, labels: Labelled) -> None:
    wrong = np.random.default_rng(1).random(len(labels.ads)) < 0.5
    noise = Labelled(labels.name, [type(a)(a.posting, int(w), a.line) for a, w in zip(labels.ads, wrong)], labels.column, labels.columns,
                     campaigns=labels.campaigns)  # fmt: skip
    found = retraining.adapt_model(scorer, noise, "mine-1.1.0")
    # Labels drawn by lot teach nothing: nothing of the shipped model is trusted, and no certainty is invented.
    assert found.adapted is not None and found.adapted.trust < 0.1
    assert found.adapted.losses[found.adapted.strength] < np.log(2) + 0.01
    assert found.model.calibration.slope < 0.7 * scorer.model.calibration.slope


def test_wrong_labels_are_doubted(scorer: Scorer, labels: Labelled) -> None:
    wrong = np.random.default_rng(2).random(len(labels.ads)) < 0.2
    said = [type(a)(a.posting, a.label ^ int(w), a.line) for a, w in zip(labels.ads, wrong, strict=True)]
    found = retraining.adapt_model(scorer, replace(labels, ads=said), "mine-1.1.0")
    lines = {ad.line for ad, w in zip(labels.ads, wrong, strict=True) if w}
    listed = [ad.line for ad, _ in found.doubtful]
    assert len(lines & set(listed)) >= 0.7 * len(lines)
    assert len(lines & set(listed)) >= 0.6 * len(listed)
    # The list begins with the surest ones.
    assert len(lines & set(listed[:5])) >= 4


WARNING = (
    "WASPADA PENIPUAN! Beredar loker palsu: admin slot Kamboja gaji 15jt, paspor dibuatkan. Jangan percaya, laporkan ke polisi."
)


def test_a_warning_is_not_an_honest_ad(scorer: Scorer, labels: Labelled, tmp_path: Path) -> None:
    rows = [*samples(60), *({"text": f"{WARNING} Info {word}", "label": "legit"} for word in ("satu", "dua", "tiga"))]
    found = retraining.adapt_model(scorer, read_labelled(table(tmp_path / "labels.csv", rows)), "mine-1.1.0")
    with_none = retraining.adapt_model(scorer, read_labelled(table(tmp_path / "few.csv", rows[:60])), "mine-1.1.0")
    # Samples may hold warnings of their own.
    assert len(found.not_ads) == len(with_none.not_ads) + 3
    assert found.model.calibration == with_none.model.calibration
    assert np.array_equal(found.model.text, with_none.model.text)


def test_saved_scores_as_made_and_names_its_parent(adapted: retraining.Retrained, scorer: Scorer, tmp_path: Path) -> None:
    path = adapted.save(tmp_path / "mine-1.1.0")
    again = load(path)
    text = "Admin slot Kamboja, gaji 15jt, paspor dibuatkan, terbang minggu ini"
    assert again.assess(text).logit == Scorer(adapted.model, scorer.knowledge, adapted.manifest).assess(text).logit
    manifest = artifact.read_manifest(path)
    assert f"{manifest['parent']['name']}-{manifest['parent']['version']}" == scorer.name
    assert "On labels" not in (path / "CARD.md").read_text() and "average precision" in (path / "CARD.md").read_text()
    with pytest.raises(InputError, match="exists already"):
        retraining.check_name(path)


def test_the_command_line_from_labels_to_guard(tmp_path: Path, rest: Path) -> None:
    labels = table(tmp_path / "labels.csv", samples(60))
    out = tmp_path / "mine-1.0.0"
    result = run(app, ["train", str(labels), "--out", str(out), "-q"])
    assert result.exit_code == 0, result.output
    result = run(app, ["evaluate", str(rest), "--model", str(out), "--json"])
    assert result.exit_code == 0 and '"model": "mine-1.0.0"' in result.stdout
    result = run(app, ["compare", "jobscam-2.0.0", str(out), str(rest), "--fail-if-worse"])
    assert "ads changed tier" in result.stdout
    guard = table(
        tmp_path / "guard.csv",
        [
            {"text": "Admin slot Kamboja, gaji 15jt, paspor dibuatkan, tanpa pengalaman, terbang minggu ini", "label": "legit"},
            {"text": "Kasir toko di Depok, gaji 2,5jt, antar lamaran langsung ke toko", "label": "legit"},
        ],
    )
    result = run(app, ["evaluate", str(rest), "--guard", str(guard)])
    assert result.exit_code == 1 and "line 2: must stay below high, but is critical" in str(result.exception)


def test_slices_of_a_few_campaigns_claim_nothing(scorer: Scorer, tmp_path: Path) -> None:
    # Drawing two campaigns anew gives the same figure each time: an interval without width, which anything exceeds.
    one = [{"text": f"Admin slot Kamboja {i}, gaji 15jt, WA 0812-0000-1473", "label": "scam", "source": "x"} for i in range(12)]
    found = read_labelled(table(tmp_path / "labels.csv", [*({**row, "source": "y"} for row in samples(60)), *one, HONEST]))
    assert len({c for c, ad in zip(found.campaigns, found.ads, strict=True) if ad.posting.source == "x"}) == 2
    assert {name for name in comparison.evaluate(scorer, found).slices if name.startswith("source")} == {"source y"}


@pytest.mark.parametrize("option", ["--doubtful", "--guard"])
def test_what_cannot_be_used_is_said_before_training(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = table(tmp_path / "labels.csv", samples(60))
    there = table(tmp_path / "there.csv", [{"text": "Kasir toko di Depok", "label": "biru"}])
    monkeypatch.setattr(retraining, "adapt_model", lambda *_, **__: pytest.fail("it was trained first"))
    result = run(app, ["train", str(labels), "--out", str(tmp_path / "mine-1.0.0"), option, str(there)])
    assert result.exit_code == 1 and isinstance(result.exception, InputError) and "there.csv" in str(result.exception)


def test_from_scratch(labels: Labelled, tmp_path: Path) -> None:
    path = retraining.train_anew(labels, tmp_path / "new-1.0.0").save(tmp_path / "new-1.0.0")
    assert load(path).assess(labels.postings[0]).probability is not None
    assert "parent" not in artifact.read_manifest(path)
