"""Batches through one process or several, in order, with a bounded number of them under way."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from jobscam.errors import JobscamError

Kept = TypeVar("Kept")
_AHEAD = 3
_WATCH_SECONDS = 1.0


class Task(Protocol):
    """A description of work that can be pickled."""

    def start(self) -> Callable[[Any], Any]:
        """Make the costly preparations, once a process, and return what handles one batch.

        If that has an attribute `identity`, :meth:`Pool.identity` gives it.
        """


# In a worker: what was prepared for the run it works for. One at a time, so that memory is given back.
_prepared: dict[str, Callable[[Any], Any]] = {}


class Pool:
    """Does a task here, or in processes that begin their preparations at once and end with the block.

    Parameters
    ----------
    task : Task
    workers : int
    """

    def __init__(self, task: Task, workers: int = 1) -> None:
        self._task = task
        self._workers = workers
        self._pool: Any = None
        self._token = uuid.uuid4().hex
        self._begun: list[Any] = []
        self._done = False
        self._run: Callable[[Any], Any] | None = None

    def __enter__(self) -> Self:
        if self._workers > 1:
            # The pool itself rather than joblib.Parallel: batches are read here, never in a thread of the pool, and no
            # more of them are taken than can be kept waiting.
            from joblib.externals.loky import get_reusable_executor

            try:
                with _undisturbed():
                    self._pool = get_reusable_executor(max_workers=self._workers, reuse=False, timeout=None)
                    self._begun = [self._pool.submit(_begin, self._token, self._task) for _ in range(self._workers)]
            except BaseException as error:
                self.__exit__(type(error), error, None)
                raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._pool is None:
            return
        if self._done:
            self._pool.shutdown(wait=True)
            return
        # Stopped while it hands out work, the pool's own thread may stumble over what is gone, and say so at length.
        before, threading.excepthook = threading.excepthook, lambda _: None
        try:
            self._pool.shutdown(wait=True, kill_workers=True)
        finally:
            threading.excepthook = before

    def identity(self) -> Any:
        """What the prepared task says of itself; what cannot be prepared is reported here, and as itself."""
        if self._pool is None:
            return getattr(self._started(), "identity", None)
        try:
            return self._begun[0].result()
        except Exception as error:
            # An error of a worker comes with the worker's traceback, if it comes at all: it is met again here.
            self._task.start()
            raise _broken(error) from None

    def map(self, batches: Iterable[tuple[Kept, Any]]) -> Generator[tuple[Kept, Any], None, None]:
        """Results of each batch, in order.

        Parameters
        ----------
        batches : iterable of (kept, sent)
            `kept` stays in this process and comes back beside the result; `sent` is what the task gets.

        Yields
        ------
        kept, result
        """
        if self._pool is None:
            run = self._started()
            for kept, sent in batches:
                yield kept, run(sent)
            return
        self.identity()
        waiting: deque[tuple[Kept, Any]] = deque()
        for kept, sent in batches:
            waiting.append((kept, self._submit(sent)))
            if len(waiting) >= _AHEAD * self._workers:
                first, future = waiting.popleft()
                yield first, _result(future)
        while waiting:
            first, future = waiting.popleft()
            yield first, _result(future)
        self._done = True

    def _submit(self, sent: Any) -> Any:
        try:
            return self._pool.submit(_work, self._token, self._task, sent)
        except RuntimeError as error:
            raise _broken(error) from None

    def _started(self) -> Callable[[Any], Any]:
        if self._run is None:
            self._run = self._task.start()
        return self._run


def map_batches(task: Task, batches: Iterable[tuple[Kept, Any]], workers: int = 1) -> Generator[tuple[Kept, Any], None, None]:
    """Results of each batch, in order; see :meth:`Pool.map`."""
    with Pool(task, workers) as pool:
        yield from pool.map(batches)


def _result(future: Any) -> Any:
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        return future.result()
    except BrokenProcessPool as error:
        raise _broken(error) from None


def _broken(error: BaseException) -> JobscamError:
    return JobscamError(f"a worker process ended unexpectedly; if memory is short, use fewer workers ({error})")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Have the processes and threads begun in this block leave Ctrl-C, which reaches all of them, to this thread."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(token: str, task: Task) -> Any:
    if token not in _prepared:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
        _prepared.clear()
        _prepared[token] = task.start()
    return getattr(_prepared[token], "identity", None)


def _work(token: str, task: Task, sent: Any) -> Any:
    _begin(token, task)
    return _prepared[token](sent)


def _follow(parent: int) -> None:
    """End with the process that began this one: killed, it cannot say so, and nobody takes results any more."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)
