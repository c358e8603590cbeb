"""Characters of an ad brought to plain form one by one, and the debris between them: control characters, tags, mojibake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jobscam.text.align import Edit
from jobscam.text.fold import INVISIBLE, LOOKALIKE, MOJIBAKE, MOJIBAKE_BEGINS, PLAIN, STYLISED, fold

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32), 127])
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ODD_BLANK = re.compile(r"[^\S \t\r\n]")
_ODD_ASCII_BLANKS = b"\x0b\x0c\x1c\x1d\x1e\x1f"
_TAG = re.compile(r"<[a-zA-Z/][^<>\n]{0,200}>|&(?:nbsp|amp|lt|gt|quot|#\d{1,6});")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that was undone: its kind and where it stands in the original."""

    kind: str
    start: int
    end: int


def plain_edits(text: str, marks: list[Mark]) -> Iterator[Edit]:
    """Edits that bring every character to plain form; runs of three or more odd letters are marked."""
    spots: list[Edit] = []
    if len(text.encode("ascii", "replace").translate(None, _CONTROLS)) != len(text):
        spots += [(m.start(), m.end(), " ") for m in _CONTROL.finditer(text)]
    if "<" in text or "&" in text:
        spots += [(m.start(), m.end(), "&" if m[0] == "&amp;" else " ") for m in _TAG.finditer(text)]
    folded = {char: fold(char) for char in _NOT_ASCII.findall(text)}
    if not MOJIBAKE_BEGINS.isdisjoint(folded):
        spots += [(m.start(), m.end(), " ") for m in MOJIBAKE.finditer(text)]
    spots.sort()
    if not folded:
        yield from spots
        return
    taken = [(start, end) for start, end, _ in spots]
    run: list[tuple[int, str]] = []
    odd: list[Edit] = []
    position = 0
    for match in _NOT_ASCII.finditer(text):
        i = match.start()
        while position < len(taken) and taken[position][1] <= i:
            position += 1
        if position < len(taken) and taken[position][0] <= i:
            continue
        plain, kind = folded[match[0]]
        if kind == LOOKALIKE and not _beside_latin(text, i):
            plain, kind = text[i].lower(), PLAIN
        if kind == INVISIBLE and not (0 < i < len(text) - 1 and text[i - 1].isalpha() and text[i + 1].isalpha()):
            kind = PLAIN
        if kind != PLAIN:
            run.append((i, kind))
        if plain != text[i]:
            odd.append((i, i + 1, plain))
    marks.extend(_whole_words(text, mark) for mark in _runs(run))
    yield from _without_overlap(sorted(spots + odd))


def without_odd_blanks(text: str) -> str:
    """The text with a blank for each blank other than space, tab and line end."""
    if len(text.encode("ascii", "replace").translate(None, _ODD_ASCII_BLANKS)) != len(text):
        return _ODD_BLANK.sub(" ", text)
    if not text.isascii() and any(map(str.isspace, set(_NOT_ASCII.findall(text)))):
        return _ODD_BLANK.sub(" ", text)
    return text


def _without_overlap(edits: list[Edit]) -> Iterator[Edit]:
    end = -1
    for edit in edits:
        if edit[0] >= end:
            yield edit
            end = edit[1]


def _beside_latin(text: str, i: int) -> bool:
    """Whether a look-alike stands in a word with Latin letters, or in a word made of look-alikes only."""
    start, end = i, i + 1
    while start > 0 and i - start < 30 and text[start - 1].isalpha():
        start -= 1
    while end < len(text) and end - i < 30 and text[end].isalpha():
        end += 1
    word = text[start:end]
    latin = any("a" <= c <= "z" or "A" <= c <= "Z" for c in word)
    return latin or all(fold(c)[1] == LOOKALIKE for c in word)


def _whole_words(text: str, mark: Mark) -> Mark:
    """The mark widened to the words it stands in: a reviewer cannot see an invisible character alone."""
    start, end = mark.start, mark.end
    while start > 0 and mark.start - start < 30 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and end - mark.end < 30 and text[end].isalnum():
        end += 1
    return Mark(mark.kind, start, end)


def _runs(spots: list[tuple[int, str]]) -> Iterator[Mark]:
    """Odd characters that stand within a few characters of each other become one mark."""
    start = last = -10
    kind = ""
    count = 0
    for i, found in [*spots, (1 << 60, "")]:
        if found == kind and i - last <= 3:
            last, count = i, count + 1
            continue
        if count >= (3 if kind == STYLISED else 1):
            yield Mark(kind, start, last + 1)
        start = last = i
        kind, count = found, 1


def plain_characters(text: str) -> str | None:
    """The text with every character in plain form, where that moves and means nothing; else None."""
    if len(text.encode("ascii", "replace").translate(None, _CONTROLS)) != len(text):
        return None
    if ("<" in text or "&" in text) and _TAG.search(text):
        return None
    if text.isascii():
        return text
    found = set(_NOT_ASCII.findall(text))
    if not found.isdisjoint(MOJIBAKE_BEGINS):
        return None
    for char in found:
        plain, kind = fold(char)
        if kind != PLAIN or len(plain) != 1:
            return None
        text = text.replace(char, plain)
    return text
