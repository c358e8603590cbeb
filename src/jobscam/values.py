"""The values that travel along the path: frozen, slotted, and importing nothing of ours.

A posting's text is looked at as a set of named fields; a :class:`Span` always points into the *original* text of
one field, so that slicing it gives the words a reviewer sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Span(NamedTuple):
    """Characters ``[start, end)`` of one field of the original posting."""

    field: str
    start: int
    end: int


class Sign(StrEnum):
    """What an indicator speaks for. ``CONTEXT`` markers steer other findings and carry no weight."""

    RISK = "risk"
    SAFETY = "safety"
    CONTEXT = "context"


class Status(StrEnum):
    """Whether a posting can be ranked."""

    SCORED = "scored"
    NOT_ASSESSABLE = "not_assessable"
    WARNING_OR_NEWS = "warning_or_news"
    NOT_AN_AD = "not_an_ad"


TIERS = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Indicator:
    """A sign of risk or of safety, as declared in the knowledge files.

    Attributes
    ----------
    name : str
        Identifier, used in output columns.
    family : str
        The group it belongs to (salary, destination, agency, contact, lures, demands ...).
    sign : Sign
        Risk, safety or context.
    prior : float
        Log-odds an expert gives to the indicator before data are seen; the centre of the training penalty.
    negation : str
        What a negated mention means: ``drop``, ``flip`` or ``keep``.
    flips_to : str
        The indicator a negated mention turns into (only with ``flip``).
    """

    name: str
    family: str
    sign: Sign
    prior: float
    negation: str = "drop"
    flips_to: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One finding of an indicator.

    Attributes
    ----------
    indicator : str
        Name of the indicator.
    spans : tuple of Span
        Where it stands in the original posting, in order of reading. Empty when the finding is an absence.
    value : float
        Strength as a feature: 1.0 for a plain finding, otherwise a bounded number (for pay: a log ratio).
    detail : str
        Language-free facts for the sentence, ``key=value`` pairs joined by ``;``.
    """

    indicator: str
    spans: tuple[Span, ...] = ()
    value: float = 1.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Contribution:
    """The part of the log-odds that one feature, or one word of the text, is answerable for."""

    name: str
    value: float
    spans: tuple[Span, ...] = ()
    detail: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the contribution comes from learned words rather than from an indicator."""
        return self.name.startswith("text:")


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be read: where it stood, why, and its raw text.

    Attributes
    ----------
    line : int
    reason, raw : str
    place : str
        File and line, in a table of several files.
    """

    line: int
    reason: str
    raw: str
    place: str = ""

    @property
    def said(self) -> str:
        """The reason, behind the place in a table of several files."""
        return f"{self.place}: {self.reason}" if self.place else self.reason


@dataclass(frozen=True, slots=True)
class Findings:
    """All that reading a posting brought to light, before any weight is applied."""

    evidence: tuple[Evidence, ...]
    language: str
    language_confidence: float
    posting_type: str
    facts: Mapping[str, object] = field(default_factory=dict)
