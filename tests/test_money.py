"""Pay as people write it: (text, rupiah a month low, high) of base pay; None where there is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobscam import knowledge
from jobscam.indicators import IndicatorReader
from jobscam.posting import Posting

K = knowledge.load()
READER = IndicatorReader(K)
USD, SGD, MYR, TWD, HKD, THB, JPY = (K.fx[c] for c in ("USD", "SGD", "MYR", "TWD", "HKD", "THB", "JPY"))
J = 1_000_000

CASES: list[tuple[str, float | None, float | None]] = [
    ("gaji 12jt", 12 * J, 12 * J),
    ("Gaji 12 juta per bulan", 12 * J, 12 * J),
    ("gaji 10-15 jutaan", 10 * J, 15 * J),
    ("gaji 10 - 15jt", 10 * J, 15 * J),
    ("Gaji Rp4,5-6jt", 4.5 * J, 6 * J),
    ("Rp. 2,5 Juta s.d. 3 Juta", 2.5 * J, 3 * J),
    ("Gaji: Rp 3.500.000,-", 3.5 * J, 3.5 * J),
    ("Gaji Rp3.500.000,00/bulan", 3.5 * J, 3.5 * J),
    ("upah 150rb/hari", 150e3 * 26, 150e3 * 26),
    ("150.000 per hari gaji", 150e3 * 26, 150e3 * 26),
    ("gaji dua belas juta", 12 * J, 12 * J),
    ("gaji dua juta setengah", 2.5 * J, 2.5 * J),
    ("gajinya 13 jt an", 13 * J, 13 * J),
    ("salary IDR 25 mio", 25 * J, 25 * J),
    ("salary USD 900-1.200", 900 * USD, 1200 * USD),
    ("gaji 1000$-1500$", 1000 * USD, 1500 * USD),
    ("salary $1,200 per month", 1200 * USD, 1200 * USD),
    ("gaji 800 - 1000 usd", 800 * USD, 1000 * USD),
    ("gaji RM 1.700 + OT", 1700 * MYR, 1700 * MYR),
    ("gaji RM1.700", 1700 * MYR, 1700 * MYR),
    ("gaji NT$28.590", 28590 * TWD, 28590 * TWD),
    ("gaji 28.590 NT", 28590 * TWD, 28590 * TWD),
    ("gaji HK$5.100", 5100 * HKD, 5100 * HKD),
    ("salary SGD 2,500", 2500 * SGD, 2500 * SGD),
    ("gaji 25000 baht", 25000 * THB, 25000 * THB),
    ("gaji 180.000 yen", 180000 * JPY, 180000 * JPY),
    ("gaji 3.5 - 4 juta", 3.5 * J, 4 * J),
    ("gaji 4jt s/d 5jt", 4 * J, 5 * J),
    ("gaji 4 sampai 5 juta", 4 * J, 5 * J),
    ("gaji 2.500rb", 2.5 * J, 2.5 * J),
    ("gaji 2500k", 2.5 * J, 2.5 * J),
    ("gaji 3.000.000 - 4.000.000", 3 * J, 4 * J),
    ("Gaji 4,9 juta + uang makan 700 ribu", 4.9 * J, 4.9 * J),
    ("gaji pokok 5jt, bonus 3jt", 5 * J, 5 * J),
    ("gaji 60 juta per tahun", 60 * J / 12, 60 * J / 12),
    ("$15 per hour", 15 * USD * 173, 15 * USD * 173),
    ("Salary $45,000 - $60,000 per year", 45000 * USD / 12, 60000 * USD / 12),
    # not pay
    ("biaya administrasi 350 ribu", None, None),
    ("deposit 1,5 juta dikembalikan", None, None),
    ("denda 30 juta kalau pulang", None, None),
    ("hubungi 0812-0000-1473", None, None),
    ("usia 18-35 tahun", None, None),
    ("SIP3MI No. 123/2021", None, None),
    ("omzet 100 juta", None, None),
    ("IPK minimal 3.00", None, None),
    ("tinggi 160 cm", None, None),
    ("jam 08.00-17.00", None, None),
    ("tanggal 12.05.2025", None, None),
    ("butuh 25 orang", None, None),
    ("bonus 2 juta", None, None),
    ("NIB 1234567890123", None, None),
]


def read(text: str, **fields: str) -> tuple[float | None, float | None]:
    pay = READER.observe(Posting(description=text, **fields)).pay
    return pay.low, pay.high


@pytest.mark.parametrize(("text", "low", "high"), CASES, ids=[c[0] for c in CASES])
def test_pay(text: str, low: float | None, high: float | None) -> None:
    found = read(text)
    if low is None:
        assert found == (None, None)
    else:
        assert found == (pytest.approx(low, rel=1e-3), pytest.approx(high, rel=1e-3))


COLUMNS = [
    ({"salary_min": "3000000", "salary_max": "4000000"}, 3 * J, 4 * J),
    ({"salary_min": "3.000.000", "salary_max": ""}, 3 * J, 3 * J),
    ({"salary_max": "1200", "salary_currency": "USD", "salary_period": "month"}, 1200 * USD, 1200 * USD),
    ({"salary": "23040-28800"}, 23040 * USD / 12, 28800 * USD / 12),
    ({"salary": "Rp 7.000.000 – Rp 10.000.000 per month"}, 7 * J, 10 * J),
    ({"salary": "negotiable"}, None, None),
]


@pytest.mark.parametrize(("fields", "low", "high"), COLUMNS, ids=[str(c[0]) for c in COLUMNS])
def test_pay_columns(fields: dict[str, str], low: float | None, high: float | None) -> None:
    found = read("Dicari staf kantor yang jujur", **fields)
    assert found == (
        low if low is None else pytest.approx(low, rel=1e-3),
        high if high is None else pytest.approx(high, rel=1e-3),
    )


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789.,- rpjtRMUSD$kbulan/", max_size=120))
def test_any_text_is_read(text: str) -> None:
    low, high = read(text)
    assert (low is None) == (high is None)
    if low is not None and high is not None:
        assert 0 < low <= high
