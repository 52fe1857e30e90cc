# Everything from nothing but Python 3.11+: each target makes .venv when it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INTEROP := .venv-interop
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test torture lint bench interop pictures

help:
	@echo "make demo     plan, apply, roll and roll back on the emulator, narrated"
	@echo "make test     the tests"
	@echo "make torture  the tests with the large figures (long)"
	@echo "make lint     ruff and mypy"
	@echo "make interop  NVIDIA's own SDK, as it comes from PyPI, against the emulator"
	@echo "make pictures the pages as pictures, to look at; needs Chromium and pdftoppm"
	@echo "make bench    start-up against python -c pass; the emulator per request; planning; drift"

demo: $(VENV)/.runtime
	@$(BIN)/nvcfplan demo

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -q -n 2

torture: $(VENV)/.dev
	@NVCFPLAN_TORTURE=1 $(BIN)/python -m pytest -q -n 2

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

interop: $(VENV)/.runtime $(INTEROP)/.ready
	@NVCFPLAN=$(BIN)/nvcfplan $(INTEROP)/bin/python -m pytest -q -c tests/interop/pytest.ini tests/interop

pictures: $(VENV)/.dev
	@$(BIN)/python -m tests.views.pictures build/pictures

bench: $(VENV)/.dev
	@$(BIN)/python -m bench.startup
	@$(BIN)/python -m bench.transport
	@$(BIN)/python -m bench.emulator
	@$(BIN)/python -m bench.ordering
	@$(BIN)/python -m bench.drifting

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nvcfplan needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

# Pins first, by hash; then the project itself without looking for anything more.
$(VENV)/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing what nvcfplan runs on into $(VENV) (once)"
	@$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.runtime
	@echo "installing what the tests need into $(VENV) (once)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# An environment of its own: the SDK's libraries are not ours, and no test of ours needs them.
$(INTEROP)/.ready: requirements/interop.txt
	@echo "installing NVIDIA's SDK into $(INTEROP) (once)"
	@$(PYTHON) -m venv $(INTEROP)
	@$(INTEROP)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@
