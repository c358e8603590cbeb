from __future__ import annotations

from pathlib import Path

import pytest

from jobscam import knowledge
from jobscam.errors import ArtifactError
from jobscam.indicators import IndicatorReader
from jobscam.scoring import Scorer, load
from jobscam.text import Normaliser

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def normaliser() -> Normaliser:
    return Normaliser(knowledge.load())


@pytest.fixture(scope="session")
def reader() -> IndicatorReader:
    return IndicatorReader(knowledge.load())


@pytest.fixture(scope="session")
def scorer() -> Scorer:
    try:
        return load()
    except ArtifactError as error:
        pytest.skip(f"no shipped model: {error}")


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the real sources are not here: they are not ours to republish (see CONTRIBUTING.md)")
    return SHARED
