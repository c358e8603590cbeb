"""The job of grouping a table: read, score what is not scored, find the campaigns, and tell of each."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, Self

from jobscam import knowledge
from jobscam.campaigns import Campaigns, Traits, graph, traits
from jobscam.campaigns.contacts import mask, shipped_keys
from jobscam.campaigns.summary import CAMPAIGN_COLUMNS, CAMPAIGN_NUMBERS, CampaignSummary, Member, Risk, shortened
from jobscam.errors import InputError
from jobscam.explain import CAMPAIGN_COLUMN, OUTPUT_COLUMNS
from jobscam.io import check_targets, create_table, format_of, open_table
from jobscam.io.rejects import RejectFile, rejected, rejects_path
from jobscam.io.target import Target
from jobscam.parallel import map_batches
from jobscam.posting import ColumnMap, Posting
from jobscam.scored import NUMBERS, number_problem
from jobscam.sorting import ExternalSorter, Key
from jobscam.streaming import Assessor, Entry, LoadScorer, Progress, Summary, map_columns, read_batches
from jobscam.text.dates import DateReader
from jobscam.values import Status

NAME, SIZE = CAMPAIGN_COLUMN, f"{CAMPAIGN_COLUMN}_size"
_SCORED = ("jobscam_probability", "jobscam_tier", "jobscam_status")
_REASONS, _LABEL = 5, 80


@dataclass
class GroupSummary(Summary):
    """Counts of a run.

    Attributes
    ----------
    was_scored : bool
        Whether the table brought its scores along.
    found : int
        Campaigns, those of a single ad among them.
    listed, ads : int
        Campaigns that are large enough to be listed, and the ads in them.
    first : list of (CampaignSummary, str)
        The campaigns that lead the list, with an excerpt of the ad that stands for each.
    """

    was_scored: bool = False
    found: int = 0
    listed: int = 0
    ads: int = 0
    first: list[tuple[CampaignSummary, str]] = field(default_factory=list)


class _Read:
    """Turns a batch of postings into traits and, unless they are scored, output columns."""

    def __init__(self, factory: Callable[[], Assessor] | None, language: str) -> None:
        self.factory = factory
        self.language = language

    def start(self) -> Callable[[Sequence[Posting]], list[tuple[Traits, list[str]]]]:
        scorer = self.factory() if self.factory is not None else None

        def run(postings: Sequence[Posting]) -> list[tuple[Traits, list[str]]]:
            columns: Iterable[list[str]] = ([] for _ in postings)
            if scorer is not None:
                found = (a.columns(_REASONS, self.language) for a in scorer.assess_many(postings))
                columns = ([c[name] for name in OUTPUT_COLUMNS] for c in found)
            return [(traits(p), c) for p, c in zip(postings, columns, strict=True)]

        return run


class _Stored(NamedTuple):
    line: int
    cells: list[str]
    columns: list[str]
    contacts: list[str]


class _Store:
    """Rows on disk, in the order of the input, to be gone through several times."""

    def __init__(self, folder: Path | None) -> None:
        # Closed on leaving the block this object is entered with.
        self._file = tempfile.TemporaryFile("w+", encoding="ascii", dir=folder, prefix=".jobscam-rows-")  # noqa: SIM115

    def add(self, row: _Stored) -> None:
        self._file.write(json.dumps(row) + "\n")

    def __iter__(self) -> Iterator[_Stored]:
        self._file.seek(0)
        for line in self._file:
            yield _Stored(*json.loads(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def group_table(
    source: str | Path,
    target: str | Path,
    scorer_args: Mapping[str, Any] | Callable[[], Assessor],
    *,
    graph_to: str | Path | None = None,
    members: str | Path | None = None,
    unique: str | Path | None = None,
    min_size: int = 2,
    show_contacts: bool = False,
    overrides: Mapping[str, str] | None = None,
    workers: int = 1,
    chunk: int = 256,
    language: str = "id",
    rejects: str | Path | None = None,
    raw_cells: bool = False,
    limit: int | None = None,
    top: int = 5,
    on_start: Callable[[Summary], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> GroupSummary:
    """Find the campaigns of a table and write a row for each, the riskiest first.

    Parameters
    ----------
    source, target : str or Path
        Table of ads, scored or not, and table of campaigns; ``-`` for standard streams.
    scorer_args : mapping, or callable
        Arguments of :func:`jobscam.scoring.load`, or what makes a scorer. Unused where the table is scored.
    graph_to : path, optional
        GraphML or GEXF file of campaigns, ads and contacts.
    members : path, optional
        Table of all ads of the listed campaigns, as they are, with campaign and size.
    unique : path, optional
        Table of one ad for each campaign, the riskiest, those without a second ad among them.
    min_size : int
        Ads a campaign must have to be listed.
    show_contacts : bool
        Write contacts in full; masked otherwise, in excerpts too. The rows of `members` and `unique` are never masked.
    overrides, workers, chunk, language, rejects, raw_cells, limit, on_start, on_progress
        As of :func:`jobscam.streaming.score_table`.
    top : int
        How many campaigns the summary holds.

    Returns
    -------
    GroupSummary

    Raises
    ------
    InputError
        If the input as a whole cannot be used, or two of the files are one.
    """
    started = time.monotonic()
    _check_arguments(workers, chunk, min_size, limit)
    kind = graph.format_of(str(graph_to)) if graph_to is not None else ""
    rejects_to = Path(rejects) if rejects is not None else rejects_path(source, target)
    check_targets(source, target, graph_to, members, unique, rejects=rejects_to)
    for path in (target, members, unique):
        if path is not None:
            format_of(path)
    summary = GroupSummary()
    with ExitStack() as stack:
        table = stack.enter_context(open_table(source))
        mapping = map_columns(table.name, table.header, overrides)
        summary.columns, summary.unmapped = mapping.describe(), mapping.unmapped
        summary.was_scored = all(name in table.header for name in _SCORED)
        if on_start is not None:
            on_start(summary)
        reject_file = stack.enter_context(RejectFile(rejects_to, raw_cells=raw_cells))
        folder = None if str(target) == "-" else Path(target).resolve().parent
        store = stack.enter_context(_Store(folder))
        factory = None if summary.was_scored else scorer_args if callable(scorer_args) else LoadScorer(scorer_args)
        campaigns = Campaigns()
        batches = read_batches(table, mapping, reject_file, summary, chunk, limit)
        results = stack.enter_context(closing(map_batches(_Read(factory, language), batches, workers)))
        for batch, found in results:
            for entry, (trait, columns) in zip(batch, found, strict=True):
                if summary.was_scored:
                    columns, problem = _given(table.header, entry)
                    if problem:
                        reject_file.add(rejected(entry.row, problem))
                        continue
                store.add(_Stored(entry.row.line, entry.row.cells, columns, list(trait.contacts)))
                campaigns.add(*trait)
            if on_progress is not None:
                on_progress(Progress(len(campaigns) + reject_file.count, table.position, table.size))
        summary.notes, summary.rejected = table.notes, reject_file.count
        summary.rejects = rejects_to if reject_file.count else None
        summary.rows_out = len(campaigns)
        if summary.rows_in != summary.rows_out + summary.rejected:
            raise AssertionError(f"{summary.rows_in} rows were read, but {summary.rows_out} grouped, {summary.rejected} rejected")
        grouped = _Grouped(store, mapping, campaigns.names(), min_size)
        summary.found, summary.listed = len(grouped.sizes), len(grouped.listed)
        summary.ads = sum(c.size for c in grouped.listed)
        show = _Show(show_contacts)
        out = stack.enter_context(create_table(target, raw_cells=raw_cells, numbers=CAMPAIGN_NUMBERS))
        out.write(CAMPAIGN_COLUMNS)
        for campaign in grouped.listed:
            out.write(campaign.cells(show.contact, show.excerpt))
        summary.notes += out.notes
        summary.first = [(c, shortened(show.excerpt(c.best.text), 160)) for c in grouped.listed[:top]]
        if members is not None:
            summary.notes += _write_rows(members, grouped, grouped.members(), raw_cells)
        if unique is not None:
            summary.notes += _write_rows(unique, grouped, grouped.heads(), raw_cells)
        if graph_to is not None:
            # Not a table, but a file that must appear whole or not at all, as the tables do.
            with Target(graph_to) as file:
                for piece in graph.encoded(kind, grouped.nodes(show), grouped.edges()):
                    file.write(piece)
    summary.seconds = time.monotonic() - started
    return summary


def _given(header: Sequence[str], entry: Entry) -> tuple[list[str], str]:
    """Output columns that a row brings along, and what is wrong with them."""
    by_name = {name: cell for name, cell in zip(header, entry.row.cells) if name in OUTPUT_COLUMNS}
    for name in NUMBERS:
        by_name[name] = by_name.get(name, "").strip()
        if problem := number_problem(name, by_name[name]):
            return [], problem
    return [by_name.get(name, "") for name in OUTPUT_COLUMNS], ""


class _Show:
    """How contacts are written: masked unless they may be seen."""

    def __init__(self, contacts: bool) -> None:
        self.contact: Callable[[str], str] = str if contacts else mask
        self.excerpt: Callable[[str], str] = str if contacts else shipped_keys().masked


class _Grouped:
    """The rows of a table with their campaigns."""

    def __init__(self, store: _Store, mapping: ColumnMap, names: Sequence[str], min_size: int) -> None:
        self._store = store
        self._mapping = mapping
        self._names = names
        self._kept = [i for i, name in enumerate(mapping.header) if name not in (*OUTPUT_COLUMNS, NAME, SIZE)]
        self._dates = DateReader(knowledge.load())
        self.sizes = Counter(names)
        self._heads: dict[str, tuple[Risk, int]] = {}
        found: dict[str, CampaignSummary] = {}
        for number, (name, row) in enumerate(zip(names, store, strict=True)):
            size = self.sizes[name]
            if size == 1 and min_size > 1:
                continue
            member = self._member(row)
            if name not in self._heads or member.risk < self._heads[name][0]:
                self._heads[name] = (member.risk, number)
            if size >= min_size:
                found.setdefault(name, CampaignSummary(name, member)).add(member)
        self.listed = sorted(found.values(), key=lambda c: c.rank)
        self._rank = {campaign.name: i for i, campaign in enumerate(self.listed)}

    @property
    def header(self) -> list[str]:
        """Columns of a table of ads."""
        return [self._mapping.header[i] for i in self._kept] + [*OUTPUT_COLUMNS, NAME, SIZE]

    def cells(self, name: str, row: _Stored) -> list[str]:
        """Cells of a row of a table of ads."""
        return [row.cells[i] for i in self._kept] + [*row.columns, name, str(self.sizes[name])]

    def _member(self, row: _Stored) -> Member:
        posting = self._mapping.posting(row.cells)
        columns = dict(zip(OUTPUT_COLUMNS, row.columns, strict=True))
        text = posting.text()
        risk, probability = _risk(row.line, text, columns)
        salary = columns["jobscam_salary_month_idr"]
        return Member(
            risk=risk,
            tier=columns["jobscam_tier"],
            probability=probability,
            date=self._dates.read(posting.posted_at),
            source=shortened(posting.source, _LABEL),
            contacts=tuple(row.contacts),
            destination=columns["jobscam_destination"],
            salary=float(salary) if salary else None,
            id=posting.id,
            text=text,
            reasons=columns["jobscam_reasons"],
        )

    def members(self) -> Iterator[tuple[Key, list[str]]]:
        """Rows of the listed campaigns, to be sorted by campaign, and by the input within it."""
        for number, (name, row) in enumerate(zip(self._names, self._store)):
            if name in self._rank:
                yield (0, float(self._rank[name]), number), self.cells(name, row)

    def heads(self) -> Iterator[tuple[Key, list[str]]]:
        """The riskiest row of each campaign, to be sorted by risk."""
        for number, (name, row) in enumerate(zip(self._names, self._store)):
            if name not in self._heads or self._heads[name][1] == number:
                risk, _ = _risk(row.line, "", dict(zip(OUTPUT_COLUMNS, row.columns, strict=True)))
                yield (int(risk.unranked), risk.negative_probability, number), self.cells(name, row)

    def nodes(self, show: _Show) -> Iterator[graph.Node]:
        """Listed campaigns, their ads, and the contacts in them."""
        for c in self.listed:
            probability = "" if c.best.probability is None else f"{c.best.probability:.6f}"
            label = shortened(show.excerpt(c.best.text), _LABEL)
            yield graph.Node(c.name, "campaign", label, str(c.size), c.best.tier, probability, c.first)
        for name, row in zip(self._names, self._store):
            if name in self._rank:
                m = self._member(row)
                probability = "" if m.probability is None else f"{m.probability:.6f}"
                label = shortened(show.excerpt(m.text), _LABEL)
                yield graph.Node(f"line-{row.line}", "ad", label, "", m.tier, probability, m.date)
        for contact, number in self._contacts().items():
            yield graph.Node(f"contact-{number}", "contact", show.contact(contact))

    def edges(self) -> Iterator[graph.Edge]:
        """Campaign to ad, campaign to contact with the number of ads, ad to contact."""
        numbers = self._contacts()
        for c in self.listed:
            for contact in sorted(c.contacts):
                yield graph.Edge(c.name, f"contact-{numbers[contact]}", c.contacts[contact])
        for name, row in zip(self._names, self._store):
            if name in self._rank:
                yield graph.Edge(name, f"line-{row.line}")
                for contact in row.contacts:
                    yield graph.Edge(f"line-{row.line}", f"contact-{numbers[contact]}")

    def _contacts(self) -> dict[str, int]:
        """Contacts by number. A number, because a digest of a phone number gives it away to whoever tries them all."""
        return {contact: i for i, contact in enumerate(sorted({k for c in self.listed for k in c.contacts}), 1)}


def _risk(line: int, text: str, columns: Mapping[str, str]) -> tuple[Risk, float | None]:
    written = columns["jobscam_probability"]
    probability = float(written) if written else None
    unranked = columns["jobscam_status"] != Status.SCORED.value
    # Only a digest is kept: one for each campaign, and ads are long.
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return Risk(unranked, -(probability or 0.0), digest, line), probability


def _write_rows(path: str | Path, grouped: _Grouped, rows: Iterable[tuple[Key, list[str]]], raw_cells: bool) -> Sequence[str]:
    beside = None if str(path) == "-" else Path(path).resolve().parent
    with create_table(path, raw_cells=raw_cells) as out, ExternalSorter(beside) as sorter:
        out.write(grouped.header)
        for key, cells in rows:
            sorter.add(key, out.encode(cells))
        for record in sorter:
            out.write_encoded(record)
        return out.notes


def _check_arguments(workers: int, chunk: int, min_size: int, limit: int | None) -> None:
    for name, value in (("workers", workers), ("chunk", chunk), ("min_size", min_size), ("limit", limit)):
        if value is not None and value < 1:
            raise InputError(f"{name} must be at least 1, got {value}")
