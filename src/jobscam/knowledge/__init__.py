"""What jobscam knows, as data files with source and date, and their typed, validated loader."""

from jobscam.knowledge.labels import LabelNames, Meaning, load_labels
from jobscam.knowledge.loader import Form, Knowledge, Profile, load

__all__ = ["Form", "Knowledge", "LabelNames", "Meaning", "Profile", "load", "load_labels"]
