# Every target installs what it needs into .venv; all it takes to begin with is Python 3.11 or newer.
#
#   make demo [TREE=/path]   an operating system tree from commit to deployed update and back
#   make test                all tests; each that cannot run here is named with its reason
#   make test-boot-quick     two booted machines side by side in QEMU: what each change is tried on
#   make test-boot           booted machines in QEMU: minutes, and downloads of Debian's kernels
#   make test-boot-full      armv7, both layouts, Debian's own ramdisks and a real Debian as well
#   make test-power          power cuts: thousands of states of the disk, and a machine in QEMU
#   make check               lint, format and types
#   make bench               speed, as ratios to the reference command
#   make conformance         upstream's installed tests against our command
#   make install-units DESTDIR=/tree   systemd units and generator into the tree of a system
#   make clean               removes all that these made
#
# PYTHON=/path/to/python3 chooses the interpreter, PYTEST_ARGS=... goes to pytest,
# BENCH_ARGS=... and CONFORMANCE_ARGS=... to their programs.

PYTHON ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=
CONFORMANCE_ARGS ?=
TREE ?=
DESTDIR ?= /
PROGRAM ?= /usr/bin/ostree

BIN := .venv/bin
RUNTIME := .venv/.runtime
DEV := .venv/.dev

# The reference command, its tests and GLib's own serialiser, for the tests that compare with them;
# a web server and a proxy as others run them.
TEST_PACKAGES := ostree ostree-tests python3-gi gir1.2-glib-2.0 attr gnupg libarchive13 cpio btrfs-progs erofs-utils \
	nginx-light openssl tinyproxy \
	busybox-static shellcheck fdisk e2fsprogs zstd systemd mmdebstrap dosfstools mtools gdisk u-boot-tools \
	grub-common grub-efi-amd64-bin systemd-boot-efi
BOOT_PACKAGES := qemu-system-x86 qemu-system-arm qemu-system-common u-boot-qemu fdisk dosfstools mtools \
	e2fsprogs busybox-static cpio
UEFI_PACKAGES := ovmf grub-common grub-efi-amd64-bin systemd-boot-efi
REFERENCE_PACKAGES := ostree
CONFORMANCE_PACKAGES := ostree ostree-tests attr gnupg gjs gir1.2-ostree-1.0 strace libcap2-bin \
	bsdextrautils cpio openssl parallel python3-yaml

# A process for each processor; one that has done its part takes tests from the others.
PARALLEL := --numprocesses=auto --maxprocesses=4 --dist=worksteal

export PYTHON

.DELETE_ON_ERROR:
.PHONY: help demo test test-boot-quick test-boot test-boot-full test-power check bench conformance \
	install-units clean

help:
	@sed -n 's/^#   \(make .*\)/\1/p' Makefile

$(RUNTIME): pyproject.toml .ci/setup
	@.ci/setup runtime
	@touch $@

$(DEV): $(RUNTIME) pyproject.toml
	@.ci/setup dev
	@touch $@

demo: $(RUNTIME)
	@$(BIN)/python -m demo.run --ostree $(BIN)/ostree $(if $(TREE),--tree '$(TREE)')

test: $(DEV)
	@.ci/setup packages $(TEST_PACKAGES)
	$(BIN)/python -m pytest $(PARALLEL) $(PYTEST_ARGS)

test-boot-quick: $(DEV)
	@.ci/setup packages $(BOOT_PACKAGES)
	$(BIN)/python -m pytest tests/boot -n 2 -m quick $(PYTEST_ARGS)

test-boot: $(DEV)
	@.ci/setup packages $(BOOT_PACKAGES)
	$(BIN)/python -m pytest tests/boot -n 2 -m "not full" $(PYTEST_ARGS)

test-boot-full: $(DEV)
	@.ci/setup packages $(BOOT_PACKAGES) $(UEFI_PACKAGES) mmdebstrap
	$(BIN)/python -m pytest tests/boot $(PYTEST_ARGS)

test-power: $(DEV)
	@.ci/setup packages $(BOOT_PACKAGES)
	$(BIN)/python -m pytest tests/power $(PYTEST_ARGS)

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py tests/test_public_api.py

bench: $(RUNTIME)
	@.ci/setup packages $(REFERENCE_PACKAGES)
	@.ci/setup compile
	PYTHONPATH=tests $(BIN)/python -m bench.run --ostree $(BIN)/ostree $(BENCH_ARGS)

conformance: $(RUNTIME)
	@.ci/setup packages $(CONFORMANCE_PACKAGES)
	$(BIN)/python tests/upstream/run.py --ostree $(BIN)/ostree $(CONFORMANCE_ARGS)

install-units: $(RUNTIME)
	$(BIN)/ostree admin install-units --destdir='$(DESTDIR)' --program='$(PROGRAM)'

clean:
	rm -rf .venv .boot-cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
