# `make` alone lists the targets. Everything is installed into .venv; nothing outside this folder changes.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
PRESET ?= default
TORCH ?= torch==2.13.0
TORCH_BACKEND ?= cpu
WORKERS ?= auto
PORT ?= 0
EXTRAS ?=
OPTIONS ?=

BIN := $(CURDIR)/.venv/bin
INSTALLED := .venv/.installed$(if $(EXTRAS),-$(EXTRAS))
comma := ,
FOLDER := $(if $(filter default,$(PRESET)$(TIMIT)),.,runs/$(PRESET))
PLACE := $(if $(filter .,$(FOLDER)),,$(FOLDER)/)
export PATH := $(BIN):$(PATH)
export CCACHE_DIR ?= $(CURDIR)/.venv/ccache
run explore publish ui images: export MLFLOW_TRACKING_URI ?= sqlite:///$(CURDIR)/mlflow.db

.PHONY: help
help: ## This list
	@echo 'make run [PRESET=smoke|default|fourier|paper] [TIMIT=/folder], make test, ...:'
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo 'TORCH_BACKEND=auto: torch for the GPU that is found. PYTHON=python3.12 chooses.'
	@echo 'EXTRAS=remote: a DVC remote in S3. EXTRAS=stores: for the tests of servers.'

.PHONY: setup
setup: $(INSTALLED) ## Install everything into .venv (skipped when nothing changed)

# A folder of wheels that pip is configured to look into wins over PyTorch's own index.
$(INSTALLED): pyproject.toml constraints.txt
	@echo 'Installing into .venv, a few minutes ..'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@links=$$($(BIN)/python -m pip config get :env:.find-links 2>/dev/null || \
		$(BIN)/python -m pip config get global.find-links 2>/dev/null || true); \
	if compgen -G "$$links/torch-*.whl" >/dev/null; then source="--find-links $$links"; \
	else source="--torch-backend $(TORCH_BACKEND)"; fi; \
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $$source '$(TORCH)' \
		-e '.[all,dev$(if $(EXTRAS),$(comma)$(EXTRAS))]' -c constraints.txt
	@touch $@

.PHONY: folder
folder: $(INSTALLED)
	@$(if $(filter .,$(FOLDER)),,python -m workflow.presets $(PRESET) \
		$(if $(TIMIT),--set corpus.kind=timit --set corpus.path=$(abspath $(TIMIT))))

.PHONY: run
run: folder ## Speech to report: every stage (PRESET=paper needs TIMIT=/folder)
	@cd $(FOLDER) && exec python -m workflow.local --with-parent $(if $(JOBS),--jobs $(JOBS))
	@echo; cat $(FOLDER)/report/benchmark.txt; echo
	@echo 'Report: $(PLACE)report/report.html, as text report.md'
	@echo 'Designs side by side in MLflow: make ui$(if $(PLACE), PRESET=$(PRESET))'

.PHONY: explore
explore: $(INSTALLED) ## Search a design (`requirement` of params.yaml, or OPTIONS='..')
	@exec python -m workflow.explore $(if $(filter default,$(PRESET)),,--preset $(PRESET)) $(if $(JOBS),--jobs $(JOBS)) $(OPTIONS)

.PHONY: publish
publish: folder ## Finished results to MLflow again (MLFLOW_TRACKING_URI)
	@cd $(FOLDER) && exec python -m workflow.local --with-parent --again publish

.PHONY: ui
ui: publish ## Publish, start MLflow on loopback, print its link (PORT=5000)
	@cd $(FOLDER) && exec python -m components.ui --receipt build/published.json --port $(PORT)

TESTS := OMP_NUM_THREADS=1 python -m pytest -n $(WORKERS) --dist loadfile

.PHONY: test
test: $(INSTALLED) ## All tests but those of whole systems and the slow ones
	$(TESTS) -m 'not slow and not system'

.PHONY: test-system
test-system: $(INSTALLED) ## The tests of several programs or whole designs
	$(TESTS) -m 'system and not slow'

.PHONY: test-slow
test-slow: $(INSTALLED) ## The tests that take minutes
	OMP_NUM_THREADS=1 python -m pytest -m slow

.PHONY: lint
lint: $(INSTALLED) ## ruff, mypy, import-linter
	ruff check .
	ruff format --check .
	mypy
	lint-imports

# With --quiet, mkdocs counts no warnings, and a broken link would be no error.
.PHONY: docs
docs: $(INSTALLED) ## The documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

.PHONY: bench
bench: $(INSTALLED) ## How many commits each table of docs/benchmarks is behind
	python -m bench.behind

.PHONY: bench-all
bench-all: $(INSTALLED) ## Every benchmark again (hours; one: python -m bench.NAME)
	for file in bench/[a-z]*.py; do name=$$(basename $$file .py); \
		[[ $$name =~ ^(record|drawing|behind|provenance|screenshot|terminal_drawing|cost_fit|accuracy_jobs|accuracy_runs|containers|networks|speechocean|real|paper_scale|kubeflow_drawing|accuracy_sizes)$$ ]] || python -m bench.$$name; done

.PHONY: images
images: publish ## Pictures in docs/images from finished results (chromium)
	python -m bench.kubeflow_drawing
	python -m bench.terminal_drawing
	python -m bench.screenshot --receipt $(FOLDER)/build/published.json --report $(FOLDER)/report/report.html

.PHONY: containers
containers: $(INSTALLED) ## Build the images, run the smoke pipeline in them (Docker)
	$(MAKE) run PRESET=smoke
	python -m bench.containers

.PHONY: constraints
constraints: $(INSTALLED) ## Renew constraints.txt, versions that work together
	uv pip compile pyproject.toml --all-extras --universal --no-annotate --no-header --no-emit-package torch \
		--upgrade --quiet -c <(echo '$(TORCH)') | grep -vE '^(nvidia-|cuda-|triton)' > constraints.new
	mv constraints.new constraints.txt

.PHONY: clean
clean: ## Remove builds, presets' copies and caches of tools
	rm -rf build runs .cache
	find . -path ./.venv -prune -o -name __pycache__ -print0 | xargs -0 rm -rf
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
