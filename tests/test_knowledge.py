"""The knowledge files hold together, and a fault in them is named with file and line."""

from __future__ import annotations

import pickle
import tomllib
from pathlib import Path

import pytest

from jobscam import knowledge
from jobscam.errors import KnowledgeError
from jobscam.indicators import FAMILIES, Document
from jobscam.indicators.phrases import PhraseEngine
from jobscam.posting import Posting
from jobscam.text import Normaliser
from jobscam.values import Sign

K = knowledge.load()
COMPUTED = set(tomllib.loads((Path(knowledge.__file__).parent / "computed.toml").read_text(encoding="utf-8")))  # fmt: skip


def test_every_phrase_indicator_has_forms_in_both_languages() -> None:
    for language in ("id", "en"):
        with_forms = {f.indicator for f in K.forms if f.language == language}
        assert set(K.indicators) - COMPUTED == with_forms


def test_every_indicator_belongs_to_a_family() -> None:
    families = {i.family for i in K.indicators.values() if i.sign is not Sign.CONTEXT}
    assert families <= set(FAMILIES)
    assert {i.family for i in K.indicators.values() if i.sign is Sign.CONTEXT} == {"posting_type"}


def test_every_form_can_match() -> None:
    """A form that the normaliser changes would never be found."""
    normaliser = Normaliser(K)
    wrong = [
        (f.file, f.line, a) for f in K.forms for slot in f.slots for a in slot if normaliser.read(a).norm != a and "." not in a
    ]
    assert not wrong


def test_places_point_to_countries_and_risks_are_known() -> None:
    for place in K.places:
        assert place.iso in K.countries
        assert place.hub_risk in ("low", "medium", "high")
    for country in K.countries.values():
        assert country.hub_risk in ("low", "medium", "high")
        assert country.why or country.hub_risk == "low"


def test_shipped_agencies_are_fictitious() -> None:
    assert all("Contoh" in a.name for a in K.agencies)


def test_every_row_has_a_source() -> None:
    for table in (K.countries.values(), K.places, K.minimum_wages, K.typical_wages, K.occupations, K.brands, K.agencies):
        for row in table:
            assert row.source and row.date


def overlay(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return folder


HEAD = "indicator,form,source,date,note\n"
FAULTS = [
    ("languages/id/phrases.csv", HEAD + "gambling_work,admin zeus,me,2026,\nnope,x,me,2026,\n", "phrases.csv, line 3: unknown indicator 'nope'"),
    ("languages/id/phrases.csv", HEAD + "gambling_work,Admin Zeus,me,2026,\n", "line 2: 'Admin Zeus' can never match"),
    ("languages/id/phrases.csv", HEAD + "gambling_work,a ~ b ~3,me,2026,\n", "line 2: 'b ~3' can never match"),
    ("languages/en/phrases.csv", HEAD + "gambling_work,don't tell,me,2026,\n", "line 2: 'don't tell' can never match"),
    ("languages/id/phrases.csv", HEAD + "gambling_work,a ~ | b,me,2026,\n", "line 2: form 'a ~ | b' has an empty"),
    ("languages/id/phrases.csv", HEAD + "gambling_work,a\n", "line 2: needs 5 cells"),
    ("tables/fx.csv", "currency,idr_per_unit,date,source\nUSD,many,2026,me\n", "line 2: column 'idr_per_unit' needs a number, got 'many'"),
    ("tables/fx.csv", "currency,rate\nUSD,1\n", "line 1: lacks the column(s) idr_per_unit"),
    ("tables/fx.csv", "currency,idr_per_unit,date,source\nUSD,1,x,me\nUSD,2,x,me\n", "line 3: repeats the row"),
    ("tables/typical_wages.csv", "iso,occupation,group,low,high,currency,period,source,date\nSG,cook,kitchen,1,2,SGD,month,me,2026\n",
     "names the unknown group 'kitchen'"),
    ("indicators.toml", "[x]\nfamily = 'lures'\nsign = 'bad'\n", "[x] lacks or misspells"),
    ("indicators.toml", "[x]\nfamily = 'lures'\nsign = 'risk'\nprior = -1\n", "contradicts sign risk"),
    ("indicators.toml", "[x\n", "line 1: is not valid TOML"),
    ("settings.toml", "a = \n", "line 1: is not valid TOML"),
    ("money.toml", "[phrasing]\nbare_period = ['bulan', 'dekade']\n", "bare_period names 'dekade', which is no word of [periods]"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "message"), FAULTS, ids=[m for _, _, m in FAULTS])
def test_faults_are_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(KnowledgeError) as error:
        knowledge.load(overlay(tmp_path, name, text))
    assert message in str(error.value)


def test_a_fault_travels_between_processes() -> None:
    error = pickle.loads(pickle.dumps(KnowledgeError("phrases.csv", 3, "is wrong")))
    assert (str(error), error.file, error.line) == ("phrases.csv, line 3: is wrong", "phrases.csv", 3)


def test_words_that_a_form_must_not_have_beside_it(tmp_path: Path) -> None:
    row = "gambling_work,admin zeus,me,2026,,gudang|#\n"
    overlay(tmp_path, "languages/id/phrases.csv", HEAD.strip() + ",unless\n" + row)
    engine = PhraseEngine(knowledge.load(tmp_path))
    normaliser = Normaliser(K)
    for text, found in (("cari admin zeus", True), ("cari admin zeus gudang", False), ("gudang. cari admin zeus", True)):
        held, _ = engine.find(Document(Posting(description=text), normaliser))
        assert ("gambling_work" in held) == found, text


def test_not_utf8_is_named(tmp_path: Path) -> None:
    overlay(tmp_path, "tables/fx.csv", "")
    (tmp_path / "tables/fx.csv").write_bytes(b"currency,idr_per_unit,date,source\nUSD,1,x,caf\xe9\n")
    with pytest.raises(KnowledgeError, match="line 2: is not UTF-8"):
        knowledge.load(tmp_path)


def test_overlay_adds_and_replaces(tmp_path: Path) -> None:
    overlay(tmp_path, "languages/id/phrases.csv", HEAD + "gambling_work,admin zeus,me,2026,\n")
    overlay(tmp_path, "tables/fx.csv", "currency,idr_per_unit,date,source\nUSD,20000,2026,me\n")
    mine = knowledge.load(tmp_path)
    assert mine.fx["USD"] == 20000
    assert mine.fx["SGD"] == K.fx["SGD"]
    assert len(mine.forms) == len(K.forms) + 1
    assert mine.digest != K.digest


def test_agencies_file_replaces_the_sample(tmp_path: Path) -> None:
    file = tmp_path / "p3mi.csv"
    file.write_text(
        "name,licence,valid_from,valid_until,status,city,contact,domain,source,date\nPT Contoh,1,,,licensed,,,,me,2026\n"
    )
    assert [a.name for a in knowledge.load(agencies=file).agencies] == ["PT Contoh"]
