"""Scoring on Dask: data frames whose partitions go to the workers, and Parquet files through them.

The scorer's files travel as one key of the graph, so each worker fetches them once, also one that joins later or takes the
place of a lost one; in a worker process the scorer is made once.
"""

from __future__ import annotations

import logging
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from jobscam import __version__
from jobscam.engines import parquet
from jobscam.engines.parcel import Parcel, packed
from jobscam.errors import InputError, JobscamError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.posting import ColumnMap
from jobscam.streaming import Progress, Summary, map_columns

if TYPE_CHECKING:
    import pandas as pd

TIMEOUT = 15.0
"""Seconds to wait for a scheduler and its first worker."""
_ATTEMPTS = 2


def score(
    frame: Any,
    arguments: Mapping[str, Any] | Parcel | None = None,
    *,
    reasons: int = 3,
    language: str = "id",
    overrides: Mapping[str, str] | None = None,
) -> Any:
    """Score a Dask data frame, lazily.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame
        With recognised columns, as for :meth:`jobscam.scoring.Scorer.score`.
    arguments : mapping, or Parcel
        Arguments of :func:`jobscam.load`; or what :func:`jobscam.engines.parcel.pack` made, which holds the settings too.
    reasons : int
    language : {"id", "en"}
        Number and language of the reasons.
    overrides : mapping, optional
        Posting field to column.

    Returns
    -------
    dask.dataframe.DataFrame
        The same partitions and index. The columns of `frame`, those of an earlier run left out, and the ``jobscam_`` columns.
        A row without text is kept, with the status ``not_assessable``.

    Raises
    ------
    InputError
        If no column holds the text of the ads.
    """
    _distributed()
    import dask

    parcel = packed(arguments, reasons=reasons, language=language, overrides=overrides)
    ColumnMap.from_header([str(c) for c in frame.columns], dict(parcel.overrides))
    key = dask.delayed(parcel, name=f"jobscam-{parcel.digest}", traverse=False)
    return frame.map_partitions(_score_partition, key, meta=parcel.meta(frame._meta))


def _score_partition(frame: pd.DataFrame, parcel: Parcel) -> pd.DataFrame:
    return parcel.score(frame)


def score_files(
    source: str | Path,
    target: str | Path,
    arguments: Mapping[str, Any] | Parcel | None = None,
    *,
    client: Any = None,
    scheduler: str | None = None,
    workers: int = 1,
    reasons: int = 3,
    language: str = "id",
    overrides: Mapping[str, str] | None = None,
    on_start: Callable[[Summary], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Score Parquet files into a folder, a file ``part-000000.parquet`` for each row group.

    A worker that is lost loses nothing and doubles nothing: its partitions are done again, and each appears in the folder
    under its own name when it is whole. ``_SUCCESS``, with the counts of each partition, is written when all are there and
    the rows add up; a folder without it is not finished.

    Parameters
    ----------
    source : str or Path
        File, folder, or glob of Parquet files of the same columns.
    target : str or Path
        New or empty folder, which all machines see.
    arguments, reasons, language, overrides
        As in :func:`score`.
    client : distributed.Client, optional
    scheduler : str, optional
        Address such as ``tcp://host:8786``. Without it and `client`, worker processes are started on this machine; a script
        then needs ``if __name__ == "__main__":``.
    workers : int
        How many of those.
    on_start, on_progress : callable, optional
        As in :func:`jobscam.streaming.score_table`; progress counts partitions in place of bytes.

    Returns
    -------
    Summary
        Without the riskiest ads; nothing is ever rejected, rows without text are ``not_assessable``.

    Raises
    ------
    InputError
        If the input or the folder cannot be used, or no scheduler answers.
    JobscamError
        If a partition could not be done, or the rows do not add up.
    """
    started = time.monotonic()
    _distributed()
    import dask
    import dask.dataframe as dd

    if workers < 1:
        raise InputError(f"workers must be at least 1, got {workers}")
    parcel = packed(arguments, reasons=reasons, language=language, overrides=overrides)
    data = parquet.find(source)
    mapping = map_columns(str(source), data.schema.names, dict(parcel.overrides))
    summary = Summary(header=data.schema.names, columns=mapping.describe(), unmapped=mapping.unmapped, notes=data.notes)
    scorer = parcel.scorer()
    summary.prevalence = scorer.model.calibration.prevalence
    with ExitStack() as stack:
        if client is None and scheduler is None and len(data.pieces) < workers:
            summary.notes.append(f"{len(data.pieces)} row group(s) keep no more workers busy; smaller ones use all {workers}")
        if client is None:
            client = stack.enter_context(_connected(scheduler) if scheduler else _local(min(workers, len(data.pieces))))
        _check_workers(client)
        folder = parquet.prepare(target)
        if on_start is not None:
            on_start(summary)
        schema = parquet.scored_schema(data.schema)
        # Dask would make text of whatever pandas keeps as objects, of lists for example.
        with dask.config.set({"dataframe.convert-string": False}):
            frame = dd.from_map(parquet.read, data.pieces, schema=data.schema, meta=data.meta())
            parts = score(frame, parcel).to_delayed()
        # A scheduler that many use must never take the task of another run for this one.
        name = f"jobscam-write-{uuid.uuid4().hex}"
        tasks = [
            dask.delayed(parquet.write)(part, number, folder, schema, dask_key_name=f"{name}-{number}")
            for number, part in enumerate(parts)
        ]
        written: dict[int, parquet.Written] = {}
        for number, part in _results(client, tasks, data.pieces):
            written[number] = part
            summary.rows_in += data.pieces[number].rows
            summary.rows_out += part.rows
            summary.by_status.update(part.by_status)
            summary.by_tier.update(part.by_tier)
            summary.probabilities.update(Counter(part.probabilities))
            if on_progress is not None:
                on_progress(Progress(summary.rows_out, len(written), len(tasks)))
    parquet.complete(folder, scorer.name, data.pieces, [written[number] for number in range(len(tasks))])
    failed = sum(part.failed for part in written.values())
    if failed:
        summary.notes.append(f"{failed} row(s) could not be scored and are not_assessable; jobscam_reasons says why")
    replaced = [name for name in data.schema.names if name in OUTPUT_COLUMNS]
    if replaced:
        summary.notes.append(f"columns of an earlier run, replaced: {', '.join(replaced)}")
    summary.seconds = time.monotonic() - started
    return summary


def _results(client: Any, tasks: list[Any], pieces: list[parquet.Piece]) -> Iterator[tuple[int, parquet.Written]]:
    """What each task returned, as they end; the first failure ends them all."""
    from distributed import CancelledError, KilledWorker, as_completed

    numbers = {future: number for number, future in enumerate(client.compute(tasks, retries=_ATTEMPTS))}
    try:
        for future in as_completed(list(numbers), loop=client.loop):
            piece = pieces[numbers[future]]
            try:
                part = future.result()
            except JobscamError:
                raise
            except KilledWorker:
                message = f"{piece}: workers died whenever they were at it; if memory is short, write smaller row groups"
                raise JobscamError(message) from None
            except CancelledError:
                raise JobscamError("the connection to the scheduler was lost, the run is not finished; start it again") from None
            except Exception as error:
                raise JobscamError(f"{piece}: a worker reports {type(error).__name__}: {error}") from error
            yield numbers.pop(future), part  # let go of, or a worker lost later would have it done again
    finally:
        client.cancel(list(numbers))


def _check_workers(client: Any) -> None:
    """Refuse workers that could not read what they are sent: they would stop, one after the other, without a word."""
    # What is asked with must itself be known everywhere, so it is of the standard library.
    for address, answer in sorted(client.run(resolve_name, f"{__name__}:__version__", on_error="return").items()):
        if answer != __version__:
            found = f"it reports: {answer}" if isinstance(answer, BaseException) else f"it has {answer}"
            raise JobscamError(f"the worker {address} needs jobscam[dask] {__version__}, as all machines do; {found}")


@contextmanager
def _connected(scheduler: str) -> Iterator[Any]:
    distributed = _distributed()
    try:
        client = distributed.Client(scheduler, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        reason = f"no scheduler answers at {scheduler} within {TIMEOUT:g} seconds; start one with `dask scheduler` ({error})"
        raise InputError(reason) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=TIMEOUT)
        except TimeoutError:
            raise InputError(f"the scheduler {scheduler} has no workers; start some with `dask worker {scheduler}`") from None
        yield client


@contextmanager
def _local(workers: int) -> Iterator[Any]:
    distributed = _distributed()
    with (
        tempfile.TemporaryDirectory(prefix="jobscam-") as scratch,
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # None would take a fixed port
            local_directory=scratch,
            silence_logs=logging.ERROR,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _distributed() -> Any:
    try:
        import dask.dataframe  # noqa: F401
        import distributed
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise InputError(f"the engine dask needs more than is installed ({error}): pip install jobscam[dask]") from None
    return distributed
