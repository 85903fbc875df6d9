# Two commands on a fresh machine: `make demo` and `make test`.  Both make .venv when it is not there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MODELS := models/weights/.pulled
SCRIPTS := callanalytics/review/static/vendor/.built
SYSTEM := $(VENV)/.system
DEBIAN := chromium libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core postgresql

.PHONY: demo test check lint audit sbom bench models install scripts clean

demo: $(MODELS) $(SCRIPTS)
	$(BIN)/callanalytics demo

# Options of pytest, such as PYTEST="-n 2 --dist loadfile": two processes, each of which may load the models, some 2 GB.
PYTEST ?=
test: $(MODELS) $(SCRIPTS) $(SYSTEM)
	$(BIN)/python -m pytest $(PYTEST)

# What CI runs: what needs no weights first, since it fails within two minutes, then the suite as `make test` runs it.
check: lint
	$(MAKE) test

lint: $(STAMP)
	$(BIN)/ruff check callanalytics tests
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive callanalytics
	$(BIN)/python -m tests.measure.audit

# Known vulnerabilities of what is installed; says "skipped" where the advisories can't be reached.
audit: $(STAMP)
	$(BIN)/python -m tests.measure.audit

# What the program is made of, as CycloneDX: every installed package with its version and licence.
sbom: $(STAMP)
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json $(VENV)

# Side by side with what people use today, how near to the hardware, growth with the number of calls: an hour or more.
# WHISPERX=/path/to/python of an environment that holds whisperX adds it.
bench: $(MODELS)
	$(BIN)/python -m tests.bench.speed $(if $(WHISPERX),--whisperx $(WHISPERX)) --json speed.json
	$(BIN)/python -m tests.bench.floor --json floor.json
	$(BIN)/python -m tests.bench.growth --json growth.json

models: $(MODELS)
install: $(STAMP) $(SCRIPTS)
scripts: $(SCRIPTS)

# Installs again only when pyproject.toml changes.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "callanalytics needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@

$(MODELS): $(STAMP) models/manifest.toml
	$(BIN)/callanalytics models pull
	@mkdir -p $(dir $@) && touch $@

# htmx, fetched at the versions and hashes of package-lock.json; axe-core stays in $(VENV)/js, for the tests.
# Without it the pages work as well: every form is a plain one.
$(SCRIPTS): callanalytics/review/package.json callanalytics/review/package-lock.json $(STAMP)
	@mkdir -p $(VENV)/js $(dir $@) && cp callanalytics/review/package.json callanalytics/review/package-lock.json $(VENV)/js
	@if command -v npm >/dev/null; then \
	  npm ci --ignore-scripts --no-audit --no-fund --silent --prefix $(VENV)/js \
	  && cp $(VENV)/js/node_modules/htmx.org/dist/htmx.min.js $(dir $@) && touch $@; \
	else echo "npm is missing, so the review app reloads whole pages; on Debian: apt-get install npm, then: make scripts"; fi

# A browser for the tests of pages, what the report's PDF needs, a server to test PostgreSQL: from Debian, when we may.
# Without them those tests are skipped and say so.
$(SYSTEM): $(STAMP)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s $(DEBIAN) >/dev/null 2>&1; then \
	  (timeout 300 apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive timeout 900 apt-get install -qq --no-install-recommends $(DEBIAN)) >/dev/null 2>&1 \
	  || echo "not installed: $(DEBIAN); some tests will be skipped"; fi
	@touch $@

clean:
	rm -rf $(VENV) $(dir $(SCRIPTS)) models/weights out speed.json floor.json growth.json sbom.json
