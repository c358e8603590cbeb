"""The costly step of a run: a batch of rows becomes output columns. It runs in the workers, and its results can be stored."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b, sha256
from typing import Any, NamedTuple, Protocol

from jobscam.campaigns import Traits, traits
from jobscam.explain import OUTPUT_COLUMNS, Assessment
from jobscam.posting import ColumnMap, Posting

FAILED = "could not be scored"
"""What a text that stands in place of a result begins with."""
_MESSAGE = 200
Cells = list[str]


class Assessor(Protocol):
    """What scores postings; a :class:`~jobscam.scoring.Scorer` is one."""

    def assess_many(self, items: Sequence[Posting], /) -> list[Assessment]:
        """Assess several postings, in order."""


class LoadScorer:
    """Loads a scorer with these arguments of :func:`jobscam.scoring.load`."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.arguments = dict(arguments)

    def __call__(self) -> Assessor:
        """Load it."""
        from jobscam.scoring import load

        return load(**self.arguments)


class Scored(NamedTuple):
    """What a run needs to know of an assessed row."""

    columns: tuple[str, ...]
    logit: float
    probability: float | None
    prevalence: float | None
    traits: Traits | None


class Assessed(NamedTuple):
    """Results of a batch, a text in place of one saying why there is none, and the same as bytes if these were asked for."""

    results: list[Scored | str]
    stored: bytes


class Assess:
    """Turns a batch of rows into :class:`Assessed`; goes to the workers whole, so it holds nothing but settings.

    Parameters
    ----------
    factory : callable
        Makes the scorer, once a process.
    mapping : ColumnMap
    reasons : int
    language : {"id", "en"}
    campaigns : bool
        Whether what campaigns are grouped by is wanted too.
    storing : bool
        Whether results are wanted as bytes too.
    """

    def __init__(
        self, factory: Callable[[], Assessor], mapping: ColumnMap, reasons: int, language: str, campaigns: bool, storing: bool
    ) -> None:
        self.factory = factory
        self.mapping = mapping
        self.reasons = reasons
        self.language = language
        self.campaigns = campaigns
        self.storing = storing

    def start(self) -> _Assessing:
        """Load the scorer, and return what uses it."""
        return _Assessing(self, self.factory())


class _Assessing:
    """A loaded scorer at work.

    Attributes
    ----------
    identity : dict of str to str
        What of the scorer decides the bytes of the output.
    """

    def __init__(self, task: Assess, scorer: Assessor) -> None:
        self._task = task
        self._scorer = scorer
        self.identity = _identity(scorer)

    def __call__(self, rows: Sequence[Cells]) -> Assessed:
        results: list[Scored | str]
        try:
            results = list(self._scored(rows))
        except MemoryError:
            raise
        except Exception:  # a fault of ours in one row must not take the others along
            results = [self._alone(cells) for cells in rows]
        return Assessed(results, store(rows, results) if self._task.storing else b"")

    def _scored(self, rows: Sequence[Cells]) -> Iterable[Scored]:
        task = self._task
        postings = [task.mapping.posting(cells) for cells in rows]
        for posting, found in zip(postings, self._scorer.assess_many(postings), strict=True):
            columns = found.columns(task.reasons, task.language)
            logit = float(found.logit) if found.logit is not None and not math.isnan(found.logit) else -math.inf
            values = tuple(columns[name] for name in OUTPUT_COLUMNS)
            yield Scored(values, logit, found.probability, found.prevalence, traits(posting) if task.campaigns else None)

    def _alone(self, cells: Cells) -> Scored | str:
        try:
            return next(iter(self._scored([cells])))
        except MemoryError:
            raise
        except Exception as error:
            return failure(error)


def failure(error: Exception) -> str:
    """Why a row has no score, in a line."""
    return f"{FAILED}: {type(error).__name__}: {' '.join(str(error).split())[:_MESSAGE]}"


def store(rows: Sequence[Cells], results: Sequence[Scored | str]) -> bytes:
    """Results as bytes, with a digest of the rows that they belong to. JSON, so that reading them runs no code."""
    return zlib.compress(json.dumps([_digest(rows), results]).encode(), 1)


def stored(data: bytes, rows: Sequence[Cells]) -> list[Scored | str] | None:
    """The results that :func:`store` made of these rows; None if they were made of others.

    Examples
    --------
    >>> stored(store([["a"]], ["could not be scored"]), [["a"]])
    ['could not be scored']
    >>> stored(store([["a"]], ["could not be scored"]), [["b"]]) is None
    True
    """
    digest, results = json.loads(zlib.decompress(data))
    if digest != _digest(rows):
        return None
    return [item if isinstance(item, str) else _scored(*item) for item in results]


def _scored(columns: list[str], logit: float, probability: float | None, prevalence: float | None, found: Any) -> Scored:
    trait = None if found is None else Traits(found[0], tuple(found[1]))
    return Scored(tuple(columns), logit, probability, prevalence, trait)


def _digest(rows: Sequence[Cells]) -> str:
    hashed = blake2b(digest_size=16)
    for cells in rows:
        hashed.update("\x1f".join(cells).encode("utf-8", "surrogatepass"))
        hashed.update(b"\x1e")
    return hashed.hexdigest()


def _identity(scorer: Assessor) -> dict[str, str]:
    """What of a scorer decides the output; a stand-in is known by its name alone."""
    from jobscam.scoring import Scorer

    if not isinstance(scorer, Scorer):
        return {"scorer": type(scorer).__qualname__}
    # The manifest vouches for every file of the artifact.
    manifest = sha256(json.dumps(scorer.manifest, sort_keys=True).encode()).hexdigest()
    return {
        "model (--model)": f"{scorer.name}, {manifest[:16]}",
        "knowledge (--knowledge, --agencies)": scorer.knowledge.digest[:16],
        "share of scams (--prevalence)": repr(float(scorer.model.calibration.prevalence)),
        "thresholds (--threshold)": " ".join(f"{tier}={value!r}" for tier, value in sorted(scorer.model.thresholds.items())),
    }
