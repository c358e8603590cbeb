"""What a run depends on, in a form that tells whether another run would write the same bytes."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from jobscam import __version__
from jobscam.errors import InputError
from jobscam.io import source_files
from jobscam.posting import ColumnMap

_ENDS = 1024 * 1024


def is_rereadable(source: str | Path) -> bool:
    """Whether a source can be read a second time: files, not a stream."""
    files = source_files(source)
    return bool(files) and all(file.is_file() for file in files)


def of_run(source: str | Path, mapping: ColumnMap, settings: Mapping[str, object], scorer: Mapping[str, str]) -> dict[str, str]:
    """All that the bytes of the output depend on, by the words that an error names it with.

    Parameters
    ----------
    source : str or Path
    mapping : ColumnMap
    settings : mapping
        Settings of the run that change what is written.
    scorer : mapping
        The same of the scorer.
    """
    import numpy

    return {
        "input": _of_input(source),
        "columns (--map)": _short(repr((mapping.header, sorted(mapping.fields.items())))),
        **{name: str(value) for name, value in settings.items()},
        **scorer,
        "jobscam": __version__,
        "Python and numpy": f"{platform.python_version()}, {numpy.__version__}",
    }


def compare(target: str | Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Refuse to go on with what was begun under other conditions.

    Raises
    ------
    InputError
        Naming all that differs.
    """
    names = [name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name)]
    if names:
        said = "; ".join(f"{name}: was {before.get(name, 'not there')}, is {now.get(name, 'not there')}" for name in names)
        raise InputError(
            f"{target}: the unfinished run cannot be continued, because something changed ({said}). Give it what it began "
            "with, or leave --resume out to start again."
        )


def _of_input(source: str | Path) -> str:
    """Size and a digest of both ends of each file. What lies between is compared row by row while it is read again."""
    files = source_files(source)
    found = [_of_file(file) for file in files]
    if len(files) == 1:
        return found[0]
    return f"{len(files)} files, {_short(repr([(file.as_posix(), what) for file, what in zip(files, found, strict=True)]))}"


def _of_file(path: Path) -> str:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(_ENDS)
            file.seek(max(len(start), size - _ENDS))
            ends = start + file.read(_ENDS)
    except OSError as error:  # one of several: the reader makes a reject of it
        return error.strerror or type(error).__name__
    return f"{size} bytes, {blake2b(ends, digest_size=8).hexdigest()}"


def _short(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
