"""``jobscam queue``: which ads to label next."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobscam.cli.common import (
    AgenciesOption,
    ColumnsOption,
    KnowledgeOption,
    ModelOption,
    ModelsOption,
    RawCellsOption,
    column_overrides,
    default_output,
    note,
    printable,
    scorer_arguments,
)

if TYPE_CHECKING:
    from jobscam.scoring import Scorer

HELP = """Choose the ads to label next from a table in any format that `jobscam score` reads; - for standard input.

Some are those the model is least sure of, some those it is surest of, spread over campaigns, languages, destinations and
indicators, and some are drawn at random so that shares can be estimated (each stands for jobscam_queue_weight rows). Rows
with a label are left out. A table that `jobscam score` has not seen yet is scored first.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but some rows were rejected.
"""


def queue(
    ads: Annotated[str, typer.Argument(metavar="SCORED.csv", help="Table of ads, - for standard input.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many ads.")] = 200,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Where to write, - for standard output.  [default: SCORED.queue.csv]")
    ] = None,
    label_studio: Annotated[
        Path | None,
        typer.Option(
            "--label-studio", metavar="TASKS.json", help="Also write tasks for Label Studio, and TASKS.xml beside them."
        ),
    ] = None,
    random_share: Annotated[float, typer.Option(min=0, max=1, help="Part drawn at random.")] = 0.2,
    riskiest_share: Annotated[float, typer.Option(min=0, max=1, help="Part with the highest risk.")] = 0.2,
    around: Annotated[
        float | None, typer.Option(help="Probability at which an ad is uncertain.  [default: where the tier high begins]")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label-column", metavar="COLUMN", help="Column of the labels; found by its name otherwise.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random part.")] = 0,
    columns: ColumnsOption = None,
    model: ModelOption = None,
    models: ModelsOption = None,
    agencies: AgenciesOption = None,
    knowledge: KnowledgeOption = None,
    raw_cells: RawCellsOption = False,
) -> None:
    """Run the command; see ``HELP``."""
    from jobscam import scored
    from jobscam.io import check_targets, create_table, format_of
    from jobscam.io.rejects import RejectFile, rejects_path
    from jobscam.queue import REASON, label_column, select

    overrides = column_overrides(columns or [])
    config = label_studio.with_suffix(".xml") if label_studio else None
    if label_studio and label_studio == config:
        raise typer.BadParameter("tasks are JSON; name a file such as tasks.json", param_hint="--label-studio")
    loaded: list[Scorer] = []

    def scorer() -> Scorer:
        from jobscam.scoring import load

        if not loaded:
            loaded.append(load(**scorer_arguments(model, knowledge, agencies, models=models)))
        return loaded[0]

    target = output or default_output(ads, "queue.csv")
    rejects_to = rejects_path(ads, target)
    check_targets(ads, target, label_studio, config, rejects=rejects_to)
    format_of(target)
    table = scored.read(ads)
    if not scored.is_scored(table.frame):
        note("The table was not scored yet; scoring it.")
    chosen = select(
        table.frame, n, random_share=random_share, riskiest_share=riskiest_share, around=around, label=label, seed=seed,
        scorer=scorer, overrides=overrides,
    )  # fmt: skip
    with RejectFile(rejects_to, raw_cells=raw_cells) as rejects, create_table(target, raw_cells=raw_cells) as out:
        for reject in table.rejects:
            rejects.add(reject)
        out.write([str(name) for name in chosen.columns])
        for row in chosen.itertuples(index=False, name=None):
            out.write([_cell(value) for value in row])
        table.notes.extend(out.notes)
    if label_studio and config:
        from jobscam.labelling import CONFIG, tasks

        found = json.dumps(list(tasks(chosen, scorer(), overrides)), ensure_ascii=False, indent=1, allow_nan=False)
        label_studio.write_text(found + "\n", encoding="utf-8", errors="replace", newline="\n")
        config.write_text(CONFIG, encoding="utf-8", newline="\n")
        note(f"Tasks for Label Studio: {label_studio}; paste {config} as the labelling interface of the project")
    column = label_column(table.frame, label)
    labelled = sum(map(bool, scored.texts(table.frame, column))) if column else 0
    parts = Counter(chosen[REASON])
    for said in table.notes:
        note(f"Note: {printable(said)}")
    where = f" (column '{printable(column)}')" if column else ""
    note(f"{len(table.frame) + len(table.rejects)} rows read, {labelled} labelled{where}, {len(table.rejects)} rejected")
    note(f"{len(chosen)} chosen = " + " + ".join(f"{parts[name]} {name}" for name in ("uncertain", "riskiest", "random")))
    note(f"Written to {'standard output' if target == '-' else target}")
    if table.rejects:
        note(f"Rejected rows, with their lines and reasons: {rejects.path}")
        raise typer.Exit(3)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else f"{value:.6f}"
    return str(value)
