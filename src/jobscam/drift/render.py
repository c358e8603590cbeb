"""A comparison as Markdown (which a terminal shows as well), as JSON, and as a picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jobscam.drift import Drift, Share
from jobscam.errors import InputError

_MOST = 15


def as_mapping(found: Drift) -> dict[str, Any]:
    """All of it, as JSON holds it."""
    return dataclasses.asdict(found)


def markdown(found: Drift) -> str:
    """The report as Markdown."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Drift) -> Iterator[str]:
    yield "# Drift"
    yield ""
    yield from (f"> {_safe(note)}" for note in found.notes)
    yield "" if found.notes else f"Model: {_safe(found.model)}"
    yield ""
    sure = sum(shift.is_sure for shift in found.indicators)
    yield from _table(
        ("", "reference", "new"),
        [
            ("rows", f"{found.rows[0]}", f"{found.rows[1]}"),
            ("scored", f"{found.scored[0]}", f"{found.scored[1]}"),
            ("campaigns of tier high or critical", f"{found.campaigns[0]}", f"{found.campaigns[1]}"),
            ("in a language that cannot be read", *_both(found.unsupported)),
            ("state their pay", *_both(found.pay.stating)),
            ("median pay, million rupiah a month", _median(found.pay.reference_quartiles), _median(found.pay.new_quartiles)),
        ],
    )
    yield "## Scores"
    yield ""
    yield f"Population stability index {found.psi:.3f} (by chance about {found.psi_by_chance:.3f} in tables of this size; 0.1 is"
    yield f"often called some change, 0.25 much). Kolmogorov-Smirnov distance {found.ks:.3f}, p = {found.ks_p:.2g}."
    yield ""
    yield from _shares("probability", found.bins)
    yield from _shares("tier", found.tiers)
    yield "## Status, language, destination"
    yield ""
    yield from _shares("status", found.statuses)
    yield from _shares("language", found.languages)
    yield from _shares("destination", found.destinations[:_MOST])
    yield "## Indicators"
    yield ""
    yield f"{sure} of {len(found.indicators)} changed for sure (q at most 0.05), the surest first."
    yield ""
    rows = [
        (s.share.name, *_both(s.share), f"{_points(s.share.difference)} ({_points(s.low)} to {_points(s.high)})", f"{s.q:.2g}")
        for s in found.indicators[: max(_MOST, sure)]
    ]
    yield from _table(("indicator", "reference", "new", "points (95 %)", "q"), rows)
    yield "## New phrases among the ads of tier high and critical"
    yield ""
    if found.phrases:
        yield "In campaigns; contacts masked, what the lexicon matches left out. Candidates for the lexicon, to be judged: of"
        by_chance = found.phrases_compared / 44  # 2.3 % of a normal law lie two standard deviations above its mean
        yield f"{found.phrases_compared} phrases compared, some {by_chance:.0f} would rise so far (z at least 2) by chance."
        yield ""
        rows = [(p.text, str(p.reference), str(p.new), f"{p.log_odds:+.2f}", f"{p.z:.1f}") for p in found.phrases]
        yield from _table(("phrase", "reference", "new", "log odds", "z"), rows)
    else:
        yield "None."


def _shares(name: str, shares: Sequence[Share]) -> Iterator[str]:
    return _table((name, "reference", "new", "points"), [(s.name, *_both(s), _points(s.difference)) for s in shares])


def _both(share: Share) -> tuple[str, str]:
    return f"{share.reference} ({100 * share.reference_share:.1f} %)", f"{share.new} ({100 * share.new_share:.1f} %)"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def _median(quartiles: tuple[float, float, float] | None) -> str:
    return "-" if quartiles is None else f"{quartiles[1] / 1e6:.1f}"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    cells = [[_safe(cell) for cell in row] for row in (header, *rows)]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]

    def line(row: Sequence[str]) -> str:
        padded = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return f"| {' | '.join(padded)} |"

    yield line(cells[0])
    yield f"|{'|'.join('-' * (w + 2) if i == 0 else '-' * (w + 1) + ':' for i, w in enumerate(widths))}|"
    yield from map(line, cells[1:])
    yield ""


def _safe(text: str) -> str:
    """A cell that neither a terminal nor a renderer of Markdown takes for a command."""
    shown = "".join(c if c.isprintable() else " " for c in text)[:80]
    return "".join("\\" + c if c in "|<>`[]\\" else c for c in shown)


def check_plot() -> None:
    """Refuse early where nothing can be drawn."""
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        raise InputError("a plot needs matplotlib, which is not installed: pip install 'jobscam[plot]'") from None


def plot(found: Drift, path: str | Path) -> None:
    """Draw the distribution of the scores and the indicators that changed most; the suffix tells the format.

    Raises
    ------
    InputError
        If matplotlib is not installed, or cannot write that format.
    """
    check_plot()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    suffix = Path(path).suffix.removeprefix(".").lower()
    if suffix not in canvas.get_supported_filetypes():
        raise InputError(f"{path}: name a picture that ends in .png, .svg or .pdf")
    left, right = figure.subplots(1, 2)
    at = range(len(found.bins))
    left.bar([x - 0.2 for x in at], [s.reference_share for s in found.bins], 0.4, label="reference", color="#7f7f7f")
    left.bar([x + 0.2 for x in at], [s.new_share for s in found.bins], 0.4, label="new", color="#d62728")
    left.set_xticks(list(at), [s.name for s in found.bins], rotation=45)
    left.set(xlabel="probability", ylabel="share of the scored ads", title=f"Scores: PSI {found.psi:.3f}, KS {found.ks:.3f}")
    left.legend()
    shown = list(reversed(found.indicators[:_MOST]))
    middle = [100 * s.share.difference for s in shown]
    reach = [[100 * (s.share.difference - s.low) for s in shown], [100 * (s.high - s.share.difference) for s in shown]]
    right.errorbar(middle, range(len(shown)), xerr=reach, fmt="o", color="#1f77b4")
    right.set_yticks(range(len(shown)), [s.share.name.replace("$", r"\$")[:40] for s in shown])
    right.axvline(0, color="#7f7f7f", linewidth=1)
    right.set(xlabel="change in points, 95 % interval", title="Indicators, the surest changes")
    # Neither a clock nor a version: the same tables give the same picture.
    dated = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure.savefig(path, dpi=120, metadata=dated.get(suffix))
