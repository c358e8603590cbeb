"""Dask, on real worker processes: the scores of one machine, whatever the number of workers and whoever of them dies."""

from __future__ import annotations

import gc
import glob
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobscam.cli.app import app
from jobscam.engines import dask as engine
from jobscam.engines.parcel import pack
from jobscam.errors import InputError, JobscamError
from jobscam.model import artifact
from jobscam.scoring import Scorer, load

pd = pytest.importorskip("pandas")
pytest.importorskip("distributed", reason="distributed is not installed (extra dask)")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra dask)")
import dask.dataframe as dd  # noqa: E402
import distributed  # noqa: E402
import pyarrow as pa  # noqa: E402

pytestmark = pytest.mark.skipif(not artifact.list_artifacts(), reason="no shipped model in models/ yet")
SAMPLES = Path(__file__).parents[1] / "data" / "samples" / "ads.csv"
ROWS, GROUP = 132, 11
run = CliRunner().invoke


@pytest.fixture(scope="module")
def ads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of six row groups each; some ads lack their text, some numbers are longer than a float is exact."""
    folder = tmp_path_factory.mktemp("ads")
    frame = pd.read_csv(SAMPLES, dtype=str, keep_default_na=False).iloc[:ROWS]
    texts = [None if i % 20 == 7 else text for i, text in enumerate(frame["text"])]
    numbers = pa.array([None if i % 9 == 0 else 2**60 + i for i in range(ROWS)], pa.int64())
    skills = [["jujur"], None, ["jujur", "rajin"]] * (ROWS // 3)
    columns = {"post_number": numbers, "isi_iklan": texts, "lokasi": frame["location"].tolist(), "skills": skills}
    table = pa.table({**columns, "jobscam_tier": ["old"] * ROWS})
    for start in (0, ROWS // 2):
        pq.write_table(table.slice(start, ROWS // 2), folder / f"{start:03}.parquet", row_group_size=GROUP)
    return folder


@pytest.fixture(scope="module")
def expected(ads: Path) -> Any:
    frame = pd.concat([pd.read_parquet(path) for path in sorted(ads.iterdir())], ignore_index=True)
    return load().score(frame)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with engine._local(2) as client:
        yield client.cluster


@pytest.fixture
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(2)
        yield client


def check(out: Path, ads: Path, expected: Any) -> dict[str, Any]:
    """Every row is there once, in its place, with the scores of one machine; returns what the folder says of itself."""
    files = sorted(out.glob("part-*.parquet"))
    assert sorted(p.name for p in out.iterdir()) == ["_SUCCESS", *(p.name for p in files)]
    got = pa.concat_tables([pq.read_table(path) for path in files])
    before = pa.concat_tables([pq.read_table(path) for path in sorted(ads.iterdir())]).drop_columns(["jobscam_tier"])
    assert got.column_names == expected.columns.tolist()
    assert got.select(before.column_names).equals(before)
    ours = [name for name in got.column_names if name.startswith("jobscam_")]
    pd.testing.assert_frame_equal(got.select(ours).to_pandas(), expected[ours], check_exact=True)
    record: dict[str, Any] = json.loads((out / "_SUCCESS").read_text(encoding="utf-8"))
    assert record["rows"] == len(expected) and [p["rows"] for p in record["partitions"]] == [GROUP] * (ROWS // GROUP)
    return record


def test_one_worker_from_the_command_line(ads: Path, expected: Any, tmp_path: Path) -> None:
    result = run(app, ["score", f"{ads}/*.parquet", "-o", str(tmp_path / "out"), "--engine", "dask"])
    assert result.exit_code == 0, result.output
    record = check(tmp_path / "out", ads, expected)
    counts = expected["jobscam_status"].value_counts()
    assert record["by_status"] == {name: counts[name] for name in sorted(counts.index)}
    assert record["by_tier"] == {n: c for n, c in sorted(expected["jobscam_tier"].value_counts().items()) if n}
    assert result.stdout == ""
    for line in (
        "Columns read: isi_iklan as description, lokasi as location, skills as requirements",
        f"Note: columns of an earlier run, replaced: jobscam_tier\n\n{ROWS} rows read = {ROWS} written to {tmp_path}/out + 0 rejected",
        f"{ROWS} written = {counts['scored']} scored + {counts['not_assessable']} not_assessable",
    ):
        assert line in result.stderr


def test_scheduler_of_ones_own_with_two_workers(cluster: Any, ads: Path, expected: Any, tmp_path: Path) -> None:
    command = ["score", str(ads), "-o", str(tmp_path / "out"), "--engine", "dask", "--scheduler", cluster.scheduler_address, "-q"]
    result = run(app, command)
    assert (result.exit_code, result.output) == (0, "")
    check(tmp_path / "out", ads, expected)


def test_four_workers(ads: Path, expected: Any, tmp_path: Path) -> None:
    summary = engine.score_files(ads, tmp_path / "out", workers=4)
    check(tmp_path / "out", ads, expected)
    assert summary.rows_in == summary.rows_out == ROWS and summary.rejected == 0
    assert summary.guessed_share() is not None


def test_worker_killed_in_the_middle(
    client: Any, ads: Path, expected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_score_partition", _slowly)
    pids = client.run(os.getpid)
    killed: list[int] = []

    def kill(progress: Any) -> None:
        if not killed:
            busy = [address for address, keys in client.processing().items() if keys]
            assert busy and progress.rows < ROWS
            killed.append(pids[busy[0]])
            os.kill(killed[0], signal.SIGKILL)

    summary = engine.score_files(ads, tmp_path / "out", client=client, on_progress=kill)
    check(tmp_path / "out", ads, expected)
    assert summary.rows_in == summary.rows_out == ROWS
    client.wait_for_workers(2)
    assert killed[0] not in client.run(os.getpid).values()


def _slowly(frame: Any, parcel: Any) -> Any:
    time.sleep(0.2)
    return parcel.score(frame)


def test_worker_that_a_partition_always_kills(client: Any, ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_score_partition", _die)
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    with pytest.raises(JobscamError, match="workers died"):
        engine.score_files(ads, tmp_path / "out", client=client)
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def _die(frame: Any, parcel: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def test_failure_on_a_worker_names_the_partition(client: Any, ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_score_partition", _fail)
    with pytest.raises(JobscamError, match=r"0\d\d\.parquet, row group \d: a worker reports ZeroDivisionError"):
        engine.score_files(ads, tmp_path / "out", client=client)
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def _fail(frame: Any, parcel: Any) -> Any:
    raise ZeroDivisionError if len(frame) else None


def test_worker_with_another_jobscam_is_refused(client: Any, ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a worker would stop as soon as it is sent something, and the run would wait for ever."""
    monkeypatch.setattr(engine, "__version__", "9.9.9")
    with pytest.raises(JobscamError, match=r"the worker tcp://\S+ needs jobscam\[dask\] 9\.9\.9, as all machines do; it has \d"):
        engine.score_files(ads, tmp_path / "out", client=client)
    monkeypatch.setattr(engine, "resolve_name", _not_there)
    with pytest.raises(JobscamError, match="it reports: No module named 'jobscam'"):
        engine.score_files(ads, tmp_path / "out", client=client)
    assert not (tmp_path / "out").exists()


def _not_there(name: str) -> Any:
    raise ModuleNotFoundError("No module named 'jobscam'")


def test_frame_of_ones_own(client: Any, ads: Path, scorer: Scorer) -> None:
    frame = pd.read_parquet(next(ads.iterdir())).iloc[:30].set_index("post_number")
    scored = engine.score(dd.from_pandas(frame, npartitions=3, sort=False), reasons=1, language="en")
    local = scorer.score(frame, reasons=1, language="en")
    assert scored.columns.tolist() == local.columns.tolist() and scored.npartitions == 3
    got = client.compute(scored).result()
    assert got.index.equals(local.index)
    ours = [name for name in local.columns if name.startswith("jobscam_")]
    pd.testing.assert_frame_equal(got[ours], local[ours], check_exact=True)


def test_files_of_the_scorer_are_in_the_graph_once(ads: Path) -> None:
    parcel = pack()
    one, many = (
        sum(len(distributed.protocol.pickle.dumps(task)) for task in engine.score(frame, parcel).optimize().dask.values())
        for frame in (dd.from_pandas(pd.DataFrame({"text": ["halo"] * 40}), npartitions=n) for n in (1, 20))
    )
    size = sum(map(len, parcel.bundle.files.values()))
    assert size < one < 1.1 * size and many < 1.1 * size


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--campaigns"], "--campaigns: works on one machine only"),
        (["--report", "page.html"], "--report: works on one machine only"),
        (["--order", "risk"], "--order: works on one machine only"),
        (["--limit", "5"], "--limit: works on one machine only"),
        (["-o", "-"], "the engine dask writes a folder"),
        (["--scheduler", "tcp://127.0.0.1:9", "--workers", "2"], "the scheduler has workers of its own"),
    ],
)
def test_what_needs_one_machine_is_refused(ads: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = run(app, ["score", str(ads), "--engine", "dask", "-o", str(tmp_path / "out"), *arguments])
    assert result.exit_code == 2 and message in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_scheduler_without_the_engine_is_refused(tmp_path: Path) -> None:
    result = run(app, ["score", "ads.csv", "--scheduler", "tcp://127.0.0.1:9"])
    assert result.exit_code == 2 and "is for --engine dask" in result.stderr


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "no-such-kind://x", "127.0.0.1"])
def test_scheduler_that_does_not_answer(ads: Path, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TIMEOUT", 1.0)
    with pytest.raises(InputError, match=f"no scheduler answers at {address}"):
        engine.score_files(ads, tmp_path / "out", scheduler=address)
    assert not (tmp_path / "out").exists()


def empty_cluster() -> Any:
    """A scheduler alone. Dask gives its thread ten seconds to start, and a busy machine once did not."""
    for _ in range(3):
        try:
            return distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0")
        except AssertionError:
            gc.collect()
    raise AssertionError("no scheduler starts on this machine")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of a cluster that did not start
def test_scheduler_without_workers(ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TIMEOUT", 1.0)
    with empty_cluster() as empty, pytest.raises(InputError, match="has no workers"):
        engine.score_files(ads, tmp_path / "out", scheduler=empty.scheduler_address)


def test_table_without_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "b": [2]}), tmp_path / "numbers.parquet")
    with pytest.raises(InputError, match=r"numbers\.parquet: no column holds the text"):
        engine.score_files(tmp_path / "numbers.parquet", tmp_path / "out")
    with pytest.raises(InputError, match="no column holds the text"):
        engine.score(dd.from_pandas(pd.DataFrame({"a": [1], "b": [2]}), npartitions=1))


def test_column_may_be_named(tmp_path: Path, client: Any, scorer: Scorer) -> None:
    words = "Loker Kamboja, CS slot, gaji 12jt, tiket & paspor ditanggung, tanpa pengalaman"
    pq.write_table(pa.table({"a": [1], "kolom": [words]}), tmp_path / "x.parquet")
    engine.score_files(tmp_path / "x.parquet", tmp_path / "out", client=client, overrides={"description": "kolom"})
    (path,) = glob.glob(f"{tmp_path}/out/*.parquet")
    assert pq.read_table(path)["jobscam_probability"].to_pylist() == scorer.score([words])["jobscam_probability"].tolist()


def test_missing_extra(ads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install jobscam\[dask\]"):
        engine.score_files(ads, tmp_path / "out")
