# The two commands that a newcomer needs are `make studio` and `make test`.
# SKIP_DEPS=1 leaves installed packages as they are.

SWIFT ?= swift
VENV := .references/venv
PYTHON := $(VENV)/bin/python
# Older transformers misplace the rows of SmolVLM's full grids; newer ones lack what the others need.
VENV_SMOLVLM := .references/venv-smolvlm
PYTHON_SMOLVLM := $(VENV_SMOLVLM)/bin/python
# The same flags for both, whatever output is connected to: one compilation then serves the program and its tests.
FLAGS := -c release --explicit-target-dependency-import-check error --no-color-diagnostics
BUILD := "$(SWIFT)" build $(FLAGS) --product vugen
# Tests share the processors with each other: a thread that waits sleeps at once.
TEST = OMP_WAIT_POLICY=passive "$(SWIFT)" test $(FLAGS) --disable-testable-imports $(TEST_ARGUMENTS)

PREFIX ?= /usr/local

.PHONY: studio build test lint format references fuzz fuzz-files sanitize docs bench deps data-deps install uninstall
.PHONY: dist bare

# Builds what is missing and opens the studio.
studio: build
	.build/release/vugen

.PHONY: demo man things cluster

# Training over several hosts, which are network namespaces of this one; as root, not in CI. HOSTS=3 for more of them.
cluster: build
	@HOSTS="$(HOSTS)" Tests/Cluster/run

# The README's pictures: a session played in a real terminal, and six samples. Look at them before you commit them.
demo: build
	scripts/demo

# The manual page, from the program's own help.
man: build
	.build/release/vugen manual > Documentation/vugen.1

# The list of things that the embedded model knows, for people and for the studio.
things:
	scripts/things > Documentation/nano/things.md
	scripts/things --vocabulary > Sources/VUGEN/Resources/nano/things.txt

# The program, its model, themes, man page and completions under PREFIX. It never builds: as root, through sudo, a build
# would leave files in the tree that its owner cannot remove.
install:
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install-program .build/release

uninstall:
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install-program --uninstall

# A tarball and a Debian package with Swift's libraries linked in, in dist/.
dist:
	@SWIFT="$(SWIFT)" scripts/install-deps dist
	@SWIFT="$(SWIFT)" scripts/make-dist

# The two commands and the release in bare Debian roots; as root. TESTS=0 leaves the tests out.
bare:
	@SWIFT="$(SWIFT)" scripts/bare $(DEBIANS)

build: deps
	$(BUILD)
	@scripts/note-commit .build/release

test: data-deps
	$(TEST)

# Warnings of our own code and every finding of the formatter are errors.
lint:
	@scripts/check-version
	"$(SWIFT)" format lint --strict --recursive Sources Tests Package.swift
	@scripts/format-c --check

format:
	"$(SWIFT)" format --in-place --recursive Sources Tests Package.swift
	@scripts/format-c

deps:
	@SWIFT="$(SWIFT)" scripts/install-deps

# The pictures that scenes are made of.
data-deps:
	@SWIFT="$(SWIFT)" scripts/install-deps data

$(PYTHON):
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -r Tests/Fixtures/requirements.txt

$(PYTHON_SMOLVLM):
	python3 -m venv $(VENV_SMOLVLM)
	$(VENV_SMOLVLM)/bin/pip install --quiet -r Tests/Fixtures/requirements-smolvlm.txt

# The stored PyTorch and Pillow results, made anew; `git diff` then shows whether anything moved.
references: build data-deps $(PYTHON) $(PYTHON_SMOLVLM)
	$(PYTHON) Tests/Fixtures/make_references.py
	$(PYTHON) Tests/Fixtures/make_pictures.py
	$(PYTHON) Tests/Fixtures/make_plm_models.py
	$(PYTHON_SMOLVLM) Tests/Fixtures/make_smolvlm_models.py
	$(PYTHON) Tests/Fixtures/make_stamps.py
	$(PYTHON) Tests/Fixtures/make_generation_references.py
	$(PYTHON) Tests/Fixtures/make_decoder_references.py
	$(PYTHON) Tests/Fixtures/make_teacher_references.py
	$(PYTHON) Tests/Fixtures/make_event_reference.py
	$(PYTHON) Tests/Fixtures/check_tokenizer.py .build/release/vugen
	git diff --stat -- Tests

# Every command over absurd options and spoilt inputs: ten minutes, or SECONDS=… or ROUNDS=…; the same of the same SEED.
# FIRST is the number of the first round, ONLY the beginning of the commands' names. Then 200 000 random keys in the studio
# under both sanitizers. `make fuzz-files` has many more damaged files than the ordinary tests.
fuzz: data-deps
	$(BUILD)
	"$(SWIFT)" build $(FLAGS) --product fuzz
	.build/release/fuzz --seed "$(SEED)" --rounds "$(ROUNDS)" --seconds "$(SECONDS)" --first "$(FIRST)" --only "$(ONLY)"
	VUGEN_FUZZ=1 FILTER=survivesPlausibleTyping SWIFT="$(SWIFT)" scripts/sanitize

fuzz-files: data-deps
	VUGEN_FUZZ=400000 $(TEST) --filter survives

# The tests of what has threads or raw memory under ThreadSanitizer and AddressSanitizer, or under ONLY one of them.
sanitize: data-deps
	@SWIFT="$(SWIFT)" scripts/sanitize $(ONLY)

# The libraries' documentation as a website in .build/documentation; every warning is an error.
docs: build
	@SWIFT="$(SWIFT)" scripts/make-docs

# Ours, PyTorch and llama.cpp in turn, with ratios.
bench: build $(PYTHON)
	$(PYTHON) Tests/Benchmarks/compare.py
	$(PYTHON) Tests/Benchmarks/understanding.py
