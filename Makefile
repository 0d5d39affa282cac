# Every target sets itself up. All a bare machine needs is Python 3.11 or newer, make and a package index.

PYTHON ?= python3
# The lock is resolved on the oldest Python we support, so that what it pins runs on all of them.
LOCK_PYTHON ?= python3.11

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test browser check bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: .venv/ready ## Start everything on this machine and play the demo (ONCE=1 ends when it has played)
	@$(BIN)/openitem demo $(if $(filter 1,$(ONCE)),--once)

# Each process of the second part starts a whole system of its own. Faults are about time: they run alone.
test: .venv/ready browser ## Run every test: the fast ones, then the real system, then its faults
	$(BIN)/python -m pytest -q --durations=10 -m "not system and not faults" --numprocesses=logical --dist=worksteal
	$(BIN)/python -m pytest -q --durations=10 -m "system and not faults" --numprocesses=2 --dist=loadfile
	$(BIN)/python -m pytest -q --durations=10 -m faults

browser: ## Find Chromium, which the tests of the web run, or install Debian's
	@test -x "$$OPENITEM_CHROMIUM" || command -v chromium >/dev/null || { \
		test "`id -u`" = 0 && command -v apt-get >/dev/null && \
		echo "Installing Chromium ..." && \
		apt-get -qq update && \
		DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
			chromium fonts-liberation >/dev/null; } || { \
		echo "The tests of the web need Chromium, and there is none here." >&2; \
		echo "On Debian install it with: apt-get install chromium" >&2; \
		echo "Or name one with: OPENITEM_CHROMIUM=/usr/bin/google-chrome make test" >&2; exit 1; }

check: .venv/ready ## Check style, types, layers, contracts and generated pages: exactly what CI runs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m contracts.export --check
	$(BIN)/python -m services.documents --check

bench: .venv/ready ## Measure throughput, latency and query times
	@$(BIN)/python -m bench.run

lock: ## Write requirements.lock anew from pyproject.toml, keeping pins that still hold (UPGRADE=1 renews all)
	@echo "Resolving the dependencies with $(LOCK_PYTHON) ..."
	@rm -rf .lock-venv
	@$(LOCK_PYTHON) -m venv .lock-venv
	@.lock-venv/bin/python -m pip --disable-pip-version-check --quiet install pip==26.3 pip-tools==7.6.2
	@cp requirements.lock .lock-venv/
	@.lock-venv/bin/pip-compile --quiet $(if $(filter 1,$(UPGRADE)),--upgrade) \
		--all-extras --strip-extras --generate-hashes --build-deps-for editable --allow-unsafe \
		--no-header --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
		--output-file .lock-venv/requirements.lock pyproject.toml >/dev/null
	@{ echo '# Every package of every extra, pinned and hashed. Made by "make lock"; do not edit.'; \
		cat .lock-venv/requirements.lock; } > requirements.lock
	@rm -rf .lock-venv

clean: ## Remove the environment, caches and whatever was built
	@rm -rf .venv .lock-venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	@find contracts services tests bench -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# Two stamps, so that a new tool setting in pyproject.toml does not install the world again.
.venv/ready: .venv/locked pyproject.toml
	@echo "Installing openitem itself ..."
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/locked: requirements.lock
	@test ! -L .venv || { \
		echo "Here .venv is a link: make it where it leads, or another checkout loses its environment." >&2; exit 1; }
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here. Openitem needs Python 3.11 or newer; name one with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Openitem needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) -V 2>&1`." >&2; \
		echo "Name another one with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: venv or ensurepip is missing." >&2; \
		echo "On Debian or Ubuntu install it with: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making .venv with `$(PYTHON) -V` ..."
	@$(PYTHON) -m venv --clear .venv
	@echo "Installing the locked packages (400 MB on disk) ..."
	@$(PIP) install --require-hashes --requirement requirements.lock
	@touch $@
