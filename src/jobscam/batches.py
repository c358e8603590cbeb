"""Rows of a table on their way to the scorer: mapped to postings, sorted out, and put into batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from jobscam.errors import InputError
from jobscam.io import Row, TableReader
from jobscam.io.rejects import RejectFile, rejected
from jobscam.posting import TEXT_FIELDS, ColumnMap, Posting
from jobscam.summary import Summary
from jobscam.values import Reject

NO_TEXT = "no text"
_BATCH_SIZE = 4 * 1024 * 1024


class Entry(NamedTuple):
    """A row and the posting it holds."""

    row: Row
    posting: Posting


def map_columns(name: str, header: Sequence[str], overrides: Mapping[str, str] | None = None) -> ColumnMap:
    """Which columns of a file feed which fields; an error names the file."""
    try:
        return ColumnMap.from_header(header, overrides)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def read_rows(table: TableReader, mapping: ColumnMap, summary: Summary, limit: int | None) -> Iterator[Row | Reject]:
    """Rows of a table as they come, counted; one without text is a reject."""
    for item in islice(table, limit):
        summary.rows_in += 1
        if isinstance(item, Row) and not mapping.has_text(item.cells):
            yield rejected(item, NO_TEXT)
        else:
            yield item


def in_batches(items: Iterator[Row | Reject], chunk: int) -> Iterator[list[Row | Reject]]:
    """Rows in batches, the rejects in their places among them."""
    batch: list[Row | Reject] = []
    size = 0
    for item in items:
        batch.append(item)
        size += sum(map(len, item.cells)) if isinstance(item, Row) else len(item.raw)
        # Few long ads make a batch as well as many short ones; a batch of them must not fill the memory.
        if len(batch) == chunk or size > _BATCH_SIZE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def read_batches(
    table: TableReader, mapping: ColumnMap, rejects: RejectFile, summary: Summary, chunk: int, limit: int | None
) -> Iterator[tuple[list[Entry], list[Posting]]]:
    """Rows of a table in batches, with their postings; what cannot be read, or holds no text, goes to the rejects."""
    for batch in in_batches(read_rows(table, mapping, summary, limit), chunk):
        entries = []
        for item in batch:
            if isinstance(item, Reject):
                rejects.add(item)
            else:
                entries.append(Entry(item, mapping.posting(item.cells)))
        if entries:
            yield entries, [entry.posting for entry in entries]


def strict_error(name: str, mapping: ColumnMap, reject: Reject, number: int) -> InputError:
    """The error with which a strict run stops at a row, which is the `number`-th of the table."""
    reason = reject.reason
    if reason == NO_TEXT:
        columns = [mapping.header[i] for field in TEXT_FIELDS for i in mapping.fields.get(field, ())]
        reason = f"no text in {'column' if len(columns) == 1 else 'any of the columns'} {', '.join(map(repr, columns))}"
    where = reject.place or f"{name}, line {reject.line} (row {number})"
    return InputError(
        f"{where}: {reason}. Nothing was written. Mend the row, or leave --strict out: "
        "such rows then go to the rejects and the others are scored."
    )
