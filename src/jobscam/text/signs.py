"""Texts seen as the kinds of their characters, so that what cannot be in a text is not looked for.

A text becomes one byte a character (``text.encode("ascii", "replace")``), the bytes become signs by a table, and a
search for a short run of signs takes a microsecond where a regular expression takes fifty. A run that is not there
rules a pattern out; one that is there only says where the pattern has to be tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def sign_table(other: str, signs: Mapping[str, str]) -> bytes:
    """A table for ``bytes.translate``: each sign stands for the characters behind it, `other` for all that are not named.

    Examples
    --------
    >>> b"a1 b22".translate(sign_table("x", {"0": "0123456789", " ": " "}))
    b'x0 x00'
    """
    table = bytearray(other.encode() * 256)
    for sign, characters in signs.items():
        for character in characters:
            table[ord(character)] = ord(sign)
    return bytes(table)


def words_with(signs: bytes, trace: bytes) -> Iterator[tuple[int, int]]:
    """Bounds of the words, as blanks divide them, that hold a run of signs.

    Examples
    --------
    >>> list(words_with(b"www w.w ww .w.w", b"w.w"))
    [(4, 7), (11, 15)]
    """
    end = 0
    while (at := signs.find(trace, end)) >= 0:
        start = max(end, signs.rfind(b" ", end, at) + 1)
        end = signs.find(b" ", at)
        if end < 0:
            end = len(signs)
        yield start, end
