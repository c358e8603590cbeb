"""Normalising with the way back to the original, undoing obfuscation, and telling the language."""

from jobscam.text.language import LanguageProfile
from jobscam.text.normalise import Mark, Normaliser, Text

__all__ = ["LanguageProfile", "Mark", "Normaliser", "Text"]
