"""One line a case: what must, and what must not, be found in an ad."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobscam.indicators import IndicatorReader
from jobscam.indicators.matcher import any_of
from jobscam.posting import Posting

# text, indicator, words shown (None: must not be found; "": found without words)
CASES: list[tuple[str, str, str | None]] = [
    # demands
    ("Biaya administrasi 350 ribu dibayar saat interview", "upfront_fee", "Biaya administrasi"),
    ("Rekrutmen ini tidak dipungut biaya", "upfront_fee", None),
    ("Rekrutmen ini tidak dipungut biaya", "no_fee_stated", "tidak dipungut biaya"),
    ("tanpa biaya pendaftaran ya kak", "upfront_fee", None),
    ("There is no registration fee", "upfront_fee", None),
    ("A registration fee of 50 USD is required", "upfront_fee", "registration fee"),
    ("Uang jaminan 1,5jt kembali setelah training", "deposit", "Uang jaminan 1,5jt kembali"),
    ("paspor disimpan kantor biar aman", "document_retention", "paspor disimpan"),
    ("ijazah tidak ditahan", "document_retention", None),
    ("masuk pakai visa turis dulu", "tourist_visa_work", "masuk pakai visa turis"),
    ("di imigrasi bilang saja mau liburan", "coach_immigration", "imigrasi bilang saja mau liburan"),
    ("Tiket dan hotel dipesan lewat travel rekanan kami", "travel_agent_booking", "Tiket dan hotel dipesan lewat travel rekanan"),
    ("kalau keluar sebelum kontrak habis denda 30 juta", "penalty_for_leaving", "kalau keluar sebelum kontrak habis denda 30 juta"),
    ("lewat orang dalam dijamin masuk", "insider_bribe", "lewat orang dalam"),
    ("kirim ktp dan selfie", "identity_data_requested", "kirim ktp dan selfie"),
    # lures and jobs
    ("tiket & paspor ditanggung bos", "all_expenses_paid", "tiket & paspor ditanggung"),
    ("tkt visa mess dtggung", "all_expenses_paid", "tkt visa mess dtggung"),
    ("dibutuhkan admin slot", "gambling_work", "admin slot"),
    ("butuh CS j*dol", "gambling_work", "CS j*dol"),
    ("operator mesin slotting di pabrik kertas", "gambling_work", None),
    ("tanpa pengalaman boleh daftar", "no_requirements", "tanpa pengalaman"),
    ("gaji usdt tiap tanggal 5", "pay_in_crypto", "gaji usdt"),
    ("bukan penipuan ya kak", "reassurance", "bukan penipuan"),
    ("like dan subscribe video dibayar", "micro_task", "like dan subscribe video"),
    ("Don't tell anyone about this", "secrecy", "Don't tell"),
    ("We have our own pig butchering team", "scam_work", "pig butchering"),
    ("We are a trusted partner of hotels", "trust_claim", None),
    # destination
    ("Loker Kamboja gaji 8jt", "destination_hub", "Kamboja"),
    ("loker KMBJ admin", "destination_hub", "KMBJ"),
    ("loker 🇰🇭 admin", "destination_hub", "🇰🇭"),
    ("penempatan Poipet dan Bavet", "destination_hub", "Poipet"),
    ("Toko di Jl. Kamboja No. 3 Denpasar", "destination_hub", None),
    ("Jual bunga kamboja, cari karyawan toko", "destination_hub", None),
    ("kerja di Myawaddy via Bangkok", "transit_route", "Bangkok"),
    ("negara dirahasiakan, dijelaskan lewat chat", "undisclosed_destination", "negara dirahasiakan"),
    # pay
    ("CS di Poipet gaji 15 juta", "pay_above_destination", "15 juta"),
    ("kasir toko di Depok gaji 2,5jt", "pay_above_occupation", None),
    ("kasir toko di Depok gaji 25jt", "pay_above_occupation", "25jt … kasir"),
    ("penata laksana rumah tangga Hong Kong, gaji HK$ 16.500", "pay_above_destination", "HK$ 16.500"),
    ("penata laksana rumah tangga Hong Kong, gaji HK$ 5.100", "pay_above_destination", None),
    ("kebun selada di Prefektur Nagano, gaji 690.000 yen, wawancara di Yogyakarta", "pay_above_destination", "690.000 yen"),
    ("kebun selada di Prefektur Nagano, gaji 195.000 yen, wawancara di Yogyakarta", "pay_above_destination", None),
    ("pramusaji kedai di Kota Kinabalu gaji RM 9.400", "pay_above_destination", "RM 9.400"),
    ("Kitchen helper in Penang, salary RM 11,500", "pay_above_destination", "RM 11,500"),
    ("Kitchen helper in Penang, salary RM 2,300", "pay_above_destination", None),
    # agency
    ("PT Contoh Jaya SIP3MI No. 123/2021, pabrik di Taiwan", "licence_number", "SIP3MI No. 123/2021"),
    ("kerja di Kamboja gaji 9jt", "no_licensed_agency", ""),
    ("kerja di Bandung gaji 4jt", "no_licensed_agency", None),
    # contact
    ("minat t.me/kerja0000", "telegram_contact", "t.me"),
    ("hub +855 12 000 0312", "phone_in_hub_country", "+855 12 000 0312"),
    ("kirim CV ke hrd@tunaslestari0000.co.id", "company_mail", "hrd@tunaslestari0000.co.id"),
    ("kirim ke hrd.sbk0000@gmail.com", "free_mail", "hrd.sbk0000@gmail.com"),
    ("daftar di bit.ly/loker0000", "short_link", "bit.ly/loker0000"),
    ("daftar di siapkerja.kemnaker.go.id", "official_domain", "siapkerja.kemnaker.go.id"),
    ("Dibutuhkan staf Puskesmas Sukamaju, info 0812-0000-1473", "public_name_private_contact", "Puskesmas"),
    ("Lowongan Kerja PT Pegadaian, semua lulusan boleh, klik Daftar di bawah", "public_name_no_channel", "PT Pegadaian"),
    ("Rekrutmen PLN, daftar di https://infoloker-contoh.my.id/1", "public_name_other_address", "PLN"),
    ("Rekrutmen PLN, daftar di https://rekrutmen.pln.co.id", "public_name_other_address", None),
    ("UPT Puskesmas Sukamaju menerima sopir, berkas dimasukkan ke loket TU", "public_name_no_channel", None),
    ("Kantor Desa Sukamaju cari tenaga kebersihan, lamaran ke Pak Sekdes", "public_name_no_channel", None),
    ("Rekrutmen PLN, daftar di https://rekrutmen.pln.co.id", "public_name_no_channel", None),
    ("Dibutuhkan kasir di Depok, gaji ditransfer, datang ke toko kami setiap hari kerja, nasabah BCA", "public_name_no_channel", None),
    ("Penerimaan karyawan baru PT Pertamina, penempatan sesuai domisili, SMP SMA D3 S1", "mass_recruitment", "PT Pertamina"),
    ("Penerimaan karyawan baru PT Pertamina, S1 Teknik Kimia, daftar di recruitment.pertamina.com", "mass_recruitment", None),
    # evasion and safety
    ("kam\u200bboja", "hidden_characters", "kam\u200bboja"),
    ("l0ker sl0t", "disguised_words", "l0ker … sl0t"),
    ("BPJS dan THR", "statutory_benefits", "BPJS … THR"),
    ("visa kerja diurus perusahaan", "work_permit_stated", "visa kerja"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "indicator", "words"), CASES, ids=[f"{c[1]}: {c[0][:40]!r}" for c in CASES])
def test_case(reader: IndicatorReader, text: str, indicator: str, words: str | None) -> None:
    document, findings = reader.read(Posting(description=text))
    found = {e.indicator: e for e in findings.evidence}
    if words is None:
        assert indicator not in found
        return
    assert indicator in found
    shown = " … ".join(document.words_shown(s) for s in found[indicator].spans)
    assert shown == words or words in shown.split(" … ")


def test_a_portal_is_the_channel_of_the_employer_it_names(reader: IndicatorReader) -> None:
    found = reader.read(Posting(title="Teller", company="Bank Mandiri", description="Melayani nasabah, pendidikan S1"))[1]
    assert not {e.indicator for e in found.evidence} & {"public_name_no_channel", "public_name_other_address", "mass_recruitment"}


def test_agency_list_is_used(reader: IndicatorReader) -> None:
    ad = "PT Contoh Penempatan Satu membuka lowongan pabrik di Taiwan. {}"
    fits = reader.read(Posting(description=ad.format("info@contoh-satu.example")))[1]
    borrowed = reader.read(Posting(description=ad.format("WA 0812-0000-1473")))[1]
    assert fits.facts["agency"] == "licensed"
    assert "agency_licensed" in {e.indicator for e in fits.evidence}
    assert borrowed.facts["agency"] == "mismatch"
    assert "agency_mismatch" in {e.indicator for e in borrowed.evidence}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("PT Contoh Abadi SIP3MI 123/2021", "PT Contoh Abadi"),
        ("PT. CONTOH MAKMUR ABADI (SIP3MI No. 12/2020)", "PT. CONTOH MAKMUR ABADI"),
        ("PT Contoh Insan Hubungi Bapak Budi", "PT Contoh Insan"),
        ("PT Contoh Utama\nTidak dipungut biaya", "PT Contoh Utama"),
        ("PT Contoh Mitra Sejati membuka lowongan", "PT Contoh Mitra Sejati"),
        ("PT Contoh Lestari. Biaya gratis", "PT Contoh Lestari"),
    ],
)
def test_name_of_an_agency_ends_where_other_words_begin(reader: IndicatorReader, text: str, name: str) -> None:
    found = reader.read(Posting(description=f"Taiwan, caregiver. {text}"))[1]
    assert [e.detail for e in found.evidence if e.indicator == "agency_named"] == [f"name={name}"]


def test_spans_point_into_their_field(reader: IndicatorReader) -> None:
    posting = Posting(title="Admin Sl0t", location="Kamboja", salary="12jt", description="paspor dibuatkan, 𝗴𝗮𝗷𝗶 besar")
    document, findings = reader.read(posting)
    shown = {e.indicator: [(s.field, document.words_shown(s)) for s in e.spans] for e in findings.evidence}
    assert shown["gambling_work"] == [("title", "Admin Sl0t")]
    assert ("location", "Kamboja") in shown["destination_hub"]
    assert shown["passport_arranged"] == [("description", "paspor dibuatkan")]


WORDS = [
    "gaji",
    "12jt",
    "Kamboja",
    "tiket",
    "ditanggung",
    "tanpa",
    "biaya",
    "0812-0000-1473",
    "@",
    ".",
    "\n",
    "🇰🇭",
    "PT",
    "SIP3MI",
    "visa turis",
    "s l o t",
    "bit.ly/x",
    "hrd@x.example",
    "USD",
    "-",
    "𝗮",
    "\u200b",
    "paspor",
    "juta",
    "dua",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), st.text(max_size=60))
def test_evidence_always_slices(text: str, more: str) -> None:
    reader = _reader()
    posting = Posting(description=text, title=more)
    document, findings = reader.read(posting)
    for item in findings.evidence:
        assert 0.0 <= item.value <= 2.0
        for span in item.spans:
            field = getattr(posting, span.field)
            assert 0 <= span.start < span.end <= len(field)
            assert document.words_shown(span) == field[span.start : span.end]


def _reader(cache: list[IndicatorReader] = []) -> IndicatorReader:  # noqa: B006 - a cache on purpose: hypothesis forbids fixtures here
    if not cache:
        from jobscam import knowledge

        cache.append(IndicatorReader(knowledge.load()))
    return cache[0]


@pytest.mark.parametrize(
    "piece",
    [
        "paspor ",
        "tiket tiket ",
        "1",
        "1.",
        "12jt ",
        "a@",
        "rp ",
        "@",
        "PT A",
        "kamboja ",
        "08",
        "bit.ly/",
        "dua ",
        "+",
        "(",
        "tanpa ",
        "jl. ",
        "di kamboja ",
        "loker jakarta info ",
        "a b ",
        "0812 ",
        "a.a",
        "rp1.000-",
        "antara 4 dan ",
        "sip3mi no ",
        "ea ",
        "gmail ",
        "a @ b ",
        "l o k e r ",
        "#EMAIL_0",
        "seluruh indonesia ",
        "$1",
        "usd 1,000 to ",
        "umr ",
        "x dot y ",
    ],
)
def test_cost_is_linear(reader: IndicatorReader, piece: str) -> None:
    def seconds(n: int) -> float:
        posting = Posting(description=(piece * n)[:n])
        best = 9.0
        for _ in range(2):
            start = time.perf_counter()
            reader.read(posting)
            best = min(best, time.perf_counter() - start)
        return best

    small, large = seconds(5_000), seconds(50_000)
    assert large < 40 * small + 0.3


def test_an_emptied_list_of_words_matches_nothing() -> None:
    """A user's own folder may empty a list; the words around it must not start to match everywhere."""
    assert not re.search(any_of([]), "gaji 3jt")
    assert re.fullmatch(any_of(["jt", "juta"]), "juta")
