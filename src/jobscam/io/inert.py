"""Cells that a spreadsheet would run as a formula, made inert in separated text by an apostrophe before them.

The rule is written twice, here and in ``report/template/state.js``, which exports labels; a test holds them together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# A tab or carriage return at the start, or what begins a formula behind characters that cannot be seen. Apostrophes are
# passed over, so that a cell that looks marked already is marked once more and reading gives back what was written.
FORMULA = re.compile(
    "'*(?:[\\t\\r]|[\\u0000-\\u0020\\u007f-\\u00a0\\u00ad\\u1680\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u3000\\ufeff]*"
    "[=+\\-@\\uff1d\\uff0b\\uff0d\\uff20])"
)
# Numbers, a dash for nothing, and telephone numbers with a gap after the country code: no spreadsheet makes more of them
# than a number or a text. One with dashes only (+62-812-...) would be subtracted, so it is marked.
HARMLESS = re.compile(r"'*(?:[+\-][0-9]+(?:[.,][0-9]+)*%?|\+[0-9]{1,3} [0-9 ()./\-]*|-+)")
MARK = "'"
_HAND = "labelled_by_hand"
"""Column of the labels that a review page exports."""


def runs(cell: str) -> bool:
    """Whether a spreadsheet may take a cell for a formula.

    Examples
    --------
    >>> runs("=HYPERLINK(A1)"), runs("- gaji 5jt"), runs("-5"), runs("+62 812 0000 0000"), runs("gaji = 5jt")
    (True, True, False, False, False)
    """
    return FORMULA.match(cell) is not None and HARMLESS.fullmatch(cell) is None


def marked(cell: str) -> str:
    """A cell that no spreadsheet runs."""
    return MARK + cell if runs(cell) else cell


def unmarked(cell: str) -> str:
    """The cell before :func:`marked`.

    Examples
    --------
    >>> unmarked(marked("=1+1")), unmarked("'quoted'")
    ('=1+1', "'quoted'")
    """
    return cell[1:] if cell.startswith(MARK) and runs(cell[1:]) else cell


def is_marked(header: Sequence[str]) -> bool:
    """Whether a table is one that jobscam wrote, and may hold marks: in the tables of others an apostrophe is an apostrophe."""
    return any(name.startswith("jobscam_") or name == _HAND for name in header)
