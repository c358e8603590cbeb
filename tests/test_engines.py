"""What the engines share: the parcel that goes to the workers, and Parquet files as partitions. No cluster is needed here."""

from __future__ import annotations

import datetime
import json
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobscam.engines import parcel as parcels
from jobscam.engines.parcel import Parcel, pack
from jobscam.errors import ArtifactError, InputError, JobscamError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.io import open_table
from jobscam.io.table import Row
from jobscam.model import artifact
from jobscam.posting import ColumnMap
from jobscam.scoring import Scorer, load, postings_of

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra dask)")
pytest.importorskip("fsspec", reason="fsspec is not installed (extra dask)")
import pyarrow.parquet as pq  # noqa: E402

from jobscam.engines import parquet  # noqa: E402

pytestmark = pytest.mark.skipif(not artifact.list_artifacts(), reason="no shipped model in models/ yet")
ADS = (
    "Loker Kamboja, CS slot, gaji 12jt, tiket & paspor ditanggung, tanpa pengalaman, WA 0812-0000-1473",
    "Dicari kasir toko di Depok, jujur, gaji 2,5jt, lamaran antar langsung ke toko",
    "Finance manager, Phnom Penh. Work permit before departure. CV to hr@contoh.example",
    "Waspada penipuan lowongan kerja di Kamboja! Jangan mudah percaya tawaran gaji besar.",
)


@pytest.fixture
def fresh() -> Iterator[None]:
    """No scorer is at hand yet, as in a new worker process."""
    parcels._scorers.clear()
    yield
    parcels._scorers.clear()


def table(rows: int = 4, start: int = 0) -> Any:
    """Ads beside values that do not survive every library."""
    ids = range(start, start + rows)
    return pa.table(
        {
            "post": pa.array([None if i % 3 == 1 else 2**60 + 1 + i for i in ids], pa.int64()),
            "isi_iklan": pa.array([None if i % 5 == 4 else ADS[i % 4] for i in ids], pa.string()),
            "seen": pa.array([datetime.datetime(2025, 1, 31, 7, i % 60) for i in ids], pa.timestamp("us", "Asia/Jakarta")),
            "skills": pa.array([["jujur", "rajin"] if i % 2 else None for i in ids], pa.list_(pa.string())),
            "ok": pa.array([None if i % 2 else True for i in ids], pa.bool_()),
            "kota": pa.array(["Medan" for _ in ids], pa.string()).dictionary_encode(),
            "more": pa.array([{"a": i} for i in ids], pa.struct([("a", pa.int64())])),
            "share": pa.array([float("nan") if i % 2 else None for i in ids], pa.float32()),
        }
    )


def save(folder: Path, *sizes: int, group: int = 3) -> Path:
    folder.mkdir(exist_ok=True)
    for number, rows in enumerate(sizes):
        ads = table(rows, 100 * number)
        with pq.ParquetWriter(folder / f"ads-{number}.parquet", ads.schema) as writer:
            if rows:  # else a file without any row group
                writer.write_table(ads, row_group_size=group)
    return folder


# The parcel


def test_parcel_needs_nothing_of_the_machine_that_packed_it(tmp_path: Path, fresh: None) -> None:
    model = tmp_path / "mine"
    shutil.copytree(artifact.shipped_path(), model)
    agencies = tmp_path / "agencies.csv"
    shipped = Path(parcels.__file__).parents[1] / "knowledge" / "tables" / "agencies.csv"
    agencies.write_bytes(shipped.read_bytes())
    frame = pd.DataFrame({"text": ADS})
    arguments: dict[str, Any] = {"prevalence": 0.02, "thresholds": {"high": 0.4}, "agencies": agencies}
    expected = load(model, **arguments).score(frame, reasons=2, language="en")
    raw = pickle.dumps(pack(model, **arguments, reasons=2, language="en"))
    shutil.rmtree(model)
    agencies.unlink()
    parcels._scorers.clear()
    pd.testing.assert_frame_equal(pickle.loads(raw).score(frame), expected, check_exact=True)


def test_scorer_is_made_once_a_process(fresh: None) -> None:
    parcel = pack()
    assert pickle.loads(pickle.dumps(parcel)).scorer() is parcel.scorer()
    assert pack(reasons=1).scorer() is not parcel.scorer()
    for number in range(6):
        pack(reasons=10 + number)
    assert len(parcels._scorers) <= 4


@pytest.mark.parametrize("change", ["version", "knowledge"])
def test_worker_with_another_jobscam_is_refused(change: str, fresh: None) -> None:
    parcel = pack()
    parcels._scorers.clear()
    other = replace(parcel, version="0.0.1") if change == "version" else replace(parcel, bundle=replace(parcel.bundle, base="x"))
    with pytest.raises(ArtifactError, match="one and the same jobscam on all machines"):
        other.scorer()


def test_promoted_model_that_was_exchanged_is_refused() -> None:
    from jobscam.model.registry import Choice

    with pytest.raises(ArtifactError, match="exchanged"):
        pack(Choice(artifact.shipped_path(), "current", "0" * 64))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"language": "fr"}, "language is 'id' or 'en'"),
        ({"prevalence": 2.0}, "prevalence"),
        ({"thresholds": {"huge": 0.5}}, "huge"),
        ({"source": "no-such-model"}, "there is no model"),
    ],
)
def test_settings_are_checked_before_anything_is_sent(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(JobscamError, match=message):
        pack(**arguments)


packed_once = cache(pack)


def test_a_scorer_cannot_travel(scorer: Scorer) -> None:
    with pytest.raises(InputError, match=r"arguments of jobscam.load as a mapping, or a Parcel; got Scorer"):
        parcels.packed(scorer)  # type: ignore[arg-type]


@pytest.fixture
def parcel() -> Parcel:
    return packed_once()


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.one_of(st.none(), st.text(max_size=200)), max_size=4))
def test_any_text_scores_as_without_an_engine(texts: list[str | None]) -> None:
    parcel = packed_once()
    frame = pd.DataFrame({"text": texts}, index=[7] * len(texts), dtype=object)
    got = parcel.score(frame)
    assert list(got.dtypes.astype(str)) == list(parcel.meta(frame).dtypes.astype(str))
    expected = parcel.scorer().score(texts).set_axis(frame.index)
    pd.testing.assert_frame_equal(got[list(OUTPUT_COLUMNS)], expected, check_exact=True, check_dtype=bool(texts))


def test_a_row_at_which_we_fail_does_not_take_the_others_along(
    tmp_path: Path, parcel: Parcel, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = parquet.frame_of(table(8))
    plain = parcel.score(frame)
    kept = Scorer.assess_many

    def assess_many(self: Scorer, items: Any) -> Any:
        listed = list(items)
        if any("Waspada" in item.description for item in listed):
            raise ZeroDivisionError("a fault of\n ours")
        return kept(self, listed)

    monkeypatch.setattr(Scorer, "assess_many", assess_many)
    found = parcel.score(frame)
    failed = [i for i, text in enumerate(frame["isi_iklan"]) if text is not pd.NA and "Waspada" in text]
    others = [i for i in range(8) if i not in failed]
    assert found.columns.equals(plain.columns) and found.index.equals(plain.index)
    pd.testing.assert_frame_equal(found.iloc[others], plain.iloc[others], check_exact=True)
    pd.testing.assert_frame_equal(found.iloc[:, :3], plain.iloc[:, :3], check_exact=True)
    assert len(failed) == 2
    for i in failed:
        row = found.iloc[i]
        assert row["jobscam_reasons"] == "could not be scored: ZeroDivisionError: a fault of ours"
        assert (row["jobscam_status"], row["jobscam_tier"]) == ("not_assessable", "") and pd.isna(row["jobscam_probability"])
    folder = parquet.prepare(tmp_path / "out")
    written = parquet.write(found, 0, folder, parquet.scored_schema(table(8).schema))
    parquet.complete(folder, "m", [parquet.Piece("in", 0, 8)], [written])
    record = json.loads((tmp_path / "out" / "_SUCCESS").read_text(encoding="utf-8"))
    assert written.failed == record["failed"] == record["partitions"][0]["failed"] == 2


def test_a_partition_without_text_is_not_taken_for_rows_that_fail(parcel: Parcel) -> None:
    with pytest.raises(InputError, match="no column holds the text"):
        parcel.score(pd.DataFrame({"a": [1], "b": [2]}))


@pytest.mark.parametrize("use", [parquet.find, parquet.prepare])
def test_place_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, use: Any) -> None:
    class Store:
        protocol = "s3"

        def __getattr__(self, name: str) -> Any:
            raise ConnectionError("no credentials")

    monkeypatch.setattr(parquet, "_filesystem", lambda address: (Store(), "ads/in"))
    with pytest.raises(InputError, match="s3://ads/in cannot be reached: ConnectionError: no credentials; see that"):
        use("s3://ads/in")


def test_columns_of_an_earlier_run_are_replaced_and_others_kept(parcel: Parcel) -> None:
    once = parcel.score(pd.DataFrame({"b": [1, 2], "text": ADS[:2], "jobscam_campaign": ["x", "y"], "a": [3, 4]}))
    again = parcel.score(once.assign(jobscam_tier="wrong"))
    assert list(once.columns) == ["b", "text", "jobscam_campaign", "a", *OUTPUT_COLUMNS]
    pd.testing.assert_frame_equal(again, once, check_exact=True)


# Parquet


def test_every_value_stays_as_it_is(tmp_path: Path, parcel: Parcel, scorer: Scorer) -> None:
    data = parquet.find(save(tmp_path / "in", 7, 0, 2))
    assert [(Path(p.file).name, p.group, p.rows) for p in data.pieces] == [
        ("ads-0.parquet", 0, 3), ("ads-0.parquet", 1, 3), ("ads-0.parquet", 2, 1), ("ads-1.parquet", None, 0), ("ads-2.parquet", 0, 2),
    ]  # fmt: skip
    folder = parquet.prepare(tmp_path / "out")
    schema = parquet.scored_schema(data.schema)
    written = [
        parquet.write(parcel.score(parquet.read(piece, data.schema)), n, folder, schema) for n, piece in enumerate(data.pieces)
    ]
    parquet.complete(folder, scorer.name, data.pieces, written)

    before = pa.concat_tables([table(7), table(0), table(2, 200)])
    after = pa.concat_tables([pq.read_table(tmp_path / "out" / part.file) for part in written])
    assert after.column_names == [*before.column_names, *OUTPUT_COLUMNS]
    assert after.select(before.column_names).unify_dictionaries().to_pylist().__repr__() == before.to_pylist().__repr__()
    assert after.schema.field("post").type == pa.int64() and after.schema.field("kota").type == before.schema.field("kota").type
    local = scorer.score(before.to_pandas())
    got = after.select(list(OUTPUT_COLUMNS)).to_pandas()
    pd.testing.assert_frame_equal(got, local[list(OUTPUT_COLUMNS)], check_exact=True)
    assert got["jobscam_status"][4] == "not_assessable"  # without text: kept, with a status

    record = json.loads((tmp_path / "out" / "_SUCCESS").read_text(encoding="utf-8"))
    assert record["rows"] == 9 == sum(record["by_status"].values()) == sum(p["rows"] for p in record["partitions"])
    assert record["by_status"] == {k: int(v) for k, v in sorted(got["jobscam_status"].value_counts().items())}
    assert [p["file"] for p in record["partitions"]] == sorted(p.name for p in (tmp_path / "out").glob("part-*"))


def test_ads_are_read_as_on_one_machine(tmp_path: Path) -> None:
    ads = pa.table(
        {
            "text": ["Kasir toko di Depok", None, "Admin gudang"],
            "skills": [["jujur", "rajin"], [], None],
            "benefits": pa.array([{"mess": 1, "makan": "ya"}, None, {"mess": 2, "makan": None}]),
            "salary": [2_500_000.0, 0.1 + 0.2, None],
            "title": [True, None, False],
            "posted_at": pa.array([datetime.datetime(2026, 1, 31), None, datetime.datetime(2026, 1, 31, 7)], pa.timestamp("ns")),
            "company_profile": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
        }
    )
    pq.write_table(ads, tmp_path / "ads.parquet", row_group_size=2)
    with open_table(tmp_path / "ads.parquet") as one:
        mapping = ColumnMap.from_header(one.header)
        expected = [mapping.posting(row.cells) for row in one if isinstance(row, Row)]
    assert expected[0].requirements == '["jujur", "rajin"]' and expected[2].benefits == '{"mess": 2, "makan": null}'
    data = parquet.find(tmp_path / "ads.parquet")
    frames = [parquet.read(piece, data.schema) for piece in data.pieces]
    assert [posting for frame in frames for posting in postings_of(frame)] == expected
    back = [pa.Table.from_pandas(frame, schema=data.schema, preserve_index=False) for frame in frames]
    assert pa.concat_tables(back).to_pylist() == ads.to_pylist()


def test_index_that_pandas_wrote_is_a_column_in_its_place(tmp_path: Path) -> None:
    pd.DataFrame({"text": ADS}, index=[5, 6, 8, 9]).to_parquet(tmp_path / "ads.parquet")
    data = parquet.find(tmp_path / "ads.parquet")
    assert list(parquet.read(data.pieces[0], data.schema).columns) == ["text", "__index_level_0__"] == list(data.meta().columns)


def test_written_again_a_partition_is_the_same_file(tmp_path: Path, parcel: Parcel) -> None:
    data = parquet.find(save(tmp_path / "in", 3))
    frame, schema = parcel.score(parquet.read(data.pieces[0], data.schema)), parquet.scored_schema(data.schema)
    folder = parquet.prepare(tmp_path / "out")
    first = parquet.write(frame, 0, folder, schema)
    raw = (tmp_path / "out" / first.file).read_bytes()
    assert parquet.write(frame, 0, folder, schema) == first
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "out").iterdir()] == [(first.file, raw)]


def test_partition_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*paths: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(parquet.os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        parquet.put(str(tmp_path), "part-000000.parquet", b"half")
    assert list(tmp_path.iterdir()) == []


def test_object_store_gets_the_same_files(parcel: Parcel, tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    try:
        for file in save(tmp_path / "in", 4, 2).iterdir():
            memory.pipe_file(f"/ads/{file.name}", file.read_bytes())
        data = parquet.find("memory://ads/*.parquet")
        folder = parquet.prepare("memory://out")
        schema = parquet.scored_schema(data.schema)
        written = [
            parquet.write(parcel.score(parquet.read(piece, data.schema)), n, folder, schema)
            for n, piece in enumerate(data.pieces)
        ]
        parquet.complete(folder, "m", data.pieces, written)
        assert len(written) == 3 and memory.exists("/out/_SUCCESS")
        with pytest.raises(InputError, match="finished run"):
            parquet.prepare("memory://out")
    finally:
        memory.store.clear()
        memory.pseudo_dirs[:] = [""]


def test_unfinished_or_altered_folders_are_no_success(tmp_path: Path, parcel: Parcel) -> None:
    data = parquet.find(save(tmp_path / "in", 5))
    out = tmp_path / "out"
    folder = parquet.prepare(out)
    schema = parquet.scored_schema(data.schema)
    written = [
        parquet.write(parcel.score(parquet.read(piece, data.schema)), n, folder, schema) for n, piece in enumerate(data.pieces)
    ]
    for parts, message in [
        ([replace_rows(written[0], 2), written[1]], "has 3 rows, but 2 were written"),
        ([written[0], written[1]._replace(size=1)], "is not what a worker wrote"),
    ]:
        with pytest.raises(JobscamError, match=message):
            parquet.complete(folder, "m", data.pieces, parts)
    (out / "part-000009.parquet").write_bytes(b"")
    with pytest.raises(JobscamError, match=r"part-000009.* was put there by somebody else"):
        parquet.complete(folder, "m", data.pieces, written)
    (out / "part-000009.parquet").unlink()
    assert not (out / "_SUCCESS").exists()
    (out / ".part-000001.parquet.0a.tmp").write_bytes(b"of a killed worker")
    parquet.complete(folder, "m", data.pieces, written)
    assert sorted(p.name for p in out.iterdir()) == ["_SUCCESS", "part-000000.parquet", "part-000001.parquet"]
    (out / "part-000001.parquet").unlink()
    with pytest.raises(JobscamError, match="share the output folder"):
        parquet.complete(folder, "m", data.pieces, written)


def replace_rows(part: parquet.Written, rows: int) -> parquet.Written:
    return part._replace(rows=rows)


def test_a_folder_a_glob_a_file(tmp_path: Path) -> None:
    folder = save(tmp_path / "in", 1, 1)
    for hidden in ("_SUCCESS", ".part-000000.parquet.tmp", "_old.parquet"):
        (folder / hidden).write_bytes(b"")
    (folder / "notes.md").write_text("not ads")
    assert len(parquet.find(folder).pieces) == len(parquet.find(f"{folder}/*.parquet").pieces) == 2
    assert parquet.find(folder).notes == ["not read, as they are no Parquet files: notes.md"]
    assert len(parquet.find(folder / "ads-1.parquet").pieces) == 1
    deep = tmp_path / "tanggal=1"
    deep.mkdir()
    shutil.copy(folder / "ads-0.parquet", deep / "x.PARQUET")
    assert [p.file for p in parquet.find(f"{tmp_path}/*/*.PARQUET").pieces] == [str(deep / "x.PARQUET")]
    (tmp_path / "_temporary").mkdir()
    shutil.copy(folder / "ads-0.parquet", tmp_path / "_temporary" / "y.PARQUET")
    assert [p.file for p in parquet.find(f"{tmp_path}/**/*.PARQUET").pieces] == [str(deep / "x.PARQUET")]
    assert parquet.find(tmp_path / "_temporary" / "y.PARQUET").pieces
    assert "tanggal" not in parquet.find(str(deep)).schema.names
    with pytest.raises(InputError, match=r"sub-folders; name what you mean"):
        parquet.find(tmp_path)


def _columns(change: str) -> Any:
    base = table(2)
    return {
        "more": base.append_column("x", pa.array([1, 2])),
        "fewer": base.drop_columns(["seen"]),
        "type": base.set_column(0, "post", pa.array(["1", "2"])),
        "order": base.select(base.column_names[::-1]),
    }[change]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("more", "z.parquet: column 'x' is not in .*a.parquet"),
        ("fewer", "z.parquet: there is no column 'seen' as in .*a.parquet"),
        ("type", "z.parquet: column 'post' holds string, but int64 in .*a.parquet"),
        ("order", "z.parquet: the columns have another order than in .*a.parquet"),
    ],
)
def test_columns_must_be_the_same_in_all_files(tmp_path: Path, change: str, message: str) -> None:
    pq.write_table(table(2), tmp_path / "a.parquet")
    pq.write_table(_columns(change), tmp_path / "z.parquet")
    with pytest.raises(InputError, match=message):
        parquet.find(tmp_path)


def test_column_without_any_value_has_the_type_of_the_others(tmp_path: Path) -> None:
    for name, skills in (("a", pa.nulls(1)), ("b", pa.array([["jujur"]]))):
        pq.write_table(pa.table({"text": pa.array(["halo"]), "skills": skills}), tmp_path / f"{name}.parquet")
    data = parquet.find(tmp_path)
    assert data.schema.field("skills").type == pa.list_(pa.string())
    for piece in data.pieces:
        frame = parquet.read(piece, data.schema)
        assert pa.Table.from_pandas(frame, schema=data.schema, preserve_index=False).num_rows == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ads.csv", b"text\nhalo\n", "reads Parquet only. Text tables cannot be split safely"),
        ("ads.jsonl", b"{}\n", "reads Parquet only"),
        ("ads.parquet", b"PAR1 no", "ads.parquet cannot be read as Parquet"),
        ("ads.parquet", b"", "ads.parquet cannot be read as Parquet"),
    ],
)
@pytest.mark.parametrize("how", ["file", "folder", "glob"])
def test_files_that_cannot_be_used(tmp_path: Path, name: str, content: bytes, message: str, how: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        parquet.find({"file": tmp_path / name, "folder": tmp_path, "glob": f"{tmp_path}/a*"}[how])


@pytest.mark.parametrize("source", ["none.parquet", "none-*.parquet", "empty"])
def test_no_files(tmp_path: Path, source: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no such Parquet files"):
        parquet.find(tmp_path / source)


def test_unknown_address() -> None:
    with pytest.raises(InputError, match=r"nonsense://ads: .*nonsense"):
        parquet.find("nonsense://ads")


def test_column_twice(tmp_path: Path) -> None:
    pq.write_table(pa.table([["a"], ["b"]], names=["text", "text"]), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="column 'text' is there 2 times"):
        parquet.find(tmp_path)


def test_output_folder_must_be_new_or_empty(tmp_path: Path) -> None:
    folder = save(tmp_path / "in", 1)
    with pytest.raises(InputError, match="is not empty, it holds files, of the input"):
        parquet.prepare(folder)
    with pytest.raises(InputError, match="is a file"):
        parquet.prepare(folder / "ads-0.parquet")
    (tmp_path / "empty").mkdir()
    assert parquet.prepare(tmp_path / "empty") == str(tmp_path / "empty")


@pytest.mark.parametrize("what", ["input", "output"])
def test_machines_that_do_not_share_a_folder(tmp_path: Path, what: str) -> None:
    with pytest.raises(InputError, match="all machines must"):
        if what == "input":
            parquet.read(parquet.Piece(str(tmp_path / "gone.parquet"), 0, 1), pa.schema([]))
        else:
            parquet.put(str(tmp_path / "gone"), "part-000000.parquet", b"")
