"""Short ways are taken only where they give what the plain way gives: each is compared with it on arbitrary text."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobscam import features, knowledge
from jobscam.features import TextHasher, blanked
from jobscam.indicators import amounts, contact_finder
from jobscam.indicators.amounts import AmountReader
from jobscam.indicators.contact_finder import ContactFinder
from jobscam.indicators.matcher import Matcher, any_of, whole_words
from jobscam.scoring import Scorer
from jobscam.text import Normaliser, normalise
from jobscam.text.signs import sign_table, words_with

KNOWLEDGE = knowledge.load()
NORMALISER = Normaliser(KNOWLEDGE)
CONTACTS = ContactFinder(KNOWLEDGE)
AMOUNTS = AmountReader(KNOWLEDGE)

PIECES = [
    "gaji", "kamboja", "loker", "di", "tidak", "biaya", "juta", "jt", "ribu", "dua", "k", "rp", "rp.", "$", "usd", "idr ", "per bulan",
    "1", "12", "5,5", "000", "3.500.000", "0812-0000-0000", "+62 812 0000 0000", "O812 0000", "hrd@contoh.example", "@", "a@b.co id",
    "gmail com", "x.com", "loker. com", "co. id", "bit.ly/x0000", "t.me/a", "www.", "http://a.b/c", "(at)", "contoh", "ig: akun_0000",
    " ", " ", " ", "  ", "\n", "\r\n", "\t", "\u2003", "\x85", ".", ",", "-", "/", "'", "*", "_", "(", ")", "#", "<b>", "&amp;",
    "s l o t", "j*dol", "l0ker", "gajiiii", "𝗴𝗮𝗷𝗶", "а", "\u200b", "é", "ſ", "ı", "İ", "٣٤٥", "²", "柬埔寨", "🇰🇭", "…", "½", "â€™",
]  # fmt: skip
TEXT = st.one_of(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.text(max_size=80))


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_letters_are_what_blanking_leaves(text: str) -> None:
    touched = "@" in text or "." in text or any(c.isdigit() for c in text)
    plain = re.sub(r"[^a-z0-9]", " ", blanked(text) if touched else text)
    assert features._letters(text).translate(features._FOLDED).decode() == plain


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT, max_size=6), st.sampled_from([(1, 12), (2, 12), (2, 18)]))
def test_texts_hash_together_as_alone(texts: list[str], made: tuple[int, int]) -> None:
    hasher = TextHasher(bits=made[1], schema=made[0])
    for text, together in zip(texts, hasher.grams_of(texts) if texts else [], strict=True):
        alone = hasher.grams(text)
        assert np.all(np.diff(alone.buckets) > 0)
        for name in ("buckets", "words", "starts", "ends"):
            assert np.array_equal(getattr(alone, name), getattr(together, name))
        words = [text[s:e] for s, e in zip(alone.starts, alone.ends, strict=True)]
        assert [w.decode() for w in alone.letters.split()] == words


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=200))
def test_first_seen_is_unique(buckets: list[int]) -> None:
    values = np.array(buckets, dtype=np.uint64)
    unique, index = np.unique(values.astype(np.int64), return_index=True)
    found, first = features._first_seen(values, 6)
    assert np.array_equal(found, unique)
    assert np.array_equal(first, index)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_plain_characters_need_no_rewriting(text: str) -> None:
    quick = normalise._plain_characters(text)
    if quick is not None:
        marks: list[normalise.Mark] = []
        edits = list(normalise._characters(text, marks))
        assert normalise.rewrite(text, edits)[0] == quick
        assert not marks
        assert all(end - start == len(new) for start, end, new in edits)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_what_bears_no_sign_is_no_disguise(text: str) -> None:
    text = text.lower()
    for found, pattern in (
        (NORMALISER._cut(text), normalise._CUT),
        (NORMALISER._leet(text), normalise._LEET),
        (NORMALISER._spaced(text), normalise._SPACED),
    ):
        places = {match.span() for match in pattern.finditer(text)}
        assert {(start, end) for _, (start, end, _) in found} <= places
    assert normalise._is_stretched(text) == (normalise._STRETCHED.search(text) is not None)
    marks = sign_table(" ", {"w": "abcdefghijklmnopqrstuvwxyz0123456789", ".": ".*_|~'"})
    words = list(words_with(text.encode("ascii", "replace").translate(marks), b"w.w"))
    assert [m.span() for m in normalise._CUT.finditer(text)] == [
        m.span() for word in words for m in normalise._CUT.finditer(text, *word)
    ]


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_contacts_bear_their_signs(text: str) -> None:
    raw = text.encode("ascii", "replace")
    cases: list[tuple[re.Pattern[str], Iterable[tuple[int, int]]]] = [
        (contact_finder._EMAIL_PLAIN, words_with(raw.translate(contact_finder._MAIL), b"@")),
        (contact_finder._EMAIL, contact_finder._windows(text)),
        (contact_finder._ANY_HOST, words_with(raw.translate(contact_finder._HOST), b"x.x")),
        (contact_finder._DOMAIN, contact_finder._before_endings(raw)),
        (contact_finder._PHONE, words_with(raw.translate(contact_finder._NUMBER), b"00")),
    ]
    for pattern, bounds in cases:
        whole = [m.span() for m in pattern.finditer(text)]
        assert [m.span() for b in bounds for m in pattern.finditer(text, *b)] == whole
    handles = [m.span() for m in contact_finder._matches_at(contact_finder._HANDLE, text, "@")]
    assert handles == [m.span() for m in contact_finder._HANDLE.finditer(text)]


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_amounts_begin_at_digits(text: str) -> None:
    norm = NORMALISER.read(text).norm
    if not amounts._OTHER_DIGIT.search(norm):
        windows = amounts._DIGITS.finditer(norm)
        near = [
            m.span()
            for d in windows
            for m in AMOUNTS._pattern.finditer(
                norm, max(0, d.start() - amounts._BEFORE), min(len(norm), d.end() + amounts._AFTER)
            )
        ]
        assert [m.span() for m in AMOUNTS._from_digits(norm)] == near


PATTERNS = ["gaji", "gajinya", "biaya", "tidak ada", "di", "10%", "d.i. x", "rp", "柬埔寨", "🇰🇭", "tour & travel", "a"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*PATTERNS, "nya", "lah", "ku", " ", " ", ".", ", ", "é", "1", "İ"]), max_size=20).map("".join),
    st.booleans(),
)
def test_matcher_finds_what_each_pattern_finds(text: str, clitics: bool) -> None:
    matcher = Matcher(((p, p) for p in PATTERNS), clitics=clitics)
    tail = "(?:nya|lah|kah|pun|ku|mu)?" if clitics else ""
    expected = []
    for pattern in PATTERNS:
        before = "(?<![a-z0-9])" if re.match("[a-z0-9]", pattern) else ""
        after = rf"{tail}(?![a-z0-9])" if re.search("[a-z0-9]$", pattern) else ""
        for match in re.finditer(rf"(?={before}({re.escape(pattern)}{after}))", text):
            expected.append((*match.span(1), pattern))
    assert sorted(matcher.find(text)) == sorted(expected)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="wat.e l1", max_size=40))
def test_whole_words(text: str) -> None:
    words = ["wa", "w.a", "tele", "whats app", "t.e", "wa wa"]
    plain = re.finditer(rf"(?<![a-z])(?:{any_of(words)})(?![a-z])", text)
    assert [m.span() for m in re.finditer(rf"(?:{whole_words(words)})(?![a-z])", text)] == [m.span() for m in plain]


@settings(max_examples=25, deadline=None)
@given(ads=st.lists(TEXT, max_size=5))
def test_many_are_assessed_as_one_by_one(ads: list[str]) -> None:
    scorer = _scorer()
    for ad, found in zip(ads, scorer.assess_many(ads), strict=True):
        alone = scorer.assess(ad)
        assert found.columns(5) == alone.columns(5)
        assert repr(found.logit) == repr(alone.logit)
        assert found.logit == pytest.approx(found.bias + sum(c.value for c in found.contributions), abs=1e-9)
        assert {r.name for r in found.reasons} == {c.name for c in found.contributions}
        said = [r.name for r in found.reasons]
        assert said == [c.name for c in sorted(found.contributions, key=lambda c: (-abs(c.value), c.name))]


def _scorer(cache: list[Scorer] = []) -> Scorer:  # noqa: B006 - a cache on purpose: hypothesis forbids fixtures here
    if not cache:
        from jobscam.scoring import load

        cache.append(load())
    return cache[0]


@pytest.mark.parametrize(
    "piece", ["a.c", "1 ", "0812 - ", "(", "@", "a@b ", "x. c", "www.", "contoh ", "O1", "a.b/", "1,-", "rp "]
)
def test_cost_is_linear(piece: str) -> None:
    def seconds(n: int) -> float:
        text = (piece * n)[:n]
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            CONTACTS.find(text)
            AMOUNTS.find(text)
            features._letters(text)
            best = min(best, time.process_time() - start)
        return best

    small, large = seconds(4_000), seconds(40_000)
    assert large < 40 * small + 0.2
