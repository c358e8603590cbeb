"""The job of scoring: a loaded artifact and knowledge become a :class:`Scorer`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobscam import explain
from jobscam.errors import InputError
from jobscam.explain import Assessment
from jobscam.features import FeatureSpace, FloatArray, feature_matrix
from jobscam.indicators import Document, IndicatorReader
from jobscam.indicators.reference import PayReference
from jobscam.knowledge import Knowledge
from jobscam.knowledge import load as load_knowledge
from jobscam.model import artifact, registry
from jobscam.model.linear import LinearModel
from jobscam.ngrams import Grams, TextHasher
from jobscam.posting import TEXT_FIELDS, ColumnMap, Posting, cell_text
from jobscam.values import Findings, Status

if TYPE_CHECKING:
    import pandas as pd

_BATCH, _OVERHEAD = 20_000, 200
"""Characters that are hashed together: enough to share the work, few enough to stay in the processor's cache."""

Item = str | Mapping[str, Any] | Posting


class Scorer:
    """Scores postings with one artifact and one knowledge base. Made by :func:`load`.

    Attributes
    ----------
    name : str
        Artifact name and version, as written into ``jobscam_model``.
    manifest : dict
        The artifact's manifest.
    """

    def __init__(self, model: LinearModel, knowledge: Knowledge, manifest: Mapping[str, Any]) -> None:
        self.model = model
        self.knowledge = knowledge
        self.manifest = dict(manifest)
        self.name = f"{manifest['name']}-{manifest['version']}"
        self._reader = IndicatorReader(knowledge, PayReference.from_json(manifest.get("pay_reference")))
        self._space = FeatureSpace(knowledge)
        self._hasher = TextHasher(model.bits, model.schema)
        known = {name: column for column, name in enumerate(model.names)}
        # Knowledge may have grown since training: an indicator without a weight is shown as evidence and weighs nothing.
        self._to_model = [known.get(name) for name in self._space.names]

    def assess(self, item: Item) -> Assessment:
        """Assess one posting.

        Parameters
        ----------
        item : str, mapping or Posting
            A bare text, a mapping of column names to values, or a posting.

        Examples
        --------
        >>> import jobscam
        >>> a = jobscam.load().assess("Loker Kamboja, CS, gaji 12jt, tiket & paspor ditanggung, tanpa pengalaman")
        >>> a.tier in ("high", "critical")
        True
        >>> abs(a.logit - (a.bias + sum(c.value for c in a.contributions))) < 1e-9
        True
        """
        return self._assess([as_posting(item)])[0]

    def _assess(self, postings: Sequence[Posting]) -> list[Assessment]:
        """Assess a few postings: each is read by itself, their words are hashed and weighed together."""
        read = self._reader.read_many(postings)
        grams = self._hasher.grams_of([document.norm for document, _ in read])
        values = self.model.text_values_of(grams)
        return [self._judge(*one, g, v) for one, g, v in zip(read, grams, values, strict=True)]

    def _judge(self, document: Document, findings: Findings, grams: Grams, text_values: FloatArray) -> Assessment:
        row = {}
        for column, value in self._space.row(document, findings).items():
            target = self._to_model[column]
            if target is not None:
                row[target] = value
        shares = explain.Shares(self.model, row, grams, text_values, document, findings)
        logit = self.model.bias + sum(shares.values)
        scored = findings.posting_type == Status.SCORED.value
        computable = findings.posting_type != Status.NOT_ASSESSABLE.value
        probability = self.model.calibration.probability(logit, findings.language) if computable else None
        return Assessment(
            probability=probability,
            logit=logit,
            bias=self.model.bias,
            tier=self.model.tier(probability) if scored and probability is not None else "",
            status=findings.posting_type,
            status_reason=str(findings.facts["status_reason"]),
            language=findings.language,
            shares=shares,
            evidence=findings.evidence,
            facts=findings.facts,
            model=self.name,
            document=document,
            sentences=self.knowledge.sentences,
            prevalence=self.model.calibration.prevalence,
        )

    @property
    def reader(self) -> IndicatorReader:
        """What reads postings for it."""
        return self._reader

    @property
    def space(self) -> FeatureSpace:
        """Names of the indicator columns of :meth:`matrix`."""
        return self._space

    def matrix(self, postings: Iterable[Posting]) -> Any:
        """Feature matrix of postings, read and hashed as this model reads: what adapting it starts from."""
        return feature_matrix(self._reader, self._space, self._hasher, postings)

    def assess_many(self, items: Iterable[Item]) -> list[Assessment]:
        """Assess several postings, in order."""
        out: list[Assessment] = []
        batch: list[Posting] = []
        size = 0
        for item in items:
            posting = as_posting(item)
            batch.append(posting)
            size += len(posting.description) + _OVERHEAD
            if size > _BATCH:
                out += self._assess(batch)
                batch, size = [], 0
        return out + (self._assess(batch) if batch else [])

    def score(self, data: pd.DataFrame | Iterable[Item], *, reasons: int = 3, language: str = "id") -> pd.DataFrame:
        """Score a table or a list of postings.

        Parameters
        ----------
        data : DataFrame or iterable of str, mapping or Posting
            A DataFrame with any recognised columns; a single column ``text`` suffices.
        reasons : int
            How many reasons go into ``jobscam_reasons``.
        language : {"id", "en"}
            Language of the reasons.

        Returns
        -------
        DataFrame
            Input columns (of a DataFrame) followed by the ``jobscam_`` columns, with the same index.
        """
        import pandas as pd

        frame = data if isinstance(data, pd.DataFrame) else None
        postings = postings_of(data)
        rows = [found.columns(reasons, language) for found in self.assess_many(postings)]
        out = pd.DataFrame(rows, columns=list(explain.OUTPUT_COLUMNS), index=None if frame is None else frame.index)
        for name in ("jobscam_probability", "jobscam_salary_month_idr"):
            out[name] = pd.to_numeric(out[name].replace("", None), errors="coerce").astype(float)
        if frame is None:
            return out
        kept = frame[[c for c in frame.columns if c not in out.columns]]
        return pd.concat([kept, out], axis=1)


def as_posting(item: Item) -> Posting:
    """A posting from a bare text, a mapping, or a posting."""
    if isinstance(item, Posting):
        return item
    if isinstance(item, str):
        return Posting(description=item)
    if isinstance(item, Mapping):
        return Posting.from_mapping(item)
    raise InputError(f"a posting must be a text, a mapping or a Posting, got {type(item).__name__}")


def postings_of(data: Any, overrides: Mapping[str, str] | None = None) -> list[Posting]:
    """Postings from a DataFrame, a Series, or an iterable of texts, mappings or postings.

    Parameters
    ----------
    data : DataFrame, Series, or iterable
    overrides : mapping of str to str, optional
        Posting field to column of a DataFrame, over what the names of the columns say.

    Raises
    ------
    InputError
        If no column holds the text of the ads, or an item is no posting.
    """
    columns = getattr(data, "columns", None)
    if columns is None:
        if isinstance(data, str):
            raise InputError("give a list of postings, or use assess() for one text")
        return [as_posting(item if not _is_cell(item) else cell_text(item)) for item in data]
    mapping = ColumnMap.from_header([str(c) for c in columns], overrides)
    used = sorted({p for positions in mapping.fields.values() for p in positions})
    texts = {p: [cell_text(v) for v in data.iloc[:, p].tolist()] for p in used}
    return [
        Posting.from_parts({name: [texts[p][i] for p in positions if texts[p][i]] for name, positions in mapping.fields.items()})
        for i in range(len(data))
    ]


def _is_cell(item: Any) -> bool:
    return item is None or isinstance(item, float) or type(item).__name__ in ("NAType", "NaTType")


def load(
    source: str | Path | registry.Choice | None = None,
    *,
    models: str | Path | None = None,
    knowledge: str | Path | None = None,
    agencies: str | Path | None = None,
    prevalence: float | None = None,
    thresholds: Mapping[str, float] | None = None,
) -> Scorer:
    """Load a model artifact, checked byte by byte.

    Parameters
    ----------
    source : str or Path, optional
        Folder of an artifact, or a name: ``"mine-1.1.0"``, or ``"mine"`` for its newest version. By default what the
        environment variable ``JOBSCAM_MODEL`` says, else the model promoted in the model folder, else the newest shipped one.
    models : path, optional
        Model folder; by default the one of the environment variable ``JOBSCAM_MODELS``, else the user's own. ``./models`` is
        looked through for a `source` given by name, and never chooses a model by itself.
    knowledge : path, optional
        Folder laid over the shipped knowledge.
    agencies : path, optional
        CSV of licensed agencies (your copy of the official list).
    prevalence : float, optional
        Share of scams in the stream to be scored, between 0 and 1: probabilities and tiers are re-based to it.
    thresholds : mapping of str to float, optional
        Lowest probability of tiers, for example ``{"high": 0.4}``, instead of those of the artifact.

    Raises
    ------
    InputError
        If the prevalence is not between 0 and 1, or a threshold names no tier.
    ArtifactError
        If a model or file is missing, or a byte was changed.
    KnowledgeError
        If a knowledge file breaks its schema.
    """
    choice = source if isinstance(source, registry.Choice) else registry.choose(source, models)
    model, manifest = artifact.read(choice.path, choice.sha256)
    if prevalence is not None:
        model = model.at_prevalence(prevalence)
    if thresholds:
        model = model.with_thresholds(thresholds)
    return Scorer(model, load_knowledge(knowledge, agencies), manifest)


__all__ = ["TEXT_FIELDS", "Item", "Scorer", "as_posting", "load", "postings_of"]
