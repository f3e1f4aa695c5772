# netspace: build, test, install.  `make help` lists the targets.
# V=release (default), asan, cov (coverage) or tsan; each has its own folder under build/.
V       ?= release
PREFIX  ?= /usr/local
CC      ?= cc
BUILD   := build/$(V)
PKGS    := lua5.4 readline ncursesw openblas sqlite3 libjpeg libpng libarchive zlib yaml-0.1
# WebP images are read where libwebp is there.
WEBP    := $(shell pkg-config --exists libwebp && echo libwebp)
# Networks are written as ONNX where protobuf-c and ONNX's schema are there.
ONNX_PROTO ?= /usr/include/onnx/onnx.proto
ONNX    := $(shell test -e $(ONNX_PROTO) && command -v protoc-c >/dev/null && \
             pkg-config --exists libprotobuf-c && echo libprotobuf-c)
VERSION := 0.1.0
# What was built: in a tarball of `make dist` the file src/COMMIT says it, else git.
COMMIT  := $(shell cat src/COMMIT 2>/dev/null || git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
JOBS    := $(shell nproc 2>/dev/null || echo 1)

WARN    := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
FLAGS   := -std=c11 $(WARN) -MMD -MP -Isrc -ffile-prefix-map=$(CURDIR)=. \
           $(shell pkg-config --cflags $(PKGS) $(WEBP) $(ONNX) 2>/dev/null) \
           $(if $(WEBP),-DNETSPACE_WEBP) $(if $(ONNX),-DNETSPACE_ONNX -I$(BUILD)/onnx) \
           -U_XOPEN_SOURCE -D_XOPEN_SOURCE=700 -D_GNU_SOURCE \
           -DNETSPACE_VERSION='"$(VERSION)"'
LIBS    := $(shell pkg-config --libs $(PKGS) $(WEBP) $(ONNX) 2>/dev/null) -lm -ldl
ifeq ($(V),asan)
FLAGS   += -O1 -g -Werror -fsanitize=address,undefined -fno-omit-frame-pointer
LINK    := -fsanitize=address,undefined
else ifeq ($(V),tsan)
FLAGS   += -O1 -g -Werror -fsanitize=thread
LINK    := -fsanitize=thread
else ifeq ($(V),cov)
FLAGS   += --coverage
LINK    := --coverage
else
FLAGS   += -O3 -g
endif

SRC     := $(wildcard src/*/*.c src/*/*/*.c) src/repl.c
OBJ     := $(SRC:src/%.c=$(BUILD)/%.o) $(if $(ONNX),$(BUILD)/onnx/onnx.pb-c.o)
PAGES   := netspace.1 netspace-cluster.7 netspace-exchange.7 netspace-pack.5 netspace-security.7 netspace-trainer.5 netspace-lua.3 netspace-method.7 netspace-tutorial.7
MAN     := $(if $(filter release,$(V)),$(PAGES:%=build/%))
CTEST   := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

all: $(BUILD)/netspace $(MAN)

$(BUILD)/netspace: $(BUILD)/main.o $(BUILD)/libnetspace.a $(if $(filter cov,$(V)),$(BUILD)/lines.o)
	@echo LINK $@
	@$(CC) $(LDFLAGS) $(LINK) -Wl,-E -o $@ $(filter %.o,$^) -Wl,--whole-archive $(BUILD)/libnetspace.a -Wl,--no-whole-archive $(LIBS)
ifeq ($(V),release)
	@ln -sf $@ netspace
endif
$(BUILD)/libnetspace.a: $(OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^
# Everything is compiled anew when the compiler or its flags change, and only then.
COMPILE := $(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS)
$(BUILD)/flags: export COMPILE := $(COMPILE)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo "$$COMPILE" | cmp -s - $@ || echo "$$COMPILE" > $@
$(BUILD)/commit.h: FORCE
	@mkdir -p $(@D)
	@echo '#define NETSPACE_COMMIT "$(COMMIT)"' | cmp -s - $@ || echo '#define NETSPACE_COMMIT "$(COMMIT)"' > $@
$(BUILD)/bind/sys.o: FLAGS += -I$(BUILD) -DNETSPACE_BUILD='"$(V)"'
$(BUILD)/bind/sys.o: $(BUILD)/commit.h
$(BUILD)/main.o: FLAGS += -DNETSPACE_LUADIR='"$(PREFIX)/share/netspace/lua"'
FORCE:
# The variant of `make coverage`: unoptimised but for the kernels, and lines of Lua are noted.
ifeq ($(V),cov)
$(BUILD)/nn/%.o $(BUILD)/data/resize_avx2.o: FLAGS += -O2
$(BUILD)/lines.o: tests/coverage/lines.c $(BUILD)/flags
	@mkdir -p $(BUILD)/lines
	@$(CC) $(filter-out --coverage,$(FLAGS)) -O2 -DLINES='"$(CURDIR)/$(BUILD)/lines"' -c -o $@ $<
endif
# Fused multiply-add is allowed in the kernels (and nowhere else); fast-math nowhere.
$(BUILD)/nn/%.o: FLAGS += -ffp-contract=fast
$(BUILD)/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo CC $<
	@$(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
# The messages of ONNX, made of its own schema.
$(BUILD)/onnx/onnx.pb-c.c: $(ONNX_PROTO)
	@mkdir -p $(@D)
	@echo PROTOC $<
	@protoc-c --c_out=$(@D) -I$(dir $<) $<
$(BUILD)/onnx/onnx.pb-c.o: $(BUILD)/onnx/onnx.pb-c.c
	@$(CC) -O1 -g $(LINK) $(shell pkg-config --cflags $(ONNX)) -c -o $@ $<
$(BUILD)/model/onnx.o: $(if $(ONNX),$(BUILD)/onnx/onnx.pb-c.c)
$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libnetspace.a
	@mkdir -p $(@D)
	@echo TEST $<
	@$(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) -Itests/unit $(LDFLAGS) $(LINK) -o $@ $< $(BUILD)/libnetspace.a $(LIBS) -lcmocka

# Makes a disk fail, or writes down what it is told, for tests.
build/tests/%.so: tests/fault/%.c
	@mkdir -p $(@D)
	@$(CC) -std=c11 $(WARN) -O1 -shared -fPIC -o $@ $< -ldl

# The manual.  The functions of netspace-lua(3) are made of the texts of help().
build/netspace-lua.3: man/netspace-lua.3.in scripts/man-lua $(wildcard lua/netspace/*.lua lua/netspace/*/*.lua) $(BUILD)/netspace
	@$(BUILD)/netspace -q --no-init scripts/man-lua > $@.lua
	@sed -e '/^@LUA@$$/{r $@.lua' -e 'd;}' $< > $@
build/%: man/%
	@mkdir -p $(@D)
	@cp $< $@

# The main job on a machine that may be new: packages, build, a first experiment.
demo:
	@scripts/install-packages
	@$(MAKE) --no-print-directory -j$(JOBS) all
	./netspace examples/quickstart.lua

# Every test: layers, C and Lua units, sessions, first as released, then under ASan+UBSan.
check:
	@scripts/install-packages --tests
	@$(MAKE) --no-print-directory -j$(JOBS) V=release all ctests
	@$(MAKE) --no-print-directory -j$(JOBS) V=asan all ctests
	@tests/run.sh
ctests: $(CTEST) build/tests/fault.so build/tests/memory.so build/tests/record.so
# Kills and faults by the hundred: minutes, not part of check.
torture: all build/tests/fault.so build/tests/memory.so build/tests/record.so
	@tests/run.sh tests/torture/*.sh
asan:
	@$(MAKE) V=asan all ctests
# For ARM, cross-compiled and tested under qemu; ARGS=--kernels: the engine alone.
arm64:
	@scripts/install-packages --arm64
	@scripts/cross-arm64 $(ARGS)
# A reader under libFuzzer for TIME seconds (tests/fuzz/fuzz_$(T).c, or $(T).lua; ARGS: its
# options).  What it finds goes to build/fuzz; needs clang.  The kernels, which read nothing, are
# not watched.
T       ?= decode
TIME    ?= 300
FUZZ    := build/fuzz
FUZZED  := $(patsubst src/%.c,$(FUZZ)/%.o,$(wildcard $(addprefix src/,base/*.c nn/*.c model/*.c data/*.c)))
BOUND   := $(patsubst src/%.c,$(FUZZ)/%.o,$(wildcard $(addprefix src/,stats/*.c term/*.c bind/*.c)))
KERNELS := $(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/nn/kernels/*.c)) \
           $(if $(ONNX),$(BUILD)/onnx/onnx.pb-c.o)
SANITY  := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
$(FUZZ)/bind/sys.o: FLAGS += -I$(BUILD) -DNETSPACE_BUILD='"fuzz"'
$(FUZZ)/bind/sys.o: $(BUILD)/commit.h
$(FUZZ)/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo CLANG $<
	@clang $(FLAGS) $(SANITY) -fsanitize=fuzzer-no-link -c -o $@ $<
$(FUZZ)/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZED) $(KERNELS)
	@clang $(FLAGS) $(SANITY) -fsanitize=fuzzer -o $@ $^ $(LIBS)
$(FUZZ)/fuzz_%: tests/fuzz/lua.c $(FUZZED) $(BOUND) $(KERNELS) tests/fuzz/%.lua
	@clang $(FLAGS) $(SANITY) -fsanitize=fuzzer -DTARGET='"$*"' -Wl,-E -o $@ $(filter-out %.lua,$^) $(LIBS)
.SECONDARY: $(FUZZED) $(BOUND)
fuzz: $(FUZZ)/fuzz_$(T)
	@mkdir -p $(FUZZ)/corpus/$(T)
	OPENBLAS_NUM_THREADS=1 $< -artifact_prefix=$(FUZZ)/$(T)- -max_total_time=$(TIME) $(ARGS) \
	  $(FUZZ)/corpus/$(T) tests/fuzz/corpus/$(T)
# The analyzers of gcc and clang on all of src/; scripts/analyze and .clang-tidy say on what not.
ANALYZED := $(patsubst src/%.c,build/analyze/%.ok,$(SRC) src/main.c)
build/analyze/%.ok: src/%.c $(BUILD)/%.o scripts/analyze .clang-tidy
	@mkdir -p $(@D)
	@scripts/analyze $< $(filter-out -MMD -MP,$(FLAGS)) -I$(BUILD) -DNETSPACE_BUILD='""' -DNETSPACE_LUADIR='""'
	@touch $@
analyze: $(ANALYZED)
# Every test under --coverage: half an hour on two cores.
coverage:
	@scripts/install-packages --tests
	@scripts/install-packages --tools
	@$(MAKE) --no-print-directory -j$(JOBS) V=release all
	@$(MAKE) --no-print-directory -j$(JOBS) V=cov all ctests
	@find build/cov -name '*.gcda' -delete; rm -f build/cov/lines/*
	@NETSPACE=$(CURDIR)/build/cov/netspace VARIANTS=cov tests/run.sh || true
	@$(MAKE) --no-print-directory covered
# What the tests have run since, of each file (scripts/coverage); tests may be added one by one.
covered:
	@build/release/netspace -q --no-init scripts/coverage
# Memory errors of the C tests by valgrind, data races of what has threads by ThreadSanitizer.
valgrind: ctests
	@tests/run.sh tests/torture/valgrind.sh
tsan:
	@$(MAKE) --no-print-directory -j$(JOBS) V=tsan all ctests
	@tests/run.sh tests/torture/threads.sh
layers:
	@scripts/layers --show
# Speed beside PyTorch; ARGS="--help" lists the options, PYTHON names the Python that has it.
MEASURE := env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BUILD)/netspace -q --no-init
bench: all
	@$(MEASURE) scripts/bench/bench.lua $(ARGS)
profile: all
	@$(MEASURE) scripts/bench/profile.lua "$(NET)" "$(MODE)" "$(BATCH)"
# Twenty networks trained on shapes, beside earlier runs: NAME=before, then NAME=after.
errors: all
	@$(MEASURE) scripts/bench/errors.lua "$(NAME)" "$(TRAINER)"
# Of spaces: candidates drawn, networks counted, e_fit (scripts/bench/fit_numpy.py: beside NumPy).
bench-spaces: all
	@$(BUILD)/netspace -q --no-init scripts/bench/spaces.lua $(ARGS)
# Of statistics: bootstrap, KS, EDFs and bands.
bench-stats: all
	@$(BUILD)/netspace -q --no-init scripts/bench/stats.lua
# Of the terminal: looks and frames of the monitor.
bench-terminal: all
	@$(BUILD)/netspace -q --no-init scripts/bench/monitor.lua $(ARGS)
	@$(BUILD)/netspace -q --no-init scripts/bench/terminal.lua
# Of images beside a training step; ARGS=DIR: a folder of photographs.
bench-loading: all
	@$(MEASURE) scripts/bench/loading.lua $(ARGS)
# Of images: decoding, resizing and views, beside Pillow in the same run; ARGS=DIR: its JPEG files.
bench-images: $(BUILD)/bench/images
	@scripts/bench/images.sh $< $(ARGS)
$(BUILD)/bench/images: scripts/bench/images.c $(BUILD)/libnetspace.a
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LINK) -o $@ $^ $(LIBS)
# Of a store with 10,000 models: events, main process, listing, EDF, monitor frame.
bench-store: all
	@$(BUILD)/netspace -q --no-init scripts/bench/store.lua $(ARGS)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/netspace
	install -m 755 $(BUILD)/netspace $(DESTDIR)$(PREFIX)/bin/netspace
	cp -R lua examples $(DESTDIR)$(PREFIX)/share/netspace/
	install -d $(DESTDIR)$(PREFIX)/share/netspace/scripts/torchtrain
	install -m 755 scripts/torch_trainer.py $(DESTDIR)$(PREFIX)/share/netspace/scripts/
	install -m 644 scripts/torchtrain/*.py $(DESTDIR)$(PREFIX)/share/netspace/scripts/torchtrain/
	for page in $(PAGES); do \
	    install -D -m 644 build/$$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page || exit 1; \
	done
uninstall:
	rm -rf $(DESTDIR)$(PREFIX)/bin/netspace $(DESTDIR)$(PREFIX)/share/netspace
	for page in $(PAGES); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page; done
clean:
	rm -rf build netspace
# The sources of a commit as a tarball: the same bytes wherever and whenever it is made.
NAME    := netspace-$(VERSION)
dist:
	@mkdir -p build
	@git describe --always --abbrev=12 > build/COMMIT
	@git archive --prefix=$(NAME)/src/ --add-file=build/COMMIT --prefix=$(NAME)/ HEAD | \
	  gzip -9n > build/$(NAME).tar.gz
	@echo build/$(NAME).tar.gz
# A Debian package of this tree (scripts/deb).
deb: all
	@scripts/deb $(VERSION) $(BUILD)/netspace
help:
	@echo "make [V=release|asan]   build ./netspace"; \
	 echo "make demo               install what is missing, build, run examples/quickstart.lua"; \
	 echo "make check              all tests (installs what they need)"; \
	 echo "make arm64              for ARM (aarch64): built and tested under qemu"; \
	 echo "make torture            long tests: kills and faults by the hundred"; \
	 echo "make fuzz T=… TIME=…    what reads bytes of others (tests/fuzz), under libFuzzer"; \
	 echo "make install            to PREFIX=$(PREFIX), under DESTDIR"; \
	 echo "make dist               the sources of the last commit, build/$(NAME).tar.gz"; \
	 echo "make deb                a Debian package of this tree"; \
	 echo "make coverage           which lines and branches the tests run, file by file"; \
	 echo "make analyze            gcc -fanalyzer and clang-tidy on src/"; \
	 echo "make valgrind tsan      the C tests under memcheck; threads under ThreadSanitizer"; \
	 echo "make bench              speed beside PyTorch (ARGS=--help: options)"; \
	 echo "make profile NET=…      where a step of one network goes (NET=: which)"; \
	 echo "make errors NAME=…      errors of 20 networks, to compare engines (before, after)"; \
	 echo "make bench-loading      what images cost beside a training step (ARGS=DIR)"; \
	 echo "make bench-spaces       speed of drawing and counting (ARGS=repeats)"; \
	 echo "make bench-images       decoding, resizing, views beside Pillow (ARGS=DIR of JPEG files)"; \
	 echo "make bench-stats        speed of the statistics"; \
	 echo "make bench-terminal     speed of the monitor (ARGS=models) and the prompt"; \
	 echo "make bench-store        a sweep and a store of 10,000 models (ARGS=how many)"; \
	 echo "make layers             the rooms of the code and the arrows between them"; \
	 echo "make asan clean uninstall"

-include $(OBJ:.o=.d) $(BUILD)/main.d $(CTEST:=.d) $(FUZZED:.o=.d) $(BOUND:.o=.d)
.PHONY: all analyze coverage covered deb dist tsan valgrind bench fuzz bench-images bench-loading bench-spaces bench-stats bench-terminal bench-store profile errors demo check ctests torture asan arm64 layers install uninstall clean help
