"""Dask on an object store: a server that speaks S3 on this machine, with driver, workers and files as in real use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobscam.model import artifact
from jobscam.scoring import load

pd = pytest.importorskip("pandas")
pytest.importorskip("distributed", reason="distributed is not installed (extra dask)")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra dask)")
s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed (extra store)")
server = pytest.importorskip("moto.server", reason="moto is not installed (extra store)")

from jobscam.engines import dask as engine  # noqa: E402
from jobscam.errors import InputError  # noqa: E402

pytestmark = pytest.mark.skipif(not artifact.list_artifacts(), reason="no shipped model in models/ yet")
SAMPLES = Path(__file__).parents[1] / "data" / "samples" / "ads.csv"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty store; its address and keys stand in the environment, as the workers expect them."""
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    for name, value in (
        ("ENDPOINT_URL", f"http://{host}:{port}"),
        ("ACCESS_KEY_ID", "fictitious"),
        ("SECRET_ACCESS_KEY", "fictitious"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        yield s3fs.S3FileSystem()
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        running.stop()


def test_from_a_store_into_a_store(store: Any, tmp_path: Path) -> None:
    frame = pd.read_csv(SAMPLES, dtype=str, keep_default_na=False).iloc[:60]
    store.mkdir("ads")
    for start in (0, 30):
        frame.iloc[start : start + 30].to_parquet(tmp_path / "one.parquet", row_group_size=10, index=False)
        store.put(str(tmp_path / "one.parquet"), f"ads/in/{start:03}.parquet")
    summary = engine.score_files("s3://ads/in/*.parquet", "s3://ads/out", workers=2)
    assert summary.rows_in == summary.rows_out == 60 and summary.notes == []
    names = [f"part-{number:06}.parquet" for number in range(6)]
    assert sorted(path.rpartition("/")[2] for path in store.ls("ads/out")) == ["_SUCCESS", *names]
    got = pd.concat([pd.read_parquet(store.open(f"ads/out/{name}")) for name in names], ignore_index=True)
    expected = load().score(frame).reset_index(drop=True)
    pd.testing.assert_frame_equal(got, expected, check_dtype=False, check_exact=True)
    record = json.loads(store.cat("ads/out/_SUCCESS"))
    assert record["rows"] == 60 and record["partitions"][3]["source"] == "s3://ads/in/030.parquet"
    with pytest.raises(InputError, match="s3://ads/out is not empty, it holds a finished run"):
        engine.score_files("s3://ads/in", "s3://ads/out")


def test_store_without_what_is_asked_for(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="s3://nowhere/in: there are no such Parquet files"):
        engine.score_files("s3://nowhere/in", "s3://nowhere/out")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(InputError, match=r"s3://ads/in cannot be reached: .*redentials"):
        engine.score_files("s3://ads/in", "s3://ads/out")
