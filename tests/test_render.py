"""What a notebook shows: the ad as it is, inert, with its evidence, and contributions that add up."""

from __future__ import annotations

import re
from functools import lru_cache
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jobscam
from jobscam.errors import ArtifactError
from jobscam.posting import Posting
from jobscam.render import MOST_SHOWN, fragment, printable
from jobscam.scoring import Scorer

LURE = "Loker Kamboja 🇰🇭 admin slot, gaji 12-15jt, tiket & paspor ditanggung, tanpa pengalaman. WA 0812-0000-1473"
TAGS = {"div", "span", "b", "mark", "table", "tr", "td", "bdi"}
ATTRIBUTES = {"style", "class", "dir", "title"}
VOID = {"br", "img", "input", "meta", "link", "hr"}


class Page(HTMLParser):
    """Text of the ad's blocks, marks, and all tags and attributes used."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.blocks: list[str] = []
        self.marks: list[str] = []
        self.titles: list[str] = []
        self.cells: list[str] = []
        self.block_depth = 0
        self.feed(html)
        self.close()
        assert not self.stack, "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.stack.append(tag)
        given = dict(attrs)
        if given.get("class") == "jobscam-text":
            self.block_depth = len(self.stack)
            self.blocks.append("")
        if tag == "mark":
            self.marks.append("")
            self.titles.append(given.get("title") or "")
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        if self.block_depth == len(self.stack):
            self.block_depth = 0
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.block_depth:
            self.blocks[-1] += data
        if "mark" in self.stack:
            self.marks[-1] += data
        if "td" in self.stack:
            self.cells[-1] += data


def check(html: str, texts: list[str]) -> Page:
    page = Page(html)
    assert page.tags <= TAGS and page.attributes <= ATTRIBUTES
    assert page.blocks == [printable(t[:MOST_SHOWN]) for t in texts]
    html.encode("utf-8")  # no surrogate: a notebook can be saved
    assert not re.search(r"url\(|https?:|expression|javascript", re.sub(r">[^<]*<|title=\"[^\"]*\"", "><", html))
    return page


@pytest.fixture(scope="module")
def model(scorer: Scorer) -> Scorer:
    return scorer


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</mark></div></td><b onclick='x'>",
    "&lt;b&gt; &amp; &#60;",
    "<!-- <![CDATA[ ]]> -->",
    "\u202egnirit\u202c \u2066x\u2069 مرحبا بكم",
    "a\x00b\x1b[2Jc\x7f\x85\ud800\uffff",
    "baris satu\r\nbaris dua\r\ttiga\u2028empat",
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=[ascii(h)[:24] for h in HOSTILE])
def test_hostile_text_is_inert(model: Scorer, hostile: str) -> None:
    for text in (hostile, f"{hostile} {LURE} {hostile}", LURE.replace("Kamboja", f"Kamboja{hostile}")):
        check(model.assess(text)._repr_html_(), [text])


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=200)
    | st.text(alphabet="<>&\"'/=a \n\r\t\u202e", max_size=80)
    | st.lists(st.sampled_from([*HOSTILE, "Kamboja", "admin slot", "gaji 15jt", "paspor dibuatkan", "BPJS", "&", "<b>"]), max_size=12).map(" ".join)
)  # fmt: skip
def test_any_text_is_shown_as_it_is(text: str) -> None:
    for language in ("id", "en"):
        check(shipped().assess(text).to_html(language), [text] if text else [])


@lru_cache(maxsize=1)
def shipped() -> Scorer:
    """The shipped model, where a fixture cannot be used."""
    try:
        return jobscam.load()
    except ArtifactError:
        pytest.skip("no shipped model")


def test_every_field_is_shown_in_its_place(model: Scorer) -> None:
    posting = Posting(title="Admin <slot>", location="Poipet", salary="15jt", description=LURE)
    html = model.assess(posting).to_html("en")
    check(html, [posting.title, posting.location, posting.salary, posting.description])
    for name in ("title", "location", "salary", "description"):
        assert f">{name}</div>" in html


def test_marks_are_the_evidence(model: Scorer) -> None:
    found = model.assess(LURE)
    page = check(found.to_html("id", reasons=100), [LURE])
    marked = "".join(page.marks)
    for reason in found.reasons:
        for span in reason.spans:
            assert all(c in marked for c in LURE[span.start : span.end].split())
    for item in found.evidence:
        sentence = next((r.sentence("id") for r in found.reasons if r.name == item.indicator), None)
        if item.spans and sentence:
            assert any(sentence in title for title in page.titles)
    assert LURE.index("🇰🇭") < LURE.index("admin slot")  # offsets count code points, also behind an emoji
    assert "admin slot" in page.marks or "slot" in page.marks


def test_numbers_add_up(model: Scorer) -> None:
    for text in (LURE, "Dicari kasir toko di Depok, jujur, gaji 2,5jt, lamaran antar langsung ke toko"):
        found = model.assess(text)
        numbers = [float(c) for c in check(found.to_html("en", reasons=5), [text]).cells if re.fullmatch(r"[+-]\d+\.\d\d", c)]
        assert numbers[0] == pytest.approx(found.bias, abs=0.006)
        assert numbers[-1] == pytest.approx(found.logit, abs=0.006)
        assert sum(numbers[:-1]) == pytest.approx(numbers[-1], abs=0.006 * len(numbers))


def test_what_could_not_be_scored_says_why(model: Scorer) -> None:
    html = model.assess("🔥🔥🔥").to_html("id")
    assert "tidak dinilai" in html and "peluang tidak dapat dihitung" in html
    warning = model.assess(
        "Waspada! Jangan tergiur loker admin judi di Kamboja gaji 15 juta, korban TPPO sudah banyak. Laporkan ke polisi."
    )
    assert warning.status_sentence("en") in warning.to_html("en")
    assert model.assess("").to_html()


def test_long_ads_are_cut_and_say_so(model: Scorer) -> None:
    text = "admin slot Kamboja " * 4000
    html = model.assess(text).to_html("en")
    check(html, [text])
    assert f"{len(text) - MOST_SHOWN} more characters not shown" in html


def test_the_two_languages_differ(model: Scorer) -> None:
    found = model.assess(LURE)
    assert fragment(found, "id") != fragment(found, "en")
    assert found._repr_html_() == fragment(found, "id")
