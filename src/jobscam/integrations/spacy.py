"""A spaCy pipeline component: ``nlp.add_pipe("jobscam")``.

It takes the text of a Doc for a bare advertisement and sets

- ``doc.spans["jobscam"]``: the evidence, one span a mention, labelled with the indicator's name. ``span.kb_id_`` is the
  rounded weight, as displaCy prints it; ``span._.jobscam_weight`` is the exact one (log-odds that the indicator adds,
  whichever of its mentions is asked). The group's ``attrs`` hold probability, tier, status, language, model, weights and
  the strongest reasons as sentences.
- ``doc.cats["jobscam"]``: the probability. It is *absent* where none could be computed, because 0 would say "honest". As in
  the tables of `jobscam score`, warnings and job seekers' posts keep their probability; their status says not to rank them.
- ``doc._.jobscam``: the :class:`~jobscam.explain.Assessment`.

What survives ``doc.to_bytes()``, a DocBin or a second process: spans, attrs and cats. An Assessment is never written; it is
computed again where the component that made it is alive in the process, and ``doc._.jobscam`` is None elsewhere.
"""

# No "from __future__ import annotations": spaCy reads the types of the factory's arguments.

import hashlib
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import spacy
import srsly
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from jobscam.errors import InputError, JobscamError
from jobscam.explain import Assessment
from jobscam.integrations import bundle
from jobscam.integrations.bundle import Bundle
from jobscam.scoring import Scorer

KEY = "jobscam"
"""Name of the span group, of the category and of the extension."""
DEFAULTS: dict[str, Any] = {
    "model": None,
    "language": "id",
    "prevalence": None,
    "thresholds": None,
    "knowledge": None,
    "agencies": None,
}
RISK, SAFETY, NEUTRAL = "#f4a09a", "#9fd6a8", "#d5d5d5"
_REASONS = 3
_living: "weakref.WeakSet[JobScamComponent]" = weakref.WeakSet()
_assessed: "weakref.WeakKeyDictionary[Doc, Assessment]" = weakref.WeakKeyDictionary()


class JobScamComponent:
    """The component; made by ``nlp.add_pipe("jobscam", config={...})``.

    Parameters
    ----------
    model : str, optional
        Name or folder of an artifact, as :func:`jobscam.load` finds it; the newest shipped one by default, whatever was
        promoted. Loaded at first use, so that a saved
        pipeline opens on a machine that lacks the folder.
    language : {"id", "en"}
        Language of the sentences in ``attrs["reasons"]``.
    prevalence, thresholds, knowledge, agencies : optional
        As in :func:`jobscam.load`.
    """

    def __init__(self, name: str = KEY, **settings: Any) -> None:
        unknown = sorted(set(settings) - set(DEFAULTS))
        if unknown:
            raise InputError(f"jobscam has no setting '{unknown[0]}'; it has {', '.join(DEFAULTS)}")
        self.name = name
        self.settings = {**DEFAULTS, **settings}
        if self.settings["language"] not in ("id", "en"):
            raise InputError(f"language is 'id' or 'en', got '{self.settings['language']}'")
        self._bundle: Bundle | None = None
        self._scorer: Scorer | None = None
        _living.add(self)

    @property
    def bundle(self) -> Bundle:
        """Files of the artifact, of the user's knowledge and of the list of agencies, as read."""
        if self._bundle is None:
            self._bundle = bundle.read(*(self.settings[n] for n in ("model", "knowledge", "agencies")))
        return self._bundle

    @property
    def scorer(self) -> Scorer:
        """The scorer behind the component."""
        if self._scorer is None:
            self._scorer = self.bundle.scorer(self.settings["prevalence"], self.settings["thresholds"])
        return self._scorer

    @property
    def fingerprint(self) -> str:
        """Stands for all that decides a score; kept in the attrs of every span group."""
        settings = repr((self.settings["prevalence"], sorted((self.settings["thresholds"] or {}).items())))
        return hashlib.sha256((settings + self.bundle.digest).encode()).hexdigest()

    def __call__(self, doc: Doc) -> Doc:
        """Assess one Doc."""
        self._annotate(doc, self.scorer.assess(doc.text))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Assess a stream of Docs, a batch at a time."""
        for batch in spacy.util.minibatch(stream, size=batch_size):
            for doc, found in zip(batch, self.scorer.assess_many(doc.text for doc in batch), strict=True):
                self._annotate(doc, found)
            yield from batch

    def _annotate(self, doc: Doc, found: Assessment) -> None:
        weights = dict.fromkeys(found.indicators, 0.0)
        for part in found.contributions:
            indicator = part.name.split("@")[0]  # an indicator and its crossing with work abroad are one finding
            if indicator in weights:
                weights[indicator] += part.value
        spans = []
        for item in found.evidence:
            for _, start, end in item.spans:
                shown = f"{weights[item.indicator]:+.2f}"
                span = doc.char_span(start, end, label=item.indicator, kb_id=shown, alignment_mode="expand")
                if span is not None:
                    spans.append(span)
        attrs = {
            "probability": found.probability,
            "tier": found.tier,
            "status": found.status,
            "language": found.language,
            "model": found.model,
            "weights": weights,
            "reasons": found.top_reasons(_REASONS, self.settings["language"]),
            "fingerprint": self.fingerprint,
        }
        doc.spans[KEY] = SpanGroup(doc, name=KEY, attrs=attrs, spans=spans)
        doc.cats.pop(KEY, None)
        if found.probability is not None:
            doc.cats[KEY] = found.probability
        _assessed[doc] = found

    def __getstate__(self) -> dict[str, Any]:
        return {"name": self.name, "settings": self.settings, "bundle": self.bundle}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["name"], **state["settings"])  # type: ignore[misc]
        self._bundle = state["bundle"]

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write settings, artifact, the user's knowledge and list of agencies into a folder."""
        self.bundle.write(Path(path), self.settings)

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "JobScamComponent":
        """Read what :meth:`to_disk` wrote; every byte is checked.

        What was saved decides about model, knowledge and agencies; other settings count where this component has the
        default, so that ``spacy.load(path, config={"components.jobscam.prevalence": 0.02})`` works.

        Raises
        ------
        ArtifactError
            Naming the file that is missing or was changed.
        """
        return self._restore(*bundle.open_folder(Path(path)))

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Settings and files as bytes."""
        return bytes(srsly.msgpack_dumps(self.bundle.packed(self.settings)))

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "JobScamComponent":
        """Read what :meth:`to_bytes` gave, as :meth:`from_disk` does."""
        return self._restore(*bundle.unpacked(srsly.msgpack_loads(data)))

    def _restore(self, files: Bundle, saved: Mapping[str, Any]) -> "JobScamComponent":
        given = {name: value for name, value in self.settings.items() if value != DEFAULTS[name]}
        kept = {name: value for name, value in saved.items() if name in DEFAULTS}
        named = {name: kept.get(name) for name in ("model", "knowledge", "agencies")}
        settings = {**DEFAULTS, **kept, **given, **named}
        scorer = files.scorer(settings["prevalence"], settings["thresholds"])
        self.settings, self._bundle, self._scorer = settings, files, scorer
        return self


def make(
    nlp: Language,
    name: str,
    model: str | None,
    language: Literal["id", "en"],
    prevalence: float | None,
    thresholds: dict[str, float] | None,
    knowledge: str | None,
    agencies: str | None,
) -> JobScamComponent:
    """Make the component; called by spaCy."""
    return JobScamComponent(
        name,
        model=model,
        language=language,
        prevalence=prevalence,
        thresholds=thresholds,
        knowledge=knowledge,
        agencies=agencies,
    )


def displacy_options(doc: Doc) -> dict[str, Any]:
    """Options for ``displacy.render(doc, style="span", options=...)``: risk in red, safety in green.

    Examples
    --------
    >>> import spacy
    >>> from jobscam.integrations.spacy import displacy_options
    >>> nlp = spacy.blank("xx")
    >>> _ = nlp.add_pipe("jobscam")
    >>> doc = nlp("Loker admin slot Kamboja, gaji 12jt, paspor dibuatkan")
    >>> displacy_options(doc)["colors"]["gambling_work"] == RISK
    True
    """
    group = doc.spans.get(KEY)
    weights = {} if group is None else group.attrs.get("weights", {})
    colors = {name: RISK if weight > 0 else SAFETY if weight < 0 else NEUTRAL for name, weight in sorted(weights.items())}
    return {"spans_key": KEY, "colors": colors}


def _assessment(doc: Doc) -> Assessment | None:
    """The assessment of a Doc, made again if the Doc has been through bytes; None if the component is not here."""
    if KEY not in doc.spans:
        return None
    if doc not in _assessed:
        wanted = doc.spans[KEY].attrs.get("fingerprint")
        maker = next((component for component in _living if _made_by(component, wanted)), None)
        if maker is None:
            return None
        _assessed[doc] = maker.scorer.assess(doc.text)
    return _assessed[doc]


def _made_by(component: JobScamComponent, wanted: str | None) -> bool:
    try:
        return component.fingerprint == wanted
    except JobscamError:  # another component, whose model is not to be found
        return False


def _weight(span: Span) -> float:
    group = span.doc.spans.get(KEY)
    return 0.0 if group is None else float(group.attrs.get("weights", {}).get(span.label_, 0.0))


def _extend(kind: Any, name: str, getter: Any) -> None:
    """Register an extension; again after a reload of this module, but never over one that is not ours."""
    ours = kind.has_extension(name) and getattr(kind.get_extension(name)[2], "__module__", "") == __name__
    kind.set_extension(name, getter=getter, force=ours)


_extend(Doc, KEY, _assessment)
_extend(Span, f"{KEY}_weight", _weight)
Language.factory(
    KEY,
    default_config=DEFAULTS,
    assigns=["doc.spans", "doc.cats", "doc._.jobscam", "span._.jobscam_weight"],
    func=make,
)
