"""The protocols behind ``docs/evaluation.md``; `scripts/evaluate.py` runs them all."""
