"""``jobscam score``: a table in, the same table with risk, status and reasons out."""

from __future__ import annotations

import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobscam.cli.common import (
    AgenciesOption,
    ColumnsOption,
    KnowledgeOption,
    Language,
    LanguageOption,
    ModelOption,
    ModelsOption,
    PrevalenceOption,
    RawCellsOption,
    ShowContactsOption,
    ThresholdOption,
    column_overrides,
    default_output,
    note,
    printable,
    progress_bar,
    say_columns,
    scorer_arguments,
    stoppable,
)
from jobscam.cli.engines import Engine, EngineOption, SchedulerOption, score_on_dask
from jobscam.cli.report import say_page

if TYPE_CHECKING:
    from jobscam.report import RunPage, Written
    from jobscam.streaming import Summary

HELP = """Score a table of ads: CSV, TSV or JSONL (also .gz, .zst, .zip), Parquet, XLSX; - for standard input.

A folder, or a pattern in quotes such as 'ads/*.csv', is read as one table.

All columns are kept, columns named jobscam_... are added, and the ads with the highest risk come first. Rows that
cannot be read go to <output>.rejects.csv with their line and the reason.

A run that was interrupted, killed or met a full disk goes on where it was with the same command and --resume; its files are
then the same as if nothing had happened. Until a run is complete it works in a hidden folder beside the output.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but some rows were rejected; 128 and the number of the signal if a
signal stopped it (130 Ctrl-C, 143 terminated, 141 nobody reads standard output any more).
"""


class Order(StrEnum):
    """Order of the rows of the output."""

    RISK = "risk"
    INPUT = "input"


def score(
    context: typer.Context,
    ads: Annotated[str, typer.Argument(metavar="ADS.csv", help="Table of ads, - for standard input.")],
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Where to write, - for standard output.  [default: ADS.scored.csv]")
    ] = None,
    model: ModelOption = None,
    models: ModelsOption = None,
    columns: ColumnsOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    chunk: Annotated[int, typer.Option(min=1, help="Rows a batch.")] = 256,
    order: Annotated[Order, typer.Option(help="Highest risk first, or as in the input.")] = Order.RISK,
    reasons: Annotated[int, typer.Option(min=0, help="Reasons for each ad.")] = 3,
    lang: LanguageOption = Language.ID,
    agencies: AgenciesOption = None,
    knowledge: KnowledgeOption = None,
    prevalence: PrevalenceOption = None,
    thresholds: ThresholdOption = None,
    campaigns: Annotated[
        bool, typer.Option("--campaigns", help="Add jobscam_campaign: reposts and ads that share a contact have one name.")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected rows go.  [default: <output>.rejects.csv]", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many rows.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what an interrupted run has left, or start if it left nothing.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict/--skip-errors", help="Stop at the first bad row, or put such rows among the rejects.")
    ] = False,
    top: Annotated[int, typer.Option(min=0, help="How many of the riskiest ads to show.")] = 5,
    report: Annotated[
        str | None, typer.Option("--report", metavar="PAGE.html", help="Also write a page to review the riskiest ads in.")
    ] = None,
    report_limit: Annotated[int, typer.Option(min=1, help="Most ads in that page.")] = 5000,
    show_contacts: ShowContactsOption = False,
    raw_cells: RawCellsOption = False,
    engine: EngineOption = Engine.LOCAL,
    scheduler: SchedulerOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Run the command; see ``HELP``."""
    if scheduler is not None and engine is not Engine.DASK:
        raise typer.BadParameter("is for --engine dask", param_hint="--scheduler")
    overrides = column_overrides(columns or [])
    arguments = scorer_arguments(model, knowledge, agencies, prevalence, thresholds, models=models, quiet=quiet)
    if engine is Engine.DASK:
        run = partial(score_on_dask, context, ads, output, arguments, scheduler=scheduler, workers=workers, quiet=quiet)
        _say(run(reasons=reasons, language=lang.value, overrides=overrides), str(output), quiet)
        return
    from jobscam.streaming import score_table

    target = output or default_output(ads)
    page = _page(ads, target, report, report_limit, rejects)
    written: list[Written] = []

    def finish(summary: Summary) -> None:
        if page and report:
            written.append(
                page.write(report, ads, summary, arguments, overrides=overrides, language=lang.value, show_contacts=show_contacts)
            )

    with stoppable(lambda: _hint(target)), progress_bar(shown=not quiet and sys.stderr.isatty()) as on_progress:
        summary = score_table(
            ads,
            target,
            arguments,
            overrides=overrides,
            workers=workers,
            chunk=chunk,
            order=order.value,
            reasons=reasons,
            language=lang.value,
            campaigns=campaigns,
            rejects=rejects,
            raw_cells=raw_cells,
            limit=limit,
            top=top,
            strict=strict,
            resume=resume,
            on_start=None if quiet else lambda summary: say_columns(summary.columns, summary.unmapped),
            on_progress=on_progress,
            on_row=page.take if page else None,
            on_note=None if quiet else lambda text: note(f"Note: {printable(text)}"),
            on_finish=finish,
        )
    _say(summary, "standard output" if target == "-" else target, quiet)
    if not quiet:
        for done in written:
            say_page(done, str(report), show_contacts)
    if summary.rejected:
        raise typer.Exit(3)


def _hint(target: str) -> str:
    """How to go on with what an interrupted run has left."""
    from jobscam.work import unfinished

    left = unfinished(target)
    if left is None or not left.rows:
        return ""
    return f"{left.rows} scored rows are kept in {left.folder}: the command that scored them goes on from there with --resume."


def _page(ads: str, target: str, report: str | None, limit: int, rejects: Path | None) -> RunPage | None:
    """Collects the rows of the review page, if there is to be one."""
    if report is None:
        return None
    from jobscam.io import check_targets
    from jobscam.io.rejects import rejects_path
    from jobscam.report import RunPage

    if report == "-" or Path(report).resolve() == Path(target).resolve():
        raise typer.BadParameter("name a file of its own for the page", param_hint="--report")
    check_targets(ads, target, report, rejects=rejects or rejects_path(ads, target))
    return RunPage(limit)


def _say(summary: Summary, target: str, quiet: bool) -> None:
    if not quiet:
        _say_summary(summary, target)
        _say_share(summary)


def _say_summary(summary: Summary, target: str) -> None:
    from jobscam.values import TIERS, Status

    for line in summary.notes:
        note(f"Note: {printable(line)}")
    note()
    note(f"{summary.rows_in} rows read = {summary.rows_out} written to {target} + {summary.rejected} rejected")
    if summary.rejects is not None:
        note(f"Rejected rows, with their lines and reasons: {summary.rejects}")
    note(_sum(summary.rows_out, "written", {s.value: summary.by_status[s.value] for s in Status}))
    scored = summary.by_status[Status.SCORED.value]
    note(_sum(scored, "scored", {tier: summary.by_tier[tier] for tier in reversed(TIERS)}))
    rate = (summary.rows_in - summary.resumed) / summary.seconds if summary.seconds else 0.0
    note(f"{summary.seconds:.1f} seconds, {rate:.0f} rows a second")
    if summary.top:
        note("\nHighest risk:")
    for ad in summary.top:
        probability = "" if ad.probability is None else f" {ad.probability:.3f}"
        note(f"  {ad.tier}{probability}, {printable(ad.place) or f'line {ad.line}'}: {printable(ad.excerpt)}")
        if ad.reasons:
            note(f"    {printable(' '.join(ad.reasons.split()))}")


def _say_share(summary: Summary) -> None:
    guess = summary.guessed_share()
    if guess is not None:
        note(f"\nProbabilities and tiers hold for a stream with {100 * (summary.prevalence or 0):g} % scams; by a rough guess")
        note(f"{100 * guess:.2g} % of these are. If you know the share, say so: --prevalence 0.02")


def _sum(total: int, name: str, parts: dict[str, int]) -> str:
    return f"{total} {name} = " + " + ".join(f"{count} {part}" for part, count in parts.items())
