"""``jobscam evaluate`` and ``jobscam compare``: how good a model is on your labels, and whether a new one is better."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobscam.cli.common import (
    AgenciesOption,
    ColumnsOption,
    KnowledgeOption,
    ModelOption,
    ModelsOption,
    PrevalenceOption,
    column_overrides,
    note,
    printable,
    say_columns,
    scorer_arguments,
)
from jobscam.errors import JobscamError

if TYPE_CHECKING:
    from jobscam.comparison import Comparison
    from jobscam.labelled import Labelled, Problem
    from jobscam.scoring import Scorer

LabelOption = Annotated[
    str | None, typer.Option("--label", metavar="COLUMN", help="Column of the labels; found by its name otherwise.")
]
PositiveOption = Annotated[
    list[str] | None,
    typer.Option("--positive", metavar="VALUE", help="A label that means a scam; all others are legitimate. May be repeated."),
]
_LabelsArgument = Annotated[str, typer.Argument(metavar="LABELS", help="Table of ads with a column of labels.")]
_JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
GuardOption = Annotated[Path | None, typer.Option("--guard", metavar="FILE", help="Ads the model must catch or must not flag.")]

EVALUATE_HELP = """Measure a model on labelled ads that it has not seen.

Intervals: 95 %, from drawing campaigns anew.
"""
COMPARE_HELP = """Compare two models on labelled ads that neither has seen.

Prints figures with the difference and its 95 % interval (the same campaigns are drawn for both), the ads that changed
tier and why, and the slices in which the new model ranks worse.

--fail-if-worse ends with 1 if any figure is worse beyond its interval, --guard if the new model breaks the guard.
"""


def evaluate(
    labels: _LabelsArgument,
    model: ModelOption = None,
    label: LabelOption = None,
    positive: PositiveOption = None,
    columns: ColumnsOption = None,
    knowledge: KnowledgeOption = None,
    agencies: AgenciesOption = None,
    models: ModelsOption = None,
    prevalence: PrevalenceOption = None,
    guard: GuardOption = None,
    as_json: _JsonOption = False,
) -> None:
    """Run the command; see ``EVALUATE_HELP``."""
    from jobscam import comparison
    from jobscam.scoring import load

    rules = read_guard(guard)
    found = _read(labels, label, positive, columns)
    scorer = load(**scorer_arguments(model, knowledge, agencies, prevalence, models=models))
    made = comparison.evaluate(scorer, found)
    if as_json:
        typer.echo(json.dumps(made.as_mapping(), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        typer.echo(f"{made.model} on {made.ads} ads, {made.scams} of them scams, {made.campaigns} campaigns\n")
        say_table(["", "value"], [[name, str(value)] for name, value in made.figures.items()], out=True)
        if made.slices:
            rows = [[name, str(ads), str(scams), str(value)] for name, (ads, scams, value) in made.slices.items()]
            typer.echo()
            say_table(["slice", "ads", "scams", "average precision"], rows, out=True)
    guarded(scorer, rules)


def compare(
    old: Annotated[str, typer.Argument(help="The model in use.")],
    new: Annotated[str, typer.Argument(help="The model that may replace it.")],
    labels: _LabelsArgument,
    label: LabelOption = None,
    positive: PositiveOption = None,
    columns: ColumnsOption = None,
    knowledge: KnowledgeOption = None,
    agencies: AgenciesOption = None,
    models: ModelsOption = None,
    prevalence: PrevalenceOption = None,
    guard: GuardOption = None,
    fail_if_worse: Annotated[bool, typer.Option("--fail-if-worse", help="End with 1 if a figure is worse.")] = False,
    show: Annotated[int, typer.Option(min=0, help="How many ads that changed tier are shown.")] = 10,
    as_json: _JsonOption = False,
) -> None:
    """Run the command; see ``COMPARE_HELP``."""
    from jobscam import comparison
    from jobscam.scoring import load

    rules = read_guard(guard)
    found = _read(labels, label, positive, columns)
    before, after = (load(**scorer_arguments(name, knowledge, agencies, prevalence, models=models)) for name in (old, new))
    made = comparison.compare(before, after, found)
    if as_json:
        typer.echo(json.dumps(made.as_mapping(), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        _say_comparison(made, show)
    guarded(after, rules)
    if fail_if_worse and made.worse:
        raise JobscamError(f"{made.new} is worse than {made.old} in: {', '.join(made.worse)}")


def _read(labels: str, label: str | None, positive: list[str] | None, columns: list[str] | None) -> Labelled:
    from jobscam.errors import InputError
    from jobscam.labelled import problems, read_labelled

    found = read_labelled(labels, label=label, positive=positive or (), overrides=column_overrides(columns or []))
    faults = problems(found)
    say_labels(found, faults, quiet=False)
    if len({ad.label for ad in found.ads}) < 2:
        raise InputError(next(str(problem) for problem in faults if problem.fatal))
    return found


def _say_comparison(made: Comparison, show: int) -> None:
    rows = [[name, *map(str, values), "worse" if name in made.worse else ""] for name, values in made.figures.items()]
    say_table(["", made.old, made.new, "difference", ""], rows, out=True)
    if made.worse_slices:
        typer.echo("\nSlices in which the new model ranks worse:")
        say_table(["slice", "ads", "difference"], [[n, str(a), str(g)] for n, (a, g) in made.worse_slices.items()], out=True)
    right = sum(change.right for change in made.changes)
    typer.echo(f"\n{len(made.changes)} ads changed tier, {right} of them the right way. The others first:")
    for change in made.changes[:show]:
        said = "scam" if change.ad.label else "legitimate"
        moved = ", ".join(f"{printable(name)} {value:+.2f}" for name, value in change.moved)
        words = printable(" ".join(change.ad.posting.text().split())[:80])
        before, after = (f"{a.tier or a.status} {a.probability or 0.0:.3f}" for a in (change.old, change.new))
        typer.echo(f"  line {change.ad.line}, {said}: {before} -> {after} ({moved})\n    {words}")


def say_labels(found: Labelled, faults: Sequence[Problem], quiet: bool) -> None:
    """Say what was read, and everything that is wrong with it."""
    if not quiet:
        scams = int(found.labels.sum())
        say_columns(found.columns)
        note(
            f"{len(found.ads)} labelled ads (column '{printable(found.column)}'): "
            f"{scams} scams, {len(found.ads) - scams} legitimate; "
            f"{len(found.undecided)} undecided and {len(found.rejects)} unusable rows left out"
        )
    for problem in faults:
        note(f"{'Error' if problem.fatal else 'Warning'}: {printable(str(problem))}")


def read_guard(guard: Path | None) -> Labelled | None:
    """Read a guard file, if there is one: before the work whose result it judges."""
    from jobscam.labelled import read_labelled

    if guard is None:
        return None
    wanted = read_labelled(guard)
    no_rules = [(line, "no label, or undecided") for line in wanted.undecided]
    no_rules += [(reject.line, printable(reject.said)) for reject in wanted.rejects]
    if no_rules:
        lines = ", ".join(f"{line} ({reason})" for line, reason in sorted(no_rules))
        note(f"Warning: {guard}: rows that are no rules, by line: {lines}")
    return wanted


def guarded(scorer: Scorer, wanted: Labelled | None) -> None:
    """Hold a model against a guard, if there is one.

    Raises
    ------
    JobscamError
        Naming every ad that it treats wrongly.
    """
    from jobscam.comparison import breaches

    if wanted is None:
        return
    broken = breaches(scorer, wanted)
    if broken:
        lines = "\n  ".join(str(breach) for breach in broken)
        raise JobscamError(f"{scorer.name} breaks {len(broken)} of {len(wanted.ads)} rules of {wanted.name}:\n  {lines}")
    note(f"{scorer.name} keeps all {len(wanted.ads)} rules of {wanted.name}")


def say_table(head: Sequence[str], rows: Sequence[Sequence[str]], out: bool = False) -> None:
    """Print a table with aligned columns, to standard output or error."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    for row in (head, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), err=not out)
