"""``jobscam model``: which models there are, what is known of them, and whether they are whole."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from jobscam.cli.common import model_path

app = typer.Typer(name="model", help="List, show and verify models.", no_args_is_help=True, rich_markup_mode=None)
_Which = Annotated[
    str | None, typer.Argument(metavar="[NAME_OR_PATH]", help="A model; the newest shipped one by default.", show_default=False)
]
# Long, and of no use to a reader.
_LEFT_OUT = ("columns", "files")


@app.command("list")
def list_models() -> None:
    """List the shipped models, the newest last."""
    from jobscam.model import artifact

    found = artifact.list_artifacts()
    width = max((len(name) for name, _ in found), default=0)
    for name, path in found:
        typer.echo(f"{name:{width}}  {path}")
    if not found:
        typer.echo("no models are installed", err=True)


@app.command()
def show(which: _Which = None, full: Annotated[bool, typer.Option("--full", help="Leave nothing out.")] = False) -> None:
    """Show the manifest of a model: versions, training data, thresholds, metrics."""
    from jobscam.model import artifact

    path = model_path(which) or artifact.shipped_path()
    manifest = artifact.read_manifest(path)
    shown = {key: value for key, value in manifest.items() if full or key not in _LEFT_OUT}
    typer.echo(f"# {path}", err=True)
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))


@app.command()
def verify(which: _Which = None) -> None:
    """Check every byte of a model against its manifest."""
    from jobscam.model import artifact

    path = model_path(which) or artifact.shipped_path()
    artifact.verify(path)
    manifest = artifact.read_manifest(path)
    typer.echo(f"{manifest['name']}-{manifest['version']}: {len(manifest['files'])} files, all as they were written")
