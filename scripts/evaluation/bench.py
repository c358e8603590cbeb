"""The corpus read once, and models fitted on parts of it: what every protocol stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse

from jobscam import corpus, training
from jobscam.corpus import Row
from jobscam.evaluation import estimate
from jobscam.indicators import IndicatorReader
from jobscam.knowledge import load as load_knowledge
from jobscam.model.classifier import JobScamClassifier
from jobscam.posting import Posting

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "data" / "samples"
HONEST_SOURCES = ("posters", "lokerid", "maganghub", "jobstreet")
_CHUNK = 400


@dataclass
class Bench:
    """Readings of the corpus.

    The pay that honest ads learn is left out of the protocols (`PayReference` is empty): it would have to be learned anew
    in every fold. The shipped model has it.

    Attributes
    ----------
    rows : list of Row
        Postings that are advertisements, of all parts.
    matrix : sparse matrix of shape (n + m, p)
        Of the rows, then of their copies with fields taken away.
    copy_of : ndarray of shape (n + m,)
        Row that a copy was made of; -1 for the rows.
    y : ndarray of shape (n,)
    norm : list of str
        Normalised texts: what the baselines get, so that no damage by encoding tells them the label.
    """

    rows: list[Row]
    matrix: sparse.csr_matrix
    copy_of: np.ndarray
    y: np.ndarray
    norm: list[str]
    language: np.ndarray

    def __post_init__(self) -> None:
        self.source = np.array([r.source for r in self.rows])
        self.part = np.array([r.part for r in self.rows])
        self.group = np.array([r.group for r in self.rows])
        self.kind = np.array([r.kind for r in self.rows])
        self.authored = self.source == corpus.AUTHORED
        self.honest_real = np.isin(self.source, HONEST_SOURCES)

    @property
    def indonesian(self) -> np.ndarray:
        """Rows that are not plainly English."""
        return self.language != "en"

    def held_sets(self) -> dict[str, np.ndarray]:
        """Numbers of the postings that were not trained on, by language; only sets with both labels."""
        held = self.part != "train"
        sets = {"Indonesian and mixed": held & self.indonesian, "English": held & ~self.indonesian}
        return {name: np.flatnonzero(part) for name, part in sets.items() if len(set(self.y[part])) == 2}

    def fit(
        self,
        train: np.ndarray,
        *,
        calibrate: bool = False,
        folds: int = 0,
        weigh: bool = True,
        keep: Callable | None = None,
        **parameters: object,
    ) -> JobScamClassifier:
        """A classifier fitted on some rows and their copies.

        Parameters
        ----------
        train : ndarray of int
        calibrate : bool
            Calibration and thresholds on unlike folds, as for the shipped model.
        folds : int
            Folds by campaign instead; 0 for none.
        weigh : bool
            Whether sources are brought to their shares, as for the shipped model.
        keep : callable, optional
            Changes the matrix before fitting (to leave columns out).
        """
        index = np.concatenate([train, np.flatnonzero(np.isin(self.copy_of, train))])
        place = np.full(len(self.copy_of) + 1, -1)
        place[train] = np.arange(len(train))
        copy_of = place[self.copy_of[index]]
        origin = np.where(copy_of >= 0, self.copy_of[index], index)
        matrix = self.matrix[index] if keep is None else keep(self.matrix[index])
        used = [self.rows[i] for i in origin]
        plain = np.where(copy_of >= 0, training.COPY_WEIGHT, 1.0)
        weight = training.weights(used, copy_of) if weigh else plain
        mix = training.weights(used, copy_of, training.CALIBRATION_SHARES) if weigh else plain
        classifier = JobScamClassifier(folds=folds, **parameters)  # type: ignore[arg-type]
        classifier._prepare()
        group = np.unique(self.group[origin], return_inverse=True)[1]
        fold = training.folds(used) if calibrate else classifier._folds(self.y[origin], group)
        return classifier.fit_matrix(matrix, self.y[origin], weight, fold, mix, copy_of)


def read(data: Path | None) -> Bench:
    """Read the corpus and its features, on two cores."""
    return read_rows(r for r in corpus.read(data, SAMPLES) if r.status == "scored")


def read_rows(rows: Iterable[Row]) -> Bench:
    """Read the features of rows and of their copies."""
    used = training.augmented(list(rows))
    matrix, norm, language = _features([r.posting for r in used.rows])
    own = [r for r, k in zip(used.rows, used.copy_of) if k < 0]
    y = np.array([r.label for r in own], dtype=float)
    return Bench(own, matrix, used.copy_of, y, norm[: len(own)], np.array(language[: len(own)]))


def features(postings: Sequence[Posting]) -> sparse.csr_matrix:
    """Feature matrix of postings."""
    return _features(postings)[0]


def _features(postings: Sequence[Posting]) -> tuple[sparse.csr_matrix, list[str], list[str]]:
    chunks = [postings[i : i + _CHUNK] for i in range(0, len(postings), _CHUNK)]
    found = Parallel(n_jobs=2)(delayed(_read)(chunk) for chunk in chunks)
    return sparse.vstack([f[0] for f in found]).tocsr(), [n for f in found for n in f[1]], [w for f in found for w in f[2]]


def _read(postings: Sequence[Posting]) -> tuple[sparse.csr_matrix, list[str], list[str]]:
    classifier = JobScamClassifier()
    classifier._prepare()
    reader = IndicatorReader(load_knowledge())
    seen = [reader.observe(p) for p in postings]
    return classifier.transform(postings), [s.document.norm for s in seen], [s.language for s in seen]


def cells(metrics: Sequence[Callable], y: np.ndarray, score: np.ndarray, groups: Sequence[object]) -> list[str]:
    """Metrics with their intervals, as cells of a table."""
    return [str(estimate(metric, y, score, groups)) for metric in metrics]


def line(*parts: object) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(str(p) for p in parts) + " |"


def head(*names: str) -> list[str]:
    """Head of a Markdown table."""
    return ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
