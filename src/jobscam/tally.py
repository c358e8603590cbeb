"""Assessed rows, taken in the order of the input: counted, and written in the order asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, Self

from jobscam.assessing import Scored
from jobscam.campaigns import Campaigns
from jobscam.campaigns.summary import shortened
from jobscam.explain import CAMPAIGN_COLUMN, OUTPUT_COLUMNS
from jobscam.io import Row, TableWriter
from jobscam.posting import ColumnMap
from jobscam.sorting import ExternalSorter, Key, Riskiest
from jobscam.summary import Summary, TopAd
from jobscam.values import Status

_TIER, _STATUS, _REASONS = (OUTPUT_COLUMNS.index(f"jobscam_{name}") for name in ("tier", "status", "reasons"))
_EXCERPT = 160


class Tally:
    """Counts rows into a summary and hands them to a writer; holds them back on disk where their order asks for it.

    Parameters
    ----------
    out : TableWriter
    mapping : ColumnMap
    summary : Summary
    order : {"risk", "input"}
    campaigns : bool
    top : int
        How many of the riskiest ads the summary gets.
    folder : Path, optional
        Where rows wait.
    on_row : callable, optional
        Called with each row and its place in the order of risk.
    """

    def __init__(
        self,
        out: TableWriter,
        mapping: ColumnMap,
        summary: Summary,
        *,
        order: Literal["risk", "input"],
        campaigns: bool,
        top: int,
        folder: Path | None,
        on_row: Callable[[Row, Key], None] | None,
    ) -> None:
        self._out = out
        self._mapping = mapping
        self._summary = summary
        self._by_risk = order == "risk"
        self._groups = Campaigns() if campaigns else None
        self._sorter = ExternalSorter(folder) if self._by_risk or campaigns else None
        self._best: Riskiest[TopAd] = Riskiest(top)
        self._on_row = on_row
        ours = (*OUTPUT_COLUMNS[:-1], CAMPAIGN_COLUMN, OUTPUT_COLUMNS[-1]) if campaigns else OUTPUT_COLUMNS
        self._kept = [i for i, name in enumerate(mapping.header) if name not in ours]
        self.replaced = [name for name in mapping.header if name in ours]
        out.write([mapping.header[i] for i in self._kept] + list(ours))

    def __enter__(self) -> Self:
        if self._sorter is not None:
            self._sorter.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._sorter is not None:
            self._sorter.__exit__(None, None, None)

    def take(self, row: Row, result: Scored) -> None:
        """Take the next row."""
        summary = self._summary
        tier, status = result.columns[_TIER], result.columns[_STATUS]
        summary.rows_out += 1
        summary.by_status[status] += 1
        key: Key = (1, 0.0, summary.rows_out)
        if status == Status.SCORED.value:
            summary.by_tier[tier] += 1
            summary.prevalence = result.prevalence
            summary.probabilities[round(1000 * (result.probability or 0.0))] += 1
            key = (0, -result.logit, summary.rows_out)
            self._best.offer(key, partial(self._top_ad, row, result))
        if self._on_row is not None:
            self._on_row(row, key)
        cells = [row.cells[i] for i in self._kept] + list(result.columns)
        if self._groups is not None and result.traits is not None:
            self._groups.add(*result.traits)
            # The campaign is known at the end only: the cells wait, with the number of the row.
            record = json.dumps([summary.rows_out - 1, cells]).encode()
            key = key if self._by_risk else (0, 0.0, summary.rows_out)
        else:
            record = self._out.encode(cells)
        if self._sorter is None:
            self._out.write_encoded(record)
        else:
            self._sorter.add(key, record)

    def finish(self) -> None:
        """Write what was held back, and complete the summary."""
        names: Sequence[str] = self._groups.names() if self._groups is not None else []
        for record in self._sorter or ():
            if self._groups is not None:
                number, cells = json.loads(record)
                record = self._out.encode([*cells[:-1], names[number], cells[-1]])
            self._out.write_encoded(record)
        self._summary.top = self._best.ranked()

    def _top_ad(self, row: Row, result: Scored) -> TopAd:
        excerpt = shortened(self._mapping.posting(row.cells).text()[: 4 * _EXCERPT], _EXCERPT)
        return TopAd(row.line, result.columns[_TIER], result.probability, excerpt, result.columns[_REASONS], row.place)
