"""The job of scoring a file: read, score in batches, order, write, and count so that it adds up."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from jobscam.campaigns import Campaigns, Traits, traits
from jobscam.campaigns.summary import shortened
from jobscam.errors import InputError
from jobscam.explain import CAMPAIGN_COLUMN, OUTPUT_COLUMNS, Assessment
from jobscam.io import Row, TableReader, create_table, open_table, refuse_overwrite
from jobscam.io.rejects import RejectFile, rejected, rejects_path
from jobscam.parallel import map_batches
from jobscam.posting import ColumnMap, Posting
from jobscam.sorting import ExternalSorter, Key, Riskiest
from jobscam.values import Reject, Status

_TIER, _STATUS, _REASONS = (OUTPUT_COLUMNS.index(f"jobscam_{name}") for name in ("tier", "status", "reasons"))
_EXCERPT = 160
_BATCH_SIZE = 4 * 1024 * 1024


class Assessor(Protocol):
    """What scores postings; a :class:`~jobscam.scoring.Scorer` is one."""

    def assess_many(self, items: Sequence[Posting], /) -> list[Assessment]:
        """Assess several postings, in order."""


class Progress(NamedTuple):
    """How far a run is. `bytes_total` is None for a stream."""

    rows: int
    bytes_read: int
    bytes_total: int | None


class TopAd(NamedTuple):
    """One of the ads with the highest risk: its line in the input, what it says, and what was found."""

    line: int
    tier: str
    probability: float | None
    excerpt: str
    reasons: str


@dataclass
class Summary:
    """Counts of a run.

    Attributes
    ----------
    rows_in : int
        Rows read, the rejected ones among them.
    rows_out, rejected : int
        They add up to `rows_in`.
    by_tier, by_status : Counter
        Tiers are counted among the scored rows; statuses add up to `rows_out`.
    notes : list of str
        What the reader found out about the file.
    header : list of str
        Columns of the input.
    columns : list of (str, str)
        Column and the field it feeds.
    unmapped : tuple of str
        Columns carried along unread.
    probabilities : Counter
        How many scored rows had each probability, in thousandths.
    prevalence : float or None
        Share of scams for which these probabilities hold.
    top : list of TopAd
    rejects : Path or None
        Where the rejects are, if there are any.
    seconds : float
    """

    rows_in: int = 0
    rows_out: int = 0
    rejected: int = 0
    by_tier: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    probabilities: Counter[int] = field(default_factory=Counter)
    prevalence: float | None = None
    notes: list[str] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    columns: list[tuple[str, str]] = field(default_factory=list)
    unmapped: tuple[str, ...] = ()
    top: list[TopAd] = field(default_factory=list)
    rejects: Path | None = None
    seconds: float = 0.0

    def guessed_share(self) -> float | None:
        """Share of scams that the scored rows look like; None where there are none."""
        from jobscam.model.linear import estimate_prevalence

        if self.prevalence is None:
            return None
        values = [(k + 0.5) / 1001 for k in self.probabilities]
        return estimate_prevalence(values, self.prevalence, list(self.probabilities.values()))


class _Scored(NamedTuple):
    columns: tuple[str, ...]
    logit: float
    probability: float | None
    prevalence: float | None
    traits: Traits | None


class _Assess:
    """Turns a batch of postings into output columns; goes to the workers whole, so it holds nothing but settings."""

    def __init__(self, factory: Callable[[], Assessor], reasons: int, language: str, campaigns: bool) -> None:
        self.factory = factory
        self.reasons = reasons
        self.language = language
        self.campaigns = campaigns

    def start(self) -> Callable[[Sequence[Posting]], list[_Scored]]:
        """Load the scorer, and return what uses it."""
        scorer = self.factory()

        def run(postings: Sequence[Posting]) -> list[_Scored]:
            out = []
            for posting, found in zip(postings, scorer.assess_many(postings), strict=True):
                columns = found.columns(self.reasons, self.language)
                logit = found.logit if found.logit is not None and not math.isnan(found.logit) else -math.inf
                values = tuple(columns[name] for name in OUTPUT_COLUMNS)
                trait = traits(posting) if self.campaigns else None
                out.append(_Scored(values, logit, found.probability, found.prevalence, trait))
            return out

        return run


class LoadScorer:
    """Loads a scorer with these arguments of :func:`jobscam.scoring.load`."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.arguments = dict(arguments)

    def __call__(self) -> Assessor:
        """Load it."""
        from jobscam.scoring import load

        return load(**self.arguments)


def score_table(
    source: str | Path,
    target: str | Path,
    scorer_args: Mapping[str, Any] | Callable[[], Assessor],
    *,
    overrides: Mapping[str, str] | None = None,
    workers: int = 1,
    chunk: int = 256,
    order: Literal["risk", "input"] = "risk",
    reasons: int = 3,
    language: str = "id",
    campaigns: bool = False,
    rejects: str | Path | None = None,
    raw_cells: bool = False,
    limit: int | None = None,
    top: int = 5,
    on_start: Callable[[Summary], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_row: Callable[[Row, Key], None] | None = None,
) -> Summary:
    """Score a table; the same bytes come out for any number of workers and any chunk size.

    Parameters
    ----------
    source, target : str or Path
        Files, or ``-`` for standard input and output. The target appears when it is complete.
    scorer_args : mapping, or callable
        Arguments of :func:`jobscam.scoring.load`, or what makes a scorer. Called once a worker.
    overrides : mapping, optional
        Posting field to column, over what the names of the columns say.
    workers, chunk : int
        Processes, and rows a batch.
    order : {"risk", "input"}
        By falling log-odds among the scored rows, the other rows after them; or as the input has them.
    reasons : int
    language : {"id", "en"}
        Number and language of the reasons.
    campaigns : bool
        Add a column with the campaign of each ad. Rows are then held back on disk in either order, and memory grows by
        the length of each distinct ad and half a kilobyte.
    rejects : path, optional
        By default ``<target>.rejects.csv``.
    raw_cells : bool
        As of :func:`jobscam.io.create_table`.
    limit : int, optional
        Stop after so many rows of the input.
    top : int
        How many of the ads with the highest risk the summary holds.
    on_start : callable, optional
        Called with the mapping of the columns before the first row is scored.
    on_progress : callable, optional
        Called after each batch.
    on_row : callable, optional
        Called with each row that is written and its place in the order of risk.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        If the input as a whole cannot be used, or source and target are one file.
    """
    started = time.monotonic()
    _check_arguments(source, target, workers, chunk, order, limit)
    rejects_to = Path(rejects) if rejects is not None else rejects_path(source, target)
    factory = scorer_args if callable(scorer_args) else LoadScorer(scorer_args)
    summary = Summary()
    with ExitStack() as stack:
        table = stack.enter_context(open_table(source))
        mapping = map_columns(table.name, table.header, overrides)
        summary.header, summary.columns, summary.unmapped = table.header, mapping.describe(), mapping.unmapped
        ours = (*OUTPUT_COLUMNS[:-1], CAMPAIGN_COLUMN, OUTPUT_COLUMNS[-1]) if campaigns else OUTPUT_COLUMNS
        kept = [i for i, name in enumerate(table.header) if name not in ours]
        replaced = [name for name in table.header if name in ours]
        if on_start is not None:
            on_start(summary)
        reject_file = stack.enter_context(RejectFile(rejects_to))
        batches = read_batches(table, mapping, reject_file, summary, chunk, limit)
        out = stack.enter_context(create_table(target, raw_cells=raw_cells))
        out.write([table.header[i] for i in kept] + list(ours))
        beside = None if str(target) == "-" else Path(target).resolve().parent
        sorter = stack.enter_context(ExternalSorter(beside)) if order == "risk" or campaigns else None
        groups = Campaigns() if campaigns else None
        best: Riskiest[TopAd] = Riskiest(top)
        results = stack.enter_context(closing(map_batches(_Assess(factory, reasons, language, campaigns), batches, workers)))
        for batch, scored in results:
            for entry, result in zip(batch, scored, strict=True):
                tier, status = result.columns[_TIER], result.columns[_STATUS]
                summary.rows_out += 1
                summary.by_status[status] += 1
                key: Key = (1, 0.0, summary.rows_out)
                if status == Status.SCORED.value:
                    summary.by_tier[tier] += 1
                    summary.prevalence = result.prevalence
                    summary.probabilities[round(1000 * (result.probability or 0.0))] += 1
                    key = (0, -result.logit, summary.rows_out)
                    best.offer(key, partial(_top_ad, entry, result))
                if on_row is not None:
                    on_row(entry.row, key)
                cells = [entry.row.cells[i] for i in kept] + list(result.columns)
                if groups is not None and result.traits is not None:
                    groups.add(*result.traits)
                    # The campaign is known at the end only: the cells wait, with the number of the row.
                    record = json.dumps([summary.rows_out - 1, cells]).encode()
                    key = key if order == "risk" else (0, 0.0, summary.rows_out)
                else:
                    record = out.encode(cells)
                if sorter is None:
                    out.write_encoded(record)
                else:
                    sorter.add(key, record)
            if on_progress is not None:
                on_progress(Progress(summary.rows_out + reject_file.count, table.position, table.size))
        names = groups.names() if groups is not None else []
        for record in sorter or ():
            if groups is not None:
                number, cells = json.loads(record)
                record = out.encode([*cells[:-1], names[number], cells[-1]])
            out.write_encoded(record)
        summary.notes = [*table.notes, *out.notes]
        if replaced:
            summary.notes.append(f"columns of an earlier run, replaced: {', '.join(replaced)}")
        summary.rejected = reject_file.count
        summary.rejects = rejects_to if reject_file.count else None
        counted = summary.rows_out + summary.rejected
        if summary.rows_in != counted:
            raise AssertionError(f"{summary.rows_in} rows were read, but {counted} are written or rejected")
    summary.top = best.ranked()
    summary.seconds = time.monotonic() - started
    return summary


class Entry(NamedTuple):
    """A row and the posting it holds."""

    row: Row
    posting: Posting


def _top_ad(entry: Entry, result: _Scored) -> TopAd:
    excerpt = shortened(entry.posting.text()[: 4 * _EXCERPT], _EXCERPT)
    return TopAd(entry.row.line, result.columns[_TIER], result.probability, excerpt, result.columns[_REASONS])


def read_batches(
    table: TableReader, mapping: ColumnMap, rejects: RejectFile, summary: Summary, chunk: int, limit: int | None
) -> Iterator[tuple[list[Entry], list[Posting]]]:
    """Rows of a table in batches, with their postings; what cannot be read, or holds no text, goes to the rejects."""
    entries: list[Entry] = []
    size = 0
    for item in islice(table, limit):
        summary.rows_in += 1
        if isinstance(item, Reject):
            rejects.add(item)
            continue
        if not mapping.has_text(item.cells):
            rejects.add(rejected(item, "no text"))
            continue
        posting = mapping.posting(item.cells)
        entries.append(Entry(item, posting))
        size += sum(map(len, item.cells))
        # Few long ads make a batch as well as many short ones; a batch of them must not fill the memory.
        if len(entries) == chunk or size > _BATCH_SIZE:
            yield entries, [entry.posting for entry in entries]
            entries, size = [], 0
    if entries:
        yield entries, [entry.posting for entry in entries]


def map_columns(name: str, header: Sequence[str], overrides: Mapping[str, str] | None = None) -> ColumnMap:
    """Which columns of a file feed which fields; an error names the file."""
    try:
        return ColumnMap.from_header(header, overrides)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _check_arguments(source: str | Path, target: str | Path, workers: int, chunk: int, order: str, limit: int | None) -> None:
    if order not in ("risk", "input"):
        raise InputError(f"order must be 'risk' or 'input', got {order!r}")
    for name, value in (("workers", workers), ("chunk", chunk), ("limit", limit)):
        if value is not None and value < 1:
            raise InputError(f"{name} must be at least 1, got {value}")
    refuse_overwrite(source, target)
