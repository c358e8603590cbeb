"""All that a worker needs in order to score, as bytes: workers have jobscam installed, but nobody's model folder."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobscam import __version__, scored
from jobscam.assessing import failure
from jobscam.errors import ArtifactError, InputError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.integrations import bundle
from jobscam.integrations.bundle import Bundle
from jobscam.knowledge import load as load_knowledge
from jobscam.model import artifact, registry

if TYPE_CHECKING:
    import pandas as pd

    from jobscam.scoring import Scorer

NUMBERS = ("jobscam_probability", "jobscam_salary_month_idr")
"""Output columns that are numbers; the others are text."""
LANGUAGES = ("id", "en")
_KEPT = 4
_scorers: dict[str, Scorer] = {}
# Partitions that run in threads of one process take turns: scoring is Python, they would not be faster side by side.
_turn = threading.RLock()


@dataclass(frozen=True)
class Parcel:
    """Artifact, knowledge and settings of a run; made by :func:`pack`. Small enough to be sent to every worker.

    Attributes
    ----------
    bundle : Bundle
        The files, byte by byte.
    version : str
        Version of jobscam that packed it.
    prevalence, thresholds, reasons, language, overrides
        As in :func:`pack`; mappings as pairs.
    """

    bundle: Bundle = field(repr=False)
    version: str
    prevalence: float | None
    thresholds: tuple[tuple[str, float], ...]
    reasons: int
    language: str
    overrides: tuple[tuple[str, str], ...]

    @cached_property
    def digest(self) -> str:
        """Stands for all that decides the output."""
        settings = (self.version, self.prevalence, self.thresholds, self.reasons, self.language, self.overrides)
        return sha256(f"{self.bundle.digest}{settings}".encode()).hexdigest()

    def __dask_tokenize__(self) -> str:
        return self.digest

    def scorer(self) -> Scorer:
        """The scorer over these files, made once a process.

        Raises
        ------
        ArtifactError
            If the jobscam of this machine is not the one that packed: its scores could differ.
        """
        with _turn:
            if self.digest not in _scorers:
                if (self.version, self.bundle.base) != (__version__, load_knowledge().digest):
                    raise ArtifactError(
                        f"this worker has jobscam {__version__}, the run was started with {self.version} or with other "
                        "knowledge files; install one and the same jobscam on all machines"
                    )
                while len(_scorers) >= _KEPT:
                    del _scorers[next(iter(_scorers))]
                _scorers[self.digest] = self.bundle.scorer(self.prevalence, dict(self.thresholds) or None)
            return _scorers[self.digest]

    def score(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Score one partition.

        Parameters
        ----------
        frame : DataFrame
            Any number of rows, none included.

        Returns
        -------
        DataFrame
            The columns of `frame`, those of an earlier run left out, and the ``jobscam_`` columns, with the same index. A row
            at which we fail is ``not_assessable``, and its reasons say that it could not be scored and why.
        """
        with _turn:
            scorer = self.scorer()
            try:
                found = self._scored(frame, scorer)
            except (InputError, MemoryError):
                raise
            except Exception:  # a fault of ours in one row must not take the others along
                found = self._one_by_one(frame, scorer)
        return found.astype(dtypes())  # a partition without rows has the types of the others

    def _scored(self, frame: pd.DataFrame, scorer: Scorer) -> pd.DataFrame:
        return scored.rescored(frame, scorer, dict(self.overrides), reasons=self.reasons, language=self.language)

    def _one_by_one(self, frame: pd.DataFrame, scorer: Scorer) -> pd.DataFrame:
        import pandas as pd

        rows = []
        for i in range(len(frame)):
            row = frame.iloc[i : i + 1]
            try:
                found = self._scored(row, scorer)
            except MemoryError:
                raise
            except Exception as error:
                found = self._scored(row.map(lambda _: None), scorer)  # what an ad without text gets
                found["jobscam_reasons"] = failure(error)
            rows.append(found[list(OUTPUT_COLUMNS)])
        return pd.concat([scored.carried(frame), pd.concat(rows)], axis=1)

    def meta(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What :meth:`score` returns for a frame with these columns, without rows."""
        import pandas as pd

        empty = scored.carried(frame).iloc[:0]
        ours = {name: pd.Series([], dtype=kind, index=empty.index) for name, kind in dtypes().items()}
        return pd.concat([empty, pd.DataFrame(ours, index=empty.index)], axis=1)


def dtypes() -> dict[str, Any]:
    """Types of the output columns, text as the installed pandas keeps it."""
    import pandas as pd

    text = pd.Series([""]).dtype
    return {name: "float64" if name in NUMBERS else text for name in OUTPUT_COLUMNS}


def pack(
    source: str | Path | registry.Choice | None = None,
    *,
    models: str | Path | None = None,
    knowledge: str | Path | None = None,
    agencies: str | Path | None = None,
    prevalence: float | None = None,
    thresholds: Mapping[str, float] | None = None,
    reasons: int = 3,
    language: str = "id",
    overrides: Mapping[str, str] | None = None,
) -> Parcel:
    """Read and check all that a worker needs.

    Parameters
    ----------
    source, models, knowledge, agencies, prevalence, thresholds
        As in :func:`jobscam.load`.
    reasons : int
    language : {"id", "en"}
        Number and language of the reasons.
    overrides : mapping, optional
        Posting field to column, over what the names of the columns say.

    Raises
    ------
    InputError, ArtifactError, KnowledgeError
        What :func:`jobscam.load` raises, here rather than on a worker.
    """
    if language not in LANGUAGES:
        raise InputError(f"language is {' or '.join(map(repr, LANGUAGES))}, got {language!r}")
    choice = source if isinstance(source, registry.Choice) else registry.choose(source, models)
    artifact.read_manifest(choice.path, choice.sha256)
    files = bundle.read(str(choice.path.absolute()), *(None if p is None else str(p) for p in (knowledge, agencies)))
    pairs = tuple(sorted((thresholds or {}).items()))
    parcel = Parcel(files, __version__, prevalence, pairs, reasons, language, tuple((overrides or {}).items()))
    parcel.scorer()
    return parcel


def packed(arguments: Mapping[str, Any] | Parcel | None, **settings: Any) -> Parcel:
    """A parcel as it is, or one of these arguments of :func:`pack`."""
    if isinstance(arguments, Parcel):
        return arguments
    if arguments is not None and not isinstance(arguments, Mapping):
        raise InputError(f"give the arguments of jobscam.load as a mapping, or a Parcel; got {type(arguments).__name__}")
    return pack(**{**settings, **(arguments or {})})
