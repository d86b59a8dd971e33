# GGLib Desktop. `make` lists the targets; `make run` and `make test` need nothing prepared by hand.

PYTHON ?= python3
ARGS ?=
SEED ?= 1
STEPS ?= 200
KILLS ?= 200
RUNNER ?= local
VENV := .venv
PY := $(VENV)/bin/python
STEP := @packaging/linux/step.sh
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check

# Debian's names, found by adding one at a time to a bare system until the window opened; libgomp1 is the engine's.
SYSTEM_RUN := libgl1 libegl1 libglib2.0-0 libfontconfig1 libxkbcommon0 libdbus-1-3 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 \
	libxcb-xkb1 libxkbcommon-x11-0 libxcb-shape0 libgomp1
# The end-to-end tests open the real window on a virtual screen and read it as a screen reader does.
SYSTEM_TEST := xvfb xauth dbus at-spi2-core python3-gi gir1.2-atspi-2.0 fonts-dejavu-core

# Every locale but C.UTF-8 could change what is written and compared.
UTF8 := LANG=C.UTF-8 LC_ALL=C.UTF-8
TEST_WITH := QT_QPA_PLATFORM=offscreen $(UTF8)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL: # the steps of the set-up need each other in the order written
.PHONY: help setup setup-run display run test test-places check bench chaos chaos-library install uninstall lock clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n%s\n' 'ARGS="…" is passed on: make run ARGS=model.gguf, make test ARGS="-k port". PYTHON=… names another Python.'

setup: setup-run $(VENV)/.system-test $(VENV)/.for-tests ## Install system libraries, .venv, dependencies and the engine

setup-run: $(PY) $(VENV)/.system-run $(VENV)/.installed $(VENV)/.engine

run: display setup-run ## Start the program
	@$(PY) -P -m gglib_desktop $(ARGS)

test: setup ## Run all tests; domain/ must be covered to the last branch
ifeq ($(strip $(ARGS)),)
	@$(TEST_WITH) $(PY) -m tests
	@$(VENV)/bin/coverage report --show-missing --skip-covered --fail-under=100
else
	$(TEST_WITH) $(PY) -m pytest $(ARGS)
endif

test-places: setup ## Run what needs Podman or sshd, which are installed for it; outside CI with CONFIRM=1
	@packaging/linux/test-places.sh
	@$(TEST_WITH) $(PY) -m tests places $(ARGS)

check: setup-run ## Lint, types and import contracts
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: setup ## Measure, and fail when a limit is missed; ARGS="window healthy idle library requests" picks parts
	@QT_QPA_PLATFORM=xcb $(UTF8) xvfb-run -a -s '-screen 0 1280x900x24' $(PY) -m tests.bench $(ARGS)

chaos-library: setup-run ## Kill the program in the middle of scans and edits, and see whether the library lost anything; SEED=1 KILLS=200
	@$(UTF8) $(PY) -m tests.chaos.library --seed $(SEED) --kills $(KILLS)

chaos: setup-run ## Start, stop, freeze and kill at random, and compare with the system; SEED=1 STEPS=200 RUNNER=local
	@QT_QPA_PLATFORM=offscreen $(UTF8) $(PY) -m tests.chaos --seed $(SEED) --steps $(STEPS) --runner $(RUNNER) $(ARGS)

install: setup-run ## Put launcher, menu entry, icon and file type in place for this user
	@packaging/linux/install.sh install

uninstall: ## Remove what `make install` put in place; settings and models stay
	@packaging/linux/install.sh uninstall

lock: $(PY) $(VENV)/bin/uv ## Write requirements.lock anew; ARGS=--upgrade takes newer versions
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --no-strip-extras --extra dev --extra engine --output-file requirements.lock $(ARGS) pyproject.toml
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --group tests --constraint requirements.lock --output-file requirements-tests.lock $(ARGS)
	@! grep -nE '://|^-' requirements.lock requirements-tests.lock

clean: ## Remove .venv and everything else that was made here
	rm -rf $(VENV) build dist test-output .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

display:
	@packaging/linux/display.sh

# Stamps: each step runs again only when what it was made from has changed. The lock is complete, and is installed without
# resolving it again: what has come out since it was written does not matter.
$(PY):
	@packaging/linux/venv.sh '$(PYTHON)' $(VENV)

$(VENV)/.system-run: Makefile $(PY)
	@packaging/linux/system-packages.sh $(SYSTEM_RUN)
	@touch $@

$(VENV)/.system-test: Makefile $(PY)
	@packaging/linux/system-packages.sh $(SYSTEM_TEST)
	@touch $@

$(VENV)/.dependencies: requirements.lock $(PY)
	@echo 'Installing dependencies into $(VENV) (about 200 MB to download the first time)'
	$(STEP) 'Installing dependencies' $(PIP_INSTALL) --no-deps --require-hashes --requirement requirements.lock
	$(STEP) 'Checking the installed dependencies' $(PY) -m pip check
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.dependencies
	$(STEP) 'Installing GGLib Desktop' $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.engine: $(VENV)/.installed packaging/linux/fit_engine.py
	@$(PY) -P packaging/linux/fit_engine.py
	@touch $@

# Where it cannot be installed, as on a system with an older C library, make says so and tries again the next time.
$(VENV)/.for-tests: requirements-tests.lock $(VENV)/.dependencies
	$(STEP) 'Installing what the tests need' $(PIP_INSTALL) --no-deps --require-hashes --requirement requirements-tests.lock \
		&& touch $@ || echo 'Tests that need it are skipped.'

$(VENV)/bin/uv: $(PY)
	$(STEP) 'Installing uv' $(PIP_INSTALL) uv
	@touch $@
