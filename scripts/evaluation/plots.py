"""Pictures for ``docs/evaluation.md``."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from sklearn.metrics import precision_recall_curve

from evaluation.candidates import Points
from evaluation.shipped import Scored
from jobscam.evaluation import estimate, reliability, share_above

COLOURS = {"Indonesian and mixed": "#b3261e", "English": "#1f5fa8"}


def draw(folder: Path, s: Scored, points: Points) -> list[str]:
    """Draw all pictures and say how to show them."""
    folder.mkdir(parents=True, exist_ok=True)
    out = ["## Pictures\n"]
    for name, title, figure in (
        ("precision_recall", "Precision and recall on held-out postings", _precision_recall(s)),
        ("reliability", f"What was said and what was so (weighed to {s.prevalence:.0%} scams)", _reliability(s)),
        ("learning_curve", "Learning curve", _learning_curve(points)),
        ("slices", "Honest ads flagged, by source", _slices(s)),
    ):
        figure.axes[0].set_title(title, fontsize=11)
        figure.savefig(folder / f"{name}.png", dpi=110, bbox_inches="tight", metadata={"Software": None})
        plt.close(figure)
        out.append(f"![{title}]({folder.name}/{name}.png)\n")
    return out


def _axes(x: str, y: str) -> tuple[plt.Figure, plt.Axes]:
    figure, axes = plt.subplots(figsize=(6.4, 4.2))
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _precision_recall(s: Scored) -> plt.Figure:
    figure, axes = _axes("recall", "precision")
    for name, index in s.by_language().items():
        precision, recall, _ = precision_recall_curve(s.y[index], s.logit[index])
        axes.plot(recall, precision, color=COLOURS[name], label=f"{name} ({int(s.y[index].sum())} of {len(index)} are scams)")
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False)
    return figure


def _reliability(s: Scored) -> plt.Figure:
    figure, axes = _axes("probability said", "share of scams")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for name, index in s.by_language().items():
        rows = reliability(s.y[index], s.p[index], s.prevalence)[:-1]
        axes.plot([r.said for r in rows], [r.so for r in rows], "o-", color=COLOURS[name], label=name)
    axes.legend(frameon=False)
    return figure


def _learning_curve(points: Points) -> plt.Figure:
    figure, axes = _axes("labelled scams trained on", "AP on held-out postings")
    for name, values in points.items():
        size, mean, spread = np.array(values).T
        axes.errorbar(size, mean, yerr=spread, fmt="o-", capsize=3, color=COLOURS[name], label=name)
    if any(points.values()):
        axes.set_xscale("log")
    axes.legend(frameon=False)
    return figure


def _slices(s: Scored) -> plt.Figure:
    figure, axes = _axes("share of honest ads flagged medium or above", "")
    names = []
    for source in dict.fromkeys(s.source):
        index = s.pick(source)
        index = index[s.y[index] == 0]
        if len(index):
            found = estimate(share_above(s.cuts["medium"], 0), s.y[index], s.p[index], s.group[index])
            error = [[found.value - found.low], [found.high - found.value]]
            axes.errorbar(found.value, len(names), xerr=np.abs(error), fmt="o", color="#444444", capsize=3)
            names.append(f"{source} ({len(index)})")
    axes.set_yticks(range(len(names)), names)
    return figure
