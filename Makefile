# crmkit: every target creates what it needs; `make demo` and `make test` work on a fresh checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto
CODE := sdk adapters extensions cli templates tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help install peers demo test check lint types layers format bench docs clean

help: ## What can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "crmkit needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) --version 2>&1`. Try: make PYTHON=python3.12" >&2; exit 2; }
	@echo "Installing crmkit into $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

install: $(VENV)/.installed ## Create the environment and install crmkit into it

# Public clients of the CRMs pin too much to live beside us.
$(VENV)-peers/.installed: tests/peers/requirements.txt
	@$(PYTHON) -m venv $(VENV)-peers
	@$(VENV)-peers/bin/pip install --quiet --disable-pip-version-check --requirement tests/peers/requirements.txt
	@touch $@

peers: $(VENV)-peers/.installed ## Public clients of the CRMs, in an environment of their own

demo: install ## Play a sales day on the emulated CRMs; KEEP=1 stays up afterwards
	@$(BIN)/crmkit demo $(if $(KEEP),--keep)

test: install peers ## Run the whole suite
	@$(BIN)/python -m pytest -n $(WORKERS) -m "not crash and not timed and not live" -q
	@$(BIN)/python -m pytest -m "crash or timed" -q

check: lint types layers ## Linters, types and import contracts

lint: install
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

types: install
	@$(BIN)/mypy

layers: install
	@$(BIN)/lint-imports

format: install ## Put the code into its format
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix --select I $(CODE)

# What the matcher is measured beside is large, and nothing else needs it.
$(VENV)/.bench: $(VENV)/.installed
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@touch $@

bench: install peers $(VENV)/.bench ## Ratios against named peers, in one run
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done
	@echo "== benchmarks/peers"; $(BIN)/python -m benchmarks.peers.run

docs: install ## Make the pages that are made from code
	@$(BIN)/python -m crmkit_cli.capabilities docs/capabilities.md

clean: ## Remove the environment and caches
	rm -rf $(VENV) $(VENV)-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
