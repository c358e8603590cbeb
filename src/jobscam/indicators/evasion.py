"""How words were hidden is itself evidence."""

from __future__ import annotations

from jobscam.indicators.document import Document
from jobscam.text.fold import INVISIBLE, LOOKALIKE, STYLISED
from jobscam.text.normalise import CUT, LEET, SPACED
from jobscam.values import Evidence

_NAMES = {
    INVISIBLE: "hidden_characters",
    LOOKALIKE: "hidden_characters",
    LEET: "disguised_words",
    CUT: "disguised_words",
    SPACED: "spaced_words",
    STYLISED: "stylised_letters",
}


def find(document: Document) -> list[Evidence]:
    """One piece of evidence a kind of disguise, with the words as they were written."""
    by_name: dict[str, list[tuple[int, int]]] = {}
    for mark in document.text.marks:
        by_name.setdefault(_NAMES[mark.kind], []).append((mark.start, mark.end))
    return [
        Evidence(name, tuple(document.original_span(s, e) for s, e in spots[:4]), 1.0, f"count={len(spots)}")
        for name, spots in sorted(by_name.items())
    ]
