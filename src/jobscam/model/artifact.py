"""The artifact: a folder of plain arrays and JSON that runs no code when it is loaded.

To change the format: raise ``FORMAT``, keep reading the old one here or refuse it with the command that converts,
and store a tiny artifact of the old format under ``tests/artifacts``.

Order of loading: manifest (size bound, known format), list of files, sizes and SHA-256, arrays without pickle, shapes
and types, and only then a model is built.

Which artifact is loaded is not decided here but in :mod:`jobscam.model.registry`. There an environment variable may
choose, which it must not where a model is code: an artifact is arrays and JSON, its name stands in every row of the output
(``jobscam_model``), and the command line says on standard error when a variable or a ``current`` file chose it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from jobscam import features
from jobscam.errors import ArtifactError
from jobscam.model import semver
from jobscam.model.linear import Calibration, LinearModel, OperatingCurve

FORMAT = 1
MANIFEST, WEIGHTS, CARD = "manifest.json", "weights.npz", "CARD.md"
_MAX_MANIFEST = 4_000_000
_ARRAYS = {"dense": np.float64, "scale": np.float32, "text": np.float32}
_SHIPPED = "jobscam"


def write(path: str | Path, model: LinearModel, manifest: Mapping[str, Any], card: str) -> Path:
    """Write an artifact beside its place and move it there in one step; refuses to overwrite.

    Parameters
    ----------
    path : path
        Folder to create, conventionally ``models/<name>-<semver>``.
    model : LinearModel
    manifest : mapping
        name, version, knowledge digest, training data, metrics; files and versions are added.
    card : str
        The model card.
    """
    target = Path(path)
    if target.exists():
        raise ArtifactError(f"{target} exists already; choose a new version or remove it")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        arrays = {"dense": model.dense, "scale": model.scale.astype(np.float32), "text": model.text.astype(np.float32)}
        if model.curve.log_odds:
            arrays["curve"] = np.array([model.curve.log_odds, model.curve.recall, model.curve.false_rate])
        (temporary / WEIGHTS).write_bytes(_npz(arrays))
        (temporary / CARD).write_text(card, encoding="utf-8")
        full = {
            "format": FORMAT,
            **manifest,
            "feature_schema": model.schema,
            "columns": list(model.names),
            "bias": model.bias,
            "bits": model.bits,
            "calibration": {
                "slope": model.calibration.slope,
                "offset": model.calibration.offset,
                "prevalence": model.calibration.prevalence,
                "languages": {name: list(pair) for name, pair in model.calibration.languages.items()},
            },
            "thresholds": model.thresholds,
            "libraries": _versions(),
            "files": {name: _fingerprint(temporary / name) for name in (WEIGHTS, CARD)},
        }
        text = json.dumps(full, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        # The manifest vouches for the files; its own digest lets a changed byte in it be refused as well.
        (temporary / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
        (temporary / f"{MANIFEST}.sha256").write_text(hashlib.sha256(text.encode()).hexdigest() + "\n", encoding="ascii")
        temporary.chmod(0o755)
        os.replace(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return target


def _npz(arrays: Mapping[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **dict(arrays))
    return buffer.getvalue()


def _fingerprint(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    return {"sha256": hashlib.sha256(raw).hexdigest(), "size": len(raw)}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("numpy", "scipy", "scikit-learn", "pandas", "jobscam"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def read_manifest(path: str | Path, sha256: str | None = None) -> dict[str, Any]:
    """Read and check the manifest alone; `sha256` is the digest it had when somebody vouched for it."""
    file = Path(path) / MANIFEST
    if not file.is_file():
        raise ArtifactError(f"{path} is no model artifact: it has no {MANIFEST}. See `jobscam model list`.")
    if file.stat().st_size > _MAX_MANIFEST:
        raise ArtifactError(f"{file} is too large to be a manifest")
    raw = file.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    seal = Path(path) / f"{MANIFEST}.sha256"
    if not seal.is_file() or seal.read_text(encoding="ascii", errors="replace") != digest + "\n":
        raise ArtifactError(
            f"{file} does not match its checksum: the artifact was damaged or changed. Restore it from its source."
        )
    if sha256 is not None and sha256 != digest:
        raise ArtifactError(
            f"{file} is not the one that was promoted: the artifact was exchanged. Restore it, or run `jobscam model promote`."
        )
    manifest: dict[str, Any] = json.loads(raw)
    if manifest.get("format") != FORMAT:
        raise ArtifactError(
            f"{file} has format {manifest.get('format')}, this version reads {FORMAT}; install a matching jobscam"
        )
    if manifest.get("feature_schema") not in features.SCHEMAS:
        known = ", ".join(map(str, features.SCHEMAS))
        raise ArtifactError(
            f"{file} was trained with feature schema {manifest.get('feature_schema')}, this version computes {known}"
        )
    return manifest


def verify(path: str | Path, sha256: str | None = None) -> dict[str, Any]:
    """Check every byte of an artifact against its manifest (and that against `sha256`) and return the manifest.

    Raises
    ------
    ArtifactError
        Naming the file that is missing or was changed.
    """
    manifest = read_manifest(path, sha256)
    for name, expected in manifest["files"].items():
        file = Path(path) / name
        if Path(name).name != name or not file.is_file():
            raise ArtifactError(f"{file} is missing; restore the artifact from its source")
        if file.stat().st_size != expected["size"] or _fingerprint(file)["sha256"] != expected["sha256"]:
            raise ArtifactError(
                f"{file} does not match its checksum: the artifact was damaged or changed. Restore it from its source."
            )
    return manifest


def read(path: str | Path, sha256: str | None = None) -> tuple[LinearModel, dict[str, Any]]:
    """Verify an artifact and build its model."""
    manifest = verify(path, sha256)
    size = 1 << int(manifest["bits"])
    shapes = {"dense": (len(manifest["columns"]),), "scale": (size,), "text": (size,)}
    with np.load(Path(path) / WEIGHTS, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in _ARRAYS}
        curve = _curve(stored["curve"]) if "curve" in stored.files else OperatingCurve()  # jobscam-1.0.0 has none
    for name, kind in _ARRAYS.items():
        if arrays[name].dtype != kind or arrays[name].shape != shapes[name] or not np.isfinite(arrays[name]).all():
            raise ArtifactError(f"{Path(path) / WEIGHTS}: array '{name}' is not what the manifest promises")
    calibration = _calibration(manifest["calibration"])
    if manifest["feature_schema"] == 1:  # its curve is kept over log-odds before calibration
        curve = replace(curve, log_odds=tuple(calibration.log_odds(value) for value in curve.log_odds))
    if not min(slope for slope, _ in [(calibration.slope, 0), *calibration.languages.values()]) > 0:
        raise ArtifactError(f"{path}: calibration must increase with the logit")
    model = LinearModel(
        names=tuple(manifest["columns"]),
        dense=arrays["dense"],
        scale=arrays["scale"].astype(np.float64),
        text=arrays["text"].astype(np.float64),
        bias=float(manifest["bias"]),
        bits=int(manifest["bits"]),
        schema=int(manifest["feature_schema"]),
        calibration=calibration,
        curve=curve,
        thresholds={k: float(v) for k, v in manifest["thresholds"].items()},
    )
    return model, manifest


def _calibration(stored: Mapping[str, Any]) -> Calibration:
    languages = {str(name): (float(slope), float(offset)) for name, (slope, offset) in stored.get("languages", {}).items()}
    return Calibration(float(stored["slope"]), float(stored["offset"]), float(stored["prevalence"]), languages)


def _curve(stored: Any) -> OperatingCurve:
    if stored.dtype != np.float64 or stored.ndim != 2 or len(stored) != 3 or not np.isfinite(stored).all():
        raise ArtifactError("the operating curve of the artifact is damaged; restore the artifact from its source")
    return OperatingCurve(*(tuple(row.tolist()) for row in stored))


def _folders() -> list[Path]:
    """Where shipped artifacts lie: inside the installed package, or in the checkout's ``models``."""
    package = Path(features.__file__).parent
    return [package / "artifacts", package.parent.parent / "models"]


def artifacts_in(*folders: Path) -> dict[str, Path]:
    """Artifacts ``<name>-<semver>`` of some folders by name and version; an earlier folder hides what a later one has."""
    found = {file.parent.name: file.parent for folder in reversed(folders) for file in folder.glob(f"*/{MANIFEST}")}
    named = [(version, found[full]) for full in found if (version := semver.split(full))]
    return {path.name: path for _, path in sorted(named, key=lambda item: (item[0].name, item[0].key))}


def list_artifacts() -> list[tuple[str, Path]]:
    """Shipped artifacts by name, the newest version last."""
    return list(artifacts_in(*_folders()).items())


def shipped_path() -> Path:
    """Folder of the newest shipped artifact."""
    found = dict(list_artifacts())
    name = semver.newest(found, _SHIPPED)
    if name is None:
        raise ArtifactError("no shipped model was found; reinstall jobscam, or name an artifact with --model PATH")
    return found[name]
