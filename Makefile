# What a person types. Each target works alone, from a clean clone: it installs the Debian packages that are missing (as root or
# through sudo), configures, builds, and does its job. What happens inside is CMake; see CMakePresets.json.

.DEFAULT_GOAL := build
.PHONY: run test build packages asan levels tsan coverage fuzz peers bench format goldens tidy install clean help

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
BUILD_RELEASE := build/release
ENSUE := $(BUILD_RELEASE)/ensue
LEVELS_BUILD ?= asan

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

packages: ## install the Debian packages that are missing
	@sh cmake/install-packages.sh

build: packages ## the release binary, build/release/ensue
	@cmake --preset release >/dev/null
	@cmake --build $(BUILD_RELEASE) -j $(JOBS) --target ensue

run: build ## the main job on the examples: check, test, run a stream, ask why not
	@sh examples/tour.sh $(ENSUE)

test: packages ## build everything and run every test
	@cmake --preset dev >/dev/null
	@cmake --build build/dev -j $(JOBS)
	@ctest --preset dev -j $(JOBS)

asan: packages ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@cmake --preset asan >/dev/null
	@cmake --build build/asan -j $(JOBS)
	@ctest --preset asan -j $(JOBS)

levels: packages ## the longer levels of simulation, and kills: SIM_SECONDS=400 KILL_TRIALS=60 LEVELS_BUILD=asan
	@cmake --preset $(LEVELS_BUILD) >/dev/null
	@cmake --build build/$(LEVELS_BUILD) -j $(JOBS) --target simulation_test simulation_node_test
	@cmake --preset dev >/dev/null
	@cmake --build build/dev -j $(JOBS) --target ensue
	@sh cmake/levels.sh $(or $(SIM_SECONDS),400) $(or $(KILL_TRIALS),60) $(LEVELS_BUILD)

tsan: packages ## the tests under ThreadSanitizer
	@cmake --preset tsan >/dev/null
	@cmake --build build/tsan -j $(JOBS)
	@ctest --preset tsan -j $(JOBS)

coverage: packages ## which lines of interpreter/ the tests run
	@sh cmake/coverage.sh $(JOBS)

fuzz: ## look for inputs that break the program, SECONDS=60 for each target (clang)
	@sh cmake/fuzz.sh $(or $(SECONDS),60)

peers: | packages # what Debian has of the programs the benchmarks hold ours against; without them their rows are empty
	-@sh cmake/install-packages.sh libluajit-5.1-dev lua-cjson libclips-dev

bench: peers build ## speed and memory, as ratios measured side by side; FULL=1: peers at every size, for the full time
	@cmake --build $(BUILD_RELEASE) -j $(JOBS) --target bench_loading bench_end_to_end bench_limits bench_admissions bench_waits bench_matching bench_clips bench_luajit
	@python3 bench/peers/run.py $(BUILD_RELEASE) --json $(BUILD_RELEASE)/bench/matching.json \
		$(if $(FULL),,--rounds 3 --peer-sizes 1000,10000,100000 --seconds 3 --load-seconds 10)
	@python3 bench/plot.py $(BUILD_RELEASE)/bench/matching.json $(BUILD_RELEASE)/bench/matching
	@$(BUILD_RELEASE)/bench/bench_loading
	@$(BUILD_RELEASE)/bench/bench_end_to_end
	@$(BUILD_RELEASE)/bench/bench_limits
	@$(BUILD_RELEASE)/bench/bench_admissions
	@$(BUILD_RELEASE)/bench/bench_waits
	@python3 bench/run.py $(ENSUE)
	@python3 bench/instructions.py $(BUILD_RELEASE)

goldens: packages ## write the goldens anew; review the difference
	@cmake --preset dev >/dev/null
	@cmake --build build/dev -j $(JOBS)
	@ENSUE_UPDATE_GOLDENS=1 ctest --preset dev -j $(JOBS) -L golden

format: ## clang-format over the sources, ensue fmt over the automations
	@git ls-files '*.cc' '*.h' | xargs clang-format -i
	@$(MAKE) --no-print-directory build
	@$(ENSUE) fmt stdlib $(wildcard flows) examples

tidy: ## clang-tidy over what changed since the last commit on main, or over everything with ALL=1
	@cmake --preset dev >/dev/null
	@sh cmake/tidy.sh $(if $(ALL),all,changed)

install: build ## into /usr/local, or into PREFIX
	@cmake --install $(BUILD_RELEASE) --prefix $(or $(PREFIX),/usr/local)

clean: ## take the builds away
	@rm -rf build
