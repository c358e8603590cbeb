"""``jobscam explain``: one ad, what was found in it, and how that adds up."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobscam.cli.common import (
    AgenciesOption,
    KnowledgeOption,
    Language,
    LanguageOption,
    ModelOption,
    ModelsOption,
    PrevalenceOption,
    ThresholdOption,
    printable,
    scorer_arguments,
)
from jobscam.errors import InputError

if TYPE_CHECKING:
    from jobscam.explain import Assessment, Reason

HELP = """Explain the score of one ad: its evidence, the weight of each reason, and their sum.

Give the ad as TEXT, as --file, or - for standard input.
"""
_SHOWN = 10
_LEAST = 0.05
_LARGEST = 32 * 1024 * 1024


def explain(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="The ad, - for standard input.", show_default=False)] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Read the ad from a file.")] = None,
    model: ModelOption = None,
    models: ModelsOption = None,
    lang: LanguageOption = Language.ID,
    everything: Annotated[bool, typer.Option("--all", help="Show every contribution, not only the strongest.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    agencies: AgenciesOption = None,
    knowledge: KnowledgeOption = None,
    prevalence: PrevalenceOption = None,
    thresholds: ThresholdOption = None,
) -> None:
    """Run the command; see ``HELP``."""
    if (text is None) == (file is None):
        raise typer.BadParameter("give either TEXT (or -) or --file", param_hint="TEXT")
    ad = _read(text, file)
    if not ad.strip():
        raise InputError("the ad is empty; give its text")
    from jobscam.scoring import load

    found = load(**scorer_arguments(model, knowledge, agencies, prevalence, thresholds, models=models)).assess(ad)
    if as_json:
        typer.echo(json.dumps(as_mapping(found, lang.value), ensure_ascii=False, indent=2, allow_nan=False))
    elif sys.stdout.isatty():
        _show(ad, found, lang.value, everything)
    else:
        typer.echo("\n".join(plain(ad, found, lang.value, everything)))


def _read(text: str | None, file: Path | None) -> str:
    if file is None and text != "-":
        return text or ""
    if file is None or str(file) == "-":
        raw, name = sys.stdin.buffer.read(_LARGEST + 1), "standard input"
    else:
        name = str(file)
        try:
            with file.open("rb") as stream:
                raw = stream.read(_LARGEST + 1)
        except OSError as error:
            raise InputError(f"{file} cannot be read: {error.strerror or error}") from None
    if len(raw) > _LARGEST:
        raise InputError(f"{name} is larger than {_LARGEST >> 20} MiB; for a table of ads use `jobscam score`")
    from jobscam.io.source import decode

    return decode(raw)


def as_mapping(found: Assessment, language: str) -> dict[str, Any]:
    """An assessment as JSON holds it."""
    return {
        "model": found.model,
        "probability": found.probability,
        "tier": found.tier or None,
        "status": found.status,
        "status_reason": found.status_reason or None,
        "language": found.language,
        "bias": found.bias,
        "logit": found.logit,
        "reasons": [
            {
                "name": reason.name,
                "weight": reason.weight,
                "sentence": reason.sentence(language),
                "words": reason.text,
                "spans": [list(span) for span in reason.spans],
            }
            for reason in found.reasons
        ],
    }


def _verdict(found: Assessment, language: str) -> str:
    probability = "no probability" if found.probability is None else f"probability {found.probability:.3f}"
    why = found.status_sentence(language)
    tier = f"{found.tier}, " if found.tier else ""
    return f"{tier}{probability} (status: {found.status}, language: {found.language})" + (f"\n{why}" if why else "")


def _rows(found: Assessment, language: str, everything: bool) -> list[tuple[float, str, str]]:
    """Weight, sentence and words; the rows add up to the log-odds."""
    shown: Sequence[Reason] = found.reasons
    if not everything:
        shown = [reason for reason in found.reasons[:_SHOWN] if abs(reason.weight) >= _LEAST]
    rows = [(reason.weight, reason.sentence(language), " ".join(printable(reason.text).split())) for reason in shown]
    rest = found.reasons[len(shown) :]
    if rest:
        rows.append((sum(reason.weight for reason in rest), f"{len(rest)} smaller contributions together (--all shows them)", ""))
    return [(found.bias, "starting point of the model (bias)", ""), *rows]


def plain(ad: str, found: Assessment, language: str, everything: bool = False) -> list[str]:
    """The explanation as lines without colour."""
    lines = [printable(ad).rstrip("\n"), "", _verdict(found, language), ""]
    for weight, sentence, words in _rows(found, language, everything):
        lines.append(f"{weight:+8.3f}  {printable(sentence)}" + (f": {words}" if words and words not in sentence else ""))
    if found.logit is not None:
        lines.append(f"{found.logit:+8.3f}  = sum (log-odds)")
    return [*lines, f"model: {found.model}"]


def _show(ad: str, found: Assessment, language: str, everything: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    coloured = Text(printable(ad).rstrip("\n"))
    # Weak ones first: where two overlap, the colour of the stronger stays.
    for reason in reversed(found.reasons):
        if reason.name.startswith("text:") and not everything:
            continue
        for span in reason.spans:
            if span.field == "description":
                coloured.stylize("bold red" if reason.weight > 0 else "bold green", span.start, span.end)
    console.print(coloured)
    console.print()
    console.print(Text(_verdict(found, language), style="bold"))
    table = Table("weight", "reason", "words of the ad", show_footer=found.logit is not None)
    table.columns[0].justify = "right"
    for weight, sentence, words in _rows(found, language, everything):
        colour = "red" if weight > 0 else "green"
        table.add_row(Text(f"{weight:+.3f}", style=colour), Text(printable(sentence)), Text(words))
    if found.logit is not None:
        table.columns[0].footer = f"{found.logit:+.3f}"
        table.columns[1].footer = "= sum (log-odds)"
    console.print(table)
    console.print(Text(f"model: {found.model}", style="dim"))
