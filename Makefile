# Everything that a developer runs. `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(abspath $(BIN)):$(PATH)
TRACE ?= tests/data/real/io-go1.27.trace.zst
OUT ?= out
FUZZ_SECONDS ?= 60
SOAK_EXECUTIONS ?= 20000000

.PHONY: help
help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

.PHONY: install
install: $(BIN)/python ## Build and install gotrace and its tools for developers, editable
	$(BIN)/python -m pip install --quiet --editable '.[dev]'

.PHONY: try
try: $(BIN)/python ## Install gotrace and convert a trace that ships with it to Parquet
	$(BIN)/python -m pip install --quiet .
	$(BIN)/gotrace convert $(TRACE) -o $(OUT)

.PHONY: test
test: install ## Run all tests; those that need Go are skipped without it
	$(BIN)/python -m pytest

.PHONY: go-toolchains
go-toolchains: $(BIN)/python ## Install the Go versions that the tests and benchmarks compare with
	$(BIN)/python -m tests.golab.toolchain

.PHONY: check
check: lint types ## Run all checks that are not tests

.PHONY: lint
lint: ## ruff (lint and format), cython-lint, docs up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/cython-lint src/gotrace tests/fuzz
	$(BIN)/python -m gotrace.tables.docs --check

.PHONY: types
types: ## mypy --strict, and the core's stub against the core
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest gotrace._core

.PHONY: format
format: ## Format the Python code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: docs
docs: ## Make docs/tables.md from the schemas
	$(BIN)/python -m gotrace.tables.docs

.PHONY: page
page: ## Build the page that flames are written to, from web/flame (needs Node)
	npm ci --prefix web/flame --no-audit --no-fund --silent
	npm run --prefix web/flame --silent types
	npm run --prefix web/flame --silent build

.PHONY: bench
bench: ## Time ours against Go's reader, side by side (needs make go-toolchains)
	$(BIN)/python -m pytest bench --benchmark-enable -s

.PHONY: fuzz-tools
fuzz-tools: ## Install clang with libFuzzer and the sanitizers (Debian, Ubuntu)
	bash tests/fuzz/install-clang.sh

.PHONY: fuzz
fuzz: fuzz-tools ## Fuzz all parsers for a while, under ASan and UBSan (FUZZ_SECONDS together)
	set -- $$($(BIN)/python -m tests.fuzz.build --list); for target; do \
		$(BIN)/python -m tests.fuzz $$target --seconds $$(($(FUZZ_SECONDS) / $$#)) || exit; done

.PHONY: soak
soak: fuzz-tools ## The long tests: gigabytes, millions of fuzzer runs, mutants against Go's reader
	GOTRACE_SOAK=1 $(BIN)/python -m pytest -s tests/soak tests/sources/test_live.py \
		tests/tables/test_threads.py tests/analyses/test_damage.py
	for target in $$($(BIN)/python -m tests.fuzz.build --list); do \
		$(BIN)/python -m tests.fuzz $$target --executions $(SOAK_EXECUTIONS) \
			--results bench/results/fuzz-$$target.json || exit; done
	GOTRACE_SOAK=1 GOTRACE_MUTANTS=10000 $(BIN)/python -m pytest tests/differential

.PHONY: asan
asan: ## Run the tests of tables and core under AddressSanitizer and UBSan, in a venv of its own
	$(PYTHON) -m venv .venv-asan
	GOTRACE_SANITIZE=1 .venv-asan/bin/python -m pip install --quiet '.[test]'
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 \
	.venv-asan/bin/python -m pytest tests/tables tests/core

.PHONY: ci
ci: ## What decides about a change: .ci/run
	bash .ci/run

.PHONY: clean
clean: ## Remove what was built
	rm -rf build dist out src/*.egg-info src/gotrace/_core.c src/gotrace/_core*.so
	find src tests bench tools -name __pycache__ -prune -exec rm -rf {} +
