"""What people call their labels: which names mean a scam, which an honest ad, and which columns hold them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from jobscam.errors import InputError, KnowledgeError

FILE = Path(__file__).parent / "labels.toml"
_SEPARATORS = re.compile(r"[\s_-]+")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_WHOLE = re.compile(r"\+?(-?\d+)(?:\.0+)?")


class Meaning(StrEnum):
    """What a label says of an ad."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class LabelNames:
    """The table of label names.

    Attributes
    ----------
    meanings : dict of str to Meaning
        By folded name.
    columns : tuple of str
        Folded names of columns that hold labels, the likeliest first.
    """

    meanings: dict[str, Meaning]
    columns: tuple[str, ...]

    def meaning(self, label: object) -> Meaning | None:
        """What a label says, or None where its name is not known.

        Examples
        --------
        >>> names = load_labels()
        >>> names.meaning("Penipuan"), names.meaning(0.0), names.meaning("not_fraudulent"), names.meaning("biru")
        (<Meaning.POSITIVE: 'positive'>, <Meaning.NEGATIVE: 'negative'>, <Meaning.NEGATIVE: 'negative'>, None)
        """
        return self.meanings.get(fold(label))

    def column(self, header: Sequence[str]) -> str | None:
        """The column of a table that holds the labels, or None; the likeliest name wins, then the first column."""
        folded = [fold(name) for name in header]
        return next((header[folded.index(name)] for name in self.columns if name in folded), None)

    def positive_class(self, classes: Sequence[object]) -> int:
        """Which of two classes is the scam: 0 or 1.

        A name that the table knows decides. Numbers go by size: the larger is the scam.

        Parameters
        ----------
        classes : sequence of two
            Distinct labels, sorted.

        Raises
        ------
        InputError
            If the names do not say which of the two is the scam. A guess could turn every score around.

        Examples
        --------
        >>> names = load_labels()
        >>> names.positive_class(["fraud", "legit"]), names.positive_class(["asli", "penipuan"]), names.positive_class([1, 2])
        (0, 1, 1)
        """
        if all(_NUMBER.fullmatch(fold(label)) for label in classes):
            return 1
        first, second = (self.meaning(label) for label in classes)
        shown = " and ".join(f"'{label}'" for label in classes)
        if Meaning.UNDECIDED in (first, second):
            which = classes[0] if first is Meaning.UNDECIDED else classes[1]
            raise InputError(f"the label '{which}' means undecided; leave these rows out, and give scams and honest ads")
        if first is second:
            problem = "do not say which is the scam" if first is None else f"both mean {first.value}"
            raise InputError(f"the labels {shown} {problem}; give 1 for scam and 0 for honest, or 'scam' and 'legit'")
        return 0 if first is Meaning.POSITIVE or second is Meaning.NEGATIVE else 1


def fold(label: object) -> str:
    """A label or column name as the table writes it.

    Examples
    --------
    >>> fold(" Is_Scam "), fold("fraudulent?"), fold("isScam"), fold(1.0), fold(True)
    ('is scam', 'fraudulent', 'is scam', '1', 'true')
    """
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(label).replace("\ufeff", "").strip()).lower()
    if whole := _WHOLE.fullmatch(text):
        return whole[1]
    return text if _NUMBER.fullmatch(text) else _SEPARATORS.sub(" ", text).strip(" ?!.:*\"'")


@lru_cache(maxsize=1)
def load_labels() -> LabelNames:
    """Read ``labels.toml``.

    Raises
    ------
    KnowledgeError
        If a name is not written as it is looked up, or has two meanings.
    """
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    meanings: dict[str, Meaning] = {}
    for meaning in Meaning:
        for name in (name for names in data[meaning].values() for name in names):
            if fold(name) != name:
                raise KnowledgeError(str(FILE), 0, f"'{name}' can never match: write it '{fold(name)}'")
            if meanings.setdefault(name, meaning) is not meaning:
                raise KnowledgeError(str(FILE), 0, f"'{name}' stands under {meanings[name]} and {meaning}")
    columns = tuple(dict.fromkeys(name for names in data["columns"].values() for name in names))
    for name in columns:
        if fold(name) != name:
            raise KnowledgeError(str(FILE), 0, f"the column '{name}' can never match: write it '{fold(name)}'")
    return LabelNames(meanings, columns)
