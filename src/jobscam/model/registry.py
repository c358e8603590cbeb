"""The registry: models by name, which of them is current, and the way back.

A model folder holds artifacts ``<name>-<semver>/`` and a file ``current``: a small JSON with the name, the folder and the
digest of the manifest of the chosen model, and those of the models chosen before it.

What is loaded, in this order: what the caller names (a path or a name); the environment variable ``JOBSCAM_MODEL`` (a path
or a name); the ``current`` of the model folder; the newest shipped model. The model folder is the one that the caller or
``JOBSCAM_MODELS`` names, else one of the user's own. ``./models`` is only a place where a model that the caller names is
looked for, and the last one: were its ``current`` heeded, or a name that the variable holds looked for there, then whoever
fills the folder one happens to work in would decide what the scores are.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobscam.errors import ArtifactError
from jobscam.model import artifact, semver

MODEL, MODELS = "JOBSCAM_MODEL", "JOBSCAM_MODELS"
"""Environment variables: a model (name or path), and the model folder."""
CURRENT = "current"
HERE = Path("models")
_LARGEST = 1_000_000
_KEPT = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that was promoted: its name, its folder (a name within the model folder), and the digest of its manifest."""

    name: str
    path: str
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A model to load.

    Attributes
    ----------
    path : Path
    by : str
        Who chose it if the caller did not: ``JOBSCAM_MODEL``, or the path of a ``current`` file; "" otherwise.
    sha256 : str or None
        Digest that its manifest must have.
    """

    path: Path
    by: str = ""
    sha256: str | None = None


def user_folder() -> Path | None:
    """The user's own model folder, whether or not it exists; None for a user without a home."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    else:
        base = os.environ.get("XDG_DATA_HOME", "")
    if not os.path.isabs(base):  # a relative one would lead into the working directory
        try:
            base = str(Path.home() / ("AppData/Local" if sys.platform == "win32" else ".local/share"))
        except RuntimeError:
            return None
    return Path(base) / "jobscam" / "models"


def model_folder(models: str | Path | None = None) -> Path | None:
    """The model folder: the one named, the one of ``JOBSCAM_MODELS``, or the user's own."""
    named = models or os.environ.get(MODELS, "").strip()
    return Path(named) if named else user_folder()


def _heeded(models: str | Path | None) -> Path | None:
    folder = model_folder(models)
    if folder is None or folder.is_dir():
        return folder
    if models or os.environ.get(MODELS, "").strip():
        raise ArtifactError(f"the model folder {folder} does not exist; `jobscam model promote` creates it")
    return None


def known(models: str | Path | None = None, *, here: bool = True) -> dict[str, tuple[Path, str]]:
    """Models that can be named: full name to path and place (own, shipped, or here for ``./models``).

    The user's own hide shipped ones of the same name, and those hide the ones of ``./models``.
    """
    folder = model_folder(models)
    places = [("own", artifact.artifacts_in(folder) if folder else {}), ("shipped", dict(artifact.list_artifacts()))]
    if here:
        places.append(("here", artifact.artifacts_in(HERE)))
    found: dict[str, tuple[Path, str]] = {}
    for place, artifacts in places:
        for name, path in artifacts.items():
            found.setdefault(name, (path, place))
    return found


def find(which: str | Path, models: str | Path | None = None, *, here: bool = True) -> Path:
    """Folder of a model given by path, full name (``mine-1.1.0``) or name (``mine``: its newest version).

    A text with a slash is a path; one without is a name, or a folder of the working directory where no model has that name.
    With `here` False the working directory is left out. A bare name is answered by the first place that knows it: the model
    folder, the shipped models, ``./models``.

    Raises
    ------
    ArtifactError
        If there is no such model; names those that there are.
    """
    if not isinstance(which, str) or Path(which).name != which:
        return Path(which)
    found = known(models, here=here)
    if which in found:
        return found[which][0]
    for place in ("own", "shipped", "here"):
        name = semver.newest([full for full, (_, where) in found.items() if where == place], which)
        if name is not None:
            return found[name][0]
    if here and Path(which).is_dir():
        return Path(which)
    raise ArtifactError(f"there is no model '{which}'. Give a path, or one of: {', '.join(found) or '(no models are known)'}")


def choose(which: str | Path | None = None, models: str | Path | None = None) -> Choice:
    """The model to load; see the head of this module for the order.

    Raises
    ------
    ArtifactError
        If the model that is named, or promoted, is not there.
    """
    if which is not None:
        return Choice(find(which, models))
    variable = os.environ.get(MODEL, "").strip()
    if variable:
        try:
            return Choice(find(variable, models, here=False), MODEL)
        except ArtifactError as error:
            raise ArtifactError(f"{MODEL}: {error}") from None
    folder = _heeded(models)
    history = _read(folder) if folder else []
    if folder and history:
        entry = history[-1]
        if not (folder / entry.path).is_dir():
            raise ArtifactError(
                f"{folder / CURRENT} names {entry.path}, which is gone. Restore it, or run `jobscam model promote` or `rollback`."
            )
        return Choice(folder / entry.path, str(folder / CURRENT), entry.manifest_sha256)
    return Choice(artifact.shipped_path())


def promote(which: str | Path, models: str | Path | None = None) -> Entry:
    """Check every byte of a model, copy it into the model folder if it lies elsewhere, and make it the current one.

    Raises
    ------
    ArtifactError
        If the model is damaged, or another one of the same name is in the folder.
    """
    source = find(which, models)
    folder = model_folder(models)
    if folder is None:
        raise ArtifactError("you have no home folder to keep models in; name one with --models DIR")
    manifest = artifact.read(source)[1]
    name = f"{manifest['name']}-{manifest['version']}"
    if semver.split(name) is None:
        raise ArtifactError(f"{source}: '{name}' is not <name>-<version> such as mine-1.0.0; save it under such a name")
    history = _read(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if source.resolve().parent != folder.resolve():
        source = _copy(source, folder / name, manifest)
    entry = Entry(name, source.resolve().name, _digest(source))
    if not history or history[-1] != entry:
        _write(folder, [*history, entry])
    return entry


def rollback(models: str | Path | None = None) -> Entry | None:
    """Go back to the model that was current before; None where that is the shipped one.

    Raises
    ------
    ArtifactError
        If nothing was promoted, or the former model is gone or was changed; then nothing is done.
    """
    folder = model_folder(models)
    history = _read(folder) if folder else []
    if folder is None or not history:
        raise ArtifactError(f"nothing to go back to: no model was promoted in {folder}, the shipped one is in use")
    if len(history) == 1:
        (folder / CURRENT).unlink()
        _sync(folder)
        return None
    former = history[-2]
    artifact.read(folder / former.path, former.manifest_sha256)
    _write(folder, history[:-1])
    return former


def _digest(path: Path) -> str:
    return hashlib.sha256((path / artifact.MANIFEST).read_bytes()).hexdigest()


def _copy(source: Path, target: Path, manifest: dict[str, Any]) -> Path:
    """Copy what the manifest names, and check the copy; one that is there already must be the same."""
    if target.exists():
        artifact.verify(target)
        if _digest(target) != _digest(source):
            raise ArtifactError(f"{target} is another model of the same name and version; give yours a new version")
        return target
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        for name in (artifact.MANIFEST, f"{artifact.MANIFEST}.sha256", *manifest["files"]):
            shutil.copyfile(source / name, temporary / name)
            _sync(temporary / name)
        artifact.verify(temporary)
        temporary.chmod(0o755)
        os.replace(temporary, target)
        _sync(target.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return target


def _read(folder: Path) -> list[Entry]:
    """The models that were current, the one that is so last; empty where none is."""
    file = folder / CURRENT
    try:
        with file.open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        stored: Any = json.loads(raw) if len(raw) <= _LARGEST else None
        history = [Entry(e["name"], e["path"], e["manifest_sha256"]) for e in [*stored["history"], stored]]
    except (ValueError, KeyError, TypeError, RecursionError):
        history = []
    for entry in history:
        texts = (entry.name, entry.path, entry.manifest_sha256)
        if not all(isinstance(text, str) for text in texts) or semver.split(entry.path) is None:
            history = []
    if not history:
        raise ArtifactError(f"{file} cannot be read as what `jobscam model promote` writes; remove it and promote a model again")
    return history


def _write(folder: Path, history: list[Entry]) -> None:
    """Put the file in place in one step, so that a reader finds the old one or the new one, also after a crash."""
    entries = [{"name": e.name, "path": e.path, "manifest_sha256": e.manifest_sha256} for e in history[-_KEPT:]]
    text = json.dumps({**entries[-1], "history": entries[:-1]}, indent=2, ensure_ascii=False) + "\n"
    handle, temporary = tempfile.mkstemp(prefix=f".{CURRENT}.", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, folder / CURRENT)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync(folder)


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk; Windows opens no folders."""
    if path.is_dir() and sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDWR if path.is_file() and sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
