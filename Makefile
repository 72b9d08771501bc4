PYTHON ?= python3

.PHONY: help
help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: build
build:  ## compile the core in place and install gotrace editable, with all development tools
	$(PYTHON) -m pip install -q -e '.[dev]'

.PHONY: test
test:  ## run every test; what needs a Go toolchain skips loudly without one
	$(PYTHON) -m pytest

.PHONY: check
check:  ## ruff, mypy, stubtest, cython-lint, generated files up to date
	ruff check .
	ruff format --check .
	mypy
	$(PYTHON) -m mypy.stubtest gotrace._core
	find src/gotrace -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' | sort | xargs cython-lint
	$(PYTHON) tools/generate_spec.py --check
	$(PYTHON) -m gotrace.tables.docs --check

.PHONY: go-toolchains
go-toolchains:  ## install the Go versions that the differential tests compare with
	$(PYTHON) -m tests.golab.toolchain

.PHONY: traces
traces:  ## record the small real traces of tests/data/real anew, with every Go version
	$(PYTHON) -m tests.golab.record

.PHONY: bench
bench:  ## time the decoder against Go's own reader on four kinds of trace
	$(PYTHON) -m pytest bench --benchmark-enable -s

.PHONY: docs
docs:  ## make the pages that are made from the code
	$(PYTHON) -m gotrace.tables.docs

.PHONY: soak
soak:  ## the long tests: thousands of mutants against Go's reader
	GOTRACE_MUTANTS=10000 $(PYTHON) -m pytest tests/differential

.PHONY: clean
clean:  ## remove what was built
	rm -rf build dist src/*.egg-info src/gotrace/_core.c src/gotrace/_core.html src/gotrace/_core.*.so
