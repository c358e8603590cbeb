"""What honest ads pay: a robust reference learned from legitimate training ads, kept in the artifact.

Cells go from wide to narrow: all work, a group of occupations, that group in a province; and the schooling asked.
A narrow cell with few ads is drawn towards the wider one, so that three ads never make a norm.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

_DRAW = 8.0
"""How many ads the wider cell counts as."""
_LEAST = 3
ALL = "all"


@dataclass(frozen=True, slots=True)
class PaySample:
    """Pay of one honest ad in rupiah a month, with what it is compared by; "" where the ad does not say."""

    monthly_idr: float
    group: str
    region: str
    education: str


@dataclass(frozen=True, slots=True)
class PayReference:
    """Median pay by cell.

    Attributes
    ----------
    cells : mapping of str to (int, float)
        Cell name to the number of ads and the median, in rupiah a month, after drawing towards the wider cell.
    """

    cells: Mapping[str, tuple[int, float]]

    @classmethod
    def learn(cls, samples: Iterable[PaySample]) -> PayReference:
        """Reference from honest ads; empty where none states pay."""
        values: dict[str, list[float]] = defaultdict(list)
        for sample in samples:
            value = math.log(sample.monthly_idr)
            for cell in _cells(sample.group, sample.region):
                values[cell].append(value)
            if sample.education:
                values[f"education:{sample.education}"].append(value)
        logs: dict[str, tuple[int, float]] = {}
        for cell in sorted(values, key=lambda c: (c != ALL, c.count("|"), c)):
            found = values[cell]
            if cell == ALL:
                logs[cell] = (len(found), median(found))
            elif len(found) >= _LEAST:
                wider = logs.get(cell.partition("|")[0] if "|" in cell else ALL, logs[ALL])[1]
                logs[cell] = (len(found), (len(found) * median(found) + _DRAW * wider) / (len(found) + _DRAW))
        return cls({cell: (n, round(math.exp(value))) for cell, (n, value) in logs.items()})

    def expected(self, group: str, region: str) -> tuple[float, int] | None:
        """Median pay of the narrowest cell that is known, and its number of ads; None if nothing was learned."""
        for cell in reversed(_cells(group, region)):
            if cell in self.cells:
                return float(self.cells[cell][1]), self.cells[cell][0]
        return None

    def for_education(self, education: str) -> tuple[float, int] | None:
        """Median pay of honest ads that ask for this schooling."""
        found = self.cells.get(f"education:{education}")
        return (float(found[1]), found[0]) if found else None

    def as_json(self) -> dict[str, list[float]]:
        """For the artifact's manifest."""
        return {cell: [n, value] for cell, (n, value) in self.cells.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> PayReference:
        """From an artifact's manifest; artifacts without one give an empty reference."""
        return cls({str(cell): (int(n), float(value)) for cell, (n, value) in (data or {}).items()})


def _cells(group: str, region: str) -> list[str]:
    cells = [ALL]
    if group:
        cells.append(f"group:{group}")
        if region:
            cells.append(f"group:{group}|{region.lower()}")
    return cells
