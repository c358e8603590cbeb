from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from jobscam import knowledge
from jobscam.errors import ArtifactError
from jobscam.indicators import IndicatorReader
from jobscam.scoring import Scorer, load
from jobscam.text import Normaliser

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
# A machine may be busy with other work: what takes long is the business of the tests that measure it.
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")


@pytest.fixture(scope="session", autouse=True)
def no_models_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests, and the programs they start, use the shipped model, whatever whoever runs them has promoted."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(tmp_path_factory.mktemp("home")))
        for name in ("JOBSCAM_MODEL", "JOBSCAM_MODELS"):
            patch.delenv(name, raising=False)
        yield


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
