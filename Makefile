# SPDX-License-Identifier: Apache-2.0
# Thin over the presets of CMakePresets.json and over scripts/. Two commands are
# enough to begin with: make run, make check.
.DEFAULT_GOAL := help
.PHONY: help deps build dev test asan tsan stalls fuzz cover tidy fmt fmt-check lint \
	check integration profile bench bench-control soak run hooks docs clean

# Configure and build a preset; the programs alone need no test packages.
define preset
	cmake --preset $(1)
	cmake --build --preset $(1)
endef
define programs
	cmake --preset release
	cmake --build --preset release --target kproxy kpagent kpctl kpserver
endef

help: ## this list
	@sed -n 's/^\([a-z -]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

deps: ## install what is missing: Debian packages (root or sudo), BoringSSL
	@scripts/deps.sh test

build: ## the programs, hardened and optimised: build/release/bin/
	@scripts/deps.sh build
	$(programs)

dev: ## debug build, and compile_commands.json for the editor
	$(call preset,dev)
	@ln -sfn build/dev/compile_commands.json compile_commands.json

test: dev ## unit tests in the debug build
	ctest --preset dev

asan tsan: ## unit tests with AddressSanitizer + UBSan, with ThreadSanitizer
	$(call preset,$@)
	ctest --preset $@

stalls: dev ## unit tests while threads stand still at random (ARGS= goes to ctest)
	cmake --build --preset dev --target kp_stalls
	LD_PRELOAD=$(CURDIR)/build/dev/bin/libkp_stalls.so ctest --preset dev -j 6 $(ARGS)

fuzz: ## each libFuzzer target for KP_FUZZ_SECONDS (20; ARGS="-R session": that one)
	cmake --preset fuzz -DKP_FUZZ_SECONDS=$(or $(KP_FUZZ_SECONDS),20)
	cmake --build --preset fuzz --target fuzzers
	ctest --preset fuzz $(ARGS)

cover: ## line and branch coverage of the unit tests: build/coverage/report.html
	$(call preset,coverage)
	ctest --preset coverage
	gcovr --root . --filter '(base|proto|rules|proxy|control|cli)/' --print-summary \
		--html-details build/coverage/report.html build/coverage

tidy: ## clang-tidy over everything
	$(call preset,tidy)

fmt: ## put C sources into form
	git ls-files '*.c' '*.h' | xargs clang-format -i

fmt-check: ## fail if a C source is not in form
	@scripts/check-format.sh

lint: ## form, layers, banned functions, sizes, licence lines
	@python3 scripts/check.py lint

check: ## everything CI does, from nothing (STEPS="lint asan" for a part)
	@scripts/deps.sh test
	@scripts/toolchains.sh python3 scripts/check.py $(STEPS)

integration: ## real brokers and clients (ARGS= goes to pytest)
	@scripts/deps.sh test
	$(programs)
	cmake --build --preset release --target kp_bench kp_store_tool kp_sync_peer
	KP_BUILD=$(CURDIR)/build/release scripts/toolchains.sh pytest-3 -v $(ARGS) integration

soak: ## clients at work while everything fails, for KP_SOAK_SECONDS (3600)
	@scripts/deps.sh test
	$(programs)
	KP_BUILD=$(CURDIR)/build/release \
		KP_HISTORY_SECONDS=$(or $(KP_SOAK_SECONDS),3600) \
		scripts/toolchains.sh pytest-3 -v -s --basetemp=build/soak \
		integration/test_history.py -k nothing_is_lost

profile: ## the programs for profilers: as released, without the sandbox
	@scripts/deps.sh build
	cmake --preset profile
	cmake --build --preset profile --target kproxy kpagent

bench: profile ## kproxy beside its peers (ARGS= goes to bench/run.py; as root)
	@scripts/deps.sh bench
	$(programs)
	cmake --build --preset release --target kp_bench
	python3 -B bench/run.py $(ARGS)

bench-control: ## a policy server under 1 000 agents (ARGS= goes to bench/control.py)
	@scripts/deps.sh bench
	$(programs)
	cmake --build --preset release --target kp_bench
	python3 -B bench/control.py $(ARGS)

run: ## a local Kafka (or BOOTSTRAP=host:port) with kproxy in front of it
	@scripts/deps.sh $(if $(BOOTSTRAP),build,run)
	$(programs)
	@scripts/run.sh

hooks: ## check form and commit messages before each commit of this clone
	git config core.hooksPath .githooks

docs: dev ## write the pages of docs/ that come from tables anew
	for page in resources config server-config limits policies; do \
		build/dev/bin/kp_print_docs $$page >docs/$$page.md || exit 1; \
	done
	python3 scripts/api_docs.py >docs/api.md.new && mv docs/api.md.new docs/api.md

clean: ## remove build/; what is cached for the machine stays
	rm -rf build compile_commands.json
