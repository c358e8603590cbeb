"""The commands in one place, and the door through which errors leave."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jobscam import __version__
from jobscam.cli import campaigns, drift, explain, measure, model, queue, report, score, train
from jobscam.cli.common import stoppable
from jobscam.errors import JobscamError, OutputError

HELP = """Find dangerous job advertisements, with reasons.

Results go to standard output or a file, everything else to standard error.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but some rows were rejected.
"""

_CLOSED_PIPE = 141
"""What a shell reports of a program that was ended because nobody read its output any more: 128 and SIGPIPE."""


class Commands(TyperGroup):
    """The commands: one that is stopped tidies up first; one whose reader went away (``| head``) ends without a word."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            with stoppable(lambda: ""):
                return super().invoke(ctx)
        except BrokenPipeError:
            _drop_output()
            raise typer.Exit(_CLOSED_PIPE) from None


def _drop_output() -> None:
    """Give what is still held for standard output to nobody, or Python would try again, and complain, on leaving."""
    with suppress(OSError, ValueError):  # where it is no file, there is nothing to do
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


app = typer.Typer(
    cls=Commands,
    name="jobscam",
    help=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
app.command("score", help=score.HELP, short_help="Score a table of ads.")(score.score)
app.command("explain", help=explain.HELP, short_help="Explain the score of one ad.")(explain.explain)
app.command("queue", help=queue.HELP, short_help="Choose the ads to label next.")(queue.queue)
app.command("drift", help=drift.HELP, short_help="Compare two tables of ads.")(drift.drift)
app.command("campaigns", help=campaigns.HELP, short_help="Group reposts and ads that share contacts.")(campaigns.campaigns)
app.command("report", help=report.HELP, short_help="Write a page to review and label ads.")(report.report)
app.command("train", help=train.HELP, short_help="Train a model on labelled ads.")(train.train)
app.command("evaluate", help=measure.EVALUATE_HELP, short_help="Measure a model on labelled ads.")(measure.evaluate)
app.command("compare", help=measure.COMPARE_HELP, short_help="Compare two models on labelled ads.")(measure.compare)
app.add_typer(model.app, name="model")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"jobscam {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; the entry point of the program."""
    # When a run is stopped, joblib's tracker of semaphores tells of those that it cleans up, which is its job.
    given = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (given, "ignore:resource_tracker")))
    try:
        app()
    except (JobscamError, OSError) as error:
        typer.echo(f"jobscam: {error}", err=True)
        for line in getattr(error, "__notes__", ()):
            typer.echo(f"jobscam: {line}", err=True)
        if isinstance(error, OutputError):
            _drop_output()
        raise SystemExit(1) from None
