"""``jobscam report``: a table in, one HTML page to review and label its riskiest ads out."""

from __future__ import annotations

import sys
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
    ShowContactsOption,
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
    from jobscam.report import Written

HELP = """Write a review page of a table of ads: one HTML file to read, filter and label the riskiest.

The file works offline and reaches no network. Telephone numbers, addresses, links and account names are masked in it,
and in the labels it exports, unless --show-contacts is given. Columns of an earlier run are replaced. Rows that cannot be
read go to <output>.rejects.csv.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but some rows were rejected.
"""


def report(
    ads: Annotated[str, typer.Argument(metavar="ADS.csv", help="Table of ads, scored or not; - for standard input.")],
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Where to write, - for standard output.  [default: ADS.report.html]")
    ] = None,
    lang: LanguageOption = Language.ID,
    show_contacts: ShowContactsOption = False,
    limit: Annotated[int, typer.Option(min=1, help="Most ads in the page; the riskiest are taken.")] = 5000,
    model: ModelOption = None,
    models: ModelsOption = None,
    columns: ColumnsOption = None,
    agencies: AgenciesOption = None,
    knowledge: KnowledgeOption = None,
    prevalence: PrevalenceOption = None,
    thresholds: ThresholdOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Run the command; see ``HELP``."""
    overrides = column_overrides(columns or [])
    arguments = scorer_arguments(model, knowledge, agencies, prevalence, thresholds, models=models, quiet=quiet)
    from jobscam.report import write_table

    target = output or default_output(ads, "report.html")
    with progress_bar(shown=not quiet and sys.stderr.isatty()) as on_progress:
        done = write_table(
            ads,
            target,
            arguments,
            overrides=overrides,
            language=lang.value,
            show_contacts=show_contacts,
            limit=limit,
            on_progress=on_progress,
        )
    if not quiet:
        say_columns(done.columns)
        for line in done.notes:
            note(f"Note: {printable(line)}")
        note(f"{done.assessed + done.rejected} rows read = {done.assessed} assessed + {done.rejected} rejected")
        if done.rejects is not None:
            note(f"Rejected rows, with their lines and reasons: {done.rejects}")
        say_page(done, target, show_contacts)
    if done.rejected:
        raise typer.Exit(3)


def say_page(done: Written, target: str, show_contacts: bool) -> None:
    """Tell what is in a page."""
    where = "standard output" if target == "-" else target
    left = done.assessed - done.shown
    chosen = f"the {done.shown} riskiest ads ({left} left out)" if left else f"{done.shown} ads"
    contacts = "contacts as they are" if show_contacts else "contacts masked"
    note(f"Review page: {where}, {chosen}, {contacts}, {done.size / 1e6:.1f} MB. Open it in a browser.")
