# Every target sets itself up: it needs Python 3.11 or newer, make and git, and nothing else.
# They share one .venv; a part of it is installed again when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The page is built when the package is installed.
PAGE := hatch_build.py web/package-lock.json $(wildcard web/build.mjs web/src/*.ts web/src/*/*)
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-long check bench bench-check bench-speed conformance clean

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: $(VENV)/.installed-core ## Tell the story mhat began with, in a table and a figure
	@$(BIN)/mhat demo

test: $(VENV)/.installed-test ## Run the whole test suite (PYTEST_ARGS="-k adam" passes arguments on)
	@$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

test-long: $(VENV)/.installed-test ## Run what takes long and rarely tells: every rule through every kernel, all benchmarks small (some twenty minutes)
	@$(BIN)/python -m pytest -n auto --dist loadfile -m long $(PYTEST_ARGS)

check: $(VENV)/.installed-check ## Check format, lint, types and floors
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache

bench: bench-check bench-speed ## Print how good the check is and how fast the steps are (takes half an hour or more)

bench-check: $(VENV)/.installed-test ## Print how good the check is, over all cases (takes a quarter of an hour or more)
	@$(BIN)/python -m benchmarks.check

bench-speed: $(VENV)/.installed-test ## Print how fast steps and traces are, against limits and peers (on a quiet machine)
	@$(BIN)/python -m benchmarks.speed $(SPEED_ARGS)

conformance: $(VENV)/.installed-test ## Check the optimizers of torch, optax and Keras anew, and write docs/conformance.md
	@$(BIN)/python -m benchmarks.field --write docs/conformance.md

clean: ## Remove everything that make made, .venv included
	rm -rf $(VENV) build dist demo.png .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mhat needs Python 3.11 or newer; \
	this is " + sys.version.split()[0] + ". Choose another: make PYTHON=python3.12 ...")'
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# Installing the package with an extra installs the core too, and takes nothing away that is there.
$(VENV)/.installed-core: pyproject.toml $(PAGE) | $(VENV)/.made
	@echo "Installing mhat into $(VENV) (the first time this takes a minute)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-test $(VENV)/.installed-check: $(VENV)/.installed-%: pyproject.toml $(PAGE) | $(VENV)/.made
	@echo "Installing mhat and what \`make $*\` needs into $(VENV) (the first time this takes some minutes)"
	@$(PIP) install --editable '.[$*]'
	@touch $(VENV)/.installed-core $@
