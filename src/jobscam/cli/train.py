"""``jobscam train``: a model from your own labels, by default the shipped one adapted to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobscam.cli.common import ColumnsOption, KnowledgeOption, ModelsOption, column_overrides, note, printable, scorer_arguments
from jobscam.cli.measure import GuardOption, LabelOption, PositiveOption, guarded, read_guard, say_labels, say_table
from jobscam.errors import InputError

if TYPE_CHECKING:
    from jobscam.retraining import Retrained

HELP = """Train a model on labelled ads and write it as an artifact.

By default the shipped model is adapted: its weights are the starting point, and your labels move them as far as they can
show. Labels may be called label, fraudulent, penipuan …, their values scam/legit, penipuan/asli, ya/tidak, 1/0 …

Labels that the others contradict are listed; --doubtful FILE keeps the list.
"""


def train(
    labels: Annotated[str, typer.Argument(metavar="LABELS", help="Table of ads with a column of labels; - for standard input.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="Artifact to make, such as models/mine-1.1.0.")],
    base: Annotated[
        str | None, typer.Option("--base", metavar="MODEL", help="Model to adapt.  [default: the shipped one]")
    ] = None,
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="Use your labels alone.")] = False,
    label: LabelOption = None,
    positive: PositiveOption = None,
    columns: ColumnsOption = None,
    models: ModelsOption = None,
    knowledge: KnowledgeOption = None,
    prevalence: Annotated[
        float | None, typer.Option(metavar="SHARE", help="With --from-scratch: share of scams to calibrate for.  [default: 0.1]")
    ] = None,
    guard: GuardOption = None,
    doubtful: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the doubtful labels as CSV.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors and warnings.")] = False,
) -> None:
    """Run the command; see ``HELP``."""
    if from_scratch and base is not None:
        raise typer.BadParameter("--base and --from-scratch exclude each other")
    if prevalence is not None and not from_scratch:
        raise typer.BadParameter("is for --from-scratch; an adapted model keeps the share of its base", param_hint="--prevalence")
    if prevalence is not None and not 0.0 < prevalence < 1.0:
        raise typer.BadParameter(f"is a share between 0 and 1, got {prevalence:g}", param_hint="--prevalence")
    from jobscam.io.place import check_place
    from jobscam.labelled import problems, read_labelled
    from jobscam.retraining import adapt_model, check_name, train_anew
    from jobscam.scoring import Scorer, load

    check_name(out)
    if doubtful is not None:
        check_place(doubtful)
        if doubtful.exists():
            raise InputError(f"{doubtful} exists already; remove it or choose another name")
    rules = read_guard(guard)
    found = read_labelled(labels, label=label, positive=positive or (), overrides=column_overrides(columns or []))
    say_labels(found, problems(found), quiet)

    def say(step: str) -> None:
        if not quiet:
            note(f"… {step}")

    if from_scratch:
        made = train_anew(found, out, prevalence=0.1 if prevalence is None else prevalence, knowledge=knowledge, on_progress=say)
    else:
        made = adapt_model(
            load(**scorer_arguments(base, knowledge, None, models=models, quiet=quiet)), found, out, on_progress=say
        )
    if not quiet:
        _say(made)
    if doubtful is not None:
        _write_doubtful(doubtful, made)
    if rules is not None:
        from jobscam.knowledge import load as load_knowledge

        guarded(Scorer(made.model, load_knowledge(knowledge), made.manifest), rules)
    path = made.save(out)
    note(f"wrote {path}. Look at it with `jobscam compare`, use it with --model {path}.")


def _say(made: Retrained) -> None:
    if made.not_ads:
        lines = ", ".join(map(str, made.not_ads[:10])) + (" ..." if len(made.not_ads) > 10 else "")
        note(f"\n{len(made.not_ads)} rows labelled legitimate are warnings, news or no ads, and were left out: line {lines}")
    names = list(next(iter(made.figures.values()), {}))
    if names:
        note("\nOn labels left out, by campaign:")
        say_table(["", *names], [[metric, *map(str, by_model.values())] for metric, by_model in made.figures.items()])
    if made.adapted is not None and made.adapted.strength == float("inf"):
        note("The old weights did best on labels left out and stay; only probabilities and tiers move.")
    if made.doubtful:
        note(f"\n{len(made.doubtful)} labels that the others contradict; look at them first:")
        for ad, logit in made.doubtful[:10]:
            said = "scam" if ad.label else "legitimate"
            words = printable(" ".join(ad.posting.text().split())[:90])
            note(f"  line {ad.line}, labelled {said}, log-odds {logit:+.1f}: {words}")
    note()


def _write_doubtful(path: Path, made: Retrained) -> None:
    from jobscam.io import create_table

    with create_table(path) as table:
        table.write(["line", "label", "log_odds", "text"])
        for ad, z in made.doubtful:
            table.write([str(ad.line), "scam" if ad.label else "legit", f"{z:.3f}", ad.posting.text()])
    note(f"{len(made.doubtful)} doubtful labels written to {path}")
