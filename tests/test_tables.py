"""The parsers against their tables of examples (tests/tables): one line a case, as people write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobscam import knowledge
from jobscam.indicators import IndicatorReader
from jobscam.posting import Posting

TABLES = Path(__file__).parent / "tables"
READER = IndicatorReader(knowledge.load())


def cases(name: str) -> list[tuple[str, str]]:
    r"""Pairs of text and what is expected; ``\n`` in a text is a line break."""
    out = []
    for line in (TABLES / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("# "):
            text, expected = line.rsplit(" => ", 1)
            out.append((text.replace("\\n", "\n"), expected.strip().replace("\\n", "\n")))
    return out


def _figure(text: str) -> float:
    match = re.fullmatch(r"([\d.]+)(jt|rb|k)?", text)
    assert match, text
    return float(match[1]) * {"jt": 1e6, "rb": 1e3, "k": 1e3, None: 1.0}[match[2]]


def _pay(expected: str) -> list[tuple[float | None, float | None, str, str] | str]:
    out: list[tuple[float | None, float | None, str, str] | str] = []
    for part in [] if expected == "-" else expected.split(" ; "):
        if part == "UMR":
            out.append(part)
            continue
        bounds, currency, period = part.split()
        low, high = bounds.split("-")
        out.append((_figure(low) if low else None, _figure(high) if high else None, currency, period.rstrip("?")))
    return out


@pytest.mark.parametrize(("text", "expected"), cases("pay.txt"), ids=lambda v: v[:60])
def test_pay(text: str, expected: str) -> None:
    found: list[tuple[float | None, float | None, str, str] | str] = []
    for amount in READER.observe(Posting(description=text)).pay.base:
        low = None if amount.bound == "upto" else round(amount.low, 2)
        high = None if amount.bound == "from" else round(amount.high, 2)
        found.append("UMR" if amount.reference else (low, high, amount.currency, amount.period))
    assert found == _pay(expected)


@pytest.mark.parametrize(("text", "expected"), cases("places.txt"), ids=lambda v: v[:60])
def test_places(text: str, expected: str) -> None:
    seen = READER.observe(Posting(description=text))
    found = [f"{m.iso} {m.role} {seen.document.words_shown(seen.document.span(m.start, m.end))}" for m in seen.place.mentions]
    assert " ; ".join(found) == (expected if expected != "-" else "")


@pytest.mark.parametrize(("text", "expected"), cases("contacts.txt"), ids=lambda v: v[:60])
def test_contacts(text: str, expected: str) -> None:
    contacts = READER.observe(Posting(description=text)).contacts.found
    found = [f"{c.kind} {c.value} {text[c.start : c.end]}" for c in contacts]
    assert " ; ".join(found) == (expected if expected != "-" else "")


@pytest.mark.parametrize(("text", "expected"), cases("licences.txt"), ids=lambda v: v[:60])
def test_licences(text: str, expected: str) -> None:
    seen = READER.observe(Posting(description=text))
    found = [f"{n.kind} {seen.document.words_shown(seen.document.original_span(n.start, n.end))}" for n in seen.licences]
    assert " ; ".join(found) == (expected if expected != "-" else "")


@pytest.mark.parametrize(("text", "expected"), cases("signs.txt"), ids=lambda v: v[:60])
def test_signs(text: str, expected: str) -> None:
    """``+name`` must be found, ``-name`` must not."""
    found = {e.indicator for e in READER.read(Posting(description=text))[1].evidence}
    for sign in expected.split():
        assert (sign[1:] in found) == (sign[0] == "+"), sorted(found)


@pytest.mark.parametrize(("text", "expected"), cases("types.txt"), ids=lambda v: v[:60])
def test_types(text: str, expected: str) -> None:
    assert READER.read(Posting(description=text))[1].posting_type == expected


PIECES = ("Rp", "4,5", "3.000.000", "juta", "-", "s/d", "k", "$", "RM", "per", "/bulan", "mulai", "UMR", "gaji", "bonus", "Jl.", "Jakarta",
          "Kamboja", "di", "bukan", "0812-0000-1473", "+855", "hrd@contoh", ".com", "bit ly/x", "@akun", "SIP3MI", "123/2021", "EA",
          "\n", "\u200b", "𝟓", "ooo", "t.me/x", "(", "IDR", "se", "belas")  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join), st.text(max_size=40), st.text("0123456789.,- kjt", max_size=20)
)
def test_what_is_read_stands_in_the_text(text: str, title: str, salary: str) -> None:
    posting = Posting(title=title, description=text, salary=salary)
    seen = READER.observe(posting)
    length, original = len(seen.document.norm), len(seen.document.text.original)
    for amount in seen.pay.amounts:
        assert 0 <= amount.start < amount.end <= length
        assert 0 <= amount.low <= amount.high
    for mention in seen.place.mentions:
        assert 0 <= mention.start < mention.end <= length
    for spot in (*seen.contacts.found, *seen.licences):
        assert 0 <= spot.start < spot.end <= original
    ends = [c.end for c in seen.contacts.found]
    assert all(end <= later.start for end, later in zip(ends, seen.contacts.found[1:], strict=False)), "contacts must not overlap"
