"""Measure what new labels do and write ``docs/retraining.md`` with its picture.

usage: python scripts/retraining.py --data FOLDER [--out docs/retraining.md]

A source is taken away, a model is trained on the rest with the shipped settings, and some of the source's postings come
back as new labels: by adapting that model, and by training on them alone. Measured on the rest of the source.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import matplotlib
import numpy as np
from joblib import Parallel, delayed

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from evaluation import bench

from jobscam.adaptation import Adapted, adapt
from jobscam.errors import InputError
from jobscam.evaluation import average_precision
from jobscam.features import FloatArray, IntArray
from jobscam.model.classifier import JobScamClassifier, linear_logits
from jobscam.model.linear import LinearModel, block_ends

ROOT = Path(__file__).parent.parent
SIZES = (25, 50, 100, 200, 400)
DRAWS = 6
WRONG, NOISY = 0.2, (50, 100, 200)
_HONEST = 500
HEAD = """# What new labels do

Written by `make retraining` (`scripts/retraining.py`). A source is taken away, a model is trained on all the rest with the
shipped settings, and some of that source's postings come back as new labels, whole campaigns at a time. **Adapted** is what
`jobscam train` makes of them and that model, **from scratch** what `jobscam train --from-scratch` makes of the labels alone,
**unadapted** the model as it was. Measured on the rest of the source, whose campaigns none of them has seen: AP, the area
under the precision-recall curve, as the mean over {draws} draws of labels. Differences are paired by draw, with a 95 %
interval of their mean (Student's t; draws overlap, so it is somewhat too narrow).

The strengths that adapting tries and its rule of choice were settled on draws from the first two sources; the third was
looked at afterwards only. Pay references are empty here, as in the protocols of the evaluation.
"""
COLOURS = {"adapted": "#b3261e", "from scratch": "#1f5fa8", "unadapted": "#777777"}


@dataclass(frozen=True)
class Scenario:
    """A source that the model has not seen: its postings, and those the model is trained on."""

    name: str
    note: str
    pool: IntArray
    train: IntArray


@dataclass(frozen=True)
class Draw:
    """One draw of labels: the figures on the rest of the source."""

    size: int
    scams: int
    ap: dict[str, float]
    listed: int
    noisy_ap: float | None
    wrong: int
    noisy_listed: int
    found: int


def scenarios(b: bench.Bench) -> Iterator[Scenario]:
    """Sources with both labels, or put together from one of each."""
    rng = np.random.default_rng(0)
    trained = b.part == "train"
    english, portal = b.source == "emscad", np.flatnonzero(b.source == "lokerid")
    hoaxes = np.flatnonzero(b.source == "hoax")
    abroad = np.array([kind.startswith("overseas_") for kind in b.kind]) & b.authored
    posters = b.source == "posters"
    yield Scenario(
        "An English job board",
        "Another language, country and form than the model was trained on.",
        np.flatnonzero(english),
        np.flatnonzero(trained & ~english),
    )
    yield Scenario(
        "Archived hoaxes among the ads of a portal",
        "Indonesian; neither the portal nor any hoax was trained on.",
        np.concatenate([hoaxes, rng.permutation(portal)[:_HONEST]]),
        np.flatnonzero(trained & (b.source != "lokerid")),
    )
    yield Scenario(
        "Authored overseas lures among real posters",
        "Indonesian; no overseas scam and no poster was trained on. Authored ads are easier to tell from real ones than the "
        "world's are.",
        np.concatenate([np.flatnonzero(abroad & (b.y > 0)), np.flatnonzero(posters)]),
        np.flatnonzero(trained & ~posters & ~(abroad & (b.y > 0))),
    )


def measure(b: bench.Bench, scenario: Scenario) -> list[Draw]:
    """All draws of a scenario."""
    base = b.fit(scenario.train, calibrate=True)
    return [found for size in SIZES for seed in range(DRAWS) if (found := _draw(b, base, scenario.pool, size, seed))]


def _draw(b: bench.Bench, base: JobScamClassifier, pool: IntArray, size: int, seed: int) -> Draw | None:
    rng = np.random.default_rng([size, seed])
    groups = b.group[pool]
    place = np.concatenate([np.flatnonzero(groups == g) for g in rng.permutation(np.unique(groups))[:size]])
    labelled = pool[place[:size]]
    rest = pool[~np.isin(groups, b.group[labelled])]
    y, held = b.y[labelled], b.y[rest]
    if min(y.sum(), (1 - y).sum()) < 2 or held.sum() < 5:
        return None
    matrix, unseen = b.matrix[labelled], b.matrix[rest]
    campaign = np.unique(b.group[labelled], return_inverse=True)[1]
    scratch = JobScamClassifier(folds=0)
    scratch._prepare()
    scratch.fit_matrix(matrix, y, np.ones(size), np.full(size, -1), np.ones(size), np.full(size, -1))
    adapted = adapt(base.model_, base._space, matrix, y, campaign)
    ap = {
        "unadapted": average_precision(held, base.logits(unseen)),
        "from scratch": average_precision(held, scratch.logits(unseen)),
        "adapted": average_precision(held, _logits(adapted.model, base, unseen)),
    }
    wrong = rng.random(size) < WRONG
    said = np.where(wrong, 1 - y, y)
    if size not in NOISY or len(np.unique(said)) < 2:
        return Draw(size, int(y.sum()), ap, len(adapted.doubtful), None, 0, 0, 0)
    noisy: Adapted = adapt(base.model_, base._space, matrix, said, campaign)
    after = average_precision(held, _logits(noisy.model, base, unseen))
    found = int(wrong[noisy.doubtful].sum())
    return Draw(size, int(y.sum()), ap, len(adapted.doubtful), after, int(wrong.sum()), len(noisy.doubtful), found)


def _logits(model: LinearModel, base: JobScamClassifier, matrix: object) -> FloatArray:
    # The same knowledge read both, so the columns are the same.
    assert model.names == base.model_.names
    return linear_logits(matrix, model.dense, model.scale, model.text, model.bias, block_ends(model.schema, model.bits))


def section(scenario: Scenario, draws: Sequence[Draw], b: bench.Bench) -> list[str]:
    """Tables of one scenario."""
    scams = int(b.y[scenario.pool].sum())
    out = [f"## {scenario.name}\n", f"{scenario.note} {scams} scams among {len(scenario.pool)} postings.\n"]
    out += bench.head("labels", "scams among them", "unadapted", "from scratch", "adapted", "adapted - from scratch", "draws")
    for size, found in _by_size(draws):
        means = [f"{np.mean([d.ap[name] for d in found]):.3f}" for name in ("unadapted", "from scratch", "adapted")]
        gain = _mean([d.ap["adapted"] - d.ap["from scratch"] for d in found])
        out.append(bench.line(size, f"{np.mean([d.scams for d in found]):.0f}", *means, gain, len(found)))
    out.append(f"\nWith {WRONG:.0%} of the labels turned into the other one:\n")
    listed_as = ("labels listed as doubtful", "of them wrong", "wrong ones found", "listed when none is wrong")
    out += bench.head("labels", "adapted", "adapted - unadapted", *listed_as)
    for size, found in _by_size([d for d in draws if d.noisy_ap is not None]):
        after = [d.noisy_ap for d in found if d.noisy_ap is not None]
        gain = _mean([a - d.ap["unadapted"] for a, d in zip(after, found, strict=True)])
        listed, wrong, right = (sum(getattr(d, name) for d in found) for name in ("noisy_listed", "wrong", "found"))
        clean = np.mean([d.listed for d in found])
        out.append(
            bench.line(
                size,
                f"{np.mean(after):.3f}",
                gain,
                f"{listed / len(found):.0f}",
                f"{right / max(1, listed):.0%}",
                f"{right / max(1, wrong):.0%}",
                f"{clean:.0f}",
            )
        )
    return [*out, ""]


def _by_size(draws: Sequence[Draw]) -> Iterator[tuple[int, list[Draw]]]:
    for size in SIZES:
        found = [d for d in draws if d.size == size]
        if found:
            yield size, found


def _mean(values: Sequence[float]) -> str:
    """Mean with the 95 % interval of Student's t."""
    from scipy.stats import t

    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:+.3f}"
    half = float(t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


def draw(path: Path, found: Sequence[tuple[Scenario, list[Draw]]]) -> None:
    """The curves of all scenarios side by side."""
    figure, axes = plt.subplots(1, len(found), figsize=(4.2 * len(found), 3.8), sharey=True, layout="constrained")
    for ax, (scenario, draws) in zip(np.atleast_1d(axes), found, strict=True):
        sizes = [size for size, _ in _by_size(draws)]
        for name, colour in COLOURS.items():
            values = [[d.ap[name] for d in part] for _, part in _by_size(draws)]
            ax.plot(sizes, [np.mean(v) for v in values], color=colour, marker="o", markersize=4, label=name)
            ax.fill_between(sizes, [min(v) for v in values], [max(v) for v in values], color=colour, alpha=0.12, linewidth=0)
        ax.set_xscale("log")
        ax.set_xticks(sizes, [str(s) for s in sizes])
        ax.minorticks_off()
        ax.set_title(scenario.name, fontsize=10)
        ax.set_xlabel("new labels")
        ax.grid(alpha=0.25)
        ax.spines[["top", "right"]].set_visible(False)
    np.atleast_1d(axes)[0].set_ylabel("AP on the rest (mean; band: all draws)")
    np.atleast_1d(axes)[-1].legend(frameon=False, loc="lower right")  # there no curve comes low
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "retraining.md")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        b = bench.read(arguments.data)
    except InputError as error:
        parser.error(str(error))
    chosen = list(scenarios(b))
    found = Parallel(n_jobs=2)(delayed(measure)(b, scenario) for scenario in chosen)
    picture = arguments.out.parent / "plots" / "retraining.png"
    draw(picture, list(zip(chosen, found, strict=True)))
    out = [HEAD.format(draws=DRAWS), f"![Ranking by number of new labels](plots/{picture.name})\n"]
    for scenario, draws in zip(chosen, found, strict=True):
        out += section(scenario, draws, b)
    arguments.out.write_text("\n".join(out).rstrip() + "\n", encoding="utf-8")
    print(f"{arguments.out} written in {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
