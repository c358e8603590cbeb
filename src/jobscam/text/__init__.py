"""Normalising with the way back to the original, undoing obfuscation, and telling the language."""

from jobscam.text.characters import Mark
from jobscam.text.language import LanguageProfile
from jobscam.text.normalise import Normaliser, Text

__all__ = ["LanguageProfile", "Mark", "Normaliser", "Text"]
