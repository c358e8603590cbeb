"""``jobscam model``: which models there are, which one is current, what is known of them, and whether they are whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from jobscam.cli.common import AgenciesOption, KnowledgeOption, ModelsOption, note, printable
from jobscam.cli.measure import GuardOption, guarded, read_guard
from jobscam.errors import ArtifactError

app = typer.Typer(
    name="model", help="List, show, verify and promote models, and go back.", no_args_is_help=True, rich_markup_mode=None
)
_Which = Annotated[
    str | None, typer.Argument(metavar="[NAME_OR_PATH]", help="A model; the one in use by default.", show_default=False)
]
# Long, and of no use to a reader.
_LEFT_OUT = ("columns", "files")


@app.command("list")
def list_models(models: ModelsOption = None) -> None:
    """List all models that can be named, versions in order: whose, in use or not, parent, and what they learned from."""
    from jobscam.model import registry

    found = registry.known(models)
    try:
        used: Path | None = registry.choose(None, models).path.resolve()
    except ArtifactError as error:
        used = None
        note(f"jobscam: {error}")
    rows = [
        (name, place, "current" if path.resolve() == used else "", *_facts(path), str(path))
        for name, (path, place) in found.items()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if not rows:
        note("no models are installed")


def _facts(path: Path) -> tuple[str, str]:
    from jobscam.model import artifact

    try:
        manifest = artifact.read_manifest(path)
    except ArtifactError:
        return "damaged: see `jobscam model verify`", ""
    parent = manifest.get("parent")
    parent = parent.get("name") if isinstance(parent, dict) else parent
    ads = _ads(manifest.get("trained_on"))
    return printable(f"parent {parent or 'none'}"), f"trained on {ads:,} ads" if ads else "trained on an unknown number of ads"


def _ads(trained_on: Any) -> int:
    sources = trained_on.values() if isinstance(trained_on, dict) else ()
    return sum(source["postings"] for source in sources if isinstance(source, dict) and isinstance(source.get("postings"), int))


@app.command()
def show(
    which: _Which = None,
    full: Annotated[bool, typer.Option("--full", help="Leave nothing out.")] = False,
    models: ModelsOption = None,
) -> None:
    """Show the manifest of a model: versions, training data, thresholds, metrics."""
    from jobscam.model import artifact, registry

    choice = registry.choose(which, models)
    manifest = artifact.read_manifest(choice.path, choice.sha256)
    shown = {key: value for key, value in manifest.items() if full or key not in _LEFT_OUT}
    note(f"# {choice.path}")
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))


@app.command()
def verify(which: _Which = None, models: ModelsOption = None) -> None:
    """Check every byte of a model against its manifest, and that of a promoted one against what was promoted."""
    from jobscam.model import artifact, registry

    choice = registry.choose(which, models)
    manifest = artifact.verify(choice.path, choice.sha256)
    typer.echo(f"{manifest['name']}-{manifest['version']}: {len(manifest['files'])} files, all as they were written")


@app.command()
def promote(
    which: Annotated[str, typer.Argument(metavar="NAME_OR_PATH", help="The model that is to be used.")],
    models: ModelsOption = None,
    guard: GuardOption = None,
    knowledge: KnowledgeOption = None,
    agencies: AgenciesOption = None,
) -> None:
    """Check a model, copy it into the model folder, and use it where no other is named.

    A model that breaks --guard is not promoted; --knowledge and --agencies say what the guard's ads are read with.
    """
    from jobscam.model import registry

    path = registry.find(which, models)
    if guard is not None:
        from jobscam.scoring import load

        rules = read_guard(guard)
        guarded(load(path, knowledge=knowledge, agencies=agencies), rules)
    entry = registry.promote(path, models)
    typer.echo(f"{entry.name} is the current model of {registry.model_folder(models)}")


@app.command()
def rollback(models: ModelsOption = None) -> None:
    """Go back to the model that was current before the last promotion."""
    from jobscam.model import artifact, registry

    entry = registry.rollback(models)
    name = entry.name if entry else f"{artifact.shipped_path().name} (shipped)"
    typer.echo(f"{name} is the current model of {registry.model_folder(models)}")
