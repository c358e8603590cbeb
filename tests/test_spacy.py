"""The spaCy component: spans, cats and extension; saved, sent to other processes, shown by displaCy."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jobscam
from jobscam.corpus import read_samples
from jobscam.errors import ArtifactError, InputError
from jobscam.model import artifact
from jobscam.scoring import Scorer

spacy = pytest.importorskip("spacy", reason='spaCy is not installed: pip install -c constraints.txt -e ".[spacy]"')
from spacy import displacy  # noqa: E402
from spacy.tokens import Doc, DocBin  # noqa: E402

from jobscam.integrations import bundle  # noqa: E402
from jobscam.integrations.spacy import RISK, SAFETY, JobScamComponent, displacy_options  # noqa: E402

ROOT = Path(__file__).parent.parent
LURE = "Loker Kamboja, CS, gaji 12jt, tiket & paspor ditanggung, tanpa pengalaman"
HONEST = "Dicari kasir toko di Depok, jujur, gaji 2,5jt, lamaran antar langsung ke toko"
WARNING = "Waspada! Jangan tergiur loker admin judi di Kamboja gaji 15 juta, korban TPPO sudah banyak. Laporkan ke polisi."
TEXTS = [
    LURE,
    HONEST,
    WARNING,
    "",
    "🔥🔥🔥",
    *(r.posting.text() for r in read_samples(ROOT / "data" / "samples" / "ads.csv")[:30]),
]
SETTINGS = {"prevalence": 0.02, "thresholds": {"medium": 0.2}, "language": "en"}


def pipeline(spacy_language: str = "xx", **config: Any) -> Any:
    nlp = spacy.blank(spacy_language)
    nlp.add_pipe("jobscam", config=config)
    return nlp


@pytest.fixture(scope="module")
def nlp(scorer: Scorer) -> Any:
    return pipeline()


def facts(doc: Doc) -> tuple[Any, ...]:
    """All that must survive bytes."""
    group = doc.spans["jobscam"]
    spans = [(s.start, s.end, s.label_, s.kb_id_, s._.jobscam_weight) for s in group]
    return doc.text, dict(doc.cats), spans, dict(group.attrs)


@pytest.mark.parametrize("language", ["id", "en", "ms", "xx"])
def test_any_language_says_what_the_scorer_says(language: str, scorer: Scorer) -> None:
    doc = pipeline(language)(LURE)
    found = scorer.assess(LURE)
    assert doc.cats == {"jobscam": found.probability}
    assert doc._.jobscam.logit == found.logit and doc._.jobscam.tier == found.tier
    assert doc._.jobscam is doc._.jobscam
    attrs = doc.spans["jobscam"].attrs
    assert {"tier": "critical", "status": "scored", "model": found.model}.items() <= attrs.items()
    assert attrs["reasons"] == found.top_reasons(3, "id")


def test_evidence_becomes_spans(nlp: Any, scorer: Scorer) -> None:
    for text in TEXTS:
        doc, found = nlp(text), scorer.assess(text)
        expected = [(item.indicator, text[start:end]) for item in found.evidence for _, start, end in item.spans]
        spans = list(doc.spans["jobscam"])
        assert len(spans) == len(expected)
        for span, (indicator, words) in zip(spans, expected, strict=True):
            assert span.label_ == indicator
            assert words in span.text  # whole tokens: never less than the evidence
        by_name: dict[str, float] = {}
        for part in found.contributions:
            by_name[part.name.split("@")[0]] = by_name.get(part.name.split("@")[0], 0.0) + part.value
        for span in spans:
            assert span._.jobscam_weight == pytest.approx(by_name.get(span.label_, 0.0))
            assert float(span.kb_id_) == pytest.approx(span._.jobscam_weight, abs=0.0051)
        weighed = sum(doc.spans["jobscam"].attrs["weights"].values())
        others = sum(v for n, v in by_name.items() if n not in doc.spans["jobscam"].attrs["weights"])
        assert found.bias + weighed + others == pytest.approx(found.logit)


def test_spans_may_overlap(nlp: Any) -> None:
    doc = nlp(LURE)
    spans = list(doc.spans["jobscam"])
    assert any(a.start < b.end and b.start < a.end for a in spans for b in spans if a.label_ != b.label_)


@pytest.mark.parametrize("text", ["", "🔥🔥🔥", "gaji 12jt"])
def test_no_category_where_nothing_can_be_said(nlp: Any, text: str) -> None:
    doc = nlp(text)
    assert "jobscam" not in doc.cats
    assert doc._.jobscam.status == doc.spans["jobscam"].attrs["status"] == "not_assessable"


def test_a_warning_keeps_its_probability_and_says_what_it_is(nlp: Any) -> None:
    doc = nlp(WARNING)
    assert "jobscam" in doc.cats and doc.spans["jobscam"].attrs["status"] == "warning_or_news"
    assert doc.spans["jobscam"].attrs["tier"] == ""


def test_a_second_run_replaces_the_first(nlp: Any) -> None:
    doc = nlp(HONEST)
    doc.cats["jobscam"] = 0.5
    doc.cats["other"] = 0.1
    first = facts(nlp(HONEST))[2]
    doc = nlp.get_pipe("jobscam")(doc)
    assert facts(doc)[2] == first and doc.cats["other"] == 0.1 and doc.cats["jobscam"] != 0.5


def test_a_stream_equals_one_by_one(nlp: Any) -> None:
    assert [facts(d) for d in nlp.pipe(TEXTS, batch_size=7)] == [facts(nlp(t)) for t in TEXTS]


def test_two_processes(nlp: Any) -> None:
    docs = list(nlp.pipe(TEXTS, n_process=2, batch_size=5))
    assert [facts(d) for d in docs] == [facts(nlp(t)) for t in TEXTS]
    assert docs[0]._.jobscam.tier == "critical"  # computed again: an Assessment does not travel


def test_docs_travel_as_bytes(nlp: Any) -> None:
    doc = nlp(LURE)
    again = Doc(spacy.blank("xx").vocab).from_bytes(doc.to_bytes())
    assert facts(again) == facts(doc)
    assert again._.jobscam.logit == doc._.jobscam.logit
    stored = DocBin(docs=[doc, nlp(HONEST)], store_user_data=True).to_bytes()
    kept = list(DocBin().from_bytes(stored).get_docs(spacy.blank("xx").vocab))
    assert [facts(d) for d in kept] == [facts(doc), facts(nlp(HONEST))]
    assert facts(pickle.loads(pickle.dumps(doc))) == facts(doc)


def test_docs_outlive_their_component(scorer: Scorer) -> None:
    own = pipeline(prevalence=0.031)
    doc = own(LURE)
    raw = doc.to_bytes()
    del own
    assert doc._.jobscam.tier == "critical"
    code = (
        "import sys, spacy, jobscam.integrations.spacy; from spacy.tokens import Doc; "
        "doc = Doc(spacy.blank('xx').vocab).from_bytes(sys.stdin.buffer.read()); "
        "print(doc._.jobscam, doc.spans['jobscam'].attrs['tier'], doc.spans['jobscam'][0]._.jobscam_weight > 0)"
    )
    out = subprocess.run([sys.executable, "-c", code], input=raw, capture_output=True, check=True).stdout
    assert out.decode().split() == ["None", "critical", "True"]
    assert spacy.blank("xx")(LURE)._.jobscam is None


def test_spacy_finds_the_component_by_itself(tmp_path: Path, nlp: Any) -> None:
    nlp.to_disk(tmp_path / "saved")
    code = (
        "import sys, spacy; assert not [n for n in sys.modules if n.startswith('jobscam')]; "
        f"print(spacy.load(sys.argv[1])({LURE!r}).cats['jobscam'], spacy.blank('ms').add_pipe('jobscam').name)"
    )
    out = subprocess.run([sys.executable, "-c", code, str(tmp_path / "saved")], capture_output=True, text=True, check=True).stdout
    assert out.split() == [repr(nlp(LURE).cats["jobscam"]), "jobscam"]


def own_files(folder: Path) -> dict[str, str]:
    """A model, knowledge and agencies that lie nowhere else."""
    shutil.copytree(artifact.shipped_path(), folder / "mine-9.0.0")
    for code in ("id", "en"):
        (folder / "knowledge" / "languages" / code).mkdir(parents=True)
    shipped = Path(jobscam.__file__).parent / "knowledge"
    (folder / "knowledge" / "notes.txt").write_text("not read")
    extra = "indicator,form,source,date,note\ngambling_work,markas rahasia,test,2026-11-24,\n"
    (folder / "knowledge" / "languages" / "id" / "phrases.csv").write_text(extra)
    table = (shipped / "tables" / "agencies.csv").read_text(encoding="utf-8").splitlines()
    (folder / "agencies.csv").write_text("\n".join(table[:3]) + "\n", encoding="utf-8")
    return {"model": str(folder / "mine-9.0.0"), "knowledge": str(folder / "knowledge"), "agencies": str(folder / "agencies.csv")}


@pytest.mark.parametrize("through", ["disk", "bytes", "pickle"])
def test_a_saved_pipeline_scores_the_same_elsewhere(through: str, tmp_path: Path, scorer: Scorer) -> None:
    text = "Dicari kasir di markas rahasia, gaji 3 juta, kirim lamaran ke toko"
    (tmp_path / "here").mkdir()
    nlp = pipeline(**own_files(tmp_path / "here"), **SETTINGS)
    before = [facts(nlp(t)) for t in (text, LURE)]
    assert "gambling_work" in before[0][3]["weights"] and before[0][3]["weights"]["gambling_work"] > 0
    nlp.to_disk(tmp_path / "saved")
    raw, pickled = nlp.to_bytes(), pickle.dumps(nlp.get_pipe("jobscam"))
    shutil.rmtree(tmp_path / "here")  # the other machine
    if through == "disk":
        again = spacy.load(tmp_path / "saved")
    elif through == "bytes":
        again = pipeline().from_bytes(raw)
    else:
        component = pickle.loads(pickled)
        assert [facts(component(spacy.blank("xx")(t))) for t in (text, LURE)] == before
        return
    assert [facts(again(t)) for t in (text, LURE)] == before
    again.to_disk(tmp_path / "twice")
    assert [facts(spacy.load(tmp_path / "twice")(t)) for t in (text, LURE)] == before
    assert not list((tmp_path / "saved").rglob("notes.txt"))


def test_settings_may_be_changed_at_load(tmp_path: Path, nlp: Any) -> None:
    nlp.to_disk(tmp_path)
    moved = spacy.load(tmp_path, config={"components.jobscam.prevalence": 0.001})
    assert moved(LURE)._.jobscam.prevalence == 0.001
    assert moved(LURE).cats["jobscam"] < nlp(LURE).cats["jobscam"]


def test_saving_over_an_older_pipeline_leaves_nothing_of_it(tmp_path: Path, scorer: Scorer) -> None:
    (tmp_path / "here").mkdir()
    pipeline(**own_files(tmp_path / "here")).to_disk(tmp_path / "saved")
    pipeline().to_disk(tmp_path / "saved")
    assert not list((tmp_path / "saved" / "jobscam").rglob("agencies.csv"))
    assert spacy.load(tmp_path / "saved")(LURE).cats == pipeline()(LURE).cats


@pytest.mark.parametrize("name", ["artifact/weights.npz", "artifact/manifest.json", "artifact/CARD.md", "agencies.csv",
                                  "knowledge/languages/id/phrases.csv", "jobscam.json"])  # fmt: skip
def test_a_changed_byte_is_refused(name: str, tmp_path: Path, scorer: Scorer) -> None:
    (tmp_path / "here").mkdir()
    nlp = pipeline(**own_files(tmp_path / "here"))
    nlp.to_disk(tmp_path / "saved")
    file = tmp_path / "saved" / "jobscam" / name
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 3] ^= 4
    file.write_bytes(bytes(raw))
    with pytest.raises(ArtifactError, match=r"checksum|no file of|cannot be read|missing|has format"):
        spacy.load(tmp_path / "saved")
    file.unlink()
    with pytest.raises(ArtifactError, match=r"missing|cannot be read"):
        spacy.load(tmp_path / "saved")


@pytest.mark.parametrize(
    "name", ["../evil.txt", "artifact/../../evil", "artifact/..", "/etc/evil", "knowledge/../evil.csv", "knowledge/run.py"]
)
def test_no_file_is_written_outside(name: str, nlp: Any) -> None:
    packed = nlp.get_pipe("jobscam").bundle.packed({})
    packed["files"][name] = b"x"
    with pytest.raises(ArtifactError, match="no file of a jobscam component"):
        bundle.unpacked(packed)


@pytest.mark.parametrize("manifest", ["[]", "1", "{}", '{"format": 1, "files": []}', '{"format": 1, "files": {}, "settings": 1}'])
def test_another_manifest_is_refused(manifest: str, tmp_path: Path) -> None:
    (tmp_path / "jobscam.json").write_text(manifest, encoding="utf-8")
    with pytest.raises(ArtifactError):
        bundle.open_folder(tmp_path)
    with pytest.raises(ArtifactError):
        bundle.unpacked({"manifest": json.loads(manifest), "files": {}})


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"manifest": {}, "files": {}}, {"manifest": {"format": 1, "files": {"agencies.csv": "0"}}, "files": {}}],
)
def test_other_bytes_are_refused(data: Any) -> None:
    with pytest.raises(ArtifactError):
        bundle.unpacked(data)


def test_other_knowledge_is_told(tmp_path: Path, nlp: Any) -> None:
    nlp.to_disk(tmp_path)
    file = tmp_path / "jobscam" / bundle.MANIFEST
    manifest = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**manifest, "knowledge": "0" * 64}), encoding="utf-8")
    with pytest.warns(UserWarning, match="another version of jobscam's knowledge"):
        spacy.load(tmp_path)


def test_an_older_model_by_name(scorer: Scorer) -> None:
    oldest = artifact.list_artifacts()[0][0]
    assert pipeline(model=oldest)(LURE).spans["jobscam"].attrs["model"] == oldest


@pytest.mark.parametrize(("config", "message"), [
    ({"model": "no-such-model"}, "there is no model 'no-such-model'"),
    ({"knowledge": "no-such-folder"}, "not a folder"),
    ({"agencies": "no-such-file.csv"}, "cannot be read"),
    ({"prevalence": 2.0}, "between 0 and 1"),
    ({"thresholds": {"extreme": 0.5}}, "give a tier"),
])  # fmt: skip
def test_wrong_settings_are_named_at_first_use(config: dict[str, Any], message: str, scorer: Scorer) -> None:
    with pytest.raises((InputError, ArtifactError), match=message):
        pipeline(**config)(LURE)


def test_wrong_settings_are_named_at_once() -> None:
    with pytest.raises(InputError, match="language is 'id' or 'en'"):
        JobScamComponent(language="fr")
    with pytest.raises(InputError, match="no setting 'treshold'"):
        JobScamComponent(treshold=1)
    with pytest.raises(ValueError, match="language"):
        pipeline(language="fr")
    with pytest.raises(ValueError, match=r"extra fields not permitted|treshold"):
        pipeline(treshold=1)


def test_displacy_shows_the_evidence_and_no_tag_of_the_ad(nlp: Any) -> None:
    doc = nlp("<script>alert(1)</script> " + LURE + ". CV ke hr@contoh-garment.example, izin kerja sebelum berangkat")
    options = displacy_options(doc)
    shown = displacy.render(doc, style="span", options=options, jupyter=False)
    assert "destination_hub" in shown and RISK in shown and SAFETY in shown
    assert "<script" not in shown
    weights = doc.spans["jobscam"].attrs["weights"]
    assert all((options["colors"][n] == RISK) is (w > 0) for n, w in weights.items())
    assert displacy_options(spacy.blank("xx")("x")) == {"spans_key": "jobscam", "colors": {}}


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=200) | st.sampled_from(TEXTS).flatmap(lambda t: st.permutations(t.split()).map(" ".join)))
def test_any_text(text: str) -> None:
    nlp = shared_pipeline()
    doc = nlp(text)
    assert doc.text == text
    assert doc._.jobscam.evidence == nlp.get_pipe("jobscam").scorer.assess(text).evidence
    assert Doc(nlp.vocab).from_bytes(doc.to_bytes()).spans["jobscam"].attrs == doc.spans["jobscam"].attrs


_shared: list[Any] = []


def shared_pipeline() -> Any:
    if not _shared:
        _shared.append(pipeline())
    return _shared[0]


def test_importing_jobscam_leaves_spacy_alone() -> None:
    code = (
        "import sys, jobscam; jobscam.load().assess('Dicari kasir toko di Depok, gaji 2,5jt'); assert 'spacy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_extension_may_be_set_again() -> None:
    import importlib

    from jobscam.integrations import spacy as module

    importlib.reload(module)
    assert Doc.has_extension("jobscam")
