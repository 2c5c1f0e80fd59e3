# One target for each task; each sets up what it needs on its first call.
# A fresh machine needs Python 3.11 or newer, and make.

VENV := .venv
BIN := $(VENV)/bin
# PyTorch is the oracle of the tests. Its ordinary wheels for Linux carry several GB of
# CUDA: set PIP_EXTRA_INDEX_URL to PyTorch's index of CPU wheels to take the small ones.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# the first of these that is new enough; PYTHON=... overrides
PYTHONS := python3 python python3.14 python3.13 python3.12 python3.11
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach python,$(PYTHONS),\
	$(shell $(python) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(python))))

# A test worker has one core, and the demo's matrices are small: threads of the linear
# algebra would only wait for each other, for long if the machine has other work.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
WORKERS ?= 2

.PHONY: help demo test lint types check bench bench-compile docs format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-13s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/demo.stamp ## run the tutorial, train two networks, draw what happened
	$(ONE_THREAD) $(BIN)/python -m examples.demo

test: $(VENV)/dev.stamp ## run every test, doctests too
	$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(VENV)/dev.stamp ## check style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/dev.stamp ## check the types
	$(BIN)/mypy

check: test lint types ## all three

bench: $(VENV)/dev.stamp ## compare the speed with PyTorch and raw NumPy
	$(BIN)/python -m benchmarks $(ARGS)

bench-compile: $(VENV)/bench.stamp ## compare compiled programs with eager, PyTorch, JAX
	$(BIN)/python -m benchmarks.compile $(ARGS)

docs: $(VENV)/dev.stamp ## write the pages that are made from the code
	$(BIN)/python -m tools.coverage
	$(BIN)/python -m tools.contents
	$(BIN)/python -m tools.reference

format: $(VENV)/dev.stamp ## rewrite the code in the project's style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove everything that is not in the repository
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pip.stamp:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found: set PYTHON=..."; exit 1; }
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/%.stamp: pyproject.toml $(VENV)/pip.stamp
	@echo "installing wengert and the packages of its '$*' extra"
	@$(PIP) install --editable '.[$*]'
	@touch $@
