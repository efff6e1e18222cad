# Build, install and check unitcell.  `make help` lists what there is.

PREFIX  ?= /usr/local
DESTDIR ?=
CARGO   ?= cargo
INSTALL ?= install

# Where things go.  systemd.pc knows the distribution's layout; root_prefix is set along
# with prefix because a Debian 12 systemd keeps its units below /lib whatever prefix says.
pc = $(shell pkg-config --define-variable=prefix=$(PREFIX) --define-variable=rootprefix=$(PREFIX) \
       --define-variable=root_prefix=$(PREFIX) --variable=$(1) systemd 2>/dev/null)
bindir             := $(PREFIX)/bin
docdir             := $(PREFIX)/share/doc/unitcell
systemunitdir      := $(or $(call pc,systemdsystemunitdir),$(PREFIX)/lib/systemd/system)
systemgeneratordir := $(or $(call pc,systemdsystemgeneratordir),$(PREFIX)/lib/systemd/system-generators)
catalogdir         := $(or $(call pc,catalogdir),$(PREFIX)/lib/systemd/catalog)
userunitdir        := $(or $(call pc,systemduserunitdir),$(PREFIX)/lib/systemd/user)
usergeneratordir   := $(or $(call pc,systemdusergeneratordir),$(PREFIX)/lib/systemd/user-generators)

# The generator writes the wrapper's full path into drop-ins, so every build is for one
# PREFIX; cargo notices when it changes.
export UNITCELL_BINDIR := $(bindir)

release := $(or $(CARGO_TARGET_DIR),target)/release

# Both run where little can be relied upon: early at boot, and inside a RootDirectory= that
# has no libc at all.  So they are linked statically; and relocations, which are much of the time to
# start, are packed where libc can unpack them (glibc 2.36).
relr = $(shell getconf GNU_LIBC_VERSION 2>/dev/null | \
           awk -F'[ .]' '$$2 > 2 || $$3 >= 36 { print "-C link-arg=-Wl,-z,pack-relative-relocs" }')
static_build = $(CARGO) rustc --release --no-default-features $(1) -- -C target-feature=+crt-static $(relr)

docs  := $(wildcard README.md LICENSE*)
units := $(wildcard units/*.service units/*.socket units/*.target)
units_in := $(wildcard units/*.in)
user_units_in := $(wildcard units/user/*.in)

# FILE.in, with what is to be filled in, into DIRECTORY; one command of a recipe.
define install_unit
sed 's|@bindir@|$(bindir)|g' $(1) | $(INSTALL) -m 644 /dev/stdin "$(DESTDIR)$(2)/$(notdir $(basename $(1)))"

endef

.PHONY: all tool wrapper pause generator test-payload install uninstall check lint test test-machine demo bench deps clean help

all: wrapper pause generator tool

wrapper:
	$(call static_build,--bin unitcell-exec)

# As small as can be: one stays resident for each network namespace of a user.
pause:
	$(call static_build,--bin unitcell-pause)

generator:
	$(call static_build,--bin unitcell-generator)

tool:
	$(CARGO) build --release --bin unitcell

# What the machine tests let services run; never installed by `install`.
test-payload:
	$(call static_build,--example payload)

install: all
	$(INSTALL) -D -m 755 $(addprefix $(release)/,unitcell unitcell-exec unitcell-pause) -t $(DESTDIR)$(bindir)
	$(INSTALL) -D -m 755 $(release)/unitcell-generator -t $(DESTDIR)$(systemgeneratordir)
	$(INSTALL) -D -m 755 $(release)/unitcell-generator -t $(DESTDIR)$(usergeneratordir)
	$(INSTALL) -D -m 644 units/unitcell.catalog -t $(DESTDIR)$(catalogdir)
	$(if $(DESTDIR),,-journalctl --update-catalog)
	$(INSTALL) -d $(DESTDIR)$(systemunitdir) $(DESTDIR)$(userunitdir)
	$(if $(units),$(INSTALL) -m 644 $(units) -t $(DESTDIR)$(systemunitdir))
	$(foreach unit,$(units_in),$(call install_unit,$(unit),$(systemunitdir)))
	$(foreach unit,$(user_units_in),$(call install_unit,$(unit),$(userunitdir)))
	$(if $(docs),$(INSTALL) -D -m 644 $(docs) -t $(DESTDIR)$(docdir))

uninstall:
	rm -f $(addprefix $(DESTDIR)$(bindir)/,unitcell unitcell-exec unitcell-pause)
	rm -f $(DESTDIR)$(systemgeneratordir)/unitcell-generator $(DESTDIR)$(usergeneratordir)/unitcell-generator
	rm -f $(addprefix $(DESTDIR)$(systemunitdir)/,$(notdir $(units) $(units_in:.in=)))
	rm -f $(addprefix $(DESTDIR)$(userunitdir)/,$(notdir $(user_units_in:.in=)))
	rm -f $(DESTDIR)$(catalogdir)/unitcell.catalog
	rm -f $(addprefix $(DESTDIR)$(docdir)/,$(docs))
	-rmdir $(DESTDIR)$(docdir) 2>/dev/null

check: deps lint test test-machine

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --all-targets --no-default-features -- -D warnings

# Everything but the machine tests: the library, the binaries and the golden roots.
test:
	$(CARGO) test --lib $(patsubst tests/%.rs,--test %,$(wildcard tests/*.rs))
	$(CARGO) test --no-default-features --lib

test-machine:
	$(CARGO) test --test machine

# VERSION=252, 257 or 262.
demo: deps
	$(MAKE) --no-print-directory all test-payload PREFIX=/usr
	$(CARGO) run -q --example demo -- $(or $(VERSION),252)

# SUITE=wrapper, memory, generator, netns, lsns, service or nsenter; all of them without.
bench: deps
	$(MAKE) --no-print-directory deps needed="bwrap:bubblewrap crun:crun ip:iproute2 nft:nftables"
	$(CARGO) run -q --example bench -- $(SUITE)

# command:package pairs that `check` needs and a plain Debian may not have.
needed := systemd-nspawn:systemd-container mmdebstrap:mmdebstrap pkg-config:pkg-config \
          cc:gcc nsenter:util-linux tar:tar mkfs.ext4:e2fsprogs strace:strace

deps:
	@missing=; for pair in $(needed); do \
	    command -v "$${pair%%:*}" >/dev/null || missing="$$missing $${pair##*:}"; \
	done; \
	if [ "$$(id -u)" -ne 0 ]; then \
	    echo "make: the machine tests boot systemd and mount file systems: they need root" >&2; \
	fi; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -q && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	else \
	    echo "make: please install:$$missing" >&2; exit 1; \
	fi

clean:
	$(CARGO) clean

help:
	@echo "all           build the wrapper and the generator (static) and the tool"
	@echo "install       DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)"
	@echo "uninstall     remove what install put there"
	@echo "demo          VERSION=252: a service with a cell under a real systemd, and the proof (root)"
	@echo "bench         how fast it is, beside the floor and its peers (root)"
	@echo "check         format, lints, tests, and machine tests under real systemd (root)"
	@echo "lint test test-machine   the parts of check"
	@echo "deps          the Debian packages that check needs"
