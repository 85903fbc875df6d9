# Two commands on a fresh machine: `make demo` and `make test`.  Both make .venv when it is not there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MODELS := models/weights/.pulled

.PHONY: demo test check audit sbom bench models install clean

demo: $(MODELS)
	$(BIN)/callanalytics demo

test: $(MODELS)
	$(BIN)/python -m pytest

check: $(MODELS)
	$(BIN)/ruff check callanalytics tests
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive callanalytics
	$(BIN)/python tests/audit.py
	$(BIN)/python -m pytest

# Known vulnerabilities of what is installed; says "skipped" where the advisories can't be reached.
audit: $(STAMP)
	$(BIN)/python tests/audit.py

# What the program is made of, as CycloneDX: every installed package with its version and licence.
sbom: $(STAMP)
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json $(VENV)

# Side by side with what people use today, how near to the hardware, growth with the number of calls: an hour or more.
# WHISPERX=/path/to/python of an environment that holds whisperX adds it.
bench: $(MODELS)
	$(BIN)/python tests/bench/speed.py $(if $(WHISPERX),--whisperx $(WHISPERX)) --json speed.json
	$(BIN)/python tests/bench/floor.py --json floor.json
	$(BIN)/python tests/bench/growth.py --json growth.json

models: $(MODELS)
install: $(STAMP)

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

clean:
	rm -rf $(VENV) models/weights out speed.json floor.json growth.json sbom.json
