# Segue. `make demo` runs the main job, `make test` passes the tests; each sets up all it needs, without root.
.DEFAULT_GOAL := help
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 2>/dev/null))
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NEURAL := $(VENV)/.neural
SPARK := $(VENV)/.spark
SOURCES := schemas models services tests benchmarks deploy

.PHONY: help demo test neural check bench sizes faults images unit integration schemas lock clean

help: ## What there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(READY) ## The main job: listens in, fresh lists out, on an embedded Kafka and Redis (ARGS="--for 60s")
	@$(BIN)/segue demo $(ARGS)

test: check unit integration ## Everything that must hold: check, unit and integration tests

neural: $(NEURAL) ## Add torch (several gigabytes): neural rankers, sound and lyrics are learned with it

check: $(READY) ## Lint, format, types, import contracts, generated pages
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.export --check
	$(BIN)/python -m schemas.page --check
	$(BIN)/python -m services.cli.settings_page --check
	$(BIN)/python deploy/runbooks.py --check

unit: $(NEURAL) $(SPARK) ## Unit tests: no network, no servers
	$(BIN)/pytest -n 2 tests/unit

integration: $(NEURAL) ## Tests on real Kafka brokers and Redis servers, whole and hurt
	$(BIN)/pytest -n 3 --dist loadfile tests/integration tests/faults

images: $(READY) ## Install what each image holds into a plain environment, import it, weigh it (ARGS="scorer")
	@$(BIN)/python deploy/images.py $(ARGS)

faults: $(READY) ## Hurt a running system for ten minutes, then audit it (ARGS="--seconds 120")
	@$(BIN)/segue bench faults $(ARGS)

BENCH ?= .bench
LOG := $(wildcard ../shared/data/listens.parquet)

bench: $(READY) ## Measure, beside references from the same run where there are some, into .bench/ (two hours)
	@mkdir -p $(BENCH) && uptime
	$(BIN)/segue bench scorer --tracks 10000,100000,1000000 --seconds 5s --json > $(BENCH)/scorer.json
	$(BIN)/segue bench profiler --listens 300000 --json > $(BENCH)/profiler.json
	$(BIN)/segue bench profiler --listeners 100000 --listens 1000000 --json > $(BENCH)/strangers.json
	$(if $(LOG),$(BIN)/segue bench profiler --only bulk,bare_aiokafka --log $(LOG) --json > $(BENCH)/rebuild.json)
	$(BIN)/segue bench outcomes --json > $(BENCH)/outcomes.json
	$(BIN)/segue bench memory --plays 20,200,2000 $(addprefix --listens ,$(LOG)) --json > $(BENCH)/memory.json
	$(BIN)/segue bench release --seconds 15s --json > $(BENCH)/release.json
	$(BIN)/segue bench freshness --seconds 10s --json > $(BENCH)/freshness.json
	$(BIN)/segue bench size --check --json > $(BENCH)/size.json
	$(BIN)/segue bench growth --seconds 3s --plot $(BENCH)/growth.svg --json > $(BENCH)/growth.json
	$(BIN)/python -m benchmarks.fold
	$(BIN)/python -m benchmarks.send
	$(BIN)/python benchmarks/audio_index.py --sizes 10000

sizes: $(READY) ## Write docs/scaling.md from what `make bench` measured (ABOUT="machine, date")
	$(BIN)/python -m services.bench.sizing --from $(BENCH) --about "$(ABOUT)"

schemas: $(READY) ## Write what is made of other files anew: JSON Schemas, AsyncAPI, pages of messages, settings, runbooks
	$(BIN)/python -m schemas.export
	$(BIN)/python -m schemas.page
	$(BIN)/python -m services.cli.settings_page
	$(BIN)/python deploy/runbooks.py

LOCK_IMAGE := -c requirements.lock --python-version 3.11 --python-platform linux --generate-hashes \
	--no-emit-index-url --no-header --no-annotate

lock: $(READY) ## Resolve requirements.lock and those of the images anew (installs uv for it)
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q pyproject.toml --extra all --group dev --python-version 3.11 --universal --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -o requirements.lock
	$(BIN)/uv pip compile -q pyproject.toml --extra all --extra neural --extra lyrics --group dev -c requirements.lock \
		--python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
		-o requirements-neural.lock
	$(BIN)/uv pip compile -q pyproject.toml --extra spark -c requirements.lock --python-version 3.11 --universal \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-spark.lock
	for image in profiler trainer scorer outcomes; do \
		$(BIN)/uv pip compile -q pyproject.toml --extra $$image $(LOCK_IMAGE) -o deploy/requirements/$$image.lock || exit 1; done
	$(BIN)/uv pip compile -q pyproject.toml --extra trainer --extra neural --extra audio --extra lyrics \
		$(subst requirements.lock,requirements-neural.lock,$(LOCK_IMAGE)) -o deploy/requirements/trainer-neural.lock
	echo hatchling | $(BIN)/uv pip compile -q - $(LOCK_IMAGE) -o deploy/requirements/build.lock

clean: ## Remove the virtual environment and caches of this folder
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Segue needs Python 3.11 or newer; none found. Set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Segue needs Python 3.11 or newer; $(PYTHON) is older. Set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian: python3.11-venv)" >&2; exit 1; }
	@echo "setting up $(VENV): about 125 packages, a minute or so ..."
	@$(PYTHON) -m venv $(VENV)
	@date +%s > $(VENV)/.started
	@$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r requirements.lock
	@$(BIN)/pip install --disable-pip-version-check -q --no-deps --no-build-isolation -e .
	@expr $$(date +%s) - $$(cat $(VENV)/.started) > $(VENV)/.install_seconds
	@rm $(VENV)/.started
	@touch $(READY)

$(NEURAL): $(READY) requirements-neural.lock
	@echo "adding torch to $(VENV): several gigabytes, a few minutes ..."
	@$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r requirements-neural.lock
	@touch $@

$(SPARK): $(READY) requirements-spark.lock
	@echo "adding Spark to $(VENV), for its tests: 456 MB, half a minute ..."
	@$(BIN)/pip install --disable-pip-version-check -q --require-hashes -r requirements-spark.lock
	@touch $@
