from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobscam import knowledge
from jobscam.text import LanguageProfile, Normaliser

NORMALISER = Normaliser(knowledge.load())
PROFILE = LanguageProfile(knowledge.load())

# as written, as read
FOLDED = [
    ("Loker KAMBOJA", "loker kamboja"),
    ("L0ker K4mb0ja", "loker kamboja"),
    ("𝗚𝗮𝗷𝗶 𝗯𝗲𝘀𝗮𝗿", "gaji besar"),
    ("𝓰𝓪𝓳𝓲 ＢＥＳＡＲ", "gaji besar"),
    ("ɢᴀᴊɪ", "gaji"),
    ("🅶🅰🅹🅸 🄱🄴🅂🄰🅁", "gaji besar"),
    ("Кamboja", "kamboja"),  # Cyrillic К
    ("kаmbоjа", "kamboja"),  # Cyrillic а, о
    ("kam\u200bboja", "kamboja"),
    ("k\u200da\u200dm\u200db\u200do\u200dj\u200da", "kamboja"),
    ("s l o t", "slot"),
    ("s.l.o.t", "slot"),
    ("K A M B O J A", "kamboja"),
    ("K-A-M-B-O-J-A", "kamboja"),
    ("ju.dol", "judol"),
    ("j*dol", "judol"),
    ("jud0l", "judol"),
    ("sl0t", "slot"),
    ("g4ji", "gaji"),
    ("cepaaaaat", "cepat"),
    ("gajiiii", "gaji"),
    ("12jt", "12jt"),
    ("10rb per jam", "10rb per jam"),
    ("D3/S1", "d3/s1"),
    ("1000", "1000"),
    ("5k sehari", "5k sehari"),
    ("www.kerja.example", "www.kerja.example"),
    ("hati-hati", "hati hati"),
    ("don’t tell", "don t tell"),
    ("pria/wanita", "pria wanita"),
    ("baris satu\n\n  baris dua", "baris satu baris dua"),
    ("a\r\nb\tc", "a b c"),
    ("“kerja” – cepat", '"kerja" - cepat'),
    ("café", "cafe"),
    ("🇰🇭 kerja", "🇰🇭 kerja"),
    ("Москва работа", "москва работа"),  # a language of its own, not a disguise
    ("柬埔寨", "柬埔寨"),
    ("gaji\x00besar", "gaji besar"),
    ("<b>gaji</b>&nbsp;besar", " gaji besar"),
    ("kerja â€“ cepat", "kerja cepat"),
    ("", ""),
]


@pytest.mark.parametrize(("written", "read"), FOLDED, ids=[repr(w) for w, _ in FOLDED])
def test_fold(written: str, read: str) -> None:
    assert NORMALISER.read(written).norm == read


MARKS = [
    ("kam\u200bboja", {"invisible_characters"}),
    ("kаmboja", {"lookalike_letters"}),
    ("𝗚𝗮𝗷𝗶", {"stylised_alphabet"}),
    ("s l o t", {"spaced_letters"}),
    ("ju.dol", {"cut_words"}),
    ("l0ker", {"leetspeak"}),
    ("Loker admin, gaji 12jt, D3/S1, hub 0812-0000-1473", set()),
    ("jam 14.05, km 51.07, rumah 8.154, kode 58.06.37, 19.56", set()),  # figures alone spell no word, though 1405 looks like laos
    ("l4.os", {"cut_words"}),
    ("hari Jum'at, toko's", set()),
    ("👨\u200d👩\u200d👧 keluarga", set()),
]


@pytest.mark.parametrize(("written", "kinds"), MARKS, ids=[repr(w) for w, _ in MARKS])
def test_marks(written: str, kinds: set[str]) -> None:
    text = NORMALISER.read(written)
    assert {m.kind for m in text.marks} == kinds
    for mark in text.marks:
        assert 0 <= mark.start < mark.end <= len(written)


@pytest.mark.parametrize("word", ["kamboja", "gaji", "slot"])
@pytest.mark.parametrize("before", ["", "𝗟𝗼𝗸𝗲𝗿 ", "s.l.o.t ", "ju\u200bdol\n\n", "ceeeepat 𝐤𝐚𝐦 ", "â€™ é ı İ "])
def test_span_slices_the_original(before: str, word: str) -> None:
    original = f"{before}{word.upper()} akhir"
    text = NORMALISER.read(original)
    at = text.norm.rindex(word)
    start, end = text.span(at, at + len(word))
    assert original[start:end] == word.upper()


ODD = st.text(alphabet=st.sampled_from("aAgGiIjJ014@$ .-_*|\n\t\u200bаоѕ𝗮𝓰🇰🇭é–’ijklmnsltkamboja<b>&"), max_size=200)


@settings(max_examples=300, deadline=None)
@given(st.one_of(ODD, st.text(max_size=200)))
def test_any_text_maps_back(original: str) -> None:
    text = NORMALISER.read(original)
    last = 0
    for at in range(len(text.norm)):
        start, end = text.span(at, at + 1)
        assert 0 <= start <= end <= len(original)
        assert start >= last or start == end or start >= 0
        last = start
    assert text.span(0, len(text.norm))[1] <= len(original)
    for mark in text.marks:
        assert 0 <= mark.start <= mark.end <= len(original)


@settings(max_examples=200, deadline=None)
@given(ODD)
def test_offsets_never_run_backwards(original: str) -> None:
    text = NORMALISER.read(original)
    starts = [text.span(i, i + 1)[0] for i in range(len(text.norm))]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    "piece", ["a ", "a.", "1", "j*", "aaa", "а", "𝗮", "\n", "<", "s l o t ", "&#", "@", "a1", "-", "..", "rp "]
)
def test_cost_is_linear(piece: str) -> None:
    def seconds(n: int) -> float:
        text = (piece * n)[:n]
        best = 9.0
        for _ in range(3):
            start = time.perf_counter()
            NORMALISER.read(text)
            best = min(best, time.perf_counter() - start)
        return best

    small, large = seconds(10_000), seconds(100_000)
    assert large < 40 * small + 0.2


LANGUAGES = [
    ("Dibutuhkan segera kasir untuk toko kami di Bandung, jujur dan rajin, gaji dan bonus", "id"),
    ("Dicari yg bs jaga toko, gaji nego, hub wa aja ya kak", "id"),
    ("We are looking for a waiter with good English and experience in hotels", "en"),
    ("Join our team as a marketing officer, you will work with the sales team", "en"),
    (
        "We are hiring admin untuk kantor kami di Jakarta, must be able to work with the team, gaji dan tunjangan yang baik",
        "mixed",
    ),
    ("Jawatan kosong: kerani di pejabat kami, warganegara sahaja, elaun dan epf diberikan", "ms"),
    ("Wir suchen für unser Team einen Mitarbeiter mit Erfahrung im Einzelhandel und guten Kenntnissen", "other"),
    ("Требуется продавец в магазин, опыт работы приветствуется, график сменный", "other"),
]


@pytest.mark.parametrize(("text", "language"), LANGUAGES, ids=[t[:30] for t, _ in LANGUAGES])
def test_language(text: str, language: str) -> None:
    norm = NORMALISER.read(text).norm
    found, confidence, _ = PROFILE.identify([w for w in norm.replace(",", " ").split() if w.isascii()], norm)
    assert found == language
    assert 0.0 <= confidence <= 1.0
