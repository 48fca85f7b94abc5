# Everything a newcomer runs. `make` alone prints this list.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Otherwise each process compiles the whole project again.
unexport PYTHONDONTWRITEBYTECODE

# A Python that was upgraded or removed leaves an environment that is there and does not work.
ifneq ($(wildcard .venv/*.stamp),)
$(shell $(BIN)/python -I -c 'import click' 2>/dev/null || rm -f .venv/*.stamp)
endif

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-15s %s\n", $$1, $$2}'

run: .venv/run.stamp ## set up what is missing and start everything: database, simulator, web, worker
	@exec $(BIN)/hrims up

test: setup-dev browser prometheus ## everything that CI runs
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m tests.support.debian15
	@$(BIN)/pytest -n 3 --dist worksteal -m "not chaos"

check: setup-dev .venv/bandit.stamp ## lint, types, contracts between packages, language, known vulnerabilities
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tests.support.language
	@$(BIN)/python -m tests.support.vulnerabilities

unit: setup-dev ## the tests that need no database and no network
	@$(BIN)/pytest -q -n 2 tests/unit

monitoring-test: setup-dev prometheus ## rules, alerts and dashboards in a real Prometheus, and in Grafana if it is installed
	@$(BIN)/pytest -q tests/monitoring
	@$(BIN)/python -m tests.monitoring.grafana

chaos: setup-dev ## kills, restarts and long state machines
	@$(BIN)/pytest -n 2 -m chaos

fault-table: setup-dev prometheus ## what an operator sees of each fault: metrics, alerts, log, /readyz, doctor
	@$(BIN)/pytest -q -n 2 tests/resilience/observed

mutants: setup-dev ## small faults in the pure code: how many the unit tests notice
	@$(BIN)/python -m tests.mutation

bench: setup-dev ## print the figures
	@$(BIN)/python -m benchmarks

format: setup-dev ## put the code into the house style
	@$(BIN)/ruff check --fix-only -q . ; $(BIN)/ruff format -q .

sbom: setup-dev ## write the software bill of materials (CycloneDX) to build/sbom.cdx.json
	@$(BIN)/python -m deploy.sbom build/sbom.cdx.json

lock: ## resolve the dependencies again (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q pyproject.toml deploy/build.in -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header -q --extra dev --extra otel --extra sentry pyproject.toml deploy/build.in -o requirements-dev.lock

clean: ## remove the virtual environment and caches; the data in .hrims stays
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache test-results

setup-dev: .venv/dev.stamp

screenshot: browser ## draw the README's picture again
	@$(BIN)/python -m tests.browser.screenshot

browser: .venv/dev.stamp
	@$(BIN)/python -m tests.browser.chromium

prometheus: .venv/dev.stamp
	@$(BIN)/python -m tests.support.prometheus

.venv/run.stamp: requirements.lock pyproject.toml
	@deploy/venv.sh "$(PYTHON)" requirements.lock && touch $@

.venv/dev.stamp: requirements-dev.lock pyproject.toml
	@deploy/venv.sh "$(PYTHON)" requirements-dev.lock && touch $@ .venv/run.stamp

# Bandit takes seconds, and its result changes only with these files.
.venv/bandit.stamp: .venv/dev.stamp pyproject.toml $(shell find app.py hrims deploy -name '*.py')
	@$(BIN)/bandit -q -c pyproject.toml -r app.py hrims deploy && touch $@

.PHONY: help run test check unit monitoring-test chaos fault-table mutants bench format lock sbom clean setup-dev browser prometheus screenshot
