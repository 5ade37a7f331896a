# The two commands are `make demo` and `make test`; `make help` lists the others.

# The first Python on this machine that is new enough. Another one: make PYTHON=/path/to/python3.12 ...
PYTHON ?= $(shell for name in python3.11 python3 python3.12 python3.13 python3.14; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$name; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= 2
# For example: make test PYTEST_ARGS='tests/unit -x'
PYTEST_ARGS ?=
SMOKE_VENV := .venv-smoke
SMOKE_PYTHON ?= $(shell for name in python3.13 python3.12 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.1[23]*/bin/python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1 && { echo $$name; break; }; done)
SETTINGS := DJANGO_SETTINGS_MODULE=tests.settings
PYTEST := $(BIN)/python -m pytest -q -n $(JOBS)

.PHONY: help demo test test-sqlite test-postgres smoke check lint types migrations bench docs rules pictures clean

help:
	@echo 'make demo        start the demo CRM, its worker and a local Microsoft 365; Ctrl-C ends everything'
	@echo 'make test        run all tests (on SQLite, then on PostgreSQL where it answers)'
	@echo 'make check       lint, types, migrations'
	@echo 'make docs        write the generated pages of docs/ anew'
	@echo 'make pictures    take the pictures of the documentation anew (needs a browser)'
	@echo 'make bench       measure requests and queries of a cycle'
	@echo 'make smoke       the quick tests on Python 3.12 or 3.13 with the newest Django'
	@echo 'make clean       remove what the other targets made'

# One environment, filled as far as the target needs it. Started again, nothing happens.
$(VENV)/.installed-%: pyproject.toml requirements/install.sh requirements/dev.lock
	@sh requirements/install.sh '$(PYTHON)' $(VENV) $* -c requirements/dev.lock
	@touch $@

demo: $(VENV)/.installed-demo
	@$(BIN)/python manage.py demo

test: test-sqlite test-postgres

test-sqlite: $(VENV)/.installed-test
	$(PYTEST) $(PYTEST_ARGS)

test-postgres: $(VENV)/.installed-test
	@if url=$$($(BIN)/python -m tests.services postgres); then \
		echo 'The tests that touch the database, on PostgreSQL:'; \
		TEST_DATABASE_URL="$$url" $(PYTEST) --database-only -m 'not browser' --ignore tests/benchmarks $(PYTEST_ARGS); \
	else \
		echo 'Skipped: the run on PostgreSQL. How to get it stands above.'; \
		case "$${CI:-}$${MS365_REQUIRE_SERVICES:-}" in *1*|*true*) exit 1;; esac; \
	fi

smoke: requirements/install.sh
	@if [ -z '$(SMOKE_PYTHON)' ]; then \
		echo 'Skipped: the smoke run. Neither Python 3.12 nor 3.13 is on this machine.'; \
	else \
		sh requirements/install.sh '$(SMOKE_PYTHON)' $(SMOKE_VENV) test --upgrade 'django>=6,<7' && \
		$(SMOKE_VENV)/bin/python -c 'import sys, django; print(f"Python {sys.version.split()[0]}, Django {django.__version__}:")' && \
		$(SETTINGS) $(SMOKE_VENV)/bin/python manage.py makemigrations --check --dry-run && \
		$(SMOKE_VENV)/bin/python -m pytest -q -n $(JOBS) -m 'not slow and not browser' \
			--ignore tests/benchmarks --ignore tests/sandbox; \
	fi

check: lint types migrations

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

migrations: $(VENV)/.installed-test
	$(SETTINGS) $(BIN)/python manage.py makemigrations --check --dry-run

bench: $(VENV)/.installed-test
	$(BIN)/python -m pytest -q -rP tests/benchmarks

pictures: $(VENV)/.installed-test
	SCREENSHOTS=docs/pictures $(BIN)/python -m pytest -q tests/screens/test_readme_picture.py

docs rules: $(VENV)/.installed-test
	$(BIN)/python -m docs.generate

clean:
	rm -rf $(VENV) $(SMOKE_VENV) var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
