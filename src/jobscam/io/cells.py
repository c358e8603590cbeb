"""Values of typed formats as the text a person would write, and the few columns that are numbers where a format has them."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any

NUMBERS = frozenset(
    {"jobscam_probability", "jobscam_salary_month_idr", "jobscam_line", "jobscam_campaign_size", "jobscam_queue_weight"}
)
"""Columns that are written as numbers where the format knows them; all others stay text, as they came."""
_MOST_DIGITS = 1e21


class CellError(ValueError):
    """A value that has no text; its message is the reason of the reject."""


def number_text(value: float) -> str:
    """A number without the traces of its storage.

    Examples
    --------
    >>> number_text(8.12e11), number_text(5.0), number_text(0.1 + 0.2), number_text(float("nan"))
    ('812000000000', '5', '0.3', '')
    """
    if not math.isfinite(value):
        return ""
    if value.is_integer() and abs(value) < _MOST_DIGITS:
        return str(int(value))
    return repr(float(f"{value:.15g}"))


def text_of(value: Any) -> str:
    """A value of any format as text; missing ones are empty, nested ones JSON.

    Raises
    ------
    CellError
        If it is nested too deeply.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else ""
    if isinstance(value, datetime):
        return str(value.date()) if value.tzinfo is None and value.time() == time() else str(value)
    if isinstance(value, bytes):
        return bytes_text(value)
    if isinstance(value, (list, dict, tuple)):
        try:
            return json.dumps(value, ensure_ascii=False, default=text_of)
        except (RecursionError, ValueError):
            raise CellError("nested too deeply") from None
    return str(value)


def bytes_text(value: bytes) -> str:
    """Bytes as text, with the same leniency as a text file."""
    from jobscam.io.source import decode

    return decode(value)


def as_number(cell: str) -> float | None:
    """The number in a cell of one of the number columns, None if it holds no finite number."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in cell else None


def distinct(header: Sequence[str]) -> list[str]:
    """Names of columns, each once and none empty, for formats that need that.

    Examples
    --------
    >>> distinct(["a", "", "a", "a_2"])
    ['a', 'column_2', 'a_3', 'a_2']
    """
    taken = set(header)
    seen: set[str] = set()
    names = []
    for at, name in enumerate(header, 1):
        made = name or f"column_{at}"
        number = 2
        while made in seen or (made != name and made in taken):
            made = f"{name or f'column_{at}'}_{number}"
            number += 1
        seen.add(made)
        names.append(made)
    return names


def header_notes(header: Iterable[str]) -> list[str]:
    """What is odd about the names of columns."""
    names = list(header)
    said = []
    doubled = sorted(name for name, n in Counter(names).items() if n > 1 and name)
    if doubled:
        said.append(f"column names used more than once: {', '.join(doubled)}")
    if not all(name.strip() for name in names):
        said.append(f"columns without a name: {sum(not name.strip() for name in names)}")
    return said
