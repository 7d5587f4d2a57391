# Two commands do everything: `make run` and `make test`. The others are for those who work on the program.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && command -v $$p && break; done)
BIN := .venv/bin

.PHONY: run rehearse backup-start backup-base restore-drill test check bench test-browser test-slow drill-short drill sabotage format lock

run: .venv/.installed
	@exec $(BIN)/python -m examapp.core.supervisor

# Beside a site that `make run` started, in another terminal:
rehearse backup-start backup-base restore-drill:
	@set -a; . "$${DATA_DIR:-.data}/site.env"; exec $(BIN)/python -m flask --app wsgi $(subst backup-,backup ,$(subst restore-drill,backup restore-drill,$@))

test: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 -m "not browser and not slow and not drill"

test-browser: .venv/.installed-dev
	$(BIN)/python -m pytest -m browser

test-slow: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 -m slow

drill-short: .venv/.installed-dev
	$(BIN)/python -m pytest -m drill

drill: .venv/.installed-dev
	$(BIN)/python -m tests.faults

sabotage: .venv/.installed-dev
	$(BIN)/python -m tests.faults.sabotage

check: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint examapp/templates
	$(MAKE) test

bench: .venv/.installed-dev
	$(BIN)/python -m benchmarks

# Reads the real question files that EXAMAPP_FIXTURES names, and writes docs/conformance.md.
conformance: .venv/.installed-dev
	$(BIN)/python -m benchmarks.conformance

format: .venv/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header requirements-dev.in -o requirements-dev.txt

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11 或更新的版本。"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.installed: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
