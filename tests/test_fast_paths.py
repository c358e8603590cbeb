"""Short ways are taken only where they give what the plain way gives: each is compared with it on arbitrary text."""

from __future__ import annotations

import pickle
import re
import sys
import time
from bisect import bisect_left
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobscam import explain, knowledge, ngrams
from jobscam.indicators import Document, amounts, contact_finder, phrases
from jobscam.indicators.amounts import AmountReader
from jobscam.indicators.contact_finder import ContactFinder
from jobscam.indicators.matcher import Matcher, Sweep, any_of, whole_words
from jobscam.ngrams import TextHasher, blanked
from jobscam.posting import Posting
from jobscam.scoring import Scorer
from jobscam.text import Normaliser, characters, language, normalise
from jobscam.text.align import rewrite
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
    assert ngrams._letters(text).translate(ngrams._FOLDED).decode() == plain


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


def test_texts_hash_in_threads_as_one_by_one() -> None:
    texts = [f"loker{i} gaji {i} jt {'ab' * (i % 7)}{i % 11} kamboja x{i * 7919 % 1000}y" for i in range(400)]
    plain = [TextHasher(18, 2).grams(text) for text in texts]
    hasher = pickle.loads(pickle.dumps(TextHasher(18, 2)))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(hasher.grams, texts))
    finally:
        sys.setswitchinterval(interval)
    for found, alone in zip(together, plain, strict=True):
        assert np.array_equal(found.buckets, alone.buckets)
        assert np.array_equal(found.words, alone.words)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), st.integers(0, 7)), max_size=60), max_size=4))
def test_first_of_each_bucket(texts: list[list[tuple[int, int, int]]]) -> None:
    keys = np.array([b << 6 | kind << 3 | place for text in texts for b, kind, place in text], dtype=np.uint32)
    buckets, places, bounds = ngrams._first_of_each(keys, [len(text) for text in texts], 3)
    for text, (low, high) in zip(texts, pairwise(bounds), strict=True):
        first = {b: place for b, _, place in sorted(text, reverse=True)}
        assert dict(zip(buckets[low:high].tolist(), places[low:high].tolist(), strict=True)) == first
        assert buckets[low:high].tolist() == sorted(first)


def test_a_forgotten_vocabulary_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["loker kamboja gaji 12 jt", "", "gaji 15 jt gaji 12", "admin slot kamboja", "a" * 20_000]
    once = [TextHasher(18, 2).grams(text) for text in texts]
    monkeypatch.setattr(ngrams, "_MOST_GRAMS", 20)
    hasher = TextHasher(18, 2)
    for text, plain in zip(texts * 2, once * 2, strict=True):
        found = hasher.grams(text)
        for name in ("buckets", "words", "starts", "ends", "same"):
            assert np.array_equal(getattr(found, name), getattr(plain, name))


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_plain_characters_need_no_rewriting(text: str) -> None:
    quick = characters.plain_characters(text)
    if quick is not None:
        marks: list[characters.Mark] = []
        edits = list(characters.plain_edits(text, marks))
        assert rewrite(text, edits)[0] == quick
        assert not marks
        assert all(end - start == len(new) for start, end, new in edits)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_what_bears_no_sign_is_no_disguise(text: str) -> None:
    text = text.lower()
    raw = text.encode("ascii", "replace")
    for found, pattern in (
        (NORMALISER._cut(text, raw), normalise._CUT),
        (NORMALISER._leet(text, raw), normalise._LEET),
        (NORMALISER._spaced(text, raw), normalise._SPACED),
    ):
        places = {match.span() for match in pattern.finditer(text)}
        assert {(start, end) for _, (start, end, _) in found} <= places
    assert normalise._is_stretched(text, raw) == (normalise._STRETCHED.search(text) is not None)
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


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*PATTERNS, "nya", "lah", " ", " ", ".", ", ", "é", "1"]), max_size=20).map("".join))
def test_matchers_find_together_what_each_finds(text: str) -> None:
    sorts = [
        (PATTERNS, True, False),
        ([*PATTERNS[3:], "gaji nya"], False, False),
        (PATTERNS[:5], True, True),
        (["🇰🇭", "é"], False, False),
    ]
    apart, joined = ([Matcher(((p, p) for p in own), clitics=c, strict=s) for own, c, s in sorts] for _ in range(2))
    sweep = Sweep(joined)
    sweep.read([text, text + " gaji"])
    for one, other in zip(apart, joined, strict=True):
        assert one.spans(text) == other.spans(text)
        assert one.find_longest(text + "  biaya") == other.find_longest(text + "  biaya")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.sets(st.integers(0, 9), min_size=1, max_size=3), min_size=1, max_size=4), min_size=1, max_size=6),
    st.sets(st.integers(0, 9)),
)
def test_forms_with_all_slots_filled(forms: list[list[set[int]]], hits: set[int]) -> None:
    payloads = [[(f, s) for f, slots in enumerate(forms) for s, fillers in enumerate(slots) if i in fillers] for i in range(10)]
    found = phrases._Slots([len(slots) for slots in forms], payloads).filled(dict.fromkeys(hits))
    plain = [(f, [hits & fillers for fillers in slots]) for f, slots in enumerate(forms) if len(slots) > 1]
    assert list(found) == [(f, slots) for f, slots in plain if all(slots)]


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_each_ngram_is_hashed(text: str) -> None:
    hasher = TextHasher(bits=12, schema=2)
    grams = hasher.grams(text)
    words = [w.translate(ngrams._FOLDED) for w in grams.letters.split()]
    base, mix, size = int(ngrams._BASE), int(ngrams._MIX), 1 << 64

    def mixed(value: int, shift: int) -> int:
        value = value * mix % size
        return value ^ value >> shift

    # A word hashes as if it stood at the highest place a text can have.
    highest = int(ngrams._POWERS[ngrams._MAX_TEXT + 4])
    ones = [mixed(sum(c * pow(base, i, size) for i, c in enumerate(w)) * highest % size, 29) for w in words]
    found: dict[int, int] = {}
    for i, one in enumerate(ones):
        found.setdefault(one * mix % size >> 53, i)
    for i, (one, two) in enumerate(pairwise(ones)):
        found.setdefault((one * base + two + 7) * mix % size >> 53, i)
    for n in (3, 4, 5):
        for i, w in enumerate(words):
            padded = b" %b " % w
            for at in range(len(padded) - n + 1):
                piece = padded[at : at + n]
                if not (piece[0] == piece[-1] == 32):
                    total = sum(c * int(p) for c, p in zip(piece, ngrams._CHAR_POWERS, strict=False)) % size
                    found.setdefault(((mixed(total, 31) + n) * mix % size >> 53) + 2048, i)
    assert dict(zip(grams.buckets.tolist(), grams.words.tolist(), strict=True)) == found
    letters = grams.letters.split()
    assert grams.same.tolist() == [letters.index(w) for w in letters]


@settings(max_examples=300, deadline=None)
@given(TEXT, st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.25, 1.0, 3.0]), min_size=1, max_size=7))
def test_words_are_ranked_by_what_they_add(text: str, weights: list[float]) -> None:
    grams = TextHasher(bits=12, schema=2).grams(text)
    letters = grams.letters.split()
    sums = np.zeros(len(letters))
    for i in dict.fromkeys(grams.same.tolist()):
        sums[i] = weights[i % len(weights)]
    order = explain._ranked(sums, grams).tolist() if letters else []
    plain = sorted(dict.fromkeys(grams.same.tolist()), key=lambda i: (-abs(sums[i]), letters[i]))
    assert order[: min(explain.MAX_WORDS, len(plain))] == plain[: explain.MAX_WORDS]
    assert sum(sums[order]) == pytest.approx(sum(sums[plain]))


HOSTS = ["bit.ly", "BIT 1y/x", "b1t.ly", "bıt.ly/a", "gmaıl com", "GMAIL.com", "gmail", "@gmailcom", "yahoo. co id", "Yah00", "forms", "gle",
         "tinyurI.com", "linKtr.ee", "ſ", " ", "/", ".", "x", "@", "a.b"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(TEXT, st.lists(st.sampled_from(HOSTS), max_size=12).map("".join)))
def test_contacts_begin_with_their_words(text: str) -> None:
    raw, lowered = text.encode("ascii", "replace"), text.lower()
    assert CONTACTS._literals_in(lowered) == {word for word in CONTACTS._literals if word in lowered}
    for begins, pattern in ((CONTACTS._damaged_begins, CONTACTS._damaged), (CONTACTS._mail_begins, CONTACTS._host)):
        quick = [m.span() for m in contact_finder._beginning(begins, pattern, text, raw)]
        if any(word in lowered for word in (CONTACTS._damaged_hosts if pattern is CONTACTS._damaged else CONTACTS._mail)):
            assert quick == [m.span() for m in pattern.finditer(text)]
    few = set(words_with(raw.translate(contact_finder._NUMBER), b"00")) - set(contact_finder._numbers(raw))
    for run in few:
        for match in contact_finder._PHONE.finditer(text, *run):
            assert CONTACTS._phone_country(match[0], labelled=True) == ""


NUMERALS = ["dua", "lima", "belas", "puluh", "setengah", "se", "juta", "jt", "ribu", "rb", "rban", " ", "  ", "umr", "sesuai umk", "pump",
            "1", "o", "5o0", ",ooo", ".", "rp ", "4 dan 6", "antara ", "l", "x"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(TEXT, st.lists(st.sampled_from(NUMERALS), max_size=12).map("".join)))
def test_what_bears_no_sign_is_no_amount(text: str) -> None:
    norm = NORMALISER.read(text).norm
    if not amounts._OCR_FIRST.search(norm):
        assert amounts._OCR.sub(lambda m: m[0][:2] + m[0][2:].translate(amounts._OCR_DIGITS), norm) == norm
    if not any(amounts._spelt(norm, AMOUNTS._numeral_ends, multiplier) for multiplier in amounts._SPELT_MULTIPLIERS):
        assert AMOUNTS._words.search(norm) is None
    assert any(w in norm for w in AMOUNTS._reference_words) == any(w in norm for w in KNOWLEDGE.money.reference)
    for match in AMOUNTS._near_digits(norm):
        if match.lastgroup == "n1" and not match["p1"] and len(match["n1"]) < amounts._SHORTEST_THOUSANDS:
            assert AMOUNTS._figure(norm, *match.span(), match.groupdict(), "", "IDR") is None


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXT, min_size=5, max_size=5))
def test_fields_begin_where_lines_do(texts: list[str]) -> None:
    made = Posting(**dict(zip(("title", "company", "location", "description", "benefits"), texts, strict=True)))
    document = Document(made, NORMALISER)
    if len(document._starts) > 1:
        lines = [0, *(n + 1 for n in document.text.lines)]
        originals = document.text.starts(lines)
        plain = [lines[min(bisect_left(originals, start), len(lines) - 1)] for start in document._starts]
        quick = document.text.first_after_lines(document._starts)
        assert quick in (None, plain)


@settings(max_examples=300, deadline=None)
@given(st.one_of(TEXT, st.text(alphabet="ab-/' é", max_size=40)))
def test_joints_become_blanks(text: str) -> None:
    line = re.sub(r"[ \t\r\n\s]+", " ", text)
    assert normalise._one_line(text) == re.sub(r"[-/'](?<=[a-z].)(?=[a-z])", " ", line)


@pytest.mark.parametrize(
    "text", ["halo", "wir suchen fahrer", "trabajo en casa", "công việc", "日本 の 仕事", "x1 y2", "da da da no", "saya kerja di"]
)
def test_languages_are_guessed_alike(text: str) -> None:
    from langdetect import DetectorFactory, detect_langs

    DetectorFactory.seed = 0
    best = detect_langs(text)[0]
    assert language._langdetect(text) == (best.lang, best.prob)


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
            ngrams._letters(text)
            best = min(best, time.process_time() - start)
        return best

    small, large = seconds(4_000), seconds(40_000)
    assert large < 40 * small + 0.2
