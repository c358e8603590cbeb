"""Names of models: ``<name>-<semver>``, and which version is newer (semver.org, 2.0.0, section 11)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_IDENTIFIERS = r"[0-9A-Za-z-]{1,40}(?:\.[0-9A-Za-z-]{1,40}){0,9}"
_NAME = re.compile(
    rf"([A-Za-z0-9][A-Za-z0-9_.-]{{0,80}}?)-(({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?)"
)

Key = tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...], str]


class Versioned(NamedTuple):
    """A model's full name taken apart.

    Attributes
    ----------
    key : tuple
        Sorts versions by precedence: 1.0.0-rc.2 < 1.0.0-rc.10 < 1.0.0 < 1.2.0 < 1.10.0.
    """

    name: str
    version: str
    key: Key

    @property
    def is_release(self) -> bool:
        """Whether it is no pre-release."""
        return self.key[1]


def split(full: str) -> Versioned | None:
    """Name and version of ``<name>-<semver>``; None for anything else, so that a result is also safe as a folder's name.

    Examples
    --------
    >>> split("my-model-1.10.0-rc.1").version, split("mine-1.0"), split("../mine-1.0.0")
    ('1.10.0-rc.1', None, None)
    """
    found = _NAME.fullmatch(full)
    if found is None:
        return None
    name, version, *numbers, before = found.groups()
    major, minor, patch = (int(n) for n in numbers)
    # Numbers compare as numbers and come before words; a release comes after its pre-releases.
    parts = tuple((not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in (before or "").split(".") if p)
    return Versioned(name, version, ((major, minor, patch), before is None, parts, version))


def newest(versions: Iterable[str], name: str) -> str | None:
    """Full name of the newest version of a model; a pre-release only where there is no release.

    Examples
    --------
    >>> newest(["mine-1.9.0", "mine-1.10.0", "mine-2.0.0-rc.1", "other-3.0.0"], "mine")
    'mine-1.10.0'
    """
    own = [(found.is_release, found.key, full) for full in versions if (found := split(full)) and found.name == name]
    return max(own)[-1] if own else None
