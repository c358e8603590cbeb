"""Files in and out: one reader and one writer a format.

A new format is a module with a :class:`~jobscam.io.table.TableReader` and a :class:`~jobscam.io.table.TableWriter`,
and its line in ``FORMATS``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jobscam.errors import InputError
from jobscam.io.cells import NUMBERS
from jobscam.io.csv import CsvReader, CsvWriter
from jobscam.io.many import ManyReader, files_of, is_many, stem
from jobscam.io.opened import Opened, open_file, spooled
from jobscam.io.packed import PACKS, bare, is_workbook, is_zip
from jobscam.io.place import check_place, is_replaceable
from jobscam.io.table import Row, TableReader, TableWriter


def _text_reader(path: str | Path) -> TableReader:
    """A text table, packed or not. In an archive the name inside it decides, in a stream the first character."""
    return _text_of(Opened(path))


def _text_of(opened: Opened) -> TableReader:
    from jobscam.io.jsonl import JsonlReader

    name = bare(opened.member).lower()
    nameless = opened.size is None and opened.member == str(opened.path) and not Path(name).suffix
    is_json = name.endswith(_JSON) or (nameless and opened.head.lstrip().startswith(b"{"))
    return JsonlReader(opened) if is_json else CsvReader(opened)


def _parquet_reader(path: str | Path) -> TableReader:
    from jobscam.io.parquet import ParquetReader

    return ParquetReader(path)


def _xlsx_reader(path: str | Path) -> TableReader:
    from jobscam.io.xlsx import XlsxReader

    return XlsxReader(path)


def _comma(path: str | Path, raw_cells: bool, numbers: frozenset[str]) -> TableWriter:
    return CsvWriter(path, raw_cells=raw_cells)


def _tab(path: str | Path, raw_cells: bool, numbers: frozenset[str]) -> TableWriter:
    return CsvWriter(path, separator="\t", raw_cells=raw_cells)


def _jsonl(path: str | Path, raw_cells: bool, numbers: frozenset[str]) -> TableWriter:
    from jobscam.io.jsonl import JsonlWriter

    return JsonlWriter(path, numbers=numbers)


def _parquet(path: str | Path, raw_cells: bool, numbers: frozenset[str]) -> TableWriter:
    from jobscam.io.parquet import ParquetWriter

    return ParquetWriter(path, numbers=numbers)


def _xlsx(path: str | Path, raw_cells: bool, numbers: frozenset[str]) -> TableWriter:
    from jobscam.io.xlsx_writer import XlsxWriter

    return XlsxWriter(path, numbers=numbers)


class Format(NamedTuple):
    """How files of one suffix are read and written."""

    reader: Callable[[str | Path], TableReader]
    writer: Callable[[str | Path, bool, frozenset[str]], TableWriter]


_JSON = (".jsonl", ".ndjson")
# `.txt` is what spreadsheets call tab-separated text.
_TEXTS = {".csv": _comma, ".tsv": _tab, ".txt": _tab, **dict.fromkeys(_JSON, _jsonl)}
FORMATS: dict[str, Format] = {
    **{text + pack: Format(_text_reader, writer) for text, writer in _TEXTS.items() for pack in ("", *PACKS)},
    ".parquet": Format(_parquet_reader, _parquet),
    ".xlsx": Format(_xlsx_reader, _xlsx),
}
_SHOWN = (*_TEXTS, ".parquet", ".xlsx")
_COMMA = Format(_text_reader, _comma)


def format_of(path: str | Path) -> Format:
    """Format of a file by its suffix; standard streams and names without one are CSV.

    Raises
    ------
    InputError
        Naming the suffixes that are known.
    """
    name = Path(path).name.lower()
    for suffix, found in FORMATS.items():
        if name.endswith(suffix):
            return found
    # What an archive holds is known by its names; a table called x.zip is CSV in one.
    if str(path) == "-" or "." not in bare(name) or name.endswith(".zip"):
        return _COMMA
    known = f"{', '.join(_SHOWN)} (text also packed: {', '.join(PACKS)})"
    raise InputError(f"{path}: files of this kind are not known. Use one of {known}, or - for a stream.")


def open_table(path: str | Path) -> TableReader:
    """Open a table to read: a file, ``-`` for standard input, a folder, or a pattern such as ``ads/*.csv``.

    Raises
    ------
    InputError
        If there is nothing of that name, or it cannot be read as a table.
    """
    if is_many(path):
        return ManyReader(path, lambda file: format_of(file).reader(file), _suffixes())
    if str(path) == "-":
        return _open_stream()
    if not Path(path).exists():
        open_file(path)
    return format_of(path).reader(path)


def _open_stream() -> TableReader:
    """Standard input, whatever it brings."""
    import sys

    stream = sys.stdin.buffer
    head = stream.peek(4)[:4] if hasattr(stream, "peek") else b""
    if head == b"PAR1":
        from jobscam.io.parquet import ParquetReader

        return ParquetReader("-", spooled(stream))
    if is_zip(head):
        file = spooled(stream)
        if is_workbook(file):
            from jobscam.io.xlsx import XlsxReader

            return XlsxReader("-", file)
        return _text_of(Opened("-", file))
    return _text_reader("-")


def _suffixes() -> tuple[str, ...]:
    return (*FORMATS, ".zip")


def source_files(path: str | Path) -> list[Path]:
    """Files that :func:`open_table` reads for a name, in their order; none for standard input."""
    if str(path) == "-":
        return []
    return files_of(path, _suffixes())[0] if is_many(path) else [Path(path)]


def check_targets(source: str | Path, *targets: str | Path | None, rejects: str | Path | None = None) -> None:
    """See, before any work is done, that what a command is to write has a place of its own.

    Parameters
    ----------
    source : str or Path
    *targets : str, Path or None
        What is to be written; None where it is not wanted.
    rejects : str or Path, optional
        Where rejected rows go, which nobody may have named.

    Raises
    ------
    InputError
        If a file is the source, or one of its files, is named twice, or cannot be where it should.
    """
    named = [target for target in targets if target is not None]
    wanted = [*named, *([] if rejects is None else [rejects])]
    if sum(str(target) == "-" for target in wanted) > 1:
        raise InputError("only one table can go to standard output; name a file for the others")
    read = [file for file in source_files(source) if file.exists()]
    places: set[Path] = set()
    for number, target in enumerate(wanted):
        if str(target) == "-":
            continue
        if Path(target).exists() and any(file.samefile(target) for file in read):
            what = f"{target} is" if number < len(named) else f"rejected rows would go to {target}, but that is"
            raise InputError(f"{what} the input itself; name another file to write to")
        # Beside a stream there are rejects only if something is rejected: until then they need no place.
        if number < len(named) or is_replaceable(named[0]):
            check_place(target)
        place = Path(target).resolve()
        if place in places and is_replaceable(target):
            raise InputError(f"{target} is named twice; give each table a file of its own")
        places.add(place)


def create_table(path: str | Path, *, raw_cells: bool = False, numbers: frozenset[str] = NUMBERS) -> TableWriter:
    """Open a table to write, ``-`` for standard output, where it is CSV.

    Parameters
    ----------
    path : str or Path
    raw_cells : bool
        Leave cells of separated text that a spreadsheet would run as formulas as they are. By default they are made inert
        (:mod:`jobscam.io.inert`). Other formats tell text from formulas, and hold all cells as they are.
    numbers : collection of str
        Columns that are numbers in formats that know them.
    """
    return format_of(path).writer(path, raw_cells, numbers)


def made_from(source: str | Path, kind: str) -> str:
    """Name for what is made from a table: beside it, with its name.

    Examples
    --------
    >>> made_from("in/ads.jsonl.zst", "scored.csv"), made_from("in/ads/*.csv", "report.html"), made_from("-", "scored.csv")
    ('in/ads.scored.csv', 'in/ads.report.html', '-')
    """
    if str(source) == "-":
        return "-"
    if is_many(source):
        path = stem(source)
        return str(path.with_name(f"{path.name}.{kind}"))
    path = Path(source)
    return str(path.with_name(f"{Path(bare(path.name)).stem}.{kind}"))


__all__ = [
    "FORMATS",
    "Format",
    "Row",
    "TableReader",
    "TableWriter",
    "check_targets",
    "create_table",
    "format_of",
    "made_from",
    "open_table",
    "source_files",
]
