"""constraints.txt pins all that the extras bring along."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
# The tool that installs brings its own.
UNPINNED = {"setuptools"}


def folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed() -> set[str]:
    """Names of everything the project and its extras require, as far as it is installed here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = folded(requirement.name)
        for extra in ("", *requirement.extras):
            if name == "jobscam" or (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                found = [Requirement(line) for line in requires(name) or []]
            except PackageNotFoundError:
                continue
            waiting += [str(r) for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def test_everything_is_pinned_once() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [folded(line.split("==")[0]) for line in lines]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert len(set(pins)) == len(pins)
    assert sorted(needed() - UNPINNED - set(pins)) == []
