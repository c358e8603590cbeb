"""``jobscam score --engine dask``: what that engine takes, and the run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobscam.cli.common import progress_bar, say_columns

if TYPE_CHECKING:
    from jobscam.streaming import Summary


class Engine(StrEnum):
    """What does the work."""

    LOCAL = "local"
    DASK = "dask"


EngineOption = Annotated[
    Engine,
    typer.Option(help="On this machine, or on Dask: Parquet files in (a file, a folder or a quoted glob), a folder of them out."),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Dask scheduler, such as tcp://host:8786; else --workers processes on this machine."),
]
# Each partition is scored where it lies and is written in the order of the input: what needs all rows at once stays local.
_TAKEN = {
    "ads", "output", "engine", "scheduler", "model", "models", "columns", "workers", "reasons", "lang", "agencies", "knowledge",
    "prevalence", "thresholds", "quiet",
}  # fmt: skip


def score_on_dask(
    context: typer.Context,
    ads: str,
    output: str | None,
    arguments: Mapping[str, Any],
    *,
    scheduler: str | None,
    workers: int,
    reasons: int,
    language: str,
    overrides: Mapping[str, str],
    quiet: bool,
) -> Summary:
    """Check the options, and score on Dask."""
    _refuse_local_options(context)
    if output is None or output == "-":
        raise typer.BadParameter("the engine dask writes a folder: name a new one", param_hint="--output")
    if scheduler is not None and _given(context, "workers"):
        raise typer.BadParameter("the scheduler has workers of its own", param_hint="--workers")
    from jobscam.engines.dask import score_files

    with progress_bar(shown=not quiet and sys.stderr.isatty()) as on_progress:
        return score_files(
            ads,
            output,
            arguments,
            scheduler=scheduler,
            workers=workers,
            reasons=reasons,
            language=language,
            overrides=overrides,
            on_start=None if quiet else lambda summary: say_columns(summary.columns, summary.unmapped),
            on_progress=on_progress,
        )


def _refuse_local_options(context: typer.Context) -> None:
    for parameter in context.command.params:
        name = parameter.name or ""
        wanted = name == "order" and context.params.get(name) == "input"  # that is the order of the partitions anyway
        if name not in _TAKEN and not wanted and _given(context, name):
            raise typer.BadParameter(
                "works on one machine only; leave it out with --engine dask (order and columns of the input are kept)",
                param_hint=parameter.opts[0],
            )


def _given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"
