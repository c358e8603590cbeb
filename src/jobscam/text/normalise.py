"""Brings an ad to the one form that phrases and numbers are looked for in, and keeps the way back.

The steps undo what writers do to be noticed or not to be found: stylised alphabets, invisible characters, look-alike
letters, s p a c e d letters, words cut by dots, leetspeak, stretched letters. What was undone is kept as marks,
because hiding a word is itself evidence. A word is only rebuilt where the result is a known word: ``12jt`` stays.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

import numpy as np

from jobscam.knowledge import Knowledge
from jobscam.knowledge.tables import Country, Place
from jobscam.text.align import Alignment, Edit, Runs, rewrite
from jobscam.text.characters import Mark, plain_characters, plain_edits, without_odd_blanks
from jobscam.text.signs import sign_table, words_with

SPACED, CUT, LEET = "spaced_letters", "cut_words", "leetspeak"
MAX_CHARS = 200_000
"""Longer texts are read up to here: no real ad is longer, and a cost that grows without end serves nobody."""

_SPACED = re.compile(r"(?<![a-z0-9])([a-z0-9])([ .\-_*|])[a-z0-9](?:\2[a-z0-9](?![a-z0-9])){1,40}+")
_CUT = re.compile(r"(?<![a-z0-9@./])[a-z0-9]{1,14}(?:[.*_|~'][a-z0-9]{1,14}){1,6}+(?![a-z0-9])")
_LEET = re.compile(r"(?<![a-z0-9@$.,])(?:[a-z]{1,20}+[0-9@$]|[0-9@$]{1,3}+[a-z])[a-z0-9@$]{0,20}+(?![a-z0-9@])")
_STRETCHED = re.compile(r"([a-z])\1{2,}+")
_WORD = re.compile(r"[a-z0-9]+")
_LETTER = re.compile(rb"[a-z]")
_DISGUISING = frozenset(".*_|~")
_LETTERS, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
# What each disguise cannot do without, as signs: letters that stand alone, a sign in a word, a digit.
_ALONE = sign_table(" ", {"w": _LETTERS + _DIGITS})
_INSIDE = sign_table(" ", {"w": _LETTERS + _DIGITS, ".": ".*_|~'"})
_WITHIN = sign_table(" ", {"w": _LETTERS, "0": _DIGITS + "@$"})
_JOINTS = sign_table(" ", {"w": _LETTERS, "-": "-/'"})
_LEET_LETTERS = str.maketrans("013456789@$", "oieasbtbgas")
_LEET_LETTERS_L = str.maketrans("013456789@$", "oleasgtbgas")


class Text:
    """An original text, its normalised form, and the way between them.

    Attributes
    ----------
    original : str
    norm : str
        Lower case, plain letters, single spaces; line breaks are spaces too (see `lines`).
    marks : tuple of Mark
        Obfuscations that were undone.
    """

    __slots__ = ("_alignment", "_lines", "_runs", "marks", "norm", "original")

    def __init__(self, original: str, norm: str, alignment: Alignment, marks: tuple[Mark, ...], runs: Runs) -> None:
        self.original = original
        self.norm = norm
        self.marks = marks
        self._alignment = alignment
        self._runs = runs
        self._lines: list[int] | None = None

    @property
    def lines(self) -> list[int]:
        """Positions in `norm` where a line of the original ended."""
        if self._lines is None:
            self._lines = self._runs.lines()
        return self._lines

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Span in the original of a span of `norm`."""
        return self._alignment.span(start, end)

    def starts(self, positions: list[int]) -> list[int]:
        """Where in the original the characters at positions of `norm` begin."""
        return self._alignment.starts(positions)

    def first_after_lines(self, positions: list[int]) -> list[int] | None:
        """Where the words begin in `norm` that come first from positions of the original on, behind a line break each.

        None where characters were undone or the text ends first: then the lines have to be looked at.
        """
        return self._alignment.places(positions)

    def line_bounds(self, position: int) -> tuple[int, int]:
        """Bounds in `norm` of the line that holds a position."""
        i = bisect_left(self.lines, position)
        return (self.lines[i - 1] if i else 0), (self.lines[i] if i < len(self.lines) else len(self.norm))


class Normaliser:
    """Normalises texts with the words of a :class:`Knowledge`.

    Examples
    --------
    >>> from jobscam import knowledge
    >>> text = Normaliser(knowledge.load()).read("L0ker 𝗞𝗮𝗺𝗯𝗼𝗷𝗮 s l o t")
    >>> text.norm
    'loker kamboja slot'
    >>> start, end = text.span(6, 13)
    >>> text.original[start:end]
    '𝗞𝗮𝗺𝗯𝗼𝗷𝗮'
    """

    def __init__(self, knowledge: Knowledge) -> None:
        words: set[str] = set()
        sensitive: set[str] = set()
        for form in knowledge.forms:
            risky = knowledge.indicators[form.indicator].family in ("jobs", "demands", "lures")
            for slot in form.slots:
                for alternative in slot:
                    found = [w for w in alternative.split() if w.isascii() and w.isalpha()]
                    words.update(found)
                    if risky:
                        sensitive.update(w for w in found if len(w) >= 4)
        located: list[Country | Place] = [*knowledge.countries.values(), *knowledge.places]
        for place in located:
            names = [v for v in place.variants if v.isascii() and v.isalpha() and len(v) >= 4]
            words.update(names)
            if place.hub_risk != "low":
                sensitive.update(names)
        for profile in knowledge.profiles.values():
            words.update(profile.stopwords)
        self._words = frozenset(w for w in words if len(w) >= 3)
        self._sensitive = frozenset(sensitive)
        self._starred = _starred(self._sensitive)

    @property
    def words(self) -> frozenset[str]:
        """Every single word that occurs in the phrases, places and profiles."""
        return self._words

    def read(self, original: str) -> Text:
        """Normalise one text."""
        alignment = Alignment()
        marks: list[Mark] = []
        text = original[:MAX_CHARS]
        plain = plain_characters(text)
        if plain is None:
            plain = self._step(text, alignment, plain_edits(text, marks))
            plain = without_odd_blanks(plain)  # left within a tag that begins inside other debris
        text = plain
        if len(lowered := text.lower()) == len(text):
            text = lowered
        raw = text.encode("ascii", "replace")
        for finder in (self._spaced, self._cut, self._leet):
            edits: list[Edit] = []
            for kind, edit in finder(text, raw):
                edits.append(edit)
                start, end = alignment.span(edit[0], edit[1])
                marks.append(Mark(kind, start, end))
            if edits:
                text = self._step(text, alignment, edits)
                raw = text.encode("ascii", "replace")
        if _is_stretched(text, raw):
            text = self._step(text, alignment, self._stretched(text))
        runs = Runs(text)
        alignment.push(runs)
        marks.sort(key=lambda m: (m.start, m.end, m.kind))
        return Text(original, _one_line(text), alignment, tuple(marks), runs)

    @staticmethod
    def _step(text: str, alignment: Alignment, edits: Iterator[Edit] | list[Edit]) -> str:
        new, step = rewrite(text, edits)
        alignment.push(step)
        return new

    def _spaced(self, text: str, raw: bytes) -> Iterator[tuple[str, Edit]]:
        if b" w w w " not in b" %b " % raw.translate(_ALONE):
            return
        for match in _SPACED.finditer(text):
            joined = match[0][::2]
            if sum(c.isalpha() for c in joined) * 2 <= len(joined):
                continue
            word = joined if joined in self._words else _unleet(joined, self._words)
            word = word or _split(joined, self._words)
            if word or (len(joined) >= 5 and joined.isalpha() and match[2] != "-"):
                yield SPACED, (match.start(), match.end(), word or joined)

    def _cut(self, text: str, raw: bytes) -> Iterator[tuple[str, Edit]]:
        words = words_with(raw.translate(_INSIDE), b"w.w")
        for match in (m for start, end in words if _LETTER.search(raw, start, end) for m in _CUT.finditer(text, start, end)):
            token = match[0]
            if set(token).isdisjoint(_DISGUISING):  # jum'at, store's
                continue
            if "*" in token and token in self._starred:
                yield CUT, (match.start(), match.end(), self._starred[token])
                continue
            joined = re.sub(r"[.*_|~']", "", token)
            word = joined if joined in self._sensitive else _unleet(joined, self._sensitive)
            if word and not any(part in self._words for part in re.split(r"[.*_|~']", token) if len(part) > 3):
                yield CUT, (match.start(), match.end(), word)

    def _leet(self, text: str, raw: bytes) -> Iterator[tuple[str, Edit]]:
        signs = raw.translate(_WITHIN).replace(b"w0", b"!0").replace(b"0w", b"!w")
        for match in (m for word in words_with(signs, b"!") for m in _LEET.finditer(text, *word)):
            word = _unleet(match[0], self._words)
            if word and len(word) >= 4:
                yield LEET, (match.start(), match.end(), word)

    def _stretched(self, text: str) -> Iterator[Edit]:
        for match in _STRETCHED.finditer(text):
            start, end = match.span()
            before = _last_word(text, start)
            after = _WORD.match(text, end)
            rest = after[0] if after else ""
            if not before and not rest:
                continue  # a word of one letter: www, xxx, iii
            if before[-1:].isdigit():
                continue  # zeros that OCR read as letters: 4ooo,ooo
            double = before + match[1] * 2 + rest
            yield start, end, match[1] * (2 if double in self._words else 1)


def _unleet(token: str, words: frozenset[str]) -> str | None:
    if token.isalpha():
        return token if token in words else None
    for table in (_LEET_LETTERS, _LEET_LETTERS_L):
        word = token.translate(table)
        if word in words:
            return word
    return None


def _split(joined: str, words: frozenset[str]) -> str | None:
    """Known words that together make up a run of spaced letters ("l o k e r k a m b o j a"), the fewest of them."""
    best: list[list[str] | None] = [[]] + [None] * len(joined)
    for end in range(3, len(joined) + 1):
        for start in range(max(0, end - 16), end - 2):
            before = best[start]
            if (
                before is not None
                and joined[start:end] in words
                and (best[end] is None or len(before) + 1 < len(best[end] or []))
            ):
                best[end] = [*before, joined[start:end]]
    found = best[-1]
    return " ".join(found) if found else None


def _starred(words: frozenset[str]) -> dict[str, str]:
    """Words with one inner letter replaced by a star, for ``j*dol``; ambiguous ones are left out."""
    found: dict[str, str | None] = {}
    for word in sorted(words):
        for i in range(1, len(word) - 1):
            key = f"{word[:i]}*{word[i + 1 :]}"
            found[key] = word if key not in found else None
    return {k: v for k, v in found.items() if v}


def _last_word(text: str, end: int) -> str:
    start = end
    while start > 0 and end - start < 30 and text[start - 1].isalnum():
        start -= 1
    return text[start:end]


def _is_stretched(text: str, raw: bytes) -> bool:
    """Whether a letter stands three times in a row; `raw` is the text as ASCII."""
    codes = np.frombuffer(raw, dtype=np.uint8)
    alike = codes[1:] == codes[:-1]
    triples = (alike[1:] & alike[:-1]).nonzero()[0]
    return any("a" <= text[i] <= "z" for i in triples.tolist())


def _one_line(text: str) -> str:
    """Each run of blanks and line ends as one blank, and a blank for what joins two words."""
    if not text:
        return text
    words = text.split()
    line = " ".join(words)
    if text[0].isspace() and words:
        line = " " + line
    if text[-1].isspace():
        line += " "
    signs = line.encode("ascii", "replace").translate(_JOINTS)
    at = signs.find(b"w-w")
    if at < 0:
        return line
    parts: list[str] = []
    end = 0
    while at >= 0:
        parts.append(line[end : at + 1])
        end = at + 2
        at = signs.find(b"w-w", end)
    return " ".join([*parts, line[end:]])
