"""Parquet files as partitions: a row group in, a file out, and a record of them all once they are complete.

Dask's own reader is not used: it loses an unnamed index that pandas wrote, moves a named one to the front, makes columns
of the names of folders and turns whole numbers with gaps into floats. Here every column keeps its place, type and value.
"""

from __future__ import annotations

import json
import os
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from jobscam.assessing import FAILED
from jobscam.engines.parcel import NUMBERS
from jobscam.errors import InputError, JobscamError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.values import Status

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".parquet", ".pq")
SUCCESS = "_SUCCESS"
"""Written last, into a folder that is complete: JSON with the counts of every partition."""
FORMAT = 1


class Piece(NamedTuple):
    """A partition of the input: a row group of a file; None for a file without any."""

    file: str
    group: int | None
    rows: int

    def __str__(self) -> str:
        return self.file if self.group is None else f"{self.file}, row group {self.group}"


class Written(NamedTuple):
    """What was written for a partition.

    `probabilities` counts scored rows by thousandths, `failed` those that could not be scored.
    """

    file: str
    rows: int
    size: int
    by_status: dict[str, int]
    by_tier: dict[str, int]
    probabilities: dict[int, int]
    failed: int


@dataclass(frozen=True)
class Dataset:
    """Files of one schema.

    Attributes
    ----------
    schema : pyarrow.Schema
    pieces : list of Piece
        In order of the names of the files.
    notes : list of str
    """

    schema: Any
    pieces: list[Piece]
    notes: list[str]

    def meta(self) -> pd.DataFrame:
        """A partition without rows."""
        return frame_of(self.schema.empty_table())


def scored_schema(schema: Any) -> Any:
    """Schema of the output: input columns, those of an earlier run left out, and ours."""
    import pyarrow as pa

    kept = [field for field in schema if field.name not in OUTPUT_COLUMNS]
    return pa.schema([*kept, *(pa.field(n, pa.float64() if n in NUMBERS else pa.string()) for n in OUTPUT_COLUMNS)])


def find(source: str | Path) -> Dataset:
    """Files of a folder, of a glob or of one name, with the row groups they consist of.

    Parameters
    ----------
    source : str or Path
        A file, a folder (its ``*.parquet`` and ``*.pq``), or a glob; also an address that fsspec knows, such as ``s3://``.
        What is found in a folder or by a glob and has a name that begins with a dot or underscore is passed over.

    Raises
    ------
    InputError
        If there are none, one is no Parquet file, their columns differ, or the place cannot be reached.
    """
    with _reached(source):
        return _found(source)


def _found(source: str | Path) -> Dataset:
    import pyarrow as pa

    fs, root = _filesystem(source)
    notes: list[str] = []
    if _is_glob(root) and not fs.exists(root):
        fixed = next(i for i, part in enumerate(PurePosixPath(root).parts) if _is_glob(part))
        files = [f for f in fs.glob(root) if fs.isfile(f) and not any(map(_is_hidden, PurePosixPath(f).parts[fixed:]))]
    elif fs.isdir(root):
        files, notes = _in_folder(fs, root, source)
    else:
        files = [root] if fs.isfile(root) else []
    files = sorted(files)
    other = next((f for f in files if not f.lower().endswith(SUFFIXES)), None)
    if other is not None:
        raise InputError(
            f"{other}: this engine reads Parquet only. Text tables cannot be split safely, as cells may hold line breaks; "
            "convert them to Parquet, or leave --engine out"
        )
    if not files:
        raise InputError(
            f"{source}: there are no such Parquet files. Give a file, a folder, or a quoted glob such as 'ads/*.parquet'"
        )
    schema, pieces = None, []
    for file in files:
        footer = _footer(fs, file)
        # Names and types alone: whether a column may be empty, and notes on it, make no difference here.
        own = pa.schema([(field.name, field.type) for field in footer.schema.to_arrow_schema()])
        if schema is None:
            schema, first = own, file
            _check_names(file, own.names)
        difference = _difference(own, schema)
        if difference:
            raise InputError(f"{file}: {difference} in {first}; score files with other columns in a run of their own")
        # A column without any value in one file has no type there.
        schema = pa.schema([new if pa.types.is_null(old.type) else old for old, new in zip(schema, own, strict=True)])
        address = fs.unstrip_protocol(file) if not _is_local(fs) else file
        groups: list[int | None] = list(range(footer.num_row_groups)) or [None]
        pieces += [Piece(address, g, 0 if g is None else footer.row_group(g).num_rows) for g in groups]
    return Dataset(schema, pieces, notes)


def read(piece: Piece, schema: Any) -> pd.DataFrame:
    """One partition, every value as the file has it."""
    import pyarrow.parquet as pq

    fs, path = _filesystem(piece.file)
    try:
        with fs.open(path, "rb") as stream, pq.ParquetFile(stream) as file:
            table = file.schema_arrow.empty_table() if piece.group is None else file.read_row_group(piece.group)
    except FileNotFoundError:
        raise InputError(f"{piece.file} is not there for a worker: all machines must see the files under the same name") from None
    return frame_of(table.cast(schema))


def prepare(target: str | Path) -> str:
    """Make the output folder, which must be new or empty; its address.

    Raises
    ------
    InputError
        If something is there, the input for example, or the place cannot be reached.
    """
    fs, path = _filesystem(target)
    with _reached(target):
        if fs.isfile(path):
            raise InputError(f"{target} is a file; name a new folder for the partitions")
        if fs.exists(path) and fs.ls(path, detail=False):
            state = "a finished run" if fs.exists(f"{path}/{SUCCESS}") else "files, of the input or of an unfinished run perhaps"
            raise InputError(f"{target} is not empty, it holds {state}; name a new folder or empty it")
        fs.makedirs(path, exist_ok=True)
    return str(path if _is_local(fs) else fs.unstrip_protocol(path))


def write(frame: pd.DataFrame, number: int, folder: str, schema: Any) -> Written:
    """Write a scored partition; it appears whole or not at all, and again and again it is the same file.

    Parameters
    ----------
    frame : DataFrame
    number : int
        Number of the partition, which gives the file its name.
    folder : str
        What :func:`prepare` returned.
    schema : pyarrow.Schema
        What :func:`scored_schema` returned.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata(None), sink)
    raw = sink.getvalue()
    name = f"part-{number:06d}.parquet"
    put(folder, name, raw)
    statuses = frame["jobscam_status"].tolist()
    ranked = [i for i, status in enumerate(statuses) if status == Status.SCORED.value]
    tiers, probabilities = (frame[f"jobscam_{column}"].tolist() for column in ("tier", "probability"))
    return Written(
        name,
        len(frame),
        raw.size,
        dict(Counter(statuses)),
        dict(Counter(tiers[i] for i in ranked)),
        dict(Counter(round(1000 * probabilities[i]) for i in ranked)),
        sum(reason.startswith(FAILED) for reason in frame["jobscam_reasons"].tolist()),
    )


def put(folder: str, name: str, raw: Any) -> None:
    """Put a file into a folder in one step."""
    fs, path = _filesystem(folder)
    if not _is_local(fs):
        # An object store shows an object when all of it has arrived.
        fs.pipe_file(f"{path}/{name}", bytes(raw))
        return
    # Readers of Parquet folders pass over names with a dot. The name is of this attempt alone: a worker that was given up
    # for lost may still be writing.
    temporary = Path(path) / f".{name}.{uuid.uuid4().hex}.tmp"
    try:
        with temporary.open("wb") as stream:
            stream.write(raw)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, Path(path) / name)
    except FileNotFoundError:
        raise InputError(f"the output folder {folder} is not there for a worker: all machines must share it") from None
    finally:
        temporary.unlink(missing_ok=True)


def complete(folder: str, model: str, pieces: list[Piece], written: list[Written]) -> None:
    """Check that every row of the input is in the folder once, and say so in ``_SUCCESS``.

    Raises
    ------
    JobscamError
        If a file is missing, has another size, is one too many, or the rows do not add up.
    """
    fs, path = _filesystem(folder)
    fs.invalidate_cache()
    found = {PurePosixPath(entry["name"]).name: entry["size"] for entry in fs.ls(path, detail=True)}
    for name in [name for name in found if name.startswith(".part-") and name.endswith(".tmp")]:
        fs.rm_file(f"{path}/{name}")  # of a worker that was killed while it wrote
        del found[name]
    for piece, part in zip(pieces, written, strict=True):
        if part.rows != piece.rows or sum(part.by_status.values()) != part.rows:
            raise JobscamError(
                f"{piece} has {piece.rows} rows, but {part.rows} were written to {part.file}; {folder} cannot be used"
            )
        if found.get(part.file) != part.size:
            raise JobscamError(f"{folder}/{part.file} is not what a worker wrote; all machines must share the output folder")
    extra = sorted(set(found) - {part.file for part in written})
    if extra:
        raise JobscamError(f"{folder}/{extra[0]} was put there by somebody else; repeat the run into a folder of its own")
    record = {
        "format": FORMAT,
        "model": model,
        "rows": sum(part.rows for part in written),
        "by_status": _total(part.by_status for part in written),
        "by_tier": _total(part.by_tier for part in written),
        "failed": sum(part.failed for part in written),
        "partitions": [
            {
                "file": part.file,
                "source": piece.file,
                "row_group": piece.group,
                "rows": part.rows,
                "by_status": _total([part.by_status]),
                "by_tier": _total([part.by_tier]),
                "failed": part.failed,
            }
            for piece, part in zip(pieces, written, strict=True)
        ],
    }
    put(folder, SUCCESS, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())


def _total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))


def frame_of(table: Any) -> pd.DataFrame:
    """Flat types as Arrow has them; nested ones as Python's, since pandas makes floats of whole numbers in them."""
    import pandas as pd
    import pyarrow as pa

    columns = {
        at: pd.Series(column.to_pylist() if pa.types.is_nested(column.type) else column, dtype=_dtype(column.type))
        for at, column in enumerate(table.columns)
    }
    return pd.DataFrame(columns, index=range(table.num_rows)).set_axis(table.column_names, axis=1)


def _dtype(kind: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    return object if pa.types.is_nested(kind) else pd.ArrowDtype(kind)


def _filesystem(address: str | Path) -> tuple[Any, str]:
    import fsspec.core

    try:
        fs, path = fsspec.core.url_to_fs(str(address))
    except (ImportError, ValueError) as error:
        raise InputError(f"{address}: {error}") from None
    return fs, path


@contextmanager
def _reached(address: str | Path) -> Iterator[None]:
    """Names the address in what a driver says: each kind of storage has exceptions of its own."""
    try:
        yield
    except (JobscamError, MemoryError):
        raise
    except Exception as error:
        hint = "see that the name is right, that this machine reaches it, and that the credentials are there"
        raise InputError(f"{address} cannot be reached: {type(error).__name__}: {error}; {hint}") from error


def _is_local(fs: Any) -> bool:
    return "file" in (fs.protocol if isinstance(fs.protocol, tuple) else (fs.protocol,))


def _is_glob(path: str) -> bool:
    return any(c in path for c in "*?[")


def _is_hidden(path: str) -> bool:
    """Whether it is something that a run left unfinished, or wrote about itself."""
    return PurePosixPath(path).name.startswith((".", "_"))


def _in_folder(fs: Any, root: str, source: str | Path) -> tuple[list[str], list[str]]:
    entries = [e for e in fs.ls(root, detail=True) if not _is_hidden(e["name"])]
    for entry in entries:
        if entry["type"] == "directory" and any(f.lower().endswith(SUFFIXES) for f in fs.find(entry["name"])):
            raise InputError(f"{source} has Parquet files in sub-folders; name what you mean, such as '{source}/**/*.parquet'")
    names = [e["name"] for e in entries if e["type"] == "file"]
    files = [name for name in names if name.lower().endswith(SUFFIXES)]
    if not files and names:
        return names, []  # refused by their suffix, with a reason
    aside = sorted(PurePosixPath(name).name for name in set(names) - set(files))
    return files, [f"not read, as they are no Parquet files: {', '.join(aside)}"] if aside else []


def _footer(fs: Any, file: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with fs.open(file, "rb") as stream:
            return pq.read_metadata(stream)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file} cannot be read as Parquet: {error}") from None


def _check_names(file: str, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError(f"{file}: column '{twice[0]}' is there {names.count(twice[0])} times; rename one")


def _difference(own: Any, schema: Any) -> str:
    import pyarrow as pa

    for name in own.names:
        if name not in schema.names:
            return f"column '{name}' is not"
    for name in schema.names:
        if name not in own.names:
            return f"there is no column '{name}' as"
        mine, other = own.field(name).type, schema.field(name).type
        if mine != other and not pa.types.is_null(mine) and not pa.types.is_null(other):
            return f"column '{name}' holds {mine}, but {other}"
    return "" if own.names == schema.names else "the columns have another order than"
