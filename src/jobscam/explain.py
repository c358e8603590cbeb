"""Exact reasons: the contributions that add up to the log-odds, said in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jobscam.features import FloatArray, IntArray
from jobscam.indicators import Document
from jobscam.model.linear import LinearModel
from jobscam.ngrams import Grams
from jobscam.values import Contribution, Evidence, Findings, Span

OUTPUT_COLUMNS = (
    "jobscam_probability", "jobscam_tier", "jobscam_status", "jobscam_language", "jobscam_reasons", "jobscam_indicators",
    "jobscam_salary_month_idr", "jobscam_destination", "jobscam_agency", "jobscam_model",
)  # fmt: skip
"""Columns of output schema 1, in order."""
CAMPAIGN_COLUMN = "jobscam_campaign"
"""One more, before the last, where grouping was asked for."""
MAX_WORDS = 12
"""Words of the text that are named one by one; the others stand together in one contribution."""
SEPARATOR = " · "
_MIN_REASON = 0.05


@dataclass(frozen=True, slots=True)
class Reason:
    """A contribution with the words that caused it.

    Attributes
    ----------
    name : str
        Indicator, or ``text:<word>``.
    weight : float
        Log-odds it adds (risk) or takes away (safety).
    text : str
        The words of the ad, as written.
    """

    name: str
    weight: float
    text: str
    spans: tuple[Span, ...]
    detail: str
    _sentences: Mapping[str, Mapping[str, str]]

    def sentence(self, language: str = "id") -> str:
        """What was found, in Indonesian (``id``) or English (``en``)."""
        sentences = self._sentences[language]
        base = self.name.split("@")[0]
        facts = dict(part.split("=", 1) for part in self.detail.split(";") if "=" in part)
        if self.name == "text:rest":
            return sentences["text_rest"]
        if self.name.startswith("text:"):
            return f"{sentences['text_risk' if self.weight > 0 else 'text_safety']}: “{self.text}”"
        kind, _, field = base.partition(":")
        if field:
            return f"{sentences[kind]}: {sentences[f'name_{field}']}"
        said = sentences.get(base, base)
        if "ratio" in facts:
            said += _pay_clause(facts, language)
        elif "place" in facts:
            said += f" ({facts['place']})"
        return said


def _pay_clause(facts: Mapping[str, str], language: str) -> str:
    pay, reference, ratio = float(facts["pay"]) / 1e6, float(facts["reference"]) / 1e6, float(facts["ratio"])
    what, ads = facts.get("occupation") or facts.get("place") or "", facts.get("n", "")
    if language == "id":
        of = f" untuk {what}" if what else f" dari {ads} iklan wajar" if ads else ""
        said = f" (sekitar Rp{pay:.1f} juta sebulan, kira-kira {ratio:.1f} kali acuan Rp{reference:.1f} juta{of})"
        return said.replace(".", ",")
    of = f" for {what}" if what else f" of {ads} honest ads" if ads else ""
    return f" (about Rp{pay:.1f} million a month, some {ratio:.1f} times the reference of Rp{reference:.1f} million{of})"


@dataclass(frozen=True)
class Assessment:
    """What jobscam says of one posting.

    Attributes
    ----------
    probability : float or None
        Calibrated probability of a scam or trafficking lure; None where nothing could be computed.
    logit : float or None
        ``bias + sum(c.value for c in contributions)``.
    tier : str
        low, medium, high or critical; empty unless `status` is ``scored``.
    status : str
        scored, not_assessable, warning_or_news or not_an_ad.
    shares : Shares
        What `contributions` and `reasons` are made of when they are asked for.
    prevalence : float or None
        Share of scams in the stream for which the probability holds.
    """

    probability: float | None
    logit: float | None
    bias: float
    tier: str
    status: str
    status_reason: str
    language: str
    shares: Shares
    evidence: tuple[Evidence, ...]
    facts: Mapping[str, object]
    model: str
    document: Document
    sentences: Mapping[str, Mapping[str, str]]
    prevalence: float | None = None

    @cached_property
    def contributions(self) -> tuple[Contribution, ...]:
        """Everything that adds to the log-odds: indicators first, then words, then the rest of the text."""
        return tuple(map(self.shares.contribution, range(len(self.shares.values))))

    @cached_property
    def reasons(self) -> tuple[Reason, ...]:
        """By weight, the strongest first; every contribution is one."""
        return tuple(self._reason(part) for part in sorted(self.contributions, key=lambda c: (-abs(c.value), c.name)))

    def _reason(self, part: Contribution) -> Reason:
        words = " … ".join(self.document.words_shown(s) for s in part.spans[:3])
        return Reason(part.name, part.value, words, part.spans, part.detail, self.sentences)

    @property
    def indicators(self) -> tuple[str, ...]:
        """Names of the indicators found, in alphabetical order."""
        return tuple(sorted({e.indicator for e in self.evidence}))

    def status_sentence(self, language: str = "id") -> str:
        """Why a posting was not scored, in a sentence; empty if it was."""
        return self.sentences[language].get(self.status_reason, "")

    def columns(self, reasons: int = 3, language: str = "id") -> dict[str, str]:
        """Output columns of schema 1 as text, empty where there is nothing to say."""
        salary = self.facts.get("salary_month_idr")
        return dict(
            zip(
                OUTPUT_COLUMNS,
                (
                    "" if self.probability is None else f"{self.probability:.6f}",
                    self.tier,
                    self.status,
                    self.language,
                    self.status_sentence(language) or SEPARATOR.join(self.top_reasons(reasons, language)),
                    ";".join(self.indicators),
                    f"{salary:.0f}" if isinstance(salary, float) else "",
                    str(self.facts.get("destination") or ""),
                    str(self.facts.get("agency") or ""),
                    self.model,
                ),
                strict=True,
            )
        )

    def top_reasons(self, n: int = 3, language: str = "id") -> list[str]:
        """The strongest reasons in the direction of the tier, as sentences with the words of the ad."""
        upward = self.tier != "low"
        names, values = self.shares.names, self.shares.values
        fit = [
            (-abs(value), name, i)
            for i, (name, value) in enumerate(zip(names, values, strict=True))
            if abs(value) >= _MIN_REASON and name != "text:rest" and (value > 0) is upward
        ]
        said: list[str] = []
        for _, _, i in sorted(fit)[:n]:
            reason = self._reason(self.shares.contribution(i))
            sentence = reason.sentence(language)
            words = " ".join(reason.text.split())[:80]
            said.append(sentence if not words or words in sentence else f"{sentence}: “{words}”")
        return said

    def to_html(self, language: str = "id", reasons: int = 8) -> str:
        """A self-contained piece of HTML: the ad with its evidence marked, the strongest reasons, and how they add up.

        The ad is escaped: nothing it holds becomes a tag.

        Parameters
        ----------
        language : {"id", "en"}
        reasons : int
            How many reasons are listed one by one.
        """
        from jobscam.render import fragment

        return fragment(self, language, reasons)

    def _repr_html_(self) -> str:
        return self.to_html()


class Shares:
    """What each indicator and word adds to the log-odds of a posting.

    Attributes
    ----------
    names : list of str
        Indicators first, then the words that are named one by one, then ``text:rest``.
    values : list of float
        Log-odds, in the same order.
    """

    __slots__ = ("_document", "_found", "_places", "names", "values")

    def __init__(
        self,
        model: LinearModel,
        row: Mapping[int, float],
        grams: Grams,
        text_values: FloatArray,
        document: Document,
        findings: Findings,
    ) -> None:
        self.names: list[str] = []
        self.values: list[float] = []
        self._document = document
        self._found: list[tuple[str, Evidence | None]] = []
        self._places: list[tuple[int, int]] = []
        evidence: dict[str, Evidence] = {}
        for item in findings.evidence:
            if item.indicator not in evidence or item.value > evidence[item.indicator].value:
                evidence[item.indicator] = item
        for column, value in row.items():
            weight = float(model.dense[column])
            if weight == 0.0:
                continue
            kind, name = model.names[column].split(":", 1)
            self._found.append((kind, evidence.get(name.split("@")[0])))
            self.names.append(name if kind == "ind" else f"{kind}:{name}")
            self.values.append(weight * value)
        self._add_words(text_values, grams)

    def _add_words(self, values: FloatArray, grams: Grams) -> None:
        if not len(values):
            return
        # A word that comes again counts where it stands first.
        by_place = np.bincount(grams.words, weights=values, minlength=len(grams.same))
        sums: FloatArray = np.bincount(grams.same, weights=by_place, minlength=len(grams.same)).astype(np.float64, copy=False)
        order = _ranked(sums, grams)
        ranked = sums[order].tolist()
        named = order[:MAX_WORDS]
        self._places = list(zip(grams.starts[named].tolist(), grams.ends[named].tolist(), strict=True))
        self.names += [f"text:{grams.letters[start:end].decode()}" for start, end in self._places]
        self.names.append("text:rest")
        self.values += ranked[:MAX_WORDS]
        self.values.append(sum(ranked[MAX_WORDS:]))

    def contribution(self, i: int) -> Contribution:
        """One share with the characters that show it."""
        name, value = self.names[i], self.values[i]
        if i < len(self._found):
            kind, found = self._found[i]
            return Contribution(name, value, found.spans if found and kind == "ind" else (), found.detail if found else "")
        place = i - len(self._found)
        if place < len(self._places):
            return Contribution(name, value, (self._document.span(*self._places[place]),))
        return Contribution(name, value)


def _ranked(sums: FloatArray, grams: Grams) -> IntArray:
    """Order of the distinct words of a text by the size of their sums, equals by the alphabet."""
    falling = -np.abs(sums)
    order: IntArray = falling.argsort(kind="stable")
    falling = falling[order]
    some = np.count_nonzero(falling)
    # Words that weigh nothing, and those that come again, may stand in any order behind those that are named.
    if some >= min(MAX_WORDS, len(sums)) and not (falling[1:some] == falling[: some - 1]).any():
        return order
    words = grams.letters.split()
    distinct = (grams.same == np.arange(len(words))).nonzero()[0].tolist()
    return np.array(sorted(distinct, key=lambda i: (-abs(sums[i]), words[i])), dtype=np.int64)
