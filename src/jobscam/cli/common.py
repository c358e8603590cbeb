"""What several commands share."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobscam.errors import JobscamError

if TYPE_CHECKING:
    from jobscam.streaming import Progress


class Language(StrEnum):
    """Language of the reasons."""

    ID = "id"
    EN = "en"


ModelOption = Annotated[
    str | None, typer.Option("--model", metavar="NAME_OR_PATH", help="Model to use; the promoted or else the newest shipped one.")
]
ModelsOption = Annotated[
    Path | None,
    typer.Option("--models", metavar="DIR", help="Model folder.  [default: $JOBSCAM_MODELS, else one of your own]"),
]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of the reasons.")]
AgenciesOption = Annotated[
    Path | None,
    typer.Option("--agencies", exists=True, dir_okay=False, help="CSV of licensed agencies, your copy of the register."),
]
KnowledgeOption = Annotated[
    Path | None, typer.Option("--knowledge", exists=True, file_okay=False, help="Folder laid over the shipped knowledge.")
]

PrevalenceOption = Annotated[
    float | None,
    typer.Option(
        "--prevalence", metavar="SHARE", help="Share of scams in your stream, such as 0.02; re-bases probabilities and tiers."
    ),
]
ThresholdOption = Annotated[
    list[str] | None,
    typer.Option("--threshold", metavar="TIER=PROBABILITY", help="Cut a tier elsewhere, such as high=0.4; may be repeated."),
]
ColumnsOption = Annotated[
    list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Column that holds a field; may be repeated.")
]
RawCellsOption = Annotated[
    bool,
    typer.Option("--raw-cells", help="Leave cells as they are that a spreadsheet would run as formulas (CSV, TSV)."),
]
ShowContactsOption = Annotated[
    bool, typer.Option("--show-contacts", help="Leave contacts in the review page as they are; by default they are masked.")
]


def note(message: str = "") -> None:
    """Say something that is not a result."""
    typer.echo(message, err=True)


def say_columns(columns: Sequence[tuple[str, str]], unmapped: Sequence[str] = ()) -> None:
    """Say what was read as what."""
    note("Columns read: " + ", ".join(f"{printable(column)} as {field}" for column, field in columns))
    if unmapped:
        note("Columns carried along: " + ", ".join(printable(name) or "(no name)" for name in unmapped))


@contextmanager
def progress_bar(shown: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A bar that moves with the bytes read; on a terminal only, so that logs stay readable."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.fields[rows]} rows, {task.fields[rate]} a second"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None, rows=0, rate="-")
        resumed, began = 0, 0.0

        def update(state: Progress) -> None:
            nonlocal resumed, began
            elapsed = bar.tasks[0].elapsed or 0.0
            # What an interrupted run has scored comes back many times faster than new rows do.
            if state.resumed > resumed:
                resumed, began = state.resumed, elapsed
            rate = f"{(state.rows - resumed) / (elapsed - began):.0f}" if elapsed > began else "-"
            bar.update(task, total=state.bytes_total, completed=state.bytes_read, rows=state.rows, rate=rate)

        yield update


class Stopped(KeyboardInterrupt):
    """A signal that ends the process, made an exception so that what was begun is tidied up."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def stoppable(hint: Callable[[], str]) -> Iterator[None]:
    """Leave the block tidily on Ctrl-C and when told to terminate; `hint` tells what can be done after that or an error.

    The exit code is 128 and the number of the signal.
    """

    def stop(number: int, frame: object) -> None:
        raise Stopped(number)

    # An ignored signal (nohup) stays ignored.
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    numbers = [n for name in names if signal.getsignal(n := getattr(signal, name)) == signal.SIG_DFL]
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except KeyboardInterrupt as stopped:
        number = stopped.number if isinstance(stopped, Stopped) else signal.SIGINT
        note(f"jobscam: stopped. {printable(hint())}".rstrip())
        raise typer.Exit(128 + number) from None
    except (JobscamError, OSError) as error:
        if said := hint():
            error.add_note(said)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def default_output(ads: str, kind: str = "scored.csv") -> str:
    """Where what is made from a table goes if nothing else is said.

    Examples
    --------
    >>> default_output("ads.parquet"), default_output("more.tsv.gz", "report.html"), default_output("-")
    ('ads.scored.csv', 'more.report.html', '-')
    """
    from jobscam.io import made_from

    return made_from(ads, kind)


def column_overrides(pairs: list[str]) -> dict[str, str]:
    """Posting field to column, from ``FIELD=COLUMN``."""
    found: dict[str, str] = {}
    for pair in pairs:
        field, separator, column = pair.partition("=")
        if not separator or not field or not column:
            raise typer.BadParameter(f"'{pair}' is not FIELD=COLUMN, for example description=isi_iklan", param_hint="--map")
        if field in found:
            raise typer.BadParameter(f"'{field}' is given twice", param_hint="--map")
        found[field] = column
    return found


def scorer_arguments(
    model: str | None,
    knowledge: Path | None,
    agencies: Path | None,
    prevalence: float | None = None,
    thresholds: list[str] | None = None,
    *,
    models: Path | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Arguments of :func:`jobscam.scoring.load`.

    The model is chosen here once, so that all workers load the same one, and it is said if nobody named it.
    """
    from jobscam.model import registry

    choice = registry.choose(model, models)
    if choice.by and not quiet:
        note(f"Model: {printable(choice.path.name)}, chosen by {printable(choice.by)}")
    source = choice if choice.by else choice.path if model is not None else None
    return {
        "source": source,
        "knowledge": knowledge,
        "agencies": agencies,
        "prevalence": prevalence,
        "thresholds": _thresholds(thresholds or []),
    }


def _thresholds(pairs: list[str]) -> dict[str, float]:
    found = {}
    for pair in pairs:
        tier, _, value = pair.partition("=")
        try:
            found[tier] = float(value)
        except ValueError:
            raise typer.BadParameter(
                f"'{pair}' is not TIER=PROBABILITY, for example high=0.4", param_hint="--threshold"
            ) from None
    return found


def printable(text: str) -> str:
    r"""Text of an ad, safe to print: each character that could steer a terminal becomes a space, so offsets stay.

    Examples
    --------
    >>> printable("gaji\x1b[2Jtinggi")
    'gaji [2Jtinggi'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
