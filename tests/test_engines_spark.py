"""Spark, on this machine: the scores of one machine, from frames of pandas and from Arrow."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobscam.engines.parcel import pack
from jobscam.engines.spark import schema_of, score_arrow_batches, score_batches
from jobscam.errors import InputError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.model import artifact
from jobscam.scoring import Scorer

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra spark)")
has_model = pytest.mark.skipif(not artifact.list_artifacts(), reason="no shipped model in models/ yet")
SAMPLES = Path(__file__).parents[1] / "data" / "samples" / "ads.csv"
# Spark warns of every pandas 3, and leaves sockets and processes to be closed by the interpreter.
pytestmark = [
    has_model,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    pytest.importorskip("pyspark", reason="pyspark is not installed (extra spark)")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("there is no Java for Spark")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(tmp_path_factory.mktemp("spark")),
        "spark.log.level": "ERROR",
    }.items():
        builder = builder.config(name, value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = builder.getOrCreate()
    yield session
    gateway = session.sparkContext._gateway
    session.stop()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(30)


@pytest.fixture(scope="module")
def table(session: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Ads in two partitions, of which some lack their text."""
    import pyarrow.parquet as pq

    ads = pd.read_csv(SAMPLES, dtype=str, keep_default_na=False).iloc[:60]
    count = range(len(ads))
    columns = {
        "row": pa.array(count, pa.int32()),
        "post_number": pa.array([None if i % 9 == 0 else 2**60 + 1 + i for i in count], pa.int64()),
        "text": [None if i % 20 == 7 else text for i, text in enumerate(ads["text"])],
        "jobscam_tier": ["old"] * len(ads),
        "lokasi": ads["location"].tolist(),
    }
    folder = tmp_path_factory.mktemp("ads")
    pq.write_table(pa.table(columns).slice(0, 30), folder / "0.parquet")
    pq.write_table(pa.table(columns).slice(30), folder / "1.parquet")
    return session.read.parquet(str(folder)).repartition(2, "row"), pa.table(columns)


def check(scored: Any, before: Any, scorer: Scorer, **settings: Any) -> Any:
    assert scored.columns == ["row", "post_number", "text", "lokasi", *OUTPUT_COLUMNS]
    rows = sorted(scored.collect(), key=lambda row: row["row"])
    assert [row["row"] for row in rows] == before["row"].to_pylist()
    local = scorer.score(before.to_pandas(), **settings)
    got = pd.DataFrame([row.asDict() for row in rows], columns=scored.columns)
    ours = list(OUTPUT_COLUMNS)
    pd.testing.assert_frame_equal(got[ours], local[ours], check_exact=True)
    assert [row["text"] for row in rows] == before["text"].to_pylist()
    return rows


def test_batches_of_pandas(table: Any, scorer: Scorer) -> None:
    frame, before = table
    check(frame.mapInPandas(score_batches(), schema_of(frame.schema)), before, scorer)


def test_batches_of_arrow_keep_every_value(table: Any, scorer: Scorer) -> None:
    frame, before = table
    function = score_arrow_batches(reasons=1, language="en")
    rows = check(frame.mapInArrow(function, schema_of(frame.schema)), before, scorer, reasons=1, language="en")
    assert [row["post_number"] for row in rows] == before["post_number"].to_pylist()


def test_artifact_travels_in_the_broadcast_alone(session: Any) -> None:
    from pyspark.cloudpickle import dumps

    function = score_batches(pack(), session=session)
    assert len(dumps(function)) < 10_000 < sum(map(len, function.shared.value.bundle.files.values()))  # type: ignore[attr-defined]


def test_schema_replaces_columns_of_an_earlier_run(session: Any, table: Any) -> None:
    schema = schema_of(table[0].schema)
    assert schema.names == ["row", "post_number", "text", "lokasi", *OUTPUT_COLUMNS]
    assert schema_of(schema) == schema


def test_without_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed (extra spark)")
    monkeypatch.setattr(sql.SparkSession, "getActiveSession", staticmethod(lambda: None))
    with pytest.raises(InputError, match="no active Spark session"):
        score_batches()


def test_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(InputError, match=r"pip install jobscam\[spark\]"):
        schema_of(None)
