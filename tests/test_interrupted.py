"""A training that is killed leaves no artifact or a whole one, and nothing that is taken for a model."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits
from typer.testing import CliRunner

from jobscam.cli.app import app
from jobscam.errors import ArtifactError
from jobscam.model import artifact, registry

if sys.platform == "win32":
    pytest.skip("Windows has no SIGKILL", allow_module_level=True)

SAMPLES = Path(__file__).parent.parent / "data" / "samples" / "test.csv"
# A pre-release, since the name of what is being written, with more behind its last dot, might pass for one.
NAME = "mine-1.0.0-rc.1"
# The program itself, killed the moment before it writes or renames a file of a name.
CHILD = """
import os, signal, sys

event, name, *sys.argv[1:] = sys.argv[1:]

def kill(what, args):
    if what != event or isinstance(args[0], int) or (what == "open" and "w" not in (args[1] or "r")):
        return
    if os.path.basename(os.fspath(args[1 if what == "os.rename" else 0])) == name:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
from jobscam.cli.app import main
main()
"""
# What is killed when, and what it leaves in its hidden folder.
MOMENTS = [
    ("open", f"{artifact.MANIFEST}.sha256", {artifact.WEIGHTS, artifact.CARD, artifact.MANIFEST}),
    ("os.rename", NAME, {artifact.WEIGHTS, artifact.CARD, artifact.MANIFEST, f"{artifact.MANIFEST}.sha256"}),
]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    with SAMPLES.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = [row for label in ("scam", "legit") for row in [r for r in rows if r["label"] == label][:4]]
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([("text", "label"), *((row["text"] or row["title"], row["label"]) for row in chosen)])
    return tmp_path / "labels.csv"


def listed(folder: Path) -> set[str]:
    """Models of the folder that can be named."""
    result = CliRunner().invoke(app, ["model", "list", "--models", str(folder)])
    assert result.exit_code == 0, result.output
    return {line.split()[0] for line in result.stdout.splitlines() if line.split()[1] == "own"}


def test_a_killed_training_leaves_nothing_that_is_taken_for_a_model(tmp_path: Path, labels: Path) -> None:
    folders = [tmp_path / f"models-{i}" for i in range(len(MOMENTS) + 1)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    starts = [[sys.executable, "-c", CHILD, event, name] for event, name, _ in MOMENTS] + [[sys.executable, "-m", "jobscam"]]
    running = [
        subprocess.Popen([*start, "train", str(labels), "-o", str(folder / NAME)], stderr=subprocess.PIPE, env=environment)
        for start, folder in zip(starts, folders, strict=True)
    ]
    # The last is killed from outside, amid its work.
    stderr = running[-1].stderr
    assert stderr is not None
    assert any(b"part 2 of" in line for line in stderr)
    running[-1].kill()
    for process in running:
        said = process.communicate(timeout=60)[1]
        assert process.returncode == -signal.SIGKILL, said
    for folder, (*_, files) in zip(folders, MOMENTS, strict=False):
        (left,) = folder.iterdir()  # a hidden folder, else the test would have killed too early to show anything
        assert left.name.startswith(f".{NAME}.") and {file.name for file in left.iterdir()} == files
        assert listed(folder) == set()
        with pytest.raises(ArtifactError, match="there is no model 'mine'"):
            registry.find("mine", folder)
    assert not folders[-1].exists() or not any(folders[-1].iterdir())

    # All that debris in one folder is in nobody's way.
    for folder in folders[1:-1]:
        for left in folder.iterdir():
            left.rename(folders[0] / left.name)
    with threadpool_limits(1):
        result = CliRunner().invoke(app, ["train", str(labels), "-o", str(folders[0] / NAME), "-q"])
    assert result.exit_code == 0, result.output
    artifact.read(folders[0] / NAME)
    assert listed(folders[0]) == {NAME}
    assert registry.promote("mine", folders[0]).name == NAME
    assert registry.choose(models=folders[0]).path.name == NAME


@pytest.mark.parametrize("moment", ["copied", registry.CURRENT])
def test_a_killed_promotion_changes_nothing(tmp_path: Path, moment: str) -> None:
    source, folder = artifact.shipped_path(), tmp_path / "models"
    renamed = source.name if moment == "copied" else moment
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "os.rename", renamed, "model", "promote", str(source), "--models", str(folder)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert any(left.name.startswith(f".{renamed}.") for left in folder.iterdir())
    assert listed(folder) == ({source.name} if moment == registry.CURRENT else set())
    assert registry.choose(models=folder) == registry.Choice(source)
    assert registry.promote(source, folder).name == source.name
    assert registry.choose(models=folder).path == folder / source.name
