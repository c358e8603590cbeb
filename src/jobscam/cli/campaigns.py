"""``jobscam campaigns``: a table of ads in, a table of campaigns out."""

from __future__ import annotations

import sys
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
    ThresholdOption,
    column_overrides,
    default_output,
    note,
    printable,
    progress_bar,
    say_columns,
    scorer_arguments,
)

if TYPE_CHECKING:
    from jobscam.grouping import GroupSummary
    from jobscam.streaming import Summary

HELP = """Group a table of ads into campaigns: reposts and variants of one text, and ads that share a personal contact.

Takes a table that `jobscam score` wrote, or any table of ads and scores it. Writes a row for each campaign, the riskiest
first: how many ads, since when, where, which contacts, what pay and places, and the ad with the highest risk. Contacts
are masked unless --show-contacts is given; the rows of --members and --unique are the ads as they are.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but some rows were rejected.
"""


def campaigns(
    ads: Annotated[str, typer.Argument(metavar="ADS.csv", help="Table of ads, scored or not; - for standard input.")],
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Where to write, - for standard output.  [default: ADS.campaigns.csv]")
    ] = None,
    graph: Annotated[
        Path | None, typer.Option("--graph", help="Write campaigns, ads and contacts as a graph (.graphml or .gexf).")
    ] = None,
    members: Annotated[Path | None, typer.Option("--members", help="Write all ads of the listed campaigns.")] = None,
    unique: Annotated[
        Path | None, typer.Option("--unique", help="Write one ad for each campaign, the riskiest, with its evidence.")
    ] = None,
    min_size: Annotated[int, typer.Option("--min-size", min=1, help="Ads a campaign must have to be listed.")] = 2,
    show_contacts: Annotated[bool, typer.Option("--show-contacts", help="Write contacts in full.")] = False,
    model: ModelOption = None,
    models: ModelsOption = None,
    columns: ColumnsOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    lang: LanguageOption = Language.ID,
    agencies: AgenciesOption = None,
    knowledge: KnowledgeOption = None,
    prevalence: PrevalenceOption = None,
    thresholds: ThresholdOption = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected rows go.  [default: <output>.rejects.csv]", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many rows.")] = None,
    top: Annotated[int, typer.Option(min=0, help="How many campaigns to show.")] = 5,
    raw_cells: RawCellsOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Run the command; see ``HELP``."""
    overrides = column_overrides(columns or [])
    from jobscam.grouping import group_table

    target = output or default_output(ads, "campaigns.csv")
    with progress_bar(shown=not quiet and sys.stderr.isatty()) as on_progress:
        summary = group_table(
            ads,
            target,
            scorer_arguments(model, knowledge, agencies, prevalence, thresholds, models=models, quiet=quiet),
            graph_to=graph,
            members=members,
            unique=unique,
            min_size=min_size,
            show_contacts=show_contacts,
            overrides=overrides,
            workers=workers,
            language=lang.value,
            rejects=rejects,
            raw_cells=raw_cells,
            limit=limit,
            top=top,
            on_start=None if quiet else _say_start,
            on_progress=on_progress,
        )
    if not quiet:
        _say_summary(summary, "standard output" if target == "-" else target, min_size)
        for name, path in (("Their ads", members), ("One ad for each campaign", unique), ("Graph", graph)):
            if path is not None:
                note(f"{name}: {path}")
    if summary.rejected:
        raise typer.Exit(3)


def _say_start(summary: Summary) -> None:
    say_columns(summary.columns, summary.unmapped)
    if getattr(summary, "was_scored", False):
        note("The table is scored: its scores are kept.")


def _say_summary(summary: GroupSummary, target: str, min_size: int) -> None:
    for line in summary.notes:
        note(f"Note: {printable(line)}")
    note()
    note(f"{summary.rows_in} rows read = {summary.rows_out} grouped + {summary.rejected} rejected")
    if summary.rejects is not None:
        note(f"Rejected rows, with their lines and reasons: {summary.rejects}")
    note(f"{summary.rows_out} ads in {summary.found} campaigns")
    note(f"{summary.listed} campaigns of {min_size} ads or more, with {summary.ads} ads in all, written to {target}")
    note(f"{summary.seconds:.1f} seconds")
    if summary.first:
        note("\nHighest risk:")
    for campaign, excerpt in summary.first:
        best = campaign.best
        probability = "" if best.probability is None else f" {best.probability:.3f}"
        since = f", {campaign.first} to {campaign.last}" if campaign.first else ""
        note(f"  {campaign.name}: {campaign.size} ads, {printable(best.tier)}{probability}{since}, line {best.risk.line}")
        note(f"    {printable(excerpt)}")
