# Every word a developer needs. `make` alone prints them.
# PYTHON is the interpreter and VENV the folder of what is installed: `make test PYTHON=python3.13
# VENV=.venv-3.13` runs every check on another Python beside the usual one.
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.synced

# Where nothing compiled is kept, every process that a test starts compiles Polars anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint fmt golden mutants bench bench-agent bench-places bench-throughput bench-kill lock

help: ## Print this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(STAMP) ## Build .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@grep -A40 '^uv==' requirements.lock | awk 'NR>1 && /^[a-z]/ {exit} {print}' | grep -v '^ *#' > $(VENV)/uv.lock.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock.txt
	@VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	@VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) ## Replay live flights data, break promises, watch them told (ARGS=--once for a minute's run)
	@$(VENV)/bin/contractwatch demo $(ARGS)

lint: $(STAMP) ## Layers, style and types
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/lint-imports --no-cache
	@$(VENV)/bin/basedpyright --pythonpath $(PY)

test: lint ## Set up, then every check
	@$(PY) -m pytest

fmt: $(STAMP) ## Format and fix what can be fixed
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

golden: $(STAMP) ## Rewrite the golden files and the dashboards; read the diff
	@$(PY) grafana/build.py
	@CONTRACTWATCH_GOLDEN=write $(PY) -m pytest tests -k golden

mutants: $(STAMP) ## Change the heart a little, thousands of times: which changes would no test notice?
	@$(VENV)/bin/mutmut run 'contractwatch.slo.targets*' >/dev/null # it makes all, and finds their tests
	@$(PY) -m benchmarks.run_mutants
	@$(PY) -m benchmarks.mutants

bench: $(STAMP) ## Verdicts on lineitem against the query by hand and against peers; how they grow
	@$(PY) -m benchmarks.lineitem
	@$(PY) -m benchmarks.lineitem --scale 10 --pairs 3 --variants clean
	@$(PY) -m benchmarks.peers
	@$(PY) -m benchmarks.peers --scale 10 --pairs 1 --variants clean
	@$(PY) -m benchmarks.growth
	@$(PY) -m benchmarks.growth_by_count
	@$(PY) -m benchmarks.one_new_file
	@$(PY) -m benchmarks.cold_start

bench-agent: $(STAMP) ## 2,000 contracts on a 5-minute schedule
	@$(PY) -m benchmarks.agent

bench-places: $(STAMP) ## Verdicts in PostgreSQL and DuckDB against the queries by hand
	@$(PY) -m benchmarks.places

bench-throughput: $(STAMP) ## Whole runs a second, from due to recorded
	@$(PY) -m benchmarks.throughput

bench-kill: $(STAMP) ## 500 incidents, 30 kills, a receiver that misbehaves
	@$(PY) -m benchmarks.kill

lock: $(STAMP) ## Resolve the lock anew
	@$(VENV)/bin/uv lock --quiet --upgrade
	@$(VENV)/bin/uv export --quiet --format requirements-txt --no-emit-project --no-header --all-extras --all-groups -o requirements.lock
