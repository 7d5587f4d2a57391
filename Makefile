# Two commands do everything: `make run` and `make test`. The others are for those who work on the program.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && command -v $$p && break; done)
BIN := .venv/bin

.PHONY: coverage run rehearse backup-start backup-base restore-drill test check types rules bench bench-waves bench-large test-browser test-slow test-slow-and-drill test-long drill-short drill drill-ha province sabotage format lock flame conformance fuzz security

run: .venv/.installed
	@exec $(BIN)/python -m examapp.ops.supervisor

# Beside a site that `make run` started, in another terminal:
rehearse backup-start backup-base restore-drill:
	@set -a; . "$${DATA_DIR:-.data}/site.env"; exec $(BIN)/python -m flask --app wsgi $(subst backup-,backup ,$(subst restore-drill,backup restore-drill,$@))

test: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 --durations=10 -m "not browser and not slow and not long and not drill"

# Which lines the tests run; the figure stands in the last line.
coverage: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term:skip-covered -m "not browser and not slow and not long and not drill"

test-browser: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=10 -m browser

test-slow: .venv/.installed-dev
	$(BIN)/python -m pytest -n 2 --durations=10 -m slow

# Both, as CI runs them: what a file sets up is set up once, and the files that take longest begin; the tests wait as much as they work.
test-slow-and-drill: .venv/.installed-dev
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder --durations=10 -m "slow or drill"

# Every page of every role in Chromium, the longest walks of hostile input over every view, `make run` in strange surroundings, and what hypothesis draws, with all examples; not a part of CI.
test-long: .venv/.installed-dev
	HYPOTHESIS_PROFILE=all $(BIN)/python -m pytest -n 2 --dist loadfile -m "long or hypothesis"

drill-short: .venv/.installed-dev
	$(BIN)/python -m pytest tests/faults --durations=10 -m drill

drill: .venv/.installed-dev
	$(BIN)/python -m tests.faults

# Two database machines and a witness as network namespaces: power cuts, the archive, and a control that must lose an answer. Root, and
# apt-get install etcd-server haproxy pgbackrest; about 20 minutes.
drill-ha: .venv/.installed-dev
	$(BIN)/python -m tests.faults.high_availability

# A province and its cells on PostgreSQL servers of their own: copy, changes everywhere, a cell away. PROVINCE_CELLS=14 PROVINCE_PEOPLE=1000000 is the whole.
province: .venv/.installed-dev
	$(BIN)/python -m benchmarks.province

# FUZZ_SECONDS=600 make fuzz is the long run; docs/fuzzing.md holds what it came to.
fuzz: .venv/.installed-dev
	$(BIN)/python -m tests.fuzz

# CHECKS="bandit semgrep" runs some of them.
security: .venv/.installed-dev
	$(BIN)/python -m tests.security $(CHECKS)

sabotage: .venv/.installed-dev
	$(BIN)/python -m tests.faults.fault_injection

check: .venv/.installed-dev
	$(MAKE) -j 2 --output-sync types rules
	$(MAKE) test

types: .venv/.installed-dev
	$(BIN)/mypy

rules: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --lint examapp/templates
	STRICT=1 $(BIN)/python -m tests.security bandit semgrep

bench: .venv/.installed-dev
	$(BIN)/python -m benchmarks

# An exam day's waves of 8,000 at their real pace, which take 14 minutes by themselves; all who come are let in at once (decision 0023).
bench-waves: .venv/.installed-dev
	STARTS_PER_SECOND=$${STARTS_PER_SECOND:-70} $(BIN)/python -m benchmarks waves

# Fifty million stored answers, and reports over a million people: about twenty minutes, 30 GB of disk while it runs.
bench-large: .venv/.installed-dev
	$(BIN)/python -m benchmarks.large

# Draws docs/pictures/save-flame.svg: where the processor time of a save goes.
flame: .venv/.installed-dev
	$(BIN)/python -m benchmarks.flame

# Reads the real question files that EXAMAPP_FIXTURES names, and writes docs/conformance.md.
conformance: .venv/.installed-dev
	$(BIN)/python -m benchmarks.conformance

format: .venv/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements-dev.txt

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11 或更新的版本。"; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; echo "没有建成 Python 虚拟环境。Debian、Ubuntu 请先执行：apt-get install python3-venv，再重新执行。"; exit 1; }

.venv/.installed: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
