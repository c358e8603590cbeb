"""Batches through one process or several, in order, with a bounded number of them under way."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from jobscam.errors import JobscamError

Kept = TypeVar("Kept")
Sent = TypeVar("Sent")
_AHEAD = 3


class Task(Protocol):
    """A description of work that can be pickled."""

    def start(self) -> Callable[[Any], list[Any]]:
        """Make the costly preparations, once a process, and return what handles one batch."""


# In a worker: what was prepared for the run it works for. One at a time, so that memory is given back.
_prepared: dict[str, Callable[[Any], list[Any]]] = {}


def map_batches(
    task: Task, batches: Iterable[tuple[Kept, Sequence[Sent]]], workers: int = 1
) -> Generator[tuple[Kept, list[Any]], None, None]:
    """Results of each batch, in order.

    Parameters
    ----------
    task : Task
    batches : iterable of (kept, sent)
        `kept` stays in this process and comes back beside the result; `sent` is what the task gets.
    workers : int

    Yields
    ------
    kept, results
    """
    # Started here even if others do the work: what cannot be loaded is reported at once, and as itself.
    run = task.start()
    if workers == 1:
        for kept, sent in batches:
            yield kept, run(sent)
        return
    del run
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    # The pool itself rather than joblib.Parallel: batches are read here, never in a thread of the pool, and no more of
    # them are taken than can be kept waiting.
    pool = get_reusable_executor(max_workers=workers, reuse=False)
    token = uuid.uuid4().hex
    waiting: deque[tuple[Kept, Any]] = deque()
    done = False
    try:
        for kept, sent in batches:
            waiting.append((kept, pool.submit(_work, token, task, sent)))
            if len(waiting) >= _AHEAD * workers:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()
        done = True
    except BrokenProcessPool as error:
        message = f"a worker process ended unexpectedly; if memory is short, use fewer workers ({error})"
        raise JobscamError(message) from None
    finally:
        pool.shutdown(wait=done, kill_workers=not done)


def _work(token: str, task: Task, sent: Any) -> list[Any]:
    if token not in _prepared:
        _prepared.clear()
        _prepared[token] = task.start()
    return _prepared[token](sent)
