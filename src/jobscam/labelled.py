"""Labelled ads: read from a table, and checked for what would spoil training or measuring."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from jobscam.errors import InputError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.features import FloatArray
from jobscam.io import open_table
from jobscam.knowledge import Meaning, load_labels
from jobscam.posting import FIELDS, TEXT_FIELDS, Posting
from jobscam.streaming import map_columns
from jobscam.values import Reject

_FEW, _LEAST = 10, 3
_TELLING, _SEEN = 0.98, 20
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Ad:
    """One labelled ad.

    Attributes
    ----------
    line : int
        Line of the file on which it starts.
    label : int
        1 for a scam, 0 for legitimate.
    """

    posting: Posting
    label: int
    line: int


@dataclass(frozen=True)
class Labelled:
    """Labelled ads of one file, and what became of its other rows.

    Attributes
    ----------
    ads : list of Ad
    column : str
        Where the labels stood.
    columns : list of (str, str)
        Column and the field it feeds.
    undecided : list of int
        Lines that say that the reader could not tell; they are left out.
    rejects : list of Reject
        Rows that cannot be used, with the reason.
    notes : list of str
        What the reader found and did about it.
    campaigns : list of str
        Campaign of each ad.
    """

    name: str
    ads: list[Ad]
    column: str
    columns: list[tuple[str, str]]
    undecided: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    campaigns: list[str] = field(default_factory=list)

    @property
    def labels(self) -> FloatArray:
        """Labels, shape (n,)."""
        return np.array([ad.label for ad in self.ads], dtype=np.float64)

    @property
    def postings(self) -> list[Posting]:
        """Postings, in the order of `ads`."""
        return [ad.posting for ad in self.ads]

    def without(self, lines: Sequence[int]) -> Labelled:
        """The same, some lines left out."""
        gone = set(lines)
        keep = [i for i, ad in enumerate(self.ads) if ad.line not in gone]
        return replace(self, ads=[self.ads[i] for i in keep], campaigns=[self.campaigns[i] for i in keep])


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about labelled ads that a person should look at.

    Attributes
    ----------
    fatal : bool
        Whether nothing should be trained on them.
    message : str
        What was found and what to do.
    lines : tuple of int
        Rows concerned.
    """

    fatal: bool
    message: str
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.lines:
            return self.message
        shown = ", ".join(map(str, self.lines[:_SHOWN])) + (
            f" and {len(self.lines) - _SHOWN} more" if len(self.lines) > _SHOWN else ""
        )
        return f"{self.message} Line{'s' if len(self.lines) > 1 else ''} {shown}."


def read_labelled(
    path: str | Path,
    *,
    label: str | None = None,
    positive: Sequence[str] = (),
    overrides: Mapping[str, str] | None = None,
) -> Labelled:
    """Read a table of ads with a column of labels.

    Parameters
    ----------
    path : path
        Table in any format that can be scored, ``-`` for standard input.
    label : str, optional
        Column of the labels; found by its name otherwise (``knowledge/labels.toml``).
    positive : sequence of str, optional
        Values that mean a scam; every other value then means legitimate, empty cells and words for *undecided* aside.
    overrides : mapping, optional
        Posting field to column, over what the names of the columns say.

    Raises
    ------
    InputError
        If there is no column of labels or of text, or no row can be used.
    """
    from jobscam.campaigns import of_postings

    with open_table(path) as table:
        column = _label_column(table.name, table.header, label)
        visible = ["" if name == column or name in OUTPUT_COLUMNS else name for name in table.header]
        mapping = map_columns(table.name, visible, overrides)
        at = table.header.index(column)
        found = Labelled(table.name, [], column, mapping.describe())
        for item in table:
            if isinstance(item, Reject):
                found.rejects.append(item)
                continue
            said = item.cells[at] if at < len(item.cells) else ""
            meaning = _meaning(said, positive)
            if not mapping.has_text(item.cells):
                found.rejects.append(Reject(item.line, "no text", said))
            elif not said.strip() or meaning is Meaning.UNDECIDED:
                found.undecided.append(item.line)
            elif meaning is None:
                found.rejects.append(Reject(item.line, f"column '{column}': label '{said}' is not known", said))
            else:
                found.ads.append(Ad(mapping.posting(item.cells), int(meaning is Meaning.POSITIVE), item.line))
        found.notes.extend(table.notes)
    if not found.ads:
        raise InputError(f"{found.name}: no row has both text and a label in column '{column}'. {_rejected(found)}".strip())
    found.campaigns.extend(of_postings(found.postings))
    return found


def _label_column(name: str, header: Sequence[str], label: str | None) -> str:
    if label is not None:
        if label not in header:
            raise InputError(f"{name}: there is no column '{label}'. Columns: {', '.join(header)}.")
        return label
    # Ours before all others: a page of ads that was labelled by hand keeps the column `label` that came with them.
    found = "jobscam_label" if "jobscam_label" in header else load_labels().column(header)
    if found is None:
        raise InputError(f"{name}: no column of labels was recognised; name it with --label. Columns: {', '.join(header)}.")
    return found


def _meaning(said: str, positive: Sequence[str]) -> Meaning | None:
    names = load_labels()
    meaning = names.meaning(said)
    if not positive:
        return meaning
    if said.strip().lower() in {p.strip().lower() for p in positive}:
        return Meaning.POSITIVE
    return Meaning.UNDECIDED if meaning is Meaning.UNDECIDED else Meaning.NEGATIVE


def _rejected(found: Labelled) -> str:
    reasons = Counter(reject.reason for reject in found.rejects)
    return "; ".join(f"{count} rows: {reason}" for reason, count in reasons.most_common(3))


def problems(found: Labelled) -> list[Problem]:
    """What is wrong with labelled ads, the fatal first.

    Looks for one class only, too few, unknown labels, near-duplicates with different labels, columns that give the label
    away, and scams that all come from a source without honest ads.
    """
    out = [*_counts(found), *_unknown(found), *_conflicts(found)]
    if not any(problem.fatal for problem in out):
        out += [*_leaks(found), *_sources(found)]
    return sorted(out, key=lambda problem: not problem.fatal)


def _counts(found: Labelled) -> Iterator[Problem]:
    y = found.labels
    scams, honest = int(y.sum()), int((1 - y).sum())
    for number, name, other in ((scams, "scams", "legitimate"), (honest, "legitimate ads", "scams")):
        if number == 0:
            yield Problem(True, f"{found.name}: all {len(y)} labels are {other}; both classes are needed. Is --positive right?")
        elif number < _LEAST:
            yield Problem(True, f"{found.name}: only {number} {name}; at least {_LEAST} are needed.")
        elif len({c for c, ad in zip(found.campaigns, found.ads, strict=True) if ad.label == (name == "scams")}) < _LEAST:
            yield Problem(True, f"{found.name}: the {number} {name} are fewer than {_LEAST} campaigns; label other ads as well.")
        elif number < _FEW:
            yield Problem(False, f"{found.name}: only {number} {name}; figures from so few are rough.")


def _unknown(found: Labelled) -> Iterator[Problem]:
    lines: dict[str, list[int]] = defaultdict(list)
    for reject in found.rejects:
        lines[reject.reason].append(reject.line)
    for reason, numbers in lines.items():
        much = len(numbers) > len(found.ads)
        advice = " Say which values mean a scam with --positive." if "label" in reason else ""
        yield Problem(much, f"{found.name}: {len(numbers)} rows left out: {reason}.{advice}", tuple(numbers))


def _conflicts(found: Labelled) -> Iterator[Problem]:
    same = contradictory(found)
    if same:
        message = f"{found.name}: equal ads with different labels; none of them is used. Decide on one."
        yield Problem(False, message, tuple(sorted(same)))
    labels: dict[str, set[int]] = defaultdict(set)
    for campaign, ad in zip(found.campaigns, found.ads, strict=True):
        labels[campaign].add(ad.label)
    mixed = {ad.line for campaign, ad in zip(found.campaigns, found.ads, strict=True) if len(labels[campaign]) == 2}
    near = sorted(mixed - set(same))
    if near:
        message = f"{found.name}: near-duplicates, or ads with one contact, have different labels; they are used, look at them."
        yield Problem(False, message, tuple(near))


def contradictory(found: Labelled) -> list[int]:
    """Lines of equal ads with different labels."""
    labels: dict[str, set[int]] = defaultdict(set)
    for ad in found.ads:
        labels[ad.posting.text()].add(ad.label)
    return [ad.line for ad in found.ads if len(labels[ad.posting.text()]) == 2]


def _leaks(found: Labelled) -> Iterator[Problem]:
    y = found.labels
    if len(y) < _SEEN:
        return
    column_of = {name: column for column, name in found.columns}
    for name in FIELDS:
        filled = np.array([bool(getattr(ad.posting, name)) for ad in found.ads])
        right = float(np.mean(filled == y))
        if max(right, 1 - right) >= _TELLING:
            which = "scams" if right > 0.5 else "legitimate ads"
            message = f"{found.name}, column '{column_of.get(name, name)}': filled for {which} only, so it gives the label away."
            yield Problem(False, message + " Remove it, unless the ads to be scored will come with the same difference.")
    for name in TEXT_FIELDS:
        yield from _marks(found, name, column_of.get(name, name))


def _marks(found: Labelled, name: str, column: str) -> Iterator[Problem]:
    """A word that opens the text of nearly all ads of one class and of no other, such as [HOAKS]."""
    first = [(getattr(ad.posting, name).split() or [""])[0].lower() for ad in found.ads]
    for label, which in ((1, "scams"), (0, "legitimate ads")):
        own = Counter(word for word, ad in zip(first, found.ads, strict=True) if ad.label == label)
        other = {word for word, ad in zip(first, found.ads, strict=True) if ad.label != label}
        word, count = own.most_common(1)[0]
        if word and word not in other and count >= max(_LEAST, 0.5 * own.total()):
            message = f"{found.name}, column '{column}': {count} of {own.total()} {which} begin with '{word}', no other ad does."
            yield Problem(False, message + " If it is a mark of the collection, take it out.")


def _sources(found: Labelled) -> Iterator[Problem]:
    source = [ad.posting.source for ad in found.ads]
    if not all(source):
        return
    scams = {s for s, ad in zip(source, found.ads, strict=True) if ad.label}
    honest = {s for s, ad in zip(source, found.ads, strict=True) if not ad.label}
    if not scams & honest:
        message = f"{found.name}: scams come from {_some(scams)}, legitimate ads from {_some(honest)}, none from both."
        yield Problem(False, message + " A model may learn the source in place of the scam: label some of each from each source.")


def _some(names: set[str]) -> str:
    shown = sorted(names)
    return ", ".join(f"'{n}'" for n in shown[:3]) + (" …" if len(shown) > 3 else "")
