"""Contracts of the shipped model: additive, calibrated monotonically, deterministic, sealed."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

import jobscam
from jobscam.corpus import read_samples
from jobscam.errors import ArtifactError, InputError
from jobscam.explain import OUTPUT_COLUMNS, SEPARATOR
from jobscam.model import artifact
from jobscam.ngrams import TextHasher
from jobscam.scoring import Scorer

ROOT = Path(__file__).parent.parent
SAMPLES = [r for name in ("train.csv", "ads.csv") for r in read_samples(ROOT / "data" / "samples" / name)]


def test_additive_and_spans_over_all_samples(scorer: Scorer) -> None:
    for row in SAMPLES:
        a = scorer.assess(row.posting)
        assert a.logit is not None
        assert abs(a.logit - (a.bias + sum(c.value for c in a.contributions))) < 1e-9
        for reason in a.reasons:
            shown = " … ".join(getattr(row.posting, s.field)[s.start : s.end] for s in reason.spans[:3])
            assert shown == reason.text
        for item in a.evidence:
            for span in item.spans:
                assert getattr(row.posting, span.field)[span.start : span.end].strip()


def test_scorer_agrees_with_the_training_matrix(scorer: Scorer) -> None:
    from jobscam.indicators.reference import PayReference
    from jobscam.model.classifier import JobScamClassifier, linear_logits

    classifier = JobScamClassifier(bits=scorer.model.bits)
    classifier._prepare(PayReference.from_json(scorer.manifest["pay_reference"]))
    postings = [r.posting for r in SAMPLES[:60]]
    m = scorer.model
    matrix = classifier.transform(postings)
    logits = linear_logits(matrix, m.dense, m.scale, m.text, m.bias, classifier._blocks())
    assert np.allclose(logits, [scorer.assess(p).logit for p in postings], atol=1e-9)


def test_risk_never_lowers_and_safety_never_raises(scorer: Scorer) -> None:
    for name, weight in zip(scorer.model.names, scorer.model.dense, strict=True):
        kind, _, rest = name.partition(":")
        if kind == "ind" and "@" not in rest:
            sign = scorer.knowledge.indicators[rest].sign
            assert weight >= 0 if sign == "risk" else weight <= 0


def test_development_samples_are_told_apart(scorer: Scorer) -> None:
    from sklearn.metrics import average_precision_score

    dev = [r for r in read_samples(ROOT / "data" / "samples" / "ads.csv") if r.status == "scored"]
    logits = [scorer.assess(r.posting).logit for r in dev]
    assert average_precision_score([r.label for r in dev], logits) > 0.93


# Each must not be flagged, whatever else changes; written for this test.
HONEST = [
    "BUTUH CEPAT!!! karyawan laundry di Tebet, tanpa pengalaman boleh, gaji 2,3jt + makan siang, WA 0812-0000-4471",
    "Program Officer, Phnom Penh. Health NGO. Master's degree, five years of experience in grants management, work permit provided. Apply via our careers page. No fee at any stage.",
    "Dicari ART menginap di Bintaro, umur 20-40, gaji 2,5 juta, bisa masak. Hubungi Ibu Ratna 0856-0000-1190",
    "Operator excavator Morowali, SIO aktif, pengalaman 3 tahun, gaji 9 jt, mess dan makan, tiket cuti ditanggung, BPJS",
    "Staf admin kantor di Kamboja Raya? Bukan, lokasi kami di Jl. Kamboja No. 3 Denpasar. Gaji UMK, BPJS, kirim CV ke hrd@tokobunga.example",
]
LURES = [
    "Loker Kamboja, CS, gaji 12jt, tiket & paspor ditanggung, tanpa pengalaman",
    "Butuh admin slot penempatan Poipet, gaji 800-1000 usd, tiket visa mess makan ditanggung, paspor dibuatkan, minat pm",
    "Kerja luar negeri gaji belasan juta, cukup bisa ngetik, negara dirahasiakan, minggu ini terbang, masuk visa turis dulu",
    "Hiring chat support for crypto clients in Myawaddy, no experience, USD 1,200, passport kept by company, tell immigration you are on holiday",
]  # fmt: skip


@pytest.mark.parametrize("text", HONEST)
def test_must_not_flag(scorer: Scorer, text: str) -> None:
    assert scorer.assess(text).tier in ("low", "medium")


@pytest.mark.parametrize("text", LURES)
def test_must_catch(scorer: Scorer, text: str) -> None:
    assert scorer.assess(text).tier in ("high", "critical")


STATUSES = [
    ("", "not_assessable"),
    ("gaji 12jt", "not_assessable"),
    ("🔥🔥🔥", "not_assessable"),
    ("Требуется продавец в магазин, опыт работы приветствуется, график сменный", "not_assessable"),
    ("xq zzt qwpl mnbv lkjh gfds poiu ytre wqas zxcv bnml", "not_assessable"),
    ("Waspada! Jangan tergiur loker admin judi di Kamboja gaji 15 juta, korban TPPO sudah banyak. Laporkan ke polisi.", "warning_or_news"),
    ("Mohon info loker kak, saya lagi cari kerja di Bekasi, lulusan SMK, siap kerja apa saja", "not_an_ad"),
    ("Kamu lagi cari kerja? Kantor baru kami buka lima posisi arsip, seragam dibayar dulu, minat chat aja ya", "scored"),
    ("Dibutuhkan kasir toko di Depok, gaji 2,5jt, hubungi 0812-0000-1473. Hati-hati penipuan mengatasnamakan toko kami.", "scored"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "status"), STATUSES, ids=[t[:25] for t, _ in STATUSES])
def test_status(scorer: Scorer, text: str, status: str) -> None:
    a = scorer.assess(text)
    assert a.status == status
    assert bool(a.tier) is (status == "scored")
    if status != "scored":
        assert a.status_sentence("id") and a.status_sentence("en")
    if status == "not_assessable":
        assert a.probability is None


def test_missing_fields_are_unknown(scorer: Scorer) -> None:
    """The same words as a bare post must not become a scam because a column is empty."""
    text = "Dicari staf akuntansi di Surabaya, S1, pengalaman 2 tahun, menyusun laporan keuangan, BPJS dan THR, kirim CV ke hr@surya.example"
    assert scorer.assess(text).tier == "low"


def test_score_keeps_frame(scorer: Scorer) -> None:
    frame = pd.DataFrame({"isi_iklan": ["Dicari kasir toko di Depok, gaji 2,5jt", None], "x": [1, 2]}, index=["a", "b"])
    out = scorer.score(frame)
    assert list(out.columns) == ["isi_iklan", "x", *OUTPUT_COLUMNS]
    assert list(out.index) == ["a", "b"]
    assert out.loc["b", "jobscam_status"] == "not_assessable"
    assert list(scorer.score(out).columns) == list(out.columns)


def test_reasons_are_in_both_languages(scorer: Scorer) -> None:
    a = scorer.assess(LURES[0])
    assert a.columns(2, "id")["jobscam_reasons"] != a.columns(2, "en")["jobscam_reasons"]
    assert len(a.columns(2, "id")["jobscam_reasons"].split(SEPARATOR)) == 2
    assert "<script>" not in scorer.assess("<script>alert(1)</script> Dicari kasir toko di Depok gaji 2,5jt")._repr_html_()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_assessed(text: str) -> None:
    try:
        scorer = jobscam.load()
    except ArtifactError:
        pytest.skip("no shipped model")
    a = scorer.assess(text)
    assert a.status in ("scored", "not_assessable", "warning_or_news", "not_an_ad")


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.sha256", "weights.npz", "CARD.md"])
def test_a_changed_byte_is_refused(scorer: Scorer, tmp_path: Path, name: str) -> None:
    for where in (0.0, 0.5, 0.999):
        copy = tmp_path / f"{name}-{where}"
        shutil.copytree(artifact.shipped_path(), copy)
        raw = bytearray((copy / name).read_bytes())
        raw[int(where * len(raw))] ^= 1
        (copy / name).write_bytes(bytes(raw))
        with pytest.raises(ArtifactError, match="checksum"):
            jobscam.load(copy)


def test_a_missing_file_and_a_wrong_folder_are_named(scorer: Scorer, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is no model artifact"):
        jobscam.load(tmp_path)
    shutil.copytree(artifact.shipped_path(), tmp_path / "m")
    (tmp_path / "m" / "weights.npz").unlink()
    with pytest.raises(ArtifactError, match=r"weights\.npz is missing"):
        jobscam.load(tmp_path / "m")


def test_no_pickle_is_loaded(scorer: Scorer) -> None:
    with np.load(artifact.shipped_path() / "weights.npz", allow_pickle=False) as stored:
        assert sorted(stored) == ["curve", "dense", "scale", "text"]


def test_shipped_artifact_is_small(scorer: Scorer) -> None:
    assert sum(f.stat().st_size for f in artifact.shipped_path().iterdir()) < 10_000_000


ADS = [r.posting for r in SAMPLES if r.status == "scored"][:80]
LABELS = np.array([r.label for r in SAMPLES if r.status == "scored"][:80])


def test_estimator_is_one_of_scikit_learn(tmp_path: Path) -> None:
    classifier = jobscam.JobScamClassifier(bits=14, folds=3)
    assert clone(classifier).get_params() == classifier.get_params()
    p = cross_val_predict(classifier, ADS, LABELS, cv=2, method="predict_proba")
    assert p.shape == (80, 2)
    assert np.allclose(p.sum(axis=1), 1.0)
    classifier.fit(ADS, LABELS)
    assert set(classifier.predict(ADS)) <= {0, 1}
    assert roc_auc_score(LABELS, classifier.decision_function(ADS)) > 0.9
    path = jobscam.save(classifier, tmp_path / "mine-1.0.0")
    again = jobscam.load(path)
    assert again.name == "mine-1.0.0"
    assert np.allclose([again.assess(a).logit for a in ADS], classifier.logits(classifier.transform(ADS)), atol=1e-9)
    with pytest.raises(ArtifactError, match="exists already"):
        jobscam.save(classifier, path)


def test_training_is_deterministic() -> None:
    first = jobscam.JobScamClassifier(bits=12, folds=2).fit(ADS, LABELS)
    second = jobscam.JobScamClassifier(bits=12, folds=2).fit(ADS, LABELS)
    assert np.array_equal(first.model_.text, second.model_.text)
    assert first.model_.thresholds == second.model_.thresholds


def test_training_errors() -> None:
    with pytest.raises(InputError, match="two classes"):
        jobscam.JobScamClassifier().fit(["a", "b"], [1, 1])
    with pytest.raises(InputError, match="not fitted"):
        jobscam.save(jobscam.JobScamClassifier(), "x-1.0.0")
    with pytest.raises(InputError, match="name the folder"):
        jobscam.save(jobscam.JobScamClassifier(bits=10, folds=2).fit(ADS, LABELS), "no_version")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abcdefg 0123.@-", max_size=120))
def test_grams_lie_in_the_text(text: str) -> None:
    grams = TextHasher(16, 2).grams(text)
    assert len(np.unique(grams.buckets)) == len(grams.buckets)
    assert np.all((grams.starts >= 0) & (grams.starts < grams.ends) & (grams.ends <= len(text)))
    assert np.all((grams.words >= 0) & (grams.words < max(1, len(grams.starts))))


def test_a_word_hashes_alike_wherever_it_stands() -> None:
    hasher = TextHasher(18, 2)
    alone, later = hasher.grams("kamboja"), hasher.grams("gaji besar sekali di kamboja")
    assert set(alone.buckets) <= set(later.buckets)


def test_contacts_and_digits_do_not_count() -> None:
    hasher = TextHasher(18, 2)
    one = hasher.grams("hubungi 0812-0000-1473 atau hrd@satu.example gaji 12jt")
    two = hasher.grams("hubungi 0857 9999 8821 atau karir@dua.example gaji 47jt")
    assert np.array_equal(one.buckets, two.buckets)


def test_samples_are_enough_and_split_by_campaign() -> None:
    with open(ROOT / "data" / "samples" / "ads.csv", encoding="utf-8") as stream:
        header = next(csv.reader(stream))
    assert {"label", "kind", "note", "campaign", "status"} <= set(header)
    assert len(SAMPLES) >= 400
    train = {r.campaign for r in read_samples(ROOT / "data" / "samples" / "train.csv")}
    dev = {r.campaign for r in read_samples(ROOT / "data" / "samples" / "ads.csv")}
    assert not train & dev


@pytest.mark.parametrize("name", [name for name, _ in artifact.list_artifacts()])
def test_every_shipped_artifact_still_loads(name: str) -> None:
    import jobscam

    assessed = jobscam.load(dict(artifact.list_artifacts())[name]).assess(
        "Loker Kamboja, admin slot, gaji 12jt, paspor dibuatkan"
    )
    assert assessed.model == name and assessed.probability and assessed.probability > 0.5


@pytest.mark.parametrize("share", [0.01, 0.02, 0.3])
def test_prevalence_moves_probabilities_and_keeps_the_ranking(scorer: Scorer, share: float) -> None:
    moved = scorer.model.at_prevalence(share)
    before = [scorer.model.calibration.probability(v) for v in (-4.0, -1.0, 0.0, 2.0, 6.0)]
    after = [moved.calibration.probability(v) for v in (-4.0, -1.0, 0.0, 2.0, 6.0)]
    assert after == sorted(after)
    odds = (share / (1 - share)) / (scorer.model.calibration.prevalence / (1 - scorer.model.calibration.prevalence))
    for p, q in zip(before, after, strict=True):
        assert q / (1 - q) == pytest.approx(p / (1 - p) * odds, rel=1e-6)
    cuts = moved.thresholds
    assert 0 < cuts["medium"] < cuts["high"] < cuts["critical"] < 1


def test_fewer_scams_make_the_high_tier_harder_to_reach(scorer: Scorer) -> None:
    def logit(prevalence: float) -> float:
        model = scorer.model.at_prevalence(prevalence)
        cut = model.thresholds["high"]
        return (np.log(cut / (1 - cut)) - model.calibration.offset) / model.calibration.slope

    assert logit(0.01) > logit(0.1) > logit(0.5)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2, 2.0])
def test_prevalence_must_be_a_share(share: float) -> None:
    import jobscam

    with pytest.raises(InputError, match="between 0 and 1"):
        jobscam.load(prevalence=share)
