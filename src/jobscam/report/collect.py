"""The riskiest ads of a run, kept while it goes on, and what the page says of them together."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from jobscam.campaigns import of_postings
from jobscam.explain import Assessment
from jobscam.knowledge import Knowledge
from jobscam.knowledge.labels import fold
from jobscam.posting import ColumnMap
from jobscam.report.layout import storable
from jobscam.report.record import CELL_LIMIT, HAND, Ad, Recorder
from jobscam.sorting import Key, Riskiest
from jobscam.values import Status

PAGE_LIMIT = 64 * 1024 * 1024
"""Characters of all ads in a page; a browser still opens it."""
_VERSION = 1


def risk_key(found: Assessment, number: int) -> Key:
    """Order of risk: scored ads by falling log-odds, then all others as they came."""
    if found.status != Status.SCORED.value or found.logit is None:
        return 1, 0.0, number
    return 0, -found.logit, number


class Collector:
    """Takes assessed rows and gives the content of a page.

    Parameters
    ----------
    header : sequence of str
    mapping : ColumnMap
    knowledge : Knowledge
    show_contacts : bool
    limit : int
        How many ads the page holds at most.
    """

    def __init__(
        self, header: Sequence[str], mapping: ColumnMap, knowledge: Knowledge, *, show_contacts: bool, limit: int
    ) -> None:
        self._recorder = Recorder(header, mapping, knowledge, show_contacts=show_contacts)
        self._best: Riskiest[Ad] = Riskiest(limit)
        self._model: Assessment | None = None
        self.by_tier: Counter[str] = Counter()

    @property
    def assessed(self) -> int:
        """Rows taken."""
        return self._best.offered

    def add(self, line: int, cells: Sequence[str], found: Assessment) -> None:
        """Take one row."""
        self._model = self._model or found
        self.by_tier[found.tier or found.status] += 1
        self._best.offer(risk_key(found, self.assessed), lambda: self._recorder.record(line, cells, found))

    def content(
        self, *, source: str, language: str, rows: int | None = None, rejected: int = 0, thresholds: Mapping[str, float]
    ) -> dict[str, Any]:
        """What goes into the page as JSON.

        Parameters
        ----------
        source : str
            Name of the table.
        language : {"id", "en"}
            Language that the page opens in.
        rows : int, optional
            Rows that were assessed, if more than were taken here.
        rejected : int
            Rows that could not be read.
        thresholds : mapping of str to float
            Lowest probability of each tier.
        """
        ads = _bounded(self._best.ranked())
        recorder = self._recorder
        sentences: dict[tuple[str, str], int] = {}
        names = sorted({e[0] for ad in ads for e in ad.values.get("e", ())})
        at = {name: i for i, name in enumerate(names)}
        campaigns: dict[str, int] = {}
        groups = of_postings([ad.posting for ad in ads])
        entries = []
        for ad, group in zip(ads, groups, strict=True):
            local = [sentences.setdefault(pair, len(sentences)) for pair in ad.sentences]
            values = dict(ad.values)
            values["e"] = [[at[name], spans] for name, spans in values.get("e", ())]
            values["r"] = [
                [local[n], weight, at[kind] if isinstance(kind, str) else kind, *more]
                for n, weight, kind, *more in values.get("r", ())
            ]
            values["w"] = local[values["w"]] if values["w"] >= 0 else -1
            values["g"] = campaigns.setdefault(group, len(campaigns))
            entries.append(values)
        keys = _row_keys(entries)
        for entry, key in zip(entries, keys, strict=True):
            entry["k"] = key
        header, layout, columns = recorder.header, recorder.layout, recorder.columns
        # However the table writes it: whoever reads the labels takes `Label` for `label`.
        label = "jobscam_label" if "label" in [fold(header[i]) for i in columns] else "label"
        total = self.assessed if rows is None else rows
        return {
            "version": _VERSION,
            "lang": language,
            "source": storable(source),
            "digest": hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:24],
            "masked": recorder.masked,
            "model": self._model.model if self._model else "",
            "prevalence": self._model.prevalence if self._model else None,
            "thresholds": dict(thresholds),
            "counts": {"assessed": total, "shown": len(entries), "left_out": total - len(entries), "rejected": rejected},
            "cell_limit": CELL_LIMIT,
            "columns": [[storable(header[i]), layout.fields.get(i, "")] for i in columns],
            "export": [storable(name) for name in layout.export_names(columns)],
            "label_column": label,
            "hand_column": HAND,
            "indicators": recorder.indicators(names),
            "sentences": [list(pair) for pair in sentences],
            "countries": recorder.countries(sorted({entry["d"] for entry in entries if "d" in entry})),
            "ads": entries,
        }


def _bounded(ads: list[Ad]) -> list[Ad]:
    size = 0
    for number, ad in enumerate(ads):
        size += sum(map(len, ad.values["x"])) + 4000
        if size > PAGE_LIMIT:
            return ads[:number]
    return ads


def _row_keys(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """A key of each ad from what the page shows of it, so that labels find it again; equal ads are numbered."""
    seen: Counter[str] = Counter()
    keys = []
    for entry in entries:
        digest = hashlib.sha256(json.dumps(entry["x"]).encode()).hexdigest()[:12]
        seen[digest] += 1
        keys.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return keys
