"""Campaigns: what is grouped, what is not, and that names depend on nothing but the texts."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobscam import campaigns
from jobscam.campaigns import Campaigns, alike, group, of_postings
from jobscam.campaigns.contacts import shipped_keys
from jobscam.campaigns.shingles import PERMUTATIONS, shingles, signatures
from jobscam.corpus import read_samples
from jobscam.errors import InputError
from jobscam.posting import Posting

ROOT = Path(__file__).parent.parent
with (Path(__file__).parent / "tables" / "campaigns.csv").open(encoding="utf-8", newline="") as _stream:
    PAIRS = list(csv.DictReader(_stream))
LURE = "Dicari operator game online penempatan luar negeri, bisa mengetik cepat, mess dan makan disediakan, paspor dibuatkan"
WAITER = "Restoran di Bandung mencari pramusaji yang ramah dan rapi, shift pagi atau sore, makan siang disediakan, gaji UMR"
DRIVER = "Perusahaan ekspedisi mencari sopir truk dengan SIM B umum, hafal jalan lintas Sumatra, uang jalan di luar gaji pokok"
NURSE = "Rumah sakit membuka lowongan perawat ruang rawat inap, lulusan Ners dengan STR aktif, bersedia kerja tiga shift"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: p["note"])
def test_pairs(pair: dict[str, str]) -> None:
    one, other = group([pair["one"], pair["other"]])
    assert (one == other) is (pair["verdict"] == "same")
    assert len(set(of_postings([Posting(description=pair["one"]), Posting(description=pair["other"])]))) == len({one, other})


def test_names_look_like_names_and_stay() -> None:
    # A changed name would break every list an office has kept: raise the major version with it.
    assert group([LURE]) == ["c-8268438a0932d947"]


def test_nothing_gives_nothing() -> None:
    assert group([]) == []
    assert of_postings([]) == []


def test_empty_texts_equal_each_other() -> None:
    assert len(set(group(["", "  ", LURE]))) == 2


TEXTS = st.lists(
    st.one_of(
        st.sampled_from([LURE, WAITER, DRIVER, NURSE, LURE.upper() + " 🔥 12jt", WAITER.replace("ramah", "raamah")]),
        st.text(max_size=60),
        st.text(alphabet="ab ", min_size=20, max_size=60),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.randoms(use_true_random=False))
def test_order_does_not_matter(texts: list[str], rng: random.Random) -> None:
    found = group(texts)
    assert len(found) == len(texts)
    order = list(range(len(texts)))
    rng.shuffle(order)
    again = group([texts[i] for i in order])
    assert again == [found[i] for i in order]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=300), max_size=8), st.data())
def test_copies_stand_together(texts: list[str], data: st.DataObject) -> None:
    if not texts:
        return
    copied = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=8))
    found = group(texts + [texts[i] for i in copied])
    assert found[len(texts) :] == [found[i] for i in copied]


@settings(max_examples=30, deadline=None)
@given(st.permutations([WAITER, DRIVER, NURSE]), st.integers(0, 3))
def test_unrelated_rows_change_no_name(others: list[str], count: int) -> None:
    repost = LURE.replace("cepat", "cpat") + " WA 0812-0000-1473"
    alone = group([LURE, repost])
    assert alone[0] == alone[1]
    assert group([*others[:count], LURE, *others[count:], repost])[count] == alone[0]
    assert len(set(group([LURE, repost, *others]))) == 4


def test_same_names_in_any_process() -> None:
    code = f"from jobscam.campaigns import group; print(group([{LURE!r}, {WAITER!r}], [{{'phone:1', 'x'}}, {{'y'}}]))"
    out = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "src")},
        ).stdout
        for seed in ("0", "77")
    }
    assert len(out) == 1


def test_contacts_join() -> None:
    contacts = [{"phone:6281200001473"}, {"handle:bos"}, set(), {"phone:6281200001473", "handle:bos"}]
    one, two, three, four = group([LURE, WAITER, DRIVER, NURSE], contacts)
    assert one == two == four != three


def test_a_contact_of_very_many_joins_none() -> None:
    words = ["satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh", "sebelas"]
    texts = [" ".join(random.Random(i).choices(words, k=30)) for i in range(campaigns.MOST_GROUPS + 1)]
    assert len(set(group(texts, [["link:papan-loker"]] * len(texts)))) == len(texts)
    assert len(set(group(texts[:-1], [["link:papan-loker"]] * (len(texts) - 1)))) == 1
    # Reposts do not use a contact up: it stands in one group of near-duplicates.
    assert len(set(group([*[LURE] * 30, WAITER], [["phone:1"]] * 31))) == 1


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="2 texts, but contacts of 1"):
        group([LURE, WAITER], [["a"]])
    with pytest.raises(InputError, match="not one text"):
        group(LURE)
    with pytest.raises(InputError, match="between 0 and 1"):
        group([LURE], threshold=1.5)
    with pytest.raises(InputError, match="at least 1"):
        group([LURE], most_groups=0)


CONTACTS = [
    ("WA 0812-0000-1473 / +62 812 0000 1473 / https://wa.me/6281200001473?text=halo", ["phone:6281200001473"]),
    ("wa: 081200001473", ["phone:6281200001473"]),
    ("chat https://api.whatsapp.com/send?phone=6281200001473", ["phone:6281200001473"]),
    ("hub +855 12 000 0147", ["phone:855120000147"]),
    ("Telegram @Bos_Contoh. atau t.me/bos_contoh", ["handle:bos_contoh"]),
    ("ig: bos_contoh", ["handle:bos_contoh"]),
    ("https://www.instagram.com/bos_contoh/?hl=id", ["handle:bos_contoh"]),
    ("email Bos.Contoh@gmail.com, bos.contoh @ gmail com", ["email:bos.contoh@gmail.com"]),
    ("isi https://bit.ly/LokerContoh dan bit.ly/lokercontoh", ["link:bit.ly/LokerContoh", "link:bit.ly/lokercontoh"]),
    ("https://forms.gle/AbCd0000", ["link:forms.gle/AbCd0000"]),
    ("https://docs.google.com/forms/d/e/AbCd0000/viewform?usp=sf_link", ["link:docs.google.com/forms/d/e/AbCd0000/viewform"]),
    ("CV ke hrd@contoh-garment.example", []),
    ("kirim ke hrd@gmail.com atau career@gmail com", []),
    ("lihat www.contoh-garment.example/karir atau https://www.jobstreet.co.id/job/1473", []),
    ("wa.me/ atau https://t.me/joinchat", []),
    ("gaji 3.500.000 - 4.500.000, jam 08.00-17.00", []),
    ("Dicari kasir", []),
]


@pytest.mark.parametrize(("text", "keys"), CONTACTS, ids=[c[0] for c in CONTACTS])
def test_contacts_in_one_spelling(text: str, keys: list[str]) -> None:
    assert list(shipped_keys().in_text(text)) == keys


def test_the_account_that_posts_is_no_contact() -> None:
    posting = Posting(description=f"{WAITER} follow @papan_contoh, WA 0812-0000-1473", source="@Papan_Contoh")
    assert shipped_keys().of(posting) == ("phone:6281200001473",)


@given(st.text(max_size=200))
def test_contacts_of_any_text(text: str) -> None:
    keys = shipped_keys().in_text(text)
    assert list(keys) == sorted(set(keys)) and all(":" in k for k in keys)


def test_many_contacts_do_not_cost_their_square() -> None:
    start = time.perf_counter()
    assert len(shipped_keys().in_text("".join(f"@akun{i} " for i in range(20_000)))) > 15_000
    assert time.perf_counter() - start < 10  # comparing each with each takes a minute


def test_signatures_estimate_similarity() -> None:
    keys = [f"{LURE[:cut]} {WAITER[cut:]}" for cut in range(0, len(LURE), 9)]
    sketches = signatures(keys)
    sets = [set(shingles(k).tolist()) for k in keys]
    for i in range(len(keys)):
        for j in range(i):
            exact = len(sets[i] & sets[j]) / len(sets[i] | sets[j])
            estimate = np.count_nonzero(sketches[i] == sketches[j]) / PERMUTATIONS
            assert abs(exact - estimate) < 4 * 0.0442


def test_signatures_do_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [LURE, WAITER[:30], DRIVER, NURSE * 20]
    whole = signatures(keys)
    monkeypatch.setattr("jobscam.campaigns.shingles._BATCH", 1)
    assert np.array_equal(whole, signatures(keys))


def test_a_chain_does_not_glue_strangers() -> None:
    # Each link replaces a tenth of the text, so neighbours are alike and the ends have nothing in common.
    start, end = (LURE + " " + WAITER).split(), (DRIVER + " " + NURSE).split()
    size = min(len(start), len(end))
    chain = [" ".join(end[:cut] + start[cut:size]) for cut in range(0, size + 1, 2)]
    found = group(chain)
    assert found[0] != found[-1]
    assert len(set(found)) < len(chain) / 2


def test_a_crowd_is_found_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many variants of one text: not all pairs are looked at, and they are one campaign all the same."""
    monkeypatch.setattr(alike, "_NEIGHBOURS", 1)
    words = LURE.split()
    rng = random.Random(3)
    texts = []
    for _ in range(60):
        changed = list(words)
        changed[rng.randrange(len(words))] = rng.choice(["bos", "kantor", "segera", "resmi", "aman"])
        texts.append(" ".join(changed))
    assert len(set(group(texts))) == 1


def test_boilerplate_of_a_portal_does_not_glue_its_ads() -> None:
    """Hundreds of ads just below the threshold: each pair has its chance to look alike, and hardly one may."""
    rng = random.Random(8)
    syllables = ["ka", "ri", "man", "sut", "o", "pel", "ba", "ngi", "du", "ter", "wo", "lis"]

    def words(count: int) -> str:
        return " ".join("".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(count))

    shared = words(34)
    texts = [f"{shared} {words(14)}" for _ in range(400)]
    assert len(set(group(texts))) > 0.95 * len(texts)


def test_authored_campaigns() -> None:
    """Authored ads share whole phrases, but were each written anew: hardly any two are one campaign."""
    rows = read_samples(ROOT / "data" / "samples" / "ads.csv")
    found = group([campaigns.body(r.posting) for r in rows])
    mates = {c: {r.campaign for r, f in zip(rows, found) if f == c} for c, n in Counter(found).items() if n > 1}
    assert all(len(named) == 1 for named in mates.values()), mates


def test_taken_one_by_one() -> None:
    taken = Campaigns()
    for text in (LURE, WAITER):
        taken.add(*campaigns.traits(Posting(description=text)))
    assert len(taken) == 2
    assert taken.names() == group([LURE, WAITER])
