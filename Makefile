# The one way to install, run, test and measure AgentLedger. Every target bootstraps .venv by itself:
# all it needs is Python >= 3.11 with venv and pip, make, and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
# Children find `dbt` and `dagster` although the environment is not activated; nothing phones home.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export UV_PYTHON_DOWNLOADS := never
export PYTHONDONTWRITEBYTECODE ?=

.PHONY: help setup run dev docs manifest test test-unit test-dbt test-dagster test-e2e test-rebuilds test-crash test-browser test-postgres chromium postgresql bench-postgres bench-peers \
	lint format bench docs-dictionary clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.installed ## Install from the lock file into .venv

# uv has an environment of its own: a sync makes .venv exactly what the lock file says.
.uv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "AgentLedger needs Python 3.11 or newer, for example: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .uv
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"

$(VENV)/.installed: pyproject.toml uv.lock | .uv/bin/uv
	@.uv/bin/uv sync --frozen --quiet --python $(PYTHON)
	@touch $@

run: setup manifest ## Run the pipeline on what is registered, or on sample telemetry
	@$(BIN)/agentledger quickstart --workspace .run

dev: setup manifest ## Dagster UI and daemon on 127.0.0.1:3000
	@$(BIN)/agentledger dev

docs: setup manifest ## Build and serve the dbt docs site on 127.0.0.1
	@$(BIN)/agentledger docs

manifest: setup ## Parse the dbt project (only when it changed)
	@$(BIN)/python -m orchestration manifest

test: setup manifest ## All tests but the slow ones; under 10 minutes on 2 cores
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

test-unit: setup ## Tests without Dagster and dbt
	@$(BIN)/python -m pytest tests/unit

test-dbt: setup manifest ## Models: worked examples, project rules, build twice
	@$(BIN)/python -m pytest tests/dbt

test-dagster: setup manifest ## Orchestration
	@$(BIN)/python -m pytest tests/dagster

test-e2e: setup manifest ## Files to answers, with kills in between
	@$(BIN)/python -m pytest tests/e2e -m "not slow"

test-rebuilds: setup manifest ## Slices, shuffles, increments and full refreshes end alike (minutes)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "slow and rebuilds"

test-crash: setup manifest ## Kill the process at many more random moments (minutes)
	@$(BIN)/python -m pytest tests/e2e tests/unit/test_vault.py -m "slow and crash"

test-browser: setup manifest chromium ## Both pages in headless Chromium (minutes)
	@.uv/bin/uv sync --frozen --quiet --python $(PYTHON) --group browser
	@$(BIN)/python -m pytest tests/browser -m "slow and browser" -rs

test-postgres: setup manifest postgresql ## A live PostgreSQL server on loopback, killed and started again (minutes)
	@$(BIN)/python -m pytest tests/postgres -m "slow and postgres" -rs

# The server of the distribution; the tests start one of their own, in a folder of their own.
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
				apt-get install -y -qq --no-install-recommends postgresql >/dev/null; \
		else \
			echo "These tests need PostgreSQL. Install it, for example: sudo apt-get install postgresql"; \
			exit 1; \
		fi; }

# The browser comes from the distribution, its driver from the package index; neither downloads
# anything else.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
				apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
		else \
			echo "The browser tests need Chromium. Install it, for example: sudo apt-get install chromium"; \
			exit 1; \
		fi; }

lint: setup manifest ## Ruff, type checker, SQL lint, generated docs up to date
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright --level error
	@$(BIN)/sqlfluff lint --processes 2 models --nocolor
	@$(BIN)/python docs/generate_dictionary.py --check

format: setup ## Format the Python code
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

docs-dictionary: setup manifest ## Write docs/data-dictionary.md from the dbt YAML
	@$(BIN)/python docs/generate_dictionary.py

bench: setup manifest ## Timings as ratios to a baseline of the same run: make bench SIZE=small|medium|large
	@$(BIN)/python -m benchmarks.run --size $(or $(SIZE),small) --variant $(or $(VARIANT),both) $(BENCH_ARGS)

bench-postgres: setup postgresql ## Copy of a live table, beside ADBC alone: make bench-postgres BENCH_ARGS="--rows 2000000"
	@$(BIN)/python -m benchmarks.postgres $(BENCH_ARGS)

bench-peers: setup manifest ## Ours beside ccusage and agentsview; writes docs/peers.md: make bench-peers SIZE=small|full|one-file
	@$(BIN)/python -m benchmarks.peers --size $(or $(SIZE),small) $(BENCH_ARGS)

clean: ## Remove the environment and everything generated in the checkout
	rm -rf $(VENV) .uv .run .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs build dist
