"""Reading a record whose quotes break the rules of CSV, without losing the rows after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_RUN = re.compile('"++')
_ENDS = "\r\n"


def tolerant(lines: Iterable[str], separator: str) -> list[str] | None:
    """Cells of the record that starts on the first of `lines`, with stray quotes kept as text.

    A quote closes a cell only before a separator or the end of a line. One that stands at the start of a cell and
    before text opens a cell of a *later* record: then the quote that was open is one that is never closed.

    Parameters
    ----------
    lines : iterable of str
        Taken one by one, as many as the record needs.
    separator : str

    Returns
    -------
    list of str or None
        None if a quote is never closed.

    Examples
    --------
    >>> tolerant(['7,"say "hi" to us",x'], ",")
    ['7', 'say "hi" to us', 'x']
    >>> tolerant(['5,"abc', '6,"def"'], ",") is None
    True
    """
    source: Iterator[str] = iter(lines)
    cells: list[str] = []
    parts: list[str] | None = None
    for text in source:
        at = 0
        while True:
            if parts is None:
                run = _RUN.match(text, at)
                if run and len(run[0]) % 2 == 1:
                    parts, at = ['"' * (len(run[0]) // 2)], run.end()
                    continue
                if run and _ends_cell(text, run.end(), separator):
                    cells.append('"' * (len(run[0]) // 2 - 1))
                    at = run.end()
                else:
                    end = text.find(separator, at)
                    end = end if end >= 0 else len(text.rstrip(_ENDS))
                    cells.append(text[at : max(at, end)])
                    at = max(at, end)
            else:
                run = _RUN.search(text, at)
                if run is None:
                    parts.append(text[at:])
                    break
                parts.append(text[at : run.start()])
                at = run.end()
                odd, pairs = len(run[0]) % 2 == 1, len(run[0]) // 2
                parts.append('"' * pairs)
                if odd and _ends_cell(text, at, separator):
                    cells.append("".join(parts))
                    parts = None
                elif odd and (run.start() == 0 or text[run.start() - 1] == separator):
                    return None
                elif odd:
                    parts.append('"')
                    continue
                else:
                    continue
            if at < len(text) and text[at] == separator:
                at += 1
                continue
            return cells
    return None


def _ends_cell(text: str, at: int, separator: str) -> bool:
    return at >= len(text) or text[at] == separator or text[at] in _ENDS
