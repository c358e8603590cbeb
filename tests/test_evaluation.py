"""Figures: calibration, the guessed share of scams, and facts whose exchange must not move a score."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

import jobscam
from jobscam.errors import InputError
from jobscam.evaluation import average_precision, calibration_error_at, recall_at_fpr, reliability, weight_to
from jobscam.scoring import Scorer

ROOT = Path(__file__).parent.parent
FACTS = tomllib.loads((ROOT / "data" / "contrast" / "counterfactuals.toml").read_text(encoding="utf-8"))
TEMPLATES = [t["text"] for t in FACTS["template"]]
PLAIN = {"place": FACTS["places"][0], "name": FACTS["names"][0], "nationality": FACTS["nationalities"][0]}
HONEST = [t.format(**PLAIN) for t in TEMPLATES]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([-2.5, 0.0, 0.1, 3.0]) | st.floats(-1e3, 1e3)), max_size=40))
def test_average_precision_is_that_of_scikit_learn(rows: list[tuple[bool, float]]) -> None:
    y, score = np.array([float(r[0]) for r in rows]), np.array([r[1] for r in rows])
    found = average_precision(y, score)
    if len(set(y.tolist())) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(average_precision_score(y, score), abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 0.9])), max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_the_calibration_error(rows: list[tuple[bool, float]], random: Any) -> None:
    rows = [(True, 0.1), (False, 0.1), *rows]
    error = calibration_error_at(0.1)
    found = error(*np.array(rows, dtype=float).T)
    random.shuffle(rows)
    assert error(*np.array(rows, dtype=float).T) == pytest.approx(found)


def test_ads_of_one_probability_are_one_bin() -> None:
    y, p = np.repeat([1.0, 0.0], 50), np.full(100, 0.1)
    assert calibration_error_at(0.1)(y, p) == pytest.approx(0.0), "one in ten was said, and is so"


@pytest.mark.parametrize(
    ("slot", "value"),
    [(s, v) for s, key in (("place", "places"), ("name", "names"), ("nationality", "nationalities")) for v in FACTS[key]],
)
def test_a_place_a_name_a_nationality_alone_flags_nobody(scorer: Scorer, slot: str, value: str) -> None:
    for template in TEMPLATES:
        if "{" + slot + "}" in template:
            assert scorer.assess(template.format(**{**PLAIN, slot: value})).tier in ("low", "medium")


def test_a_fee_raises(scorer: Scorer) -> None:
    for ad, fee in product([*HONEST, *FACTS["added"]["overseas"]], FACTS["added"]["fees"]):
        assert scorer.assess(ad + fee).logit > scorer.assess(ad).logit  # type: ignore[operator]


def test_a_valid_licence_lowers(scorer: Scorer) -> None:
    agency = next(a for a in scorer.knowledge.agencies if a.status == "licensed")
    said = FACTS["added"]["licence"].format(
        agency=agency.name, licence=agency.licence.removeprefix("SIP3MI "), city=agency.city, contact=agency.contact
    )
    for ad in FACTS["added"]["overseas"]:
        with_licence = scorer.assess(ad + said)
        assert "agency_licensed" in with_licence.indicators
        assert with_licence.logit < scorer.assess(ad).logit  # type: ignore[operator]


@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_the_share_of_scams_is_guessed_where_probabilities_are_right(share: float) -> None:
    rng = np.random.default_rng(0)
    y = rng.random(40_000) < share
    logit = rng.normal(np.where(y, 2.0, -2.0), 2.0)  # so that the log-odds of the classes are `logit` itself
    base = 0.1
    p = 1 / (1 + np.exp(-(logit + np.log(base / (1 - base)))))
    assert jobscam.estimate_prevalence(p, base) == pytest.approx(share, rel=0.1)


@given(st.lists(st.floats(0, 1), max_size=50), st.floats(0.001, 0.9))
def test_a_guessed_share_is_a_share(p: list[float], base: float) -> None:
    assert 0 < jobscam.estimate_prevalence(p, base) < 1


def test_equal_weights_change_no_guess() -> None:
    p = [0.02, 0.3, 0.9]
    assert jobscam.estimate_prevalence(p * 4, 0.1) == pytest.approx(jobscam.estimate_prevalence(p, 0.1, [4, 4, 4]))


def test_calibration_is_measured_at_the_share_it_is_meant_for() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(20_000)
    y = (rng.random(20_000) < p).astype(float)
    assert calibration_error_at(float(y.mean()))(y, p) < 0.02
    assert calibration_error_at(0.05)(y, p) > 0.1
    assert np.isnan(calibration_error_at(0.1)(np.zeros(3), np.zeros(3)))


def test_reliability_covers_every_posting_once() -> None:
    y = np.array([0, 0, 1, 0, 1, 1], dtype=float)
    p = np.array([0.0, 0.02, 0.1, 0.5, 0.95, 1.0])
    *parts, above = reliability(y, p, 0.1)
    assert sum(row.postings for row in parts) == 6
    assert above.postings == 4
    assert weight_to(y, 0.1)[y == 1].sum() == pytest.approx(0.1)


def test_recall_at_a_false_positive_rate_counts_ties_against_us() -> None:
    y = np.array([1, 1, 0, 0], dtype=float)
    assert recall_at_fpr(0.0)(y, np.array([2.0, 1.0, 1.0, 0.0])) == 0.5


def test_thresholds_of_the_user(scorer: Scorer) -> None:
    moved = jobscam.load(thresholds={"high": 0.95, "critical": 0.99})
    assert moved.model.thresholds["high"] == 0.95 and moved.model.thresholds["medium"] == scorer.model.thresholds["medium"]
    for wrong in ({"high": 1.5}, {"urgent": 0.5}, {"medium": 0.99, "high": 0.5}):
        with pytest.raises(InputError, match="threshold"):
            jobscam.load(thresholds=wrong)
