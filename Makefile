# Every target installs what it needs. Only python3 (3.11 or newer, with venv) and make must be there.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
DEV_STAMP := .venv/.installed-dev
COMPILE := $(BIN)/python -m uv pip compile --quiet --no-emit-index-url --no-header --no-annotate --python-version 3.11
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DEBIAN := chromium prometheus prometheus-alertmanager fonts-dejavu-core redis-server

.PHONY: install demo test coverage test-e2e test-long lint bench pictures lock debian clean
.DEFAULT_GOAL := install

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

$(DEV_STAMP): $(STAMP) requirements-dev.lock
	$(PIP) -r requirements-dev.lock
	touch $@

demo: install
	$(BIN)/ninelives up --demo

# Pure parts, storage on the real engine, processes on free ports: under three minutes.
# The order is shuffled the same way each time, so that a red run can be repeated; plain pytest shuffles anew.
test: $(DEV_STAMP)
	$(BIN)/pytest --randomly-seed=20261122 -n 2 --dist loadfile -m "not e2e and not slow and not long"

# The domain: every line and every branch.
coverage: $(DEV_STAMP)
	$(BIN)/coverage run -m pytest --randomly-seed=20261122 -m "not long" slo tests/unit/test_slo_*.py
	$(BIN)/coverage report

# The real processes, a browser, real peers, and many evaluations on the real engine; E2E="…" for a part of it.
E2E ?= tests/e2e tests/integration tests/unit
test-e2e: $(DEV_STAMP) debian
	$(BIN)/pytest -p no:randomly -m "(e2e or slow) and not long" $(E2E)

# Crash matrices, many seeds, soak: an hour or so.
test-long: $(DEV_STAMP) debian
	$(BIN)/pytest -p no:randomly -m long

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Everything in its short form, about ten minutes; PAGE=docs/benchmarks.md also writes the figures there.
bench: $(DEV_STAMP)
	$(BIN)/python -m benchmarks.report $(if $(PAGE),--write $(PAGE))

# The pictures of the pages in the documentation.
pictures: $(DEV_STAMP) debian
	$(BIN)/pytest -p no:randomly tests/e2e/test_demo.py tests/e2e/test_ingest_pages.py tests/e2e/test_slo_pages.py tests/e2e/test_alert_pages.py tests/e2e/test_evidence_page.py --pictures docs/images

# Debian packages for the end-to-end tests: installed as root, otherwise named.
debian:
	@missing=""; for package in $(DEBIAN); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
		echo "The end-to-end tests need these packages: apt-get install$$missing"; exit 1; \
	fi

# Exact pins, without the name of any package index.
lock: install
	$(PIP) uv
	$(COMPILE) --upgrade --group build --group dev pyproject.toml -o requirements-dev.lock
	$(COMPILE) --upgrade --group build -c requirements-dev.lock pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
