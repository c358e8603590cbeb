"""``jobscam drift``: what has changed between two tables of ads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobscam.cli.common import (
    AgenciesOption,
    ColumnsOption,
    KnowledgeOption,
    ModelOption,
    ModelsOption,
    column_overrides,
    note,
    printable,
    scorer_arguments,
)

if TYPE_CHECKING:
    from jobscam.scored import Table
    from jobscam.scoring import Scorer

HELP = """Compare two tables of ads: scores, tiers, indicators, languages, pay, places, and new phrases in risky ads.

Tables that one model has scored are compared as they are, others are scored first. The report goes to standard output as
Markdown, or to -o, a file that ends in .md or .json.

Exit codes: 0 done; 1 failed, or the scores moved further than --fail-over; 2 wrong usage; 3 done, but some rows were rejected.
"""
_SHOWN = 10


def drift(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE.csv", help="Table of ads to compare with.")],
    new: Annotated[str, typer.Argument(metavar="NEW.csv", help="Table of new ads.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write, .md or .json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of Markdown.")] = False,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="FILE.png", help="Also draw it (needs matplotlib).")] = None,
    fail_over: Annotated[
        float | None, typer.Option("--fail-over", min=0, help="End with 1 if the population stability index is larger.")
    ] = None,
    phrases: Annotated[int, typer.Option(min=0, help="How many new phrases.")] = 30,
    columns: ColumnsOption = None,
    model: ModelOption = None,
    models: ModelsOption = None,
    agencies: AgenciesOption = None,
    knowledge: KnowledgeOption = None,
) -> None:
    """Run the command; see ``HELP``."""
    if output is not None and output.suffix.lower() not in (".md", ".json"):
        raise typer.BadParameter("name a file that ends in .md or .json", param_hint="--output")
    overrides = column_overrides(columns or [])
    from jobscam import scored
    from jobscam.drift import compare, render
    from jobscam.knowledge import load as load_knowledge

    if plot is not None:
        render.check_plot()

    def scorer() -> Scorer:
        from jobscam.scoring import load

        return load(**scorer_arguments(model, knowledge, agencies, models=models))

    tables = [scored.read(name) for name in (reference, new)]
    found = compare(
        tables[0].frame,
        tables[1].frame,
        scorer=scorer() if model else scorer,
        knowledge=load_knowledge(knowledge, agencies),
        overrides=overrides,
        top=phrases,
    )
    if as_json or (output is not None and output.suffix.lower() == ".json"):
        text = json.dumps(render.as_mapping(found), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    else:
        text = render.markdown(found)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        note(f"Written to {output}")
    if plot is not None:
        render.plot(found, plot)
        note(f"Drawn to {plot}")
    for said in found.notes:
        note(f"Note: {printable(said)}")
    for name, table in zip((reference, new), tables, strict=True):
        _say_rejects(name, table)
    if fail_over is not None and found.psi > fail_over:
        note(f"The scores moved: population stability index {found.psi:.3f}, more than {fail_over:g}")
        raise typer.Exit(1)
    if any(table.rejects for table in tables):
        raise typer.Exit(3)


def _say_rejects(name: str, table: Table) -> None:
    for reject in table.rejects[:_SHOWN]:
        note(f"{name}, line {reject.line}: left out: {printable(reject.said)}")
    if len(table.rejects) > _SHOWN:
        note(f"{name}: {len(table.rejects) - _SHOWN} more rows left out")
