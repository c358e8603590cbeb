"""Exact reasons: the contributions that add up to the log-odds, said in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jobscam.features import Grams
from jobscam.indicators import Document
from jobscam.model.linear import LinearModel
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
    reasons : tuple of Reason
        By weight, the strongest first; every contribution is one.
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
    contributions: tuple[Contribution, ...]
    reasons: tuple[Reason, ...]
    evidence: tuple[Evidence, ...]
    facts: Mapping[str, object]
    model: str
    document: Document
    sentences: Mapping[str, Mapping[str, str]]
    prevalence: float | None = None

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
        said: list[str] = []
        for reason in self.reasons:
            if len(said) == n:
                break
            if abs(reason.weight) < _MIN_REASON or reason.name == "text:rest" or (reason.weight > 0) is not upward:
                continue
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


def contributions(
    model: LinearModel, row: Mapping[int, float], grams: Grams, document: Document, findings: Findings
) -> tuple[Contribution, ...]:
    """Everything that adds to the log-odds of a posting: indicators first, then words, then the rest of the text."""
    evidence: dict[str, Evidence] = {}
    for item in findings.evidence:
        if item.indicator not in evidence or item.value > evidence[item.indicator].value:
            evidence[item.indicator] = item
    out = []
    for column, value in row.items():
        weight = float(model.dense[column])
        if weight == 0.0:
            continue
        kind, name = model.names[column].split(":", 1)
        found = evidence.get(name.split("@")[0])
        spans = found.spans if found and kind == "ind" else ()
        if kind != "ind":
            name = f"{kind}:{name}"
        out.append(Contribution(name, weight * value, spans, found.detail if found else ""))
    out += _words(model, grams, document)
    return tuple(out)


def _words(model: LinearModel, grams: Grams, document: Document) -> list[Contribution]:
    values = model.text_values(grams)
    if not len(values):
        return []
    norm = document.norm
    sums = np.bincount(grams.words, weights=values, minlength=len(grams.starts))
    totals: dict[str, float] = {}
    where: dict[str, tuple[int, int]] = {}
    for start, end, value in zip(grams.starts.tolist(), grams.ends.tolist(), sums.tolist()):
        word = norm[start:end]
        totals[word] = totals.get(word, 0.0) + value
        where.setdefault(word, (start, end))
    ranked = sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))
    named, others = ranked[:MAX_WORDS], ranked[MAX_WORDS:]
    out = [Contribution(f"text:{w}", v, (document.span(*where[w]),)) for w, v in named]
    out.append(Contribution("text:rest", sum(v for _, v in others)))
    return out


def reasons(
    items: tuple[Contribution, ...], document: Document, sentences: Mapping[str, Mapping[str, str]]
) -> tuple[Reason, ...]:
    """Reasons from contributions, the strongest first."""
    ranked = sorted(items, key=lambda c: (-abs(c.value), c.name))
    return tuple(
        Reason(c.name, c.value, " … ".join(document.words_shown(s) for s in c.spans[:3]), c.spans, c.detail, sentences)
        for c in ranked
    )
