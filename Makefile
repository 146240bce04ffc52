# The two commands that a newcomer needs are `make studio` and `make test`.
# SKIP_DEPS=1 leaves installed packages as they are.

SWIFT ?= swift
VENV := .references/venv
PYTHON := $(VENV)/bin/python
# The same flags for both, whatever output is connected to: one compilation then serves the program and its tests.
FLAGS := -c release --explicit-target-dependency-import-check error --no-color-diagnostics
BUILD := $(SWIFT) build $(FLAGS) --product vugen
TEST := $(SWIFT) test $(FLAGS) --disable-testable-imports

PREFIX ?= /usr/local

.PHONY: studio build test lint format references fuzz bench deps data-deps install

# Builds what is missing and opens the studio.
studio: build
	.build/release/vugen

# The program, its model, themes, man page and completions under PREFIX.
install: build
	install -d $(PREFIX)/bin $(PREFIX)/lib/vugen $(PREFIX)/share/vugen/themes $(PREFIX)/share/man/man1 $(PREFIX)/share/bash-completion/completions $(PREFIX)/share/zsh/site-functions $(PREFIX)/share/fish/vendor_completions.d
	install .build/release/vugen $(PREFIX)/lib/vugen/vugen
	cp -R .build/release/*.resources $(PREFIX)/lib/vugen/
	ln -sf ../lib/vugen/vugen $(PREFIX)/bin/vugen
	install -m 644 Themes/*.toml $(PREFIX)/share/vugen/themes/
	install -m 644 Documentation/vugen.1 $(PREFIX)/share/man/man1/
	.build/release/vugen --generate-completion-script bash > $(PREFIX)/share/bash-completion/completions/vugen
	.build/release/vugen --generate-completion-script zsh > $(PREFIX)/share/zsh/site-functions/_vugen
	.build/release/vugen --generate-completion-script fish > $(PREFIX)/share/fish/vendor_completions.d/vugen.fish

build: deps
	$(BUILD)

test: data-deps
	$(TEST)

# Warnings of our own code and every finding of the formatter are errors.
lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift

format:
	$(SWIFT) format --in-place --recursive Sources Tests Package.swift

deps:
	@scripts/install-deps

# The pictures that scenes are made of.
data-deps:
	@scripts/install-deps data

$(PYTHON):
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -r Tests/Fixtures/requirements.txt

# The stored PyTorch and Pillow results, made anew; `git diff` then shows whether anything moved.
references: build data-deps $(PYTHON)
	$(PYTHON) Tests/Fixtures/make_references.py
	$(PYTHON) Tests/Fixtures/make_pictures.py
	$(PYTHON) Tests/Fixtures/make_plm_models.py
	$(PYTHON) Tests/Fixtures/make_stamps.py
	$(PYTHON) Tests/Fixtures/make_generation_references.py
	$(PYTHON) Tests/Fixtures/make_teacher_references.py
	$(PYTHON) Tests/Fixtures/check_tokenizer.py .build/release/vugen
	git diff --stat -- Tests

# Twenty times the damaged files of the ordinary tests, and 100 000 random keys.
fuzz: data-deps
	VUGEN_FUZZ=400000 $(TEST) --filter survives

# Ours, PyTorch and llama.cpp in turn, with ratios.
bench: build $(PYTHON)
	$(PYTHON) Tests/Benchmarks/compare.py
	$(PYTHON) Tests/Benchmarks/understanding.py
