# The two commands of the README. Everything is installed into .venv; nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data

.PHONY: demo test train evaluate retraining indicators bench clean

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all]"
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all,test]"
	touch $@

$(VENV)/.installed-measure: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all,measure]"
	touch $@

demo: $(VENV)/.installed  ## score the development samples and write scored.csv
	$(BIN)/jobscam score data/samples/ads.csv -o scored.csv

test: $(VENV)/.installed-test  ## lint, types and all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

train: $(VENV)/.installed-test  ## train the shipped model anew (needs the real sources in DATA)
	$(BIN)/python scripts/train.py --data $(DATA)

evaluate: $(VENV)/.installed-measure  ## measure the shipped model and write docs/evaluation.md; EMSCAD=full.csv replays more
	OMP_NUM_THREADS=1 $(BIN)/python scripts/evaluate.py --data $(DATA) $(if $(EMSCAD),--emscad $(EMSCAD))

retraining: $(VENV)/.installed-measure  ## measure what new labels do and write docs/retraining.md
	OMP_NUM_THREADS=1 $(BIN)/python scripts/retraining.py --data $(DATA)

indicators: $(VENV)/.installed-measure  ## measure the readers on annotated real ads and write docs/indicators.md
	$(BIN)/python scripts/measure_indicators.py --data $(DATA)

bench: $(VENV)/.installed
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/indicators.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/scoring.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/million.py --rows 1000 10000
	$(BIN)/python benchmarks/workers.py --rows 5000
	$(BIN)/python benchmarks/campaigns.py
	$(BIN)/python benchmarks/faults.py
	$(BIN)/python benchmarks/resume.py

clean:
	rm -rf $(VENV) scored.csv scored.rejects.csv
