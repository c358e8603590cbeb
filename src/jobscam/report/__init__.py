"""The review page: one HTML file with the riskiest ads, their evidence and reasons, to read, sort and label.

The file needs no server and reaches no network. Contacts are masked in it unless asked for. See ``docs/report.md``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobscam.errors import InputError
from jobscam.explain import Assessment
from jobscam.io import Row, check_targets, open_table
from jobscam.io.rejects import RejectFile, rejects_path
from jobscam.posting import FIELDS, ColumnMap, Posting, cell_text
from jobscam.report.collect import Collector
from jobscam.report.page import render, save
from jobscam.scoring import Item, Scorer, as_posting, load
from jobscam.sorting import Key, Riskiest
from jobscam.streaming import Progress, Summary, map_columns, read_batches

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 5000
"""Ads in a page, if nothing else is said."""
_BATCH = 256


@dataclass
class Written:
    """What went into a page.

    Attributes
    ----------
    assessed, rejected : int
        Rows that were assessed, and rows that could not be.
    shown : int
        Ads in the page, the riskiest of those assessed.
    size : int
        Bytes of the page.
    by_tier : Counter
        Assessed rows by tier; those without one by status.
    columns : list of (str, str)
        Column and the field it feeds.
    notes : list of str
        What the reader found out about the file.
    rejects : Path or None
        File of the rejected rows.
    """

    assessed: int = 0
    rejected: int = 0
    shown: int = 0
    size: int = 0
    by_tier: Counter[str] = field(default_factory=Counter)
    columns: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rejects: Path | None = None


def write(
    path: str | Path,
    data: pd.DataFrame | Iterable[Item | Assessment],
    *,
    scorer: Scorer | None = None,
    language: str = "id",
    show_contacts: bool = False,
    limit: int = LIMIT,
    title: str = "",
) -> Written:
    """Write the review page of ads in memory.

    Parameters
    ----------
    path : str or Path
        HTML file to write, ``-`` for standard output.
    data : DataFrame, or iterable of str, mapping, Posting or Assessment
        Ads; columns of an earlier run are left out, and assessments are used as they are.
    scorer : Scorer, optional
        The shipped model by default.
    language : {"id", "en"}
        Language in which the page opens.
    show_contacts : bool
        Leave telephone numbers, addresses, links and account names as they are. By default they are masked, in the
        file as well as on screen.
    limit : int
        Most ads in the page; the riskiest are taken.
    title : str
        Name of the table, shown at the top.

    Raises
    ------
    InputError
        If the file cannot be written, an argument is out of range, or no column holds the text of the ads.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = Path(folder) / "report.html"
    ...     done = write(page, ["Loker Kamboja, admin slot, gaji 12jt, paspor dibuatkan"], language="en")
    ...     done.shown, "admin slot" in page.read_text(encoding="utf-8")
    (1, True)
    """
    _check(language, limit)
    scorer = scorer or load()
    header, rows, items = _rows_of(data)
    mapping = ColumnMap.from_header(header)
    collector = Collector(header, mapping, scorer.knowledge, show_contacts=show_contacts, limit=limit)
    rejected = 0
    for number, (cells, item) in enumerate(zip(rows, items, strict=True), start=1):
        if item is None and not mapping.has_text(cells):
            rejected += 1
            continue
        found = item if isinstance(item, Assessment) else scorer.assess(mapping.posting(cells) if item is None else item)
        collector.add(number, cells, found)
    done = Written(rejected=rejected, columns=mapping.describe())
    return _finish(path, collector, scorer, done, title or "jobscam", language)


def write_table(
    source: str | Path,
    target: str | Path,
    scorer_args: Mapping[str, Any] | None = None,
    *,
    overrides: Mapping[str, str] | None = None,
    language: str = "id",
    show_contacts: bool = False,
    limit: int = LIMIT,
    on_progress: Callable[[Progress], None] | None = None,
) -> Written:
    """Assess the ads of a file and write their review page; rows that cannot be read go to ``<target>.rejects.csv``.

    Parameters
    ----------
    source, target : str or Path
        Table of ads, and HTML file to write; ``-`` for standard input and output.
    scorer_args : mapping, optional
        Arguments of :func:`jobscam.scoring.load`.
    overrides : mapping, optional
        Posting field to column, over what the names of the columns say.
    language, show_contacts, limit
        As in :func:`write`.
    on_progress : callable, optional
        Called after each batch.

    Raises
    ------
    InputError
        If the input as a whole cannot be used, or the page cannot be written.
    """
    _check(language, limit)
    rejects_to = rejects_path(source, target)
    check_targets(source, target, rejects=rejects_to)
    scorer = load(**(scorer_args or {}))
    done, summary = Written(), Summary()
    with open_table(source) as table, RejectFile(rejects_to) as rejects:
        mapping = map_columns(table.name, table.header, overrides)
        collector = Collector(table.header, mapping, scorer.knowledge, show_contacts=show_contacts, limit=limit)
        for entries, postings in read_batches(table, mapping, rejects, summary, _BATCH, None):
            for entry, found in zip(entries, scorer.assess_many(postings), strict=True):
                collector.add(entry.row.line, entry.row.cells, found)
            if on_progress is not None:
                on_progress(Progress(summary.rows_in, table.position, table.size))
        done.rejected = rejects.count
        done.rejects = rejects.path if rejects.count else None
        done.columns, done.notes = mapping.describe(), table.notes
    return _finish(target, collector, scorer, done, _name(source), language)


class RunPage:
    """The review page of a run of :func:`jobscam.streaming.score_table`, which hands over its rows.

    Parameters
    ----------
    limit : int
        Most ads in the page.

    Examples
    --------
    ``page = RunPage(100)``, then ``summary = score_table(..., on_row=page.take)`` and
    ``page.write("report.html", "ads.csv", summary, {})``.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        _check("id", limit)
        self._rows: Riskiest[tuple[Row, Key]] = Riskiest(limit)
        self._limit = limit

    def take(self, row: Row, key: Key) -> None:
        """Take a row and its place in the order of risk."""
        self._rows.offer(key, lambda: (row, key))

    def write(
        self,
        path: str | Path,
        source: str | Path,
        summary: Summary,
        scorer_args: Mapping[str, Any],
        *,
        overrides: Mapping[str, str] | None = None,
        language: str = "id",
        show_contacts: bool = False,
    ) -> Written:
        """Write the page. The rows in it are assessed once more, since their evidence does not travel with a run."""
        scorer = load(**scorer_args)
        mapping = ColumnMap.from_header(summary.header, overrides)
        collector = Collector(summary.header, mapping, scorer.knowledge, show_contacts=show_contacts, limit=self._limit)
        for row, _ in self._rows.ranked():
            collector.add(row.line, row.cells, scorer.assess(mapping.posting(row.cells)))
        done = Written(assessed=self._rows.offered, rejected=summary.rejected, columns=mapping.describe())
        return _finish(path, collector, scorer, done, _name(source), language)


def _finish(path: str | Path, collector: Collector, scorer: Scorer, done: Written, name: str, language: str) -> Written:
    done.assessed = done.assessed or collector.assessed
    done.by_tier = collector.by_tier
    content = collector.content(
        source=name, language=language, rows=done.assessed, rejected=done.rejected, thresholds=scorer.model.thresholds
    )
    done.shown = content["counts"]["shown"]
    done.size = save(path, render(content))
    return done


def _name(source: str | Path) -> str:
    return "stdin" if str(source) == "-" else Path(source).name


def _check(language: str, limit: int) -> None:
    if language not in ("id", "en"):
        raise InputError(f"language must be 'id' or 'en', got {language!r}")
    if limit < 1:
        raise InputError(f"limit must be at least 1, got {limit}")


def _rows_of(data: Any) -> tuple[list[str], list[list[str]], list[Any]]:
    """Header, cells, and what is assessed in place of the cells (None: the cells themselves)."""
    columns = getattr(data, "columns", None)
    if columns is not None:
        cells = [[cell_text(v) for v in data.iloc[:, i].tolist()] for i in range(len(columns))]
        rows = [list(row) for row in zip(*cells, strict=True)]
        return [str(c) for c in columns], rows, [None] * len(rows)
    if isinstance(data, str):
        raise InputError("give a list of ads; for the name of a file use write_table()")
    items = list(data)
    if items and all(isinstance(item, Mapping) for item in items):
        header = list(dict.fromkeys(str(key) for item in items for key in item))
        said = [{str(key): cell_text(value) for key, value in item.items()} for item in items]
        return header, [[row.get(name, "") for name in header] for row in said], items
    postings = [item.document.posting if isinstance(item, Assessment) else as_posting(item) for item in items]
    header = [name for name in FIELDS if any(getattr(p, name) for p in postings)] or ["description"]
    found = [item if isinstance(item, Assessment) else posting for item, posting in zip(items, postings, strict=True)]
    return header, [_cells(posting, header) for posting in postings], found


def _cells(posting: Posting, header: Sequence[str]) -> list[str]:
    return [str(getattr(posting, name)) for name in header]


__all__ = ["LIMIT", "RunPage", "Written", "write", "write_table"]
