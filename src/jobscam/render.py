"""An assessment as a piece of HTML for notebooks: no script, no style sheet, nothing fetched, the ad inert.

Colours are translucent and text takes the colour of its surroundings, so that it reads on light and dark pages. Every piece
of the ad is escaped and set apart in its own direction of writing; characters that HTML cannot hold, or that could not be
seen, are replaced one for one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from jobscam.campaigns.summary import shortened
from jobscam.posting import READ_FIELDS

if TYPE_CHECKING:
    from jobscam.explain import Assessment, Reason

MOST_SHOWN = 20_000
"""Characters of one field that are shown; what follows is counted, not printed."""
_LEAST = 0.05
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BAR = 9.0
_RISK, _SAFETY, _GREY = "228,82,70", "40,160,95", "128,128,128"
_TIERS = {"critical": "176,20,40", "high": "214,84,30", "medium": "190,140,10", "low": "30,140,80"}
_FONT = "font:14px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif"
_TEXT = {
    "id": {
        "critical": "kritis", "high": "tinggi", "medium": "sedang", "low": "rendah", "none": "tidak dinilai",
        "p": "peluang penipuan", "share": "pada aliran dengan {:.0%} penipuan", "bias": "titik awal model (bias)",
        "rest": "{} sumbangan kecil lainnya", "sum": "jumlah (log-odds)", "more": "… {} karakter lagi tidak ditampilkan",
        "unknown": "peluang tidak dapat dihitung",
    },
    "en": {
        "critical": "critical", "high": "high", "medium": "medium", "low": "low", "none": "not rated",
        "p": "probability of a scam", "share": "in a stream with {:.0%} scams", "bias": "starting point of the model (bias)",
        "rest": "{} smaller contributions together", "sum": "sum (log-odds)", "more": "… {} more characters not shown",
        "unknown": "no probability could be computed",
    },
}  # fmt: skip


def fragment(found: Assessment, language: str = "id", reasons: int = 8) -> str:
    """HTML of an assessment; see :meth:`jobscam.explain.Assessment.to_html`."""
    listed = [r for r in found.reasons[: max(reasons, 0)] if abs(r.weight) >= _LEAST]
    marked = [r for r in found.reasons if r.spans and (r in listed or not r.name.startswith("text:"))]
    parts = [_head(found, language), _ad(found, marked, language), _table(found, listed, language)]
    return f'<div style="{_FONT};max-width:60em;color:inherit">{"".join(parts)}</div>'


def printable(text: str) -> str:
    r"""The text with each character that HTML cannot hold replaced by one that shows it was there.

    Examples
    --------
    >>> printable("a\x00b\x9fc")
    'a␀b�c'
    """
    return _CONTROL.sub(lambda m: chr(0x2400 + ord(m[0])) if m[0] < " " else "�", text)


def _head(found: Assessment, language: str) -> str:
    said = _TEXT[language]
    colour = _TIERS.get(found.tier, _GREY)
    badge = (
        f'<span style="display:inline-block;padding:.1em .7em;border-radius:1em;font-weight:600;color:#fff;'
        f'background:rgb({colour})">{said[found.tier or "none"]}</span>'
    )
    if found.probability is None:
        chance = escape(said["unknown"])
    else:
        chance = f"<b>{found.probability:.3f}</b> {said['p']}"
        chance += f' <span style="opacity:.7">{said["share"].format(found.prevalence)}</span>' if found.prevalence else ""
    why = found.status_sentence(language)
    note = f'<div style="margin-top:.3em">{escape(why)}</div>' if why else ""
    small = f'<span style="opacity:.7;float:right">{escape(found.model)} · {escape(found.language)}</span>'
    return f'<div style="margin:.4em 0">{small}{badge} &nbsp;{chance}{note}</div>'


def _ad(found: Assessment, marked: Sequence[Reason], language: str) -> str:
    posting = found.document.posting
    names = [name for name in READ_FIELDS if getattr(posting, name)]
    blocks = []
    for name in names:
        text = getattr(posting, name)
        label = f'<div style="opacity:.6;font-size:.8em">{name}</div>' if names != ["description"] else ""
        rest = len(text) - MOST_SHOWN
        more = f'<div style="opacity:.6">{_TEXT[language]["more"].format(rest)}</div>' if rest > 0 else ""
        body = _marked(text[:MOST_SHOWN], name, marked, language)
        blocks.append(
            f'{label}<div class="jobscam-text" dir="auto" style="white-space:pre-wrap;overflow-wrap:anywhere;'
            f'unicode-bidi:isolate">{body}</div>{more}'
        )
    box = f"border:1px solid rgba({_GREY},.35);border-radius:.4em;padding:.5em .8em;max-height:30em;overflow:auto"
    return f'<div style="{box}">{"".join(blocks)}</div>' if blocks else ""


def _marked(text: str, field: str, marked: Sequence[Reason], language: str) -> str:
    """A field with its evidence marked; where findings overlap, the colour of the strongest shows and all are named."""
    spans = [(s.start, min(s.end, len(text)), r) for r in marked for s in r.spans if s.field == field and s.start < len(text)]
    edges = sorted({0, len(text), *(e for start, end, _ in spans for e in (start, end))})
    starting: dict[int, list[tuple[int, Reason]]] = {}
    for start, end, reason in spans:
        starting.setdefault(start, []).append((end, reason))
    open_now: list[tuple[int, Reason]] = []
    pieces = []
    for start, end in pairwise(edges):
        open_now = [pair for pair in open_now if pair[0] > start] + starting.get(start, [])
        shown = escape(printable(text[start:end]))
        over = sorted({id(r): r for _, r in open_now}.values(), key=lambda r: (-abs(r.weight), r.name))
        pieces.append(_mark(shown, over, language) if over else shown)
    return "".join(pieces)


def _mark(shown: str, over: Sequence[Reason], language: str) -> str:
    title = "\n".join(f"{r.weight:+.2f} {r.sentence(language)}" for r in over)
    strongest = over[0]
    colour = _RISK if strongest.weight > 0 else _SAFETY
    if strongest.name.startswith("text:"):
        look = f"background:none;border-bottom:2px dotted rgba({colour},.8)"
    else:
        look = f"background:rgba({colour},.25);border-bottom:2px solid rgba({colour},.9)"
    return f'<mark title="{escape(printable(title))}" style="color:inherit;{look}">{shown}</mark>'


def _table(found: Assessment, listed: Sequence[Reason], language: str) -> str:
    if found.logit is None:
        return ""
    said = _TEXT[language]
    rest = found.reasons[len(listed) :]
    most = max([abs(found.bias), *(abs(r.weight) for r in listed), 1e-9])
    rows = [_row(found.bias, escape(said["bias"]), most, grey=True)]
    for reason in listed:
        sentence = reason.sentence(language)
        words = shortened(reason.text, 120)
        quoted = "" if not words or words in sentence else f": “<bdi>{escape(printable(words))}</bdi>”"
        rows.append(_row(reason.weight, f"<bdi>{escape(printable(sentence))}</bdi>{quoted}", most))
    if rest:
        rows.append(_row(sum(r.weight for r in rest), said["rest"].format(len(rest)), most, grey=True))
    line = f"border:0;border-top:1px solid rgba({_GREY},.5)"
    rows.append(
        f'<tr style="background:none"><td style="{_CELL};{line};text-align:right"><b>{found.logit:+.2f}</b></td>'
        f'<td style="{_CELL};{line}"></td><td style="{_CELL};{line};text-align:left"><b>{said["sum"]}</b></td></tr>'
    )
    return f'<table style="border-collapse:collapse;margin:.6em 0;border:0;color:inherit">{"".join(rows)}</table>'


_CELL = "padding:.12em .6em;border:0;vertical-align:top;color:inherit;background:none"


def _row(weight: float, words: str, most: float, grey: bool = False) -> str:
    colour = _GREY if grey else _RISK if weight > 0 else _SAFETY
    width = _BAR / 2 * min(abs(weight) / most, 1.0)
    left = _BAR / 2 - (width if weight < 0 else 0.0)
    bar = (
        f'<div style="width:{_BAR}em;height:.75em;margin-top:.35em;'
        f'background:linear-gradient(rgba({_GREY},.6),rgba({_GREY},.6)) center/1px 100% no-repeat">'
        f'<div style="margin-left:{left:.2f}em;width:{width:.2f}em;height:100%;background:rgba({colour},.75)"></div></div>'
    )
    number = f'<td style="{_CELL};text-align:right;font-variant-numeric:tabular-nums">{weight:+.2f}</td>'
    return (
        f'<tr style="background:none">{number}<td style="{_CELL}">{bar}</td><td style="{_CELL};text-align:left">{words}</td></tr>'
    )
