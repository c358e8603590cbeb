"""Finds dangerous job advertisements among Indonesian and English ones, with reasons.

Examples
--------
>>> import jobscam
>>> model = jobscam.load()
>>> model.assess("Dicari kasir toko di Depok, jujur, gaji 2,5jt, lamaran antar langsung ke toko").status
'scored'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobscam.explain import Assessment, Reason
    from jobscam.model.classifier import JobScamClassifier
    from jobscam.model.linear import estimate_prevalence
    from jobscam.posting import Posting
    from jobscam.scoring import Scorer, load
    from jobscam.training import save

__version__ = "0.3.0"

# Imported at first use: scikit-learn and pandas take seconds, and scoring one ad needs neither.
_WHERE = {
    "Assessment": "jobscam.explain",
    "JobScamClassifier": "jobscam.model.classifier",
    "Posting": "jobscam.posting",
    "Reason": "jobscam.explain",
    "Scorer": "jobscam.scoring",
    "estimate_prevalence": "jobscam.model.linear",
    "load": "jobscam.scoring",
    "save": "jobscam.training",
}
__all__ = ["Assessment", "JobScamClassifier", "Posting", "Reason", "Scorer", "__version__", "estimate_prevalence", "load", "save"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    if name in ("drift", "queue"):
        return import_module(f"jobscam.{name}")
    raise AttributeError(f"module 'jobscam' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
