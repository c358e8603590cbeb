"""Fairness to honest employers: slices, exchanged facts, and pairs of a lure and its honest twin."""

from __future__ import annotations

import csv
import re
import tomllib
from itertools import product
from pathlib import Path

import numpy as np

from evaluation.bench import ROOT, cells, head, line
from evaluation.shipped import Scored
from jobscam.evaluation import Metric, estimate, share_above
from jobscam.scoring import Scorer

CONTRAST = ROOT / "data" / "contrast"
_WOMEN = re.compile(r"\b(?:wanita|perempuan|cewek|female|women|awewe)\b")
_AGE = re.compile(r"\b(?:usia|umur|age|maks|max)\b.{0,12}\b\d\d\b|\b\d\d ?- ?\d\d (?:th|tahun|years)")
_CHINESE = re.compile(r"\b(?:mandarin|hsk ?\d?|chinese|tionghoa)\b")
_COUNTRIES = ("ID", "KH", "MY", "TW", "SG", "JP")
_SLOTS = {"place": "places", "name": "names", "nationality": "nationalities"}
_SECTORS = {
    "domestic work and care": r"\b(?:art|prt|pembantu|baby ?sitter|pengasuh|caregiver|perawat lansia|domestic helper)\b",
    "seafarers": r"\b(?:kapal|pelaut|seaman|seafarer|vessel|bst|crew)\b",
    "mining and heavy equipment": r"\b(?:excavator|tambang|mining|dump truck|alat berat|smelter)\b",
    "factory": r"\b(?:pabrik|factory|operator produksi|garmen|garment|jahit)\b",
    "hotel, restaurant, shop": r"\b(?:hotel|restoran|restaurant|cafe|kafe|barista|waiter|kasir|toko|store)\b",
    "customer service, call centre": r"\b(?:customer service|call cent(?:er|re)|chat support|telemarketing|cs)\b",
    "sales with commission": r"\b(?:sales|komisi|commission|marketing)\b",
    "health and schools": r"\b(?:perawat|nurse|bidan|dokter|guru|teacher|klinik|rumah sakit|sekolah|school)\b",
}


def slices(s: Scored) -> list[str]:
    """False-positive rate among honest held-out ads, by slice."""
    index = s.pick()
    index = index[s.y[index] == 0]
    norm = np.array([s.assessments[i].document.norm for i in index])
    destination = [str(s.assessments[i].facts.get("destination") or "") for i in index]
    posting = [s.rows[i].posting for i in index]
    length = np.array([len(n) for n in norm])

    def words(pattern: str | re.Pattern[str]) -> np.ndarray:
        found = re.compile(pattern)
        return np.array([bool(found.search(n)) for n in norm])

    chosen: dict[str, np.ndarray] = {
        "all honest ads": np.ones(len(index), bool),
        **{f"language: {w}": s.language[index] == w for w in ("id", "mixed", "en")},
        **{f"work in {c}": np.array([d == c for d in destination]) for c in _COUNTRIES},
        "work elsewhere abroad": np.array([d not in ("", *_COUNTRIES) for d in destination]),
        "shorter than 200 characters": length < 200,
        "200 to 1,000 characters": (length >= 200) & (length < 1000),
        "1,000 characters and more": length >= 1000,
        "posters read by OCR": np.array([s.rows[i].source == "posters" or s.rows[i].register == "poster_ocr" for i in index]),
        "small informal employers (no company named, phone only)": np.array(
            [not p.company and s.rows[i].kind in ("small_business", "household") for p, i in zip(posting, index)]
        ),
        "women only or women named": words(_WOMEN),
        "age limits": words(_AGE),
        "Chinese language asked or named": words(_CHINESE),
        "shouting (half capitals and more)": np.array([_capitals(p.text()) >= 0.5 for p in posting]),
        **{f"sector: {name}": words(pattern) for name, pattern in _SECTORS.items()},
    }  # fmt: skip
    out = [
        "## Fairness: honest ads flagged, by slice\n",
        "Held-out honest ads, real and authored (the authored ones are hard cases by design). 95 % intervals by campaign.\n",
        *head("slice", "honest ads", "medium or above", "high or above"),
    ]
    metrics: list[Metric] = [share_above(s.cuts[tier], 0) for tier in ("medium", "high")]
    for name, part in chosen.items():
        i = index[part]
        if len(i) >= 10:
            out.append(line(name, len(i), *cells(metrics, s.y[i], s.p[i], s.group[i])))
    return [*out, "\nSlices with fewer than ten ads are left out.\n"]


def _capitals(text: str) -> float:
    letters = [c for c in text if c.isalpha()]
    return sum(c.isupper() for c in letters) / max(1, len(letters))


def counterfactuals(scorer: Scorer) -> list[str]:
    """One fact exchanged or added, all else the same."""
    data = tomllib.loads((CONTRAST / "counterfactuals.toml").read_text(encoding="utf-8"))
    templates = [t["text"] for t in data["template"]]
    cut = scorer.model.thresholds["high"]
    first = {slot: data[values][0] for slot, values in _SLOTS.items()}
    out = [
        "## Fairness: one fact exchanged\n",
        "`data/contrast/counterfactuals.toml`: honest ads in which only one fact is exchanged or added.\n",
        *head("exchanged or added", "ads", "flagged high", "largest probability", "largest change of log-odds"),
    ]
    for slot, name in _SLOTS.items():
        values = data[name]
        used = [t for t in templates if "{" + slot + "}" in t]
        found = []
        for template in used:
            assessed = [scorer.assess(template.format(**{**first, slot: value})) for value in values]
            found += [(a.probability or 0.0, abs((a.logit or 0.0) - (assessed[0].logit or 0.0))) for a in assessed]
        p, change = np.array(found).T
        out.append(line(f"{slot} exchanged", len(p), int((p >= cut).sum()), f"{p.max():.3f}", f"{change.max():.2f}"))
    agency = next(a for a in scorer.knowledge.agencies if a.status == "licensed")
    licence = data["added"]["licence"].format(
        agency=agency.name, licence=agency.licence.removeprefix("SIP3MI "), city=agency.city, contact=agency.contact
    )
    overseas = data["added"]["overseas"]
    down = [(scorer.assess(ad + licence).logit or 0.0) - (scorer.assess(ad).logit or 0.0) for ad in overseas]
    up = [
        (scorer.assess(ad + fee).logit or 0.0) - (scorer.assess(ad).logit or 0.0)
        for ad, fee in product([*(t.format(**first) for t in templates), *overseas], data["added"]["fees"])
    ]
    out += [
        "",
        *head("added", "ads", "log-odds moved as they should", "smallest and largest change"),
        line("a valid licence with agency and contact (must lower)", len(down), sum(d < 0 for d in down), _range(down)),
        line("a fee (must raise)", len(up), sum(d > 0 for d in up), _range(up)),
        "",
    ]
    return out


def _range(values: list[float]) -> str:
    return f"{min(values):+.2f} to {max(values):+.2f}"


def pairs(scorer: Scorer, file: Path = CONTRAST / "pairs.csv") -> list[str]:
    """Pairs of a lure and its honest twin, and whether the lure is ranked above."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    logit = [[scorer.assess(row[side]).logit or 0.0 for side in ("lure", "honest")] for row in rows]
    right = np.array([float(a > b) for a, b in logit])
    number = list(range(len(rows)))
    whole = estimate(lambda y, s: float(s.mean()), np.ones(len(rows)), right, number)
    out = [
        "## Contrast pairs\n",
        "`data/contrast/pairs.csv`: a lure and its honest twin, one fact changed, written after the model was frozen by hands",
        "that saw neither the knowledge nor the model.\n",
        *head("fact changed", "pairs", "lure ranked above its twin"),
        line("all", len(rows), whole),
    ]
    for fact in sorted({row["fact"] for row in rows}):
        chosen = np.array([row["fact"] == fact for row in rows])
        out.append(line(fact, int(chosen.sum()), f"{right[chosen].mean():.3f}"))
    return [*out, ""]
