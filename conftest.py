"""Doctests of modules that need an optional library are collected only where it is installed."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("spacy") else ["src/jobscam/integrations/spacy.py"]
