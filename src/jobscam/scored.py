"""Tables that were scored: reading one, its columns as lists, and the identity of its rows whatever their order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jobscam.explain import CAMPAIGN_COLUMN, OUTPUT_COLUMNS
from jobscam.features import FloatArray
from jobscam.io import open_table
from jobscam.io.rejects import rejected
from jobscam.posting import Posting, cell_text
from jobscam.scoring import postings_of
from jobscam.values import Reject

if TYPE_CHECKING:
    import pandas as pd

    from jobscam.scoring import Scorer

PROBABILITY, TIER, STATUS, LANGUAGE, _, INDICATORS, SALARY, DESTINATION, AGENCY, MODEL = OUTPUT_COLUMNS
HIGH = ("high", "critical")
NUMBERS = (PROBABILITY, SALARY)
"""Columns of an earlier run that are read as numbers."""
_LEAST = 1e-6


class Table(NamedTuple):
    """A table as it was read: every cell a text.

    Attributes
    ----------
    frame : DataFrame
    rejects : list of Reject
        Rows that could not be read, or whose probability or pay is no number.
    notes : list of str
    """

    frame: pd.DataFrame
    rejects: list[Reject]
    notes: list[str]


def read(path: str | Path) -> Table:
    """Read a table into memory, ``-`` for standard input.

    Raises
    ------
    InputError
        If it cannot be read as a table.
    """
    import pandas as pd

    rows: list[list[str]] = []
    rejects: list[Reject] = []
    with open_table(path) as table:
        numeric = [(i, name) for i, name in enumerate(table.header) if name in NUMBERS]
        for item in table:
            if isinstance(item, Reject):
                rejects.append(item)
                continue
            problem = next((said for i, name in numeric if (said := number_problem(name, item.cells[i]))), "")
            if problem:
                rejects.append(rejected(item, problem))
            else:
                rows.append(item.cells)
        notes = table.notes
        columns = pd.Index(table.header, dtype=object)
    return Table(pd.DataFrame(rows, columns=columns, dtype=object), rejects, notes)


def number_problem(name: str, cell: str) -> str:
    """What is wrong with a cell of an earlier run that is read as a number; "" where nothing is, or it is empty.

    Examples
    --------
    >>> number_problem("jobscam_probability", "0.5"), number_problem("jobscam_salary_month_idr", "nan")
    ('', "jobscam_salary_month_idr 'nan' is not what jobscam writes there")
    """
    if not cell.strip():
        return ""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    right = 0.0 <= value <= 1.0 if name == PROBABILITY else 0.0 <= value < math.inf
    return "" if right else f"{name} '{cell[:40]}' is not what jobscam writes there"


def texts(frame: pd.DataFrame, name: str) -> list[str]:
    """A column as texts, "" where it or a value is missing; of several with the name the last, which is the latest."""
    positions = [i for i, column in enumerate(frame.columns) if column == name]
    return [cell_text(value) for value in frame.iloc[:, positions[-1]].tolist()] if positions else [""] * len(frame)


def numbers(frame: pd.DataFrame, name: str) -> FloatArray:
    """A column as numbers, NaN where it or a value is missing."""
    return np.array([float(text) if text else math.nan for text in texts(frame, name)], dtype=np.float64)


def log_odds(probabilities: FloatArray) -> FloatArray:
    """Log-odds, finite also at 0 and 1."""
    p = np.clip(probabilities, _LEAST, 1.0 - _LEAST)
    return np.asarray(np.log(p / (1.0 - p)), dtype=np.float64)


def high_from(frame: pd.DataFrame) -> tuple[float, float]:
    """Log-odds between which the tier *high* must begin, as the rows tell: the highest below it, the lowest in it.

    Tables that were scored with one model may still have been cut at other thresholds; NaN where no row tells.
    """
    z, tiers = log_odds(numbers(frame, PROBABILITY)), texts(frame, TIER)
    below = [value for value, tier in zip(z.tolist(), tiers, strict=True) if tier and tier not in HIGH]
    above = [value for value, tier in zip(z.tolist(), tiers, strict=True) if tier in HIGH]
    return max(below, default=math.nan), min(above, default=math.nan)


def is_scored(frame: pd.DataFrame) -> bool:
    """Whether a table has the columns of an earlier run."""
    return set(OUTPUT_COLUMNS) <= set(frame.columns)


def rescored(
    frame: pd.DataFrame,
    scorer: Scorer,
    overrides: Mapping[str, str] | None = None,
    *,
    reasons: int = 3,
    language: str = "id",
) -> pd.DataFrame:
    """The table scored anew; columns of an earlier run, its campaigns aside, are replaced."""
    import pandas as pd

    found = scorer.score(postings_of(frame, overrides), reasons=reasons, language=language).set_axis(frame.index)
    return pd.concat([carried(frame), found], axis=1)


def carried(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that scoring carries along: all but those of an earlier run."""
    return frame.iloc[:, [i for i, column in enumerate(frame.columns) if column not in OUTPUT_COLUMNS]]


def ensured(frame: pd.DataFrame, scorer: Callable[[], Scorer], overrides: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The table itself if it was scored, else scored with what `scorer` returns."""
    return frame if is_scored(frame) else rescored(frame, scorer(), overrides)


def row_keys(frame: pd.DataFrame, seed: int = 0) -> list[str]:
    """A random-looking key for each row, made of the seed and what the row holds, jobscam's columns aside.

    The keys do not depend on the order of the rows: copies of a row are numbered in the order of jobscam's columns, and where
    these are equal too it is all the same which is which.
    """
    ours = [str(column).startswith("jobscam_") for column in frame.columns]
    rows, scores = (_joined(frame, [i for i, our in enumerate(ours) if our is wanted]) for wanted in (False, True))
    copies: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        copies.setdefault(row, []).append(i)
    keys = [""] * len(rows)
    for row, members in copies.items():
        for number, i in enumerate(sorted(members, key=scores.__getitem__)):
            keys[i] = hashed(f"{seed}\x1f{number}\x1f{row}")
    return keys


def _joined(frame: pd.DataFrame, positions: Sequence[int]) -> list[str]:
    cells = [[cell_text(value) for value in frame.iloc[:, i].tolist()] for i in positions]
    return ["\x1f".join(row) for row in zip(*cells, strict=True)] if cells else [""] * len(frame)


def hashed(text: str) -> str:
    """A short digest of a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def campaigns(frame: pd.DataFrame, ads: Sequence[Posting]) -> list[str]:
    """Campaign of each row: what its column says, else reposts and ads that share a contact."""
    stated = texts(frame, CAMPAIGN_COLUMN)
    if all(stated):
        return stated
    from jobscam.campaigns import of_postings

    found = of_postings(ads)
    return [name or other for name, other in zip(stated, found, strict=True)]
