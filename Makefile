# De Boodt: every target does its own set-up in .venv
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ON_ALL_CORES := --numprocesses=logical --maxprocesses=8 --dist=loadfile --no-loadscope-reorder
SOURCES := linkeddata crowd harvest identify queries tests benchmarks

.PHONY: help demo serve editor test coverage lint bench clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    paint the sample, run the whole campaign on it, offline; results in demo/"
	@echo "make serve   show the demo's results at http://127.0.0.1:8000"
	@echo "make editor  fetch the editor of the query page, where there is npm (serve and test do it, too)"
	@echo "make test    all tests and doctests, on all cores"
	@echo "make coverage  the same, and which lines no test reaches (half as long again)"
	@echo "make lint    ruff and mypy"
	@echo "make bench   the figures, one JSON line each"

$(VENV)/python: 
	@$(PYTHON) --version >/dev/null 2>&1 || { echo "make: $(PYTHON) not found; name a Python 3.11 or newer: make PYTHON=python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/demo: $(VENV)/python pyproject.toml constraints.txt
	@echo "installing De Boodt with what training needs into $(VENV) (once, about a minute)" >&2
	@$(PIP) install -c constraints.txt -e '.[train]'
	@touch $@

$(VENV)/test: $(VENV)/demo
	@$(PIP) install -c constraints.txt -e '.[train,postgres,test]'
	@touch $@

demo: $(VENV)/demo
	@$(BIN)/deboodt demo --out demo

serve: $(VENV)/demo editor
	@$(BIN)/deboodt --home demo serve

editor:
	@sh identify/pages/editor.sh

test: $(VENV)/test editor
	@sh tests/chromium.sh
	@$(BIN)/python -m pytest $(ON_ALL_CORES)

coverage: $(VENV)/test editor
	@sh tests/chromium.sh
	@$(BIN)/python -m pytest $(ON_ALL_CORES) --cov --cov-report=term:skip-covered

lint: $(VENV)/test
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy

bench: $(VENV)/test
	@for name in $$(ls benchmarks/*.py | xargs -n1 basename | sed 's/\.py$$//' | grep -v '^_'); do $(BIN)/python -m benchmarks.$$name || exit 1; done

clean:
	rm -rf $(VENV) demo *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage
