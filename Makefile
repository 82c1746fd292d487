# What a new checkout needs: `make demo`, `make test`. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt
SOURCES := setup.py setup.cfg constraints.txt Makefile $(wildcard pip_ros/*/*/*.py pip_ros/tf2_msgs/*.*)

# Two processes share the tests, by module; PARALLEL= runs them in one. Those that talk over DDS come
# by themselves, so that nothing takes their time; those that start a cluster follow each other.
# Status 5 means that ARGS selects none.
PARALLEL ?= -n 2 --dist loadfile

# Where ROS is sourced its Python packages are used; elsewhere the real rclpy comes from PyPI.
ROS_EXTRA := $(if $(ROS_DISTRO),,ros,)
VENV_FLAGS := $(if $(ROS_DISTRO),--system-site-packages)

.PHONY: demo test lint docs bench mutants clean help

help:  ## Show this help
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 8

demo: $(VENV)/.demo  ## Map one simulated drive and recognise another with the real node
	$(BIN)/placerec demo $(ARGS)

test: $(VENV)/.test lint  ## Check style and types, and run the tests: ARGS="test/recognition -k filter" for some
	$(BIN)/python -m pytest $(PARALLEL) -m 'not ros and not cluster' $(ARGS) || test $$? -eq 5
	$(BIN)/python -m pytest -m ros $(ARGS) || test $$? -eq 5
	$(BIN)/python -m pytest -m cluster $(ARGS) || test $$? -eq 5

lint: $(VENV)/.test  ## Check the style, the types and which part may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.test  ## Build the documentation into site/
	PYTHONPATH=$(CURDIR) NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/.test  ## Measure every step beside torch, the search and the node: ARGS="--threads 2"
	$(PIP) -e '.[$(ROS_EXTRA)openvino,quantize]'
	$(BIN)/python benchmarks/speed.py --node $(ARGS)
	$(BIN)/python benchmarks/search.py

mutants: $(VENV)/.test  ## Mutate the recognition core and count what its tests notice; takes hours
	$(PIP) -e '.[$(ROS_EXTRA)mutants]'
	$(BIN)/mutmut run $(ARGS)
	-$(BIN)/mutmut results

clean:  ## Remove what was set up and made
	rm -rf $(VENV) build install log demo results mutants site .mypy_cache .ruff_cache .pytest_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 10) <= v <= (3, 12) and \
	  f"husky_placerec needs Python 3.10 to 3.12, not {v[0]}.{v[1]}; give one with PYTHON=")'
	$(PYTHON) -m venv $(VENV_FLAGS) $(VENV)

$(VENV)/.demo: $(BIN)/python $(SOURCES)
	$(PIP) -e '.[$(ROS_EXTRA)sim]'
	@for module in message_filters cv_bridge; do \
	  if ! (cd / && $(CURDIR)/$(BIN)/python -c "import $$module") 2>/dev/null \
	      || $(BIN)/python -m pip show -q husky_placerec_$$module 2>/dev/null; then \
	    $(PIP) ./pip_ros/$$module || exit 1; \
	  fi; \
	done
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PIP) -e '.[$(ROS_EXTRA)sim,timm,train,export,view,docs,texts,test]'
	@(cd / && $(CURDIR)/$(BIN)/python -c 'import tf2_msgs.msg') 2>/dev/null \
	  || $(PIP) --no-build-isolation ./pip_ros/tf2_msgs \
	  || echo 'tf2_msgs was not built (it needs a C++ compiler): tests of live TF are skipped'
	@touch $@
