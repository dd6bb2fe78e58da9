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

BIN := $(CURDIR)/.venv/bin
INSTALLED := .venv/.installed$(if $(EXTRAS),-$(EXTRAS))
comma := ,
FOLDER := $(if $(filter default,$(PRESET)$(TIMIT)),.,runs/$(PRESET))
export PATH := $(BIN):$(PATH)
export CCACHE_DIR ?= $(CURDIR)/.venv/ccache
run explore publish ui images: export MLFLOW_TRACKING_URI ?= sqlite:///$(CURDIR)/mlflow.db

.PHONY: help
help: ## This list
	@echo 'make run [PRESET=smoke|default|paper] [TIMIT=/folder], make test, ...:'
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14
	@echo 'TORCH_BACKEND=auto installs torch for the GPU that is found; PYTHON=python3.12 chooses the interpreter.'
	@echo 'EXTRAS=remote adds a DVC remote in S3, EXTRAS=stores what the tests of servers need (pyproject.toml).'

.PHONY: setup
setup: $(INSTALLED) ## Install everything into .venv (skipped when nothing changed)

# A folder of wheels that pip is configured to look into wins over PyTorch's own index.
$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	links=$$($(BIN)/python -m pip config get :env:.find-links 2>/dev/null || \
		$(BIN)/python -m pip config get global.find-links 2>/dev/null || true); \
	if compgen -G "$$links/torch-*.whl" >/dev/null; then source="--find-links $$links"; \
	else source="--torch-backend $(TORCH_BACKEND)"; fi; \
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python $$source '$(TORCH)' \
		-e '.[all,dev$(if $(EXTRAS),$(comma)$(EXTRAS))]' -c constraints.txt
	touch $@

.PHONY: folder
folder: $(INSTALLED)
	@$(if $(filter .,$(FOLDER)),,python -m workflow.presets $(PRESET) \
		$(if $(TIMIT),--set corpus.kind=timit --set corpus.path=$(abspath $(TIMIT))))

.PHONY: run
run: folder ## Speech to compressed models to report; PRESET=smoke takes a few minutes, paper needs TIMIT=/folder
	cd $(FOLDER) && exec python -m workflow.local --with-parent $(if $(JOBS),--jobs $(JOBS))
	@cat $(FOLDER)/report/benchmark.txt
	@echo "Report: $(FOLDER)/report/report.html, as text report.md (make ui$(if $(filter .,$(FOLDER)),, PRESET=$(PRESET)) compares the designs in MLflow)"

.PHONY: explore
explore: $(INSTALLED) ## Search a design for `requirement` of params.yaml: trials, hardware and a page in explored/ (exit codes: ernn explore)
	@exec python -m workflow.explore $(if $(filter default,$(PRESET)),,--preset $(PRESET)) $(if $(JOBS),--jobs $(JOBS))

.PHONY: publish
publish: folder ## Publish the finished results to MLflow again (MLFLOW_TRACKING_URI, by default mlflow.db here)
	cd $(FOLDER) && dvc repro --single-item --force publish

.PHONY: ui
ui: publish ## Publish, start MLflow on loopback and print the link that compares the block sizes (PORT=5000)
	cd $(FOLDER) && python -m components.ui --receipt build/published.json --port $(PORT)

TESTS := OMP_NUM_THREADS=1 python -m pytest -n $(WORKERS) --dist loadfile

.PHONY: test
test: $(INSTALLED) ## All tests but those of whole systems and the slow ones
	$(TESTS) -m 'not slow and not system'

.PHONY: test-system
test-system: $(INSTALLED) ## Those of several programs or whole designs: pipeline, nodes, servers, buses; CI runs them too
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
bench: $(INSTALLED) ## How many commits each table of docs/benchmarks is behind what it measures
	python -m bench.behind

.PHONY: bench-all
bench-all: $(INSTALLED) ## Every benchmark again, written to docs/benchmarks (hours; one alone: python -m bench.NAME)
	for file in bench/[a-z]*.py; do name=$$(basename $$file .py); \
		[[ $$name =~ ^(record|drawing|behind|provenance|screenshot|cost_fit|accuracy_jobs|accuracy_runs|containers)$$ ]] || python -m bench.$$name; done

.PHONY: images
images: publish ## Renew the pictures in docs/images from finished results (needs chromium)
	python -m bench.screenshot --receipt $(FOLDER)/build/published.json --picture docs/images/compare.png
	cp $(FOLDER)/report/per.png $(FOLDER)/report/degradation.png docs/images/

.PHONY: containers
containers: $(INSTALLED) ## Build every image and run the smoke pipeline in them, compared with DVC's files (needs Docker)
	$(MAKE) run PRESET=smoke
	python -m bench.containers

.PHONY: constraints
constraints: $(INSTALLED) ## Renew constraints.txt, the versions that are known to work together
	uv pip compile pyproject.toml --all-extras --universal --no-annotate --no-header --no-emit-package torch \
		--upgrade --quiet -c <(echo '$(TORCH)') | grep -vE '^(nvidia-|cuda-|triton)' > constraints.new
	mv constraints.new constraints.txt

.PHONY: clean
clean: ## Remove builds, presets' copies and caches of tools; results of stages, .dvc/cache and the installation stay
	rm -rf build runs .cache
	find . -path ./.venv -prune -o -name __pycache__ -print0 | xargs -0 rm -rf
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
