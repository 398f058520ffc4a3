# Two commands: make run, make test. Everything else is in README.md and CONTRIBUTING.md.
.PHONY: run test lint evidence drills bench fresh lock
.DELETE_ON_ERROR:

PY := .venv/bin/python
# The first Python that answers and is new enough; 3.12 and 3.11 have ready-made wheels for every dependency.
CANDIDATES := python3.12 python3.11 python3 python3.13 python3.14
# Never the index, proxy or options of an earlier installation: the lock with its hashes decides.
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --require-hashes
PYTEST_WORKERS ?= auto

run: .venv/.installed-run
	@exec $(PY) manage.py serve

test: .venv/.installed-dev
	@$(PY) -m tests.tools.browser
	@exec $(PY) -m pytest -n $(PYTEST_WORKERS) --maxprocesses 4 --dist loadgroup

evidence: .venv/.installed-dev
	@$(PY) -m tests.tools.browser
	@VAULTADMIN_EVIDENCE=docs/evidence exec $(PY) -m pytest -m evidence -n $(PYTEST_WORKERS) --maxprocesses 4

lint: .venv/.installed-dev
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/djlint templates --lint --quiet
	@.venv/bin/djlint templates --check --quiet
	@.venv/bin/bandit --configfile pyproject.toml --recursive --quiet vaultadmin connections ecoa manage.py
	@$(PY) -m tests.tools.secrets
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) -m tests.tools.production_check

# The fault tests at full counts, one after another: they kill and count, and want the processors to themselves.
DRILLS := VAULTADMIN_EVIDENCE=docs/evidence $(PY) -m pytest -m evidence tests/flows/test_drill_*.py
drills: .venv/.installed-dev
	@$(DRILLS) $(if $(NAME),-k "$(NAME)")

ifeq ($(FULL),1)
bench: .venv/.installed-dev
	@failed=0; $(PY) manage.py bench --full || failed=1; $(DRILLS) || failed=1; exit $$failed
else
bench: .venv/.installed-run
	@exec $(PY) manage.py bench
endif

fresh: .venv/.installed-run
	@exec $(PY) -m vaultadmin.embedded.fresh $(if $(filter 1,$(YES)),--yes)

lock: .venv/.installed-dev
	@.venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements.lock pyproject.toml
	@.venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --extra dev \
		--constraint requirements.lock \
		--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements-dev.lock pyproject.toml

.venv/.installed-run: requirements.lock | .venv/.made
	@echo "Installing what requirements.lock names …"
	@$(PIP) --requirement requirements.lock
	@touch $@

# The development lock contains the other one, so running after testing installs nothing.
.venv/.installed-dev: requirements-dev.lock requirements.lock | .venv/.made
	@echo "Installing what requirements-dev.lock names …"
	@$(PIP) --requirement requirements-dev.lock
	@touch .venv/.installed-run $@

.venv/.made:
	@for name in $(CANDIDATES); do \
		if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed: install python3.12 or python3.11." >&2; exit 1; fi; \
	if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$$python cannot make virtual environments: install $$($$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')." >&2; exit 1; fi; \
	$$python -m venv .venv
	@touch $@
