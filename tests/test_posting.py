from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from jobscam.errors import InputError
from jobscam.posting import ALIASES, FIELDS, ColumnMap, Posting, cell_text, field_of

COLUMNS = [
    ("judul", "title"), ("Judul Lowongan", "title"), ("deskripsi", "description"), ("isi_iklan", "description"),
    ("job_desc", "description"), ("deskripsi_posisi", "description"), ("Gaji", "salary"), ("Min Salary", "salary_min"),
    ("gaji_maks", "salary_max"), ("lokasi", "location"), ("perusahaan", "company"), ("kontak", "contact"), ("No. HP", "contact"),
    ("jobTitle", "title"), ("\ufefftitle", "title"), ("TEXT", "description"), ("nama_p3mi", "agency"), ("no_sip3mi", "licence"),
    ("fraudulent", None), ("campaign", None), ("", None), ("telecommuting", None),
]  # fmt: skip


@pytest.mark.parametrize(("column", "field"), COLUMNS, ids=[repr(c) for c, _ in COLUMNS])
def test_alias(column: str, field: str | None) -> None:
    assert field_of(column) == field


def test_every_alias_names_a_field_once() -> None:
    assert set(ALIASES) <= set(FIELDS)
    names = [n for values in ALIASES.values() for n in values]
    assert len(names) == len(set(names))


def test_map_joins_and_overrides() -> None:
    header = ["id", "judul", "kota", "provinsi", "isi", "catatan"]
    mapping = ColumnMap.from_header(header)
    posting = mapping.posting(["7", "Kasir", "Depok", "Jawa Barat", "Dicari kasir", "x"])
    assert (posting.title, posting.location, posting.description) == ("Kasir", "Depok\nJawa Barat", "Dicari kasir")
    assert mapping.unmapped == ("catatan",)
    other = ColumnMap.from_header(header, {"description": "catatan"})
    assert other.posting(["7", "", "", "", "a", "b"]).description == "b"
    assert ("catatan", "description") in other.describe()


def test_single_unknown_column_is_the_text() -> None:
    assert ColumnMap.from_header(["apa saja"]).posting(["Dicari kasir"]).description == "Dicari kasir"


@pytest.mark.parametrize(
    ("header", "overrides", "words"),
    [
        (["kota", "gaji"], {}, "--map description="),
        (["a", "b"], {"nonsense": "a"}, "no field 'nonsense'"),
        (["a", "b"], {"description": "c"}, "no such column"),
    ],
)
def test_errors_say_what_to_do(header: list[str], overrides: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        ColumnMap.from_header(header, overrides)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (float("nan"), ""), (pd.NA, ""), (pd.NaT, ""), (3.0, "3"), (2.5, "2.5"), ("  ", ""), ("a", "a"), (7, "7"),
        # As a file that holds it is read: Parquet and JSON know lists, records, switches and dates.
        (np.array(["mess", "makan"], dtype=object), '["mess", "makan"]'), (["mess"], '["mess"]'), ({"a": None}, '{"a": null}'),
        (True, "true"), (np.bool_(False), "false"), (Decimal("1E+3"), "1000"), (0.1 + 0.2, "0.3"), (float("inf"), ""),
        (pd.Timestamp("2026-01-31"), "2026-01-31"), (b"kasir", "kasir"),
    ],
)  # fmt: skip
def test_cell_text(value: object, text: str) -> None:
    assert cell_text(value) == text


def test_a_cell_nested_without_end_spoils_no_other() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert cell_text(deep) == ""


def test_mapping_ignores_unknown_keys() -> None:
    assert Posting.from_mapping({"judul": "Kasir", "apa": "x"}) == Posting(title="Kasir")
