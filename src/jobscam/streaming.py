"""The job of scoring a file: read, score in batches, order, write, and count so that it adds up.

What was scored is noted in a journal beside the target as the run goes on. A killed run loses a batch at most: another one
reads the rows again, which costs little, takes what was found in them from the journal, and goes on where that ends. From
there on nothing tells the two apart, so the same bytes come out.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Literal

from jobscam import identity
from jobscam.assessing import Assess, Assessed, Assessor, LoadScorer, Scored, stored
from jobscam.batches import Entry, in_batches, map_columns, read_batches, read_rows, strict_error
from jobscam.errors import InputError, JobscamError, OutputError
from jobscam.io import Row, TableReader, check_targets, create_table, format_of, open_table
from jobscam.io.place import is_replaceable, put
from jobscam.io.rejects import RejectFile, rejected, rejects_path
from jobscam.journal import Reading
from jobscam.parallel import Pool
from jobscam.sorting import Key
from jobscam.summary import Progress, Summary, TopAd
from jobscam.tally import Tally
from jobscam.values import Reject
from jobscam.work import WorkFolder

Items = Sequence[Row | Reject]
_REJECTS_AT_ONCE = 256
"""Rejects that are held, at most, while a row to which something was noted is looked for."""


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
    strict: bool = False,
    resume: bool = False,
    on_start: Callable[[Summary], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_row: Callable[[Row, Key], None] | None = None,
    on_note: Callable[[str], None] | None = None,
    on_finish: Callable[[Summary], None] | None = None,
) -> Summary:
    """Score a table; the same bytes come out for any number of workers and any chunk size, interrupted or not.

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
        Leave cells that a spreadsheet would run as formulas as they are, see :func:`jobscam.io.create_table`.
    limit : int, optional
        Stop after so many rows of the input.
    top : int
        How many of the ads with the highest risk the summary holds.
    strict : bool
        Stop at the first row that cannot be read or scored. By default such rows go to the rejects.
    resume : bool
        Go on with what an interrupted run on this target has left, if it has left anything. Chunk size and workers may
        differ from its own.
    on_start : callable, optional
        Called with the mapping of the columns before the first row is scored.
    on_progress : callable, optional
        Called after each batch.
    on_row : callable, optional
        Called with each row that is written and its place in the order of risk.
    on_note : callable, optional
        Called with a sentence about an unfinished run that was found.
    on_finish : callable, optional
        Called when all is counted and written, right before the files get their names: what else belongs to the run is
        made here, so that a run killed meanwhile can be gone on with.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        If the input as a whole cannot be used, source and target are one file, another run is writing the target, a row is
        bad and `strict` is set, or what is to be resumed was begun with something else.
    OutputError
        If something cannot be written, because the disk is full for example.
    JobscamError
        If a worker dies, or memory is short.
    """
    started = time.monotonic()
    rejects_to = Path(rejects) if rejects is not None else rejects_path(source, target)
    _check_arguments(workers, chunk, order, limit)
    check_targets(source, target, rejects=rejects_to)
    if resume:
        _check_resume(source, target)
    factory = scorer_args if callable(scorer_args) else LoadScorer(scorer_args)
    summary = Summary()
    try:
        with ExitStack() as stack:
            table = stack.enter_context(open_table(source))
            mapping = map_columns(table.name, table.header, overrides)
            summary.header, summary.columns, summary.unmapped = table.header, mapping.describe(), mapping.unmapped
            if on_start is not None:
                on_start(summary)
            format_of(target)
            work = stack.enter_context(WorkFolder(target)) if is_replaceable(target) else None
            noted = work if identity.is_rereadable(source) else None
            task = Assess(factory, mapping, reasons, language, campaigns, noted is not None)
            pool = stack.enter_context(Pool(task, workers))
            settings = {
                "reasons (--reasons)": reasons,
                "language (--lang)": language,
                "campaigns (--campaigns)": campaigns,
                "order (--order)": order,
                "limit (--limit)": limit,
                "raw cells (--raw-cells)": raw_cells,
            }
            scorer = pool.identity()
            about = partial(identity.of_run, source, mapping, settings, scorer)
            before = _journal(noted, target, about, resume, on_note) if noted is not None else None
            made = work.folder("table") / Path(target).name if work is not None else None
            folders = {name: work.folder(name) if work is not None else None for name in ("rejects", "sort")}
            reject_file = RejectFile(rejects_to, folders["rejects"], raw_cells=raw_cells)
            with (
                create_table(target if made is None else made, raw_cells=raw_cells) as out,
                reject_file,
                Tally(
                    out, mapping, summary, order=order, campaigns=campaigns, top=top, folder=folders["sort"], on_row=on_row
                ) as tally,
            ):
                rows = read_rows(table, mapping, summary, limit)
                for items, results in _results(table, rows, pool, noted, before, chunk, summary):
                    for outcome in _outcomes(items, results):
                        if not isinstance(outcome, Reject):
                            tally.take(*outcome)
                        elif strict:
                            raise strict_error(table.name, mapping, outcome, summary.rows_out + reject_file.count + 1)
                        else:
                            reject_file.add(outcome)
                    if on_progress is not None:
                        done = summary.rows_out + reject_file.count
                        on_progress(Progress(done, table.position, table.size, summary.resumed))
                tally.finish()
                _complete(summary, [*table.notes, *out.notes], reject_file, tally)
                summary.seconds = time.monotonic() - started
                if on_finish is not None:
                    on_finish(summary)
            # Both are complete: from here on nothing can run out of room.
            if made is not None:
                try:
                    reject_file.put()
                except OSError as error:
                    raise _not_written(rejects_to, error) from error
                put(made, target)
    except BrokenPipeError:
        raise
    except MemoryError:
        raise JobscamError(
            f"{source}: there is not enough memory; use fewer workers (--workers) or rows a batch (--chunk)"
        ) from None
    except OSError as error:  # what cannot be read is an InputError by now
        raise _not_written(target, error) from error
    summary.seconds = time.monotonic() - started
    return summary


def _journal(
    work: WorkFolder,
    target: str | Path,
    about: Callable[[], dict[str, str]],
    resume: bool,
    on_note: Callable[[str], None] | None,
) -> Reading | None:
    """Begin the journal, or return the records of the one to go on with."""
    left = work.left()
    if resume and left is not None:
        identity.compare(target, left[0], about())
        return left[1]
    work.begin(about())
    if on_note is not None and resume:
        on_note("there is no unfinished run to continue; starting from the first row")
    elif on_note is not None and left is not None and (rows := sum(record.rows for record in left[1])):
        on_note(f"an unfinished run left {rows} scored rows in {work.path}; this run starts again and will replace them")
        on_note("to continue that one instead, stop this one now (Ctrl-C) and add --resume")
    return None


def _results(
    table: TableReader,
    rows: Iterator[Row | Reject],
    pool: Pool,
    work: WorkFolder | None,
    before: Reading | None,
    chunk: int,
    summary: Summary,
) -> Iterator[tuple[Items, Sequence[Scored | str]]]:
    """Rows in the order of the input with what was found: first what an earlier run noted, then what is scored now."""
    if work is not None and before is not None:
        yield from _noted(table, rows, before, summary)
        work.go_on(before, summary.resumed)
    batches = ((items, [item.cells for item in items if isinstance(item, Row)]) for items in in_batches(rows, chunk))
    found: Assessed
    for items, found in pool.map(batches):
        if work is not None and found.results:
            work.append(found.stored, len(found.results))
        yield items, found.results


def _outcomes(items: Items, results: Sequence[Scored | str]) -> Iterator[tuple[Row, Scored] | Reject]:
    """Each row with its result, or as a reject."""
    scored = iter(results)
    for item in items:
        if isinstance(item, Reject):
            yield item
            continue
        result = next(scored)
        yield rejected(item, result) if isinstance(result, str) else (item, result)


def _noted(
    table: TableReader, rows: Iterator[Row | Reject], before: Reading, summary: Summary
) -> Iterator[tuple[Items, Sequence[Scored | str]]]:
    """The rows that an earlier run scored, read again, with the results it noted."""
    for record in before:
        if not record.rows:
            continue
        items: list[Row | Reject] = []
        cells: list[list[str]] = []
        while len(cells) < record.rows and (item := next(rows, None)) is not None:
            items.append(item)
            if isinstance(item, Row):
                cells.append(item.cells)
            elif not cells and len(items) == _REJECTS_AT_ONCE:
                yield items, []
                items = []
        results = stored(record.data, cells)
        if results is None:
            where = f", line {items[0].line}" if items else ""
            raise InputError(
                f"{table.name}{where}: rows were changed since the unfinished run read them. Leave --resume out to start again."
            )
        summary.resumed += record.rows
        yield items, results


def _complete(summary: Summary, notes: list[str], reject_file: RejectFile, tally: Tally) -> None:
    """Fill in what is known once every row was taken, and see that all of them are accounted for."""
    summary.notes = notes
    if tally.replaced:
        summary.notes.append(f"columns of an earlier run, replaced: {', '.join(tally.replaced)}")
    if summary.resumed:
        summary.notes.append(f"continued: {summary.resumed} rows were scored before the interruption")
    summary.rejected = reject_file.count
    summary.rejects = reject_file.path if reject_file.count else None
    counted = summary.rows_out + summary.rejected
    if summary.rows_in != counted:
        raise AssertionError(f"{summary.rows_in} rows were read, but {counted} are written or rejected")


def _not_written(target: str | Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    if not is_replaceable(target):
        return OutputError(f"{'standard output' if str(target) == '-' else target} cannot be written: {reason}")
    short = error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
    advice = f"Make room in {Path(target).resolve().parent}; no" if short else "No"
    return OutputError(f"{target} cannot be written: {reason}. {advice} unfinished file was put there.")


def _check_arguments(workers: int, chunk: int, order: str, limit: int | None) -> None:
    if order not in ("risk", "input"):
        raise InputError(f"order must be 'risk' or 'input', got {order!r}")
    for name, value in (("workers", workers), ("chunk", chunk), ("limit", limit)):
        if value is not None and value < 1:
            raise InputError(f"{name} must be at least 1, got {value}")


def _check_resume(source: str | Path, target: str | Path) -> None:
    if str(source) == "-" or (Path(source).exists() and not Path(source).is_dir() and not identity.is_rereadable(source)):
        name = "standard input" if str(source) == "-" else str(source)
        raise InputError(f"--resume: {name} cannot be read a second time; save the ads to a file and name that")
    if not is_replaceable(target):
        name = "standard output" if str(target) == "-" else str(target)
        raise InputError(f"--resume: what was written to {name} is gone; name a file with -o")


__all__ = [
    "Assessor",
    "Entry",
    "LoadScorer",
    "Progress",
    "Summary",
    "TopAd",
    "map_columns",
    "read_batches",
    "score_table",
]
