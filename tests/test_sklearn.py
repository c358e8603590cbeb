"""The estimator keeps scikit-learn's contract: its own checks, searches, pipelines, pickles, labels by name."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

import jobscam
from jobscam import JobScamClassifier
from jobscam.corpus import read_samples
from jobscam.errors import InputError, KnowledgeError
from jobscam.knowledge import Meaning, labels, load_labels

ROOT = Path(__file__).parent.parent
ROWS = [r for r in read_samples(ROOT / "data" / "samples" / "train.csv") if r.status == "scored"][:40]
ADS = [r.posting for r in ROWS]
Y = np.array([r.label for r in ROWS])
GROUPS = np.array([r.group for r in ROWS])
TEXTS = [p.text() or "iklan" for p in ADS]
FRAME = pd.DataFrame({"judul": [p.title for p in ADS], "deskripsi": TEXTS, "gaji": [p.salary for p in ADS]})
NAMES = np.where(Y == 1, "scam", "legit")


def small(**parameters: Any) -> JobScamClassifier:
    return JobScamClassifier(**{"bits": 9, "folds": 2, "text_penalty": 0.3, **parameters})


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Problems this small only get slower with several threads."""
    with threadpool_limits(1):
        yield


# --- scikit-learn's own checks -----------------------------------------------------------------------------------------


def said(numbers: Any) -> list[str]:
    """Rows of numbers as texts: one word for every level that a number reaches."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    rows = np.asarray(numbers, dtype=float)
    levels = [(k, k * 0.6 - 1.8) for k in range(7)]
    return [
        "kami yang dan di untuk dengan "  # Indonesian, so that no time goes into guessing the language
        + " ".join(
            letters[j // 26] + letters[j % 26] + letters[k] for j, v in enumerate(row) for k, least in levels if v >= least
        )
        for row in rows
    ]


class ReadsNumbers(JobScamClassifier):
    """The estimator with tables of numbers said in words, because scikit-learn's checks know no other input."""

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> ReadsNumbers:  # type: ignore[override]
        super().fit(said(validate_data(self, X)), y, sample_weight=sample_weight)
        return self

    def transform(self, X: Any) -> Any:
        check_is_fitted(self, "model_")
        return super().transform(said(validate_data(self, X, reset=False)))

    def fit_transform(self, X: Any, y: Any, sample_weight: Any = None) -> Any:  # type: ignore[override]
        return self.fit(X, y, sample_weight).transform(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.allow_nan = False
        tags.input_tags.two_d_array = True
        return tags


EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": "document frequencies and folds count postings, whatever their weight",
    "check_classifiers_classes": "labels 'one' and 'two' are refused: they do not say which is the scam",
}


@parametrize_with_checks(
    [ReadsNumbers(bits=8, folds=2, text_penalty=0.3)], expected_failed_checks=lambda estimator: EXPECTED_FAILURES
)
def test_check_of_scikit_learn(estimator: Any, check: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks provoke some on purpose
        check(estimator)


def test_estimator_itself_asks_for_texts() -> None:
    """It declares no two-dimensional arrays, so scikit-learn has nothing to run that needs them."""
    with pytest.warns(Warning, match="Can't test estimator JobScamClassifier which requires input"):
        check_estimator(small())
    tags = small().__sklearn_tags__()
    assert tags.input_tags.string and not tags.input_tags.two_d_array and not tags.classifier_tags.multi_class
    assert tags.target_tags.required and tags.estimator_type == "classifier"


# --- searches, pipelines, pickles --------------------------------------------------------------------------------------


def test_grid_search_with_groups() -> None:
    search = GridSearchCV(small(), {"text_penalty": [0.1, 3.0]}, cv=GroupKFold(2), scoring="roc_auc", error_score="raise")
    search.fit(FRAME, NAMES, groups=GROUPS)
    assert search.best_params_["text_penalty"] in (0.1, 3.0)
    assert search.best_score_ > 0.8
    assert set(search.predict(FRAME)) <= {"legit", "scam"}


def test_pipeline_and_parameters_by_name() -> None:
    pipeline = Pipeline([("lower", FunctionTransformer(lambda f: f.apply(lambda c: c.str.lower()))), ("model", small())])
    pipeline.set_params(model__text_penalty=0.5)
    assert pipeline.get_params()["model__text_penalty"] == 0.5
    scores = cross_val_score(pipeline, FRAME, Y, cv=2, error_score="raise")
    assert scores.shape == (2,)
    assert pipeline.fit(FRAME, Y, model__groups=GROUPS).predict(FRAME).shape == Y.shape


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_cross_val_predict_of_texts(method: str) -> None:
    out = cross_val_predict(small(), TEXTS, Y, cv=2, method=method)
    assert len(out) == len(Y) and np.isfinite(out).all()


@pytest.mark.parametrize("through", ["pickle", "joblib"])
def test_a_fitted_estimator_travels(through: str, tmp_path: Path) -> None:
    fitted = small().fit(FRAME, NAMES)
    fitted.set_params(bits=14)  # of the next fit: what is fitted keeps its own
    if through == "pickle":
        again = pickle.loads(pickle.dumps(fitted))
    else:
        joblib.dump(fitted, tmp_path / "model.joblib")
        again = joblib.load(tmp_path / "model.joblib")
    assert again.pay_reference_.as_json() == fitted.pay_reference_.as_json()
    assert np.array_equal(again.decision_function(FRAME), fitted.decision_function(FRAME))
    assert again.get_params() == fitted.get_params()
    assert np.array_equal(again.predict(TEXTS), fitted.predict(TEXTS))
    assert clone(again).get_params() == fitted.get_params()


def test_a_pickle_is_refused_where_knowledge_differs(tmp_path: Path) -> None:
    fitted = small().fit(TEXTS, Y)
    (tmp_path / "indicators.toml").write_text('[new_sign]\nfamily = "lures"\nsign = "risk"\nprior = 0.5\n')
    for code in ("id", "en"):
        (tmp_path / "languages" / code).mkdir(parents=True)
        (tmp_path / "languages" / code / "sentences.toml").write_text('[indicators]\nnew_sign = "A new sign"\n')
    fitted.knowledge = str(tmp_path)
    with pytest.raises(InputError, match="other knowledge"):
        pickle.loads(pickle.dumps(fitted)).predict(TEXTS)


def test_same_answers_for_table_texts_and_postings() -> None:
    fitted = small().fit(TEXTS, Y)
    expected = fitted.predict_proba(TEXTS)
    for form in (pd.Series(TEXTS), np.array(TEXTS), np.array(TEXTS, dtype=object)[:, None], pd.DataFrame({"teks": TEXTS}),
                 [{"text": t} for t in TEXTS], iter(TEXTS), pd.Series(TEXTS, dtype="string")):  # fmt: skip
        assert np.array_equal(fitted.predict_proba(form), expected)
    assert fitted.predict_proba([]).shape == (0, 2) and fitted.predict([]).shape == (0,)
    assert fitted.predict([None, float("nan"), pd.NA]).shape == (3,)


# --- weights, knowledge ------------------------------------------------------------------------------------------------


def test_weights_count() -> None:
    heavy = small(folds=0).fit(TEXTS, Y, sample_weight=np.where(Y == 1, 9.0, 1.0))
    light = small(folds=0).fit(TEXTS, Y, sample_weight=list(np.where(Y == 1, 1, 9)))
    assert heavy.predict_proba(TEXTS)[:, 1].mean() > light.predict_proba(TEXTS)[:, 1].mean() + 0.05


def test_a_users_indicator_gets_a_weight(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    (folder / "languages" / "id").mkdir(parents=True)
    (folder / "languages" / "en").mkdir()
    (folder / "indicators.toml").write_text('[secret_base]\nfamily = "lures"\nsign = "risk"\nprior = 0.4\n')
    (folder / "languages" / "id" / "phrases.csv").write_text(
        "indicator,form,source,date,note\nsecret_base,markas rahasia,test,2026-11-24,\n"
    )
    for code in ("id", "en"):
        (folder / "languages" / code / "sentences.toml").write_text('[indicators]\nsecret_base = "A secret base"\n')
    ads = [t + (" Lokasi di markas rahasia." if label else "") for t, label in zip(TEXTS, Y, strict=True)]
    path = jobscam.save(small(knowledge=str(folder)).fit(ads, Y), tmp_path / "mine-1.0.0")
    ad = "Dicari kasir di markas rahasia, gaji 3 juta, kirim lamaran ke toko"
    scorer = jobscam.load(path, knowledge=folder)
    found = {c.name: c.value for c in scorer.assess(ad).contributions}
    assert found["secret_base"] > 0.4
    assert str(tmp_path) not in (path / "manifest.json").read_text(encoding="utf-8")
    shipped = jobscam.load(knowledge=folder).assess(ad)
    assert "secret_base" in shipped.indicators and "secret_base" not in {c.name for c in shipped.contributions}


# --- labels ------------------------------------------------------------------------------------------------------------

LABELS = [
    (("legit", "scam"), "scam"),
    (("fraud", "legit"), "fraud"),
    (("asli", "penipuan"), "penipuan"),
    (("Fake", "Real"), "Fake"),
    (("TPPO", "wajar"), "TPPO"),
    (("aman", "merah"), "merah"),
    (("hijau", "penipuan"), "penipuan"),
    (("not_scam", "scam"), "scam"),
    (("no", "yes"), "yes"),
    (("tidak", "ya"), "ya"),
    (("0", "1"), "1"),
    ((0, 1), 1),
    ((-1, 1), 1),
    ((1, 2), 2),
    ((0.0, 1.0), 1.0),
    ((False, True), True),
]


@pytest.mark.parametrize(("pair", "scam"), LABELS, ids=[f"{a}-{b}" for (a, b), _ in LABELS])
def test_the_name_tells_the_scam(pair: tuple[Any, Any], scam: Any) -> None:
    assert pair[load_labels().positive_class(pair)] == scam


@pytest.mark.parametrize("pair", [("legit", "scam"), ("fraud", "legit"), (0, 1)])
def test_columns_and_signs_follow_classes(pair: tuple[Any, Any]) -> None:
    scam = pair[load_labels().positive_class(pair)]
    honest = next(label for label in pair if label != scam)
    y = np.array([scam if label else honest for label in Y])
    fitted = small().fit(TEXTS, y)
    assert fitted.classes_.tolist() == sorted(pair) and fitted.scam_class_ == scam
    p, z = fitted.predict_proba(TEXTS), fitted.decision_function(TEXTS)
    column = fitted.classes_.tolist().index(scam)
    assert roc_auc_score(Y, p[:, column]) > 0.9
    assert np.array_equal(fitted.predict(TEXTS), fitted.classes_[(z > 0).astype(int)])
    assert np.allclose(p[:, 1], 1.0 / (1.0 + np.exp(-z)))
    assert np.allclose(p[:, column], small().fit(TEXTS, Y).predict_proba(TEXTS)[:, 1])
    assert small(prevalence=0.5).fit(TEXTS, y).score(TEXTS, y) > 0.8  # half of these ads are scams


BAD_LABELS = [
    (["baik", "buruk"], "'baik' and 'buruk' do not say which is the scam"),
    (["fraud", "scam"], "both mean positive"),
    (["ragu", "scam"], "'ragu' means undecided"),
    ([1, 1], "two classes of labels, got 1 class"),
    ([1, 2, 3], "Only binary classification"),
    ([1.0, float("nan")], "NaN"),
    (["scam", None], "NaN or an empty label at row 1"),
    (["scam", ""], "empty label at row 1"),
    ([0.5, 1.5, 0.1], "Unknown label type"),
    ([[1, 0], [0, 1]], "1d array"),
    (None, "y to be passed"),
]


@pytest.mark.parametrize(("y", "message"), BAD_LABELS, ids=[str(y) for y, _ in BAD_LABELS])
def test_labels_that_cannot_be_learned(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small().fit(TEXTS[: len(y) if y is not None else 2], y)


def test_label_columns() -> None:
    names = load_labels()
    assert names.column(["id", "Penipuan?", "teks"]) == "Penipuan?"
    assert names.column(["target", "is_scam"]) == "is_scam"
    assert names.column(["judul", "deskripsi"]) is None
    assert names.meaning("Ragu-ragu") is Meaning.UNDECIDED and names.meaning(None) is None


def test_a_label_has_one_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = labels.FILE.read_text(encoding="utf-8")
    for wrong, message in (
        (text.replace('"asli"', '"scam"'), "'scam' stands under"),
        (text.replace('"asli"', '"Asli"'), "never match"),
    ):
        file = tmp_path / "labels.toml"
        file.write_text(wrong, encoding="utf-8")
        monkeypatch.setattr(labels, "FILE", file)
        with pytest.raises(KnowledgeError, match=message):
            load_labels.__wrapped__()


# --- faults ------------------------------------------------------------------------------------------------------------

NAN = float("nan")
FAULTS: list[tuple[str, Any, dict[str, Any], str]] = [
    ("nothing", [], {}, "0 sample"),
    ("none", None, {}, "X is None"),
    ("number", 3, {}, "X is int"),
    ("one text", "loker", {}, "list of postings"),
    ("numbers", np.zeros((4, 1)), {}, "float64, not advertisements"),
    ("bare table", np.array([["a", "b"]] * 4), {}, "does not say what its columns hold"),
    ("sparse", sparse.csr_matrix((4, 2)), {}, "sparse"),
    ("no text column", pd.DataFrame({"harga": [1, 2, 3, 4]}).assign(x=1), {}, "no column holds the text"),
    ("list of numbers", [1, 2, 3, 4], {}, "got int"),
    ("labels short", TEXTS[:5], {}, "got 5 postings and 4 labels"),
    ("weights short", TEXTS[:4], {"sample_weight": [1, 1]}, "got 4 postings and 2 sample_weight"),
    ("weight nan", TEXTS[:4], {"sample_weight": [1, NAN, 1, 1]}, "sample_weight holds nan at row 1"),
    ("weight infinite", TEXTS[:4], {"calibration_weight": [1, 1, np.inf, 1]}, "calibration_weight holds inf"),
    ("weight negative", TEXTS[:4], {"sample_weight": [1, -1, 1, 1]}, "at least 0"),
    ("weight square", TEXTS[:4], {"sample_weight": np.ones((4, 4))}, "1D array"),
    ("weights all zero", TEXTS[:4], {"sample_weight": np.zeros(4)}, "weight above zero"),
    ("groups short", TEXTS[:4], {"groups": [1, 2]}, "2 groups"),
    ("copy of nothing", TEXTS[:4], {"copy_of": [-1, -1, -1, 9]}, "copy_of must lie between -1 and 3"),
    ("folds in words", TEXTS[:4], {"fold_of": ["a", "b", "a", "b"]}, "one whole number a posting"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "X", "extra", "message"), FAULTS, ids=[f[0] for f in FAULTS])
def test_faults_are_named(case: str, X: Any, extra: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        small().fit(X, [0, 1, 0, 1], **extra)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_unfitted(method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(small(), method)(TEXTS)
