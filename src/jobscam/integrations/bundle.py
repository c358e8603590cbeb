"""All files that decide a score, held together: a saved pipeline must score the same on another machine.

A bundle is a flat mapping of names (``artifact/manifest.json``, ``knowledge/languages/id/phrases.csv``, ``agencies.csv``) to
bytes. Written to a folder it has a manifest beside it with the SHA-256 of each file. Nothing in it is ever run.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobscam.errors import ArtifactError, InputError
from jobscam.knowledge import load as load_knowledge
from jobscam.model import artifact, registry
from jobscam.scoring import load

if TYPE_CHECKING:
    from jobscam.scoring import Scorer

FORMAT = 1
MANIFEST = "jobscam.json"
ARTIFACT, KNOWLEDGE, AGENCIES = "artifact", "knowledge", "agencies.csv"
_KNOWN = re.compile(
    r"artifact/\w[\w.-]*|agencies\.csv|knowledge(?:/languages/[A-Za-z_-]+|/tables)?/[\w-]+\.(?:toml|csv)", flags=re.ASCII
)
_MOST = 64 * 1024 * 1024


@dataclass(frozen=True)
class Bundle:
    """Names and bytes of the files.

    Attributes
    ----------
    files : dict of str to bytes
    base : str
        Digest of the shipped knowledge that the files were used with.
    """

    files: Mapping[str, bytes]
    base: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all of it."""
        whole = hashlib.sha256(self.base.encode())
        for name, sha in _digests(self.files).items():
            whole.update(f"{name}:{sha}\n".encode())
        return whole.hexdigest()

    def scorer(self, prevalence: float | None, thresholds: Mapping[str, float] | None) -> Scorer:
        """A scorer over these files."""
        with tempfile.TemporaryDirectory(prefix="jobscam-") as folder:
            root = Path(folder)
            _lay_out(root, self.files)
            knowledge, agencies = root / KNOWLEDGE, root / AGENCIES
            return load(
                root / ARTIFACT,
                knowledge=knowledge if knowledge.is_dir() else None,
                agencies=agencies if agencies.is_file() else None,
                prevalence=prevalence,
                thresholds=thresholds,
            )

    def manifest(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What is written beside the files."""
        return {"format": FORMAT, "settings": dict(settings), "knowledge": self.base, "files": _digests(self.files)}

    def write(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Write the files and their manifest into a folder; what an earlier bundle left there is replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        for old in _found(folder):
            (folder / old).unlink()
        _lay_out(folder, self.files)
        text = json.dumps(self.manifest(settings), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")

    def packed(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Manifest and files as one mapping of plain values."""
        return {"manifest": self.manifest(settings), "files": dict(self.files)}


def read(model: str | None, knowledge: str | None, agencies: str | None) -> Bundle:
    """Read the files that settings name: an artifact by name or folder, a folder of knowledge, a list of agencies."""
    # Without a name the shipped one, not the promoted one: what a pipeline does stands in its own configuration.
    folder = artifact.shipped_path() if model is None else registry.find(model)
    names = (artifact.MANIFEST, f"{artifact.MANIFEST}.sha256", *artifact.verify(folder)["files"])
    files = {f"{ARTIFACT}/{name}": (folder / name).read_bytes() for name in sorted(names)}
    if knowledge is not None:
        if not Path(knowledge).is_dir():
            raise InputError(f"{knowledge} is not a folder; give a folder with the layout of the shipped knowledge")
        own = {f"{KNOWLEDGE}/{p.relative_to(knowledge).as_posix()}": p for p in sorted(Path(knowledge).rglob("*")) if p.is_file()}
        files |= {name: path.read_bytes() for name, path in own.items() if _KNOWN.fullmatch(name)}
    if agencies is not None:
        try:
            files[AGENCIES] = Path(agencies).read_bytes()
        except OSError as error:
            raise InputError(f"{agencies} cannot be read: {error.strerror or error}") from None
    return Bundle(files, load_knowledge().digest)


def open_folder(folder: Path) -> tuple[Bundle, dict[str, Any]]:
    """Read and check a folder that :meth:`Bundle.write` made; the bundle and its settings."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder / MANIFEST} cannot be read ({error}); save the pipeline again") from None
    promised = _mapping(_mapping(manifest).get("files"))
    names = [name for name in promised if _KNOWN.fullmatch(name)]
    files = {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
    return _checked(_mapping(manifest), files, str(folder))


def unpacked(data: Any) -> tuple[Bundle, dict[str, Any]]:
    """Check what :meth:`Bundle.packed` gave; the bundle and its settings."""
    if not isinstance(data, dict) or not isinstance(data.get("manifest"), dict) or not isinstance(data.get("files"), dict):
        raise ArtifactError("these bytes hold no jobscam component; save the pipeline again")
    return _checked(data["manifest"], data["files"], "the saved pipeline")


def _checked(manifest: dict[str, Any], files: Mapping[str, bytes], where: str) -> tuple[Bundle, dict[str, Any]]:
    if manifest.get("format") != FORMAT:
        raise ArtifactError(f"{where} has format {manifest.get('format')}, this version reads {FORMAT}; save the pipeline again")
    promised, settings = _mapping(manifest.get("files")), manifest.get("settings")
    if not promised or not isinstance(settings, dict):
        raise ArtifactError(f"{where} lists no files or no settings; save the pipeline again")
    for name in sorted(set(promised) | set(files)):
        if not _KNOWN.fullmatch(name):
            raise ArtifactError(f"{where}: '{name}' is no file of a jobscam component; save the pipeline again")
        if name not in files:
            raise ArtifactError(f"{where}: {name} is missing; save the pipeline again")
        raw = files[name]
        if not isinstance(raw, bytes) or len(raw) > _MOST or hashlib.sha256(raw).hexdigest() != promised.get(name):
            raise ArtifactError(
                f"{where}: {name} does not match its checksum; it was damaged or changed. Save the pipeline again."
            )
    own = load_knowledge().digest
    if manifest.get("knowledge") != own:
        warnings.warn(
            "this pipeline was saved with another version of jobscam's knowledge: scores may differ from those it gave there",
            stacklevel=4,
        )
    return Bundle(dict(files), own), dict(settings)


def _mapping(data: Any) -> dict[str, Any]:
    """Data as a mapping; an empty one for what is none, which is then found to lack what it must have."""
    return data if isinstance(data, dict) else {}


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(raw).hexdigest() for name, raw in sorted(files.items())}


def _lay_out(root: Path, files: Mapping[str, bytes]) -> None:
    for name, raw in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(raw)


def _found(folder: Path) -> list[str]:
    names = [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file()]
    return [name for name in names if _KNOWN.fullmatch(name)]
