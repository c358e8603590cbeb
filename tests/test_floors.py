"""Imports point down the floors only, and importing does nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import jobscam

PACKAGE = Path(jobscam.__file__).parent
FLOORS = (
    ("values", "errors", "knowledge"),
    ("posting", "text"),
    ("indicators",),
    ("ngrams", "features"),
    ("model",),
    ("explain", "render", "campaigns"),
    ("io",),
    (
        "scoring",
        "scored",
        "queue",
        "labelling",
        "drift",
        "corpus",
        "labelled",
        "training",
        "adaptation",
        "retraining",
        "comparison",
        "evaluation",
        "grouping",
        "streaming",
        "summary",
        "batches",
        "assessing",
        "tally",
        "journal",
        "work",
        "identity",
        "parallel",
        "sorting",
    ),
    ("report", "integrations", "engines"),
    ("cli",),
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
# The estimator turns what it is given into postings with the same function as the scorer, and a cell of a data frame is
# written as the readers of files write it: both at call time.
ALLOWED = {("model/inputs.py", "scoring"), ("posting.py", "io")}
FILES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Names of our modules that a file imports, its TYPE_CHECKING blocks left out."""
    found: set[str] = set()

    class Visitor(ast.NodeVisitor):
        def visit_If(self, node: ast.If) -> None:
            if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
                self.generic_visit(node)

        def visit_Import(self, node: ast.Import) -> None:
            found.update(a.name.split(".")[1] for a in node.names if a.name.startswith("jobscam."))

        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            assert node.level == 0, f"{path}: relative import"
            if node.module == "jobscam":
                found.update(a.name for a in node.names)
            elif node.module and node.module.startswith("jobscam."):
                found.add(node.module.split(".")[1])

    Visitor().visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    own = relative.parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    assert own in FLOOR, f"{own} stands on no floor: add it to FLOORS"
    for name in imported(path) & set(FLOOR):
        if (relative.as_posix(), name) not in ALLOWED:
            assert FLOOR[name] <= FLOOR[own], f"{relative} (floor {FLOOR[own]}) imports {name} (floor {FLOOR[name]})"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_can_be_held_in_mind(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_import_is_light_and_without_effects() -> None:
    code = (
        "import logging, os, sys; before = set(os.listdir('.')); import jobscam; "
        "heavy = {'pandas', 'sklearn', 'scipy', 'numpy', 'langdetect', 'typer', 'rich'} & set(sys.modules); "
        "assert not heavy, heavy; assert not logging.getLogger().handlers; assert set(os.listdir('.')) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_scoring_needs_no_training_library() -> None:
    code = (
        "import sys, jobscam; jobscam.load().assess('Dicari kasir toko di Depok, gaji 2,5jt, jujur dan rajin'); "
        "heavy = {'pandas', 'sklearn', 'scipy'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_exist() -> None:
    for name in jobscam.__all__:
        assert getattr(jobscam, name) is not None
