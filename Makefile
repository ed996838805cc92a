# make demo | test | slow | lint | bench | upstream | notebooks | clean
# PYTHON=python3.12 make test uses another interpreter, in an environment of its own.

PYTHON ?= python3
TAG := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# .venv belongs to the interpreter that made it; another one gets an environment of its own
EXISTING := $(shell .venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
VENV := $(if $(filter-out $(TAG),$(EXISTING)),.venv-$(TAG),.venv)
BIN := $(VENV)/bin
WORKERS ?= 2
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test slow lint format bench upstream notebooks clean

# one stamp for each set of extras: installing again costs nothing
$(VENV)/.made-%: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("scijax needs Python 3.11 or newer, this is %d.%d" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing scijax[$*] (a few minutes the first time)"
	$(PIP) -e '.[$*]'
	@touch $@

demo: $(VENV)/.made-notebooks
	$(BIN)/python -m notebooks.demo

test: $(VENV)/.made-test
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow"
	$(BIN)/python -m pytest --nbmake notebooks -n 0 -p no:cacheprovider

slow: $(VENV)/.made-test
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m slow

lint: $(VENV)/.made-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.made-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.made-bench
	$(BIN)/python -m benchmarks

upstream: $(VENV)/.made-test
	$(BIN)/python -m tests.upstream.run

notebooks: $(VENV)/.made-dev
	$(BIN)/python -m notebooks.build

clean:
	rm -rf .venv .venv-* build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
