# What people and CI call. Everything works in a fresh clone; `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ORIGIN ?=
PORT ?= 8400
EXAMPLE ?= examples/quickstart
T ?=

.PHONY: help check demo test lint unit e2e cluster-up cluster-down fuzz-dns conformance
.PHONY: bench bench-purge bench-peers bench-adaptive bench-dns bench-failover bench-operator

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## a whole CDN on this machine; ORIGIN=http://… puts your own site behind it, PORT=N moves it
	cargo build --release -p local -p cli
	exec target/release/local $(EXAMPLE) --base-port $(PORT) $(if $(ORIGIN),--origin $(ORIGIN))

check: ## everything: make test, then make e2e, then how many passed in both
	$(MAKE) --no-print-directory test
	code=0; $(MAKE) --no-print-directory e2e || code=1; $(MAKE) --no-print-directory totals || code=1; exit $$code

test: lint conformance-debug unit ## everything that must hold before a commit lands

lint: ## formatting and lints, without a warning
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

NEAREST := the_first_is_the_nearest_for_addresses_of_the_real_world

# Of what cargo says of each suite.
COUNT := /^test result:/ { passed += $$4; failed += $$6 } END

unit: ## every test of the workspace
	bash .ci/need nginx redis-server ip node npm python3
	bash e2e/places/files.sh
	@mkdir -p target
	cargo build --workspace --bins --locked
	cargo test --workspace --all-targets --locked 2>&1 | tee target/tests.log
	GEO_DATABASE=$$(bash e2e/places/files.sh) cargo test --workspace --lib --locked -- --ignored $(NEAREST) 2>&1 | tee -a target/tests.log
	@grep -q '$(NEAREST) \.\.\. ok' target/tests.log || { echo "$(NEAREST) did not run"; exit 1; }
	@awk '$(COUNT) { printf "%d passed, %d failed\n", passed, failed; exit !(passed > 0 && failed == 0) }' target/tests.log

fuzz-dns: ## a million mutated packets for a real geodns over UDP and TCP; FUZZ_SEED=N the same ones again
	cargo test --locked -p geodns --test it -- hostile::a_million --ignored --nocapture

.PHONY: conformance-debug
conformance-debug:
	bash .ci/need node npm python3
	cargo build --workspace --bins --locked
	node --test e2e/conformance/
	BIN=target/debug bash e2e/conformance/run.sh

e2e: ## the tests that need a real Kubernetes, on one of E2E_CLUSTER=host|kind|existing; T=… for some of them
	bash .ci/need python3 npm redis-server
	@mkdir -p target
	python3 e2e/cluster test $(T) 2>&1 | tee target/e2e.log
	@grep -q 'WERE SKIPPED' target/e2e.log || awk '$(COUNT) { printf "%d passed, %d failed\n", passed, failed }' target/e2e.log

.PHONY: totals
totals:
	@awk '$(COUNT) { printf "make test: %d passed, %d failed\n", passed, failed }' target/tests.log
	@awk '$(COUNT) { printf "make e2e: %d passed, %d failed\n", passed, failed }' target/e2e.log
	@grep 'WERE SKIPPED' target/e2e.log || true
	@awk '$(COUNT) { printf "in all: %d passed, %d failed\n", passed, failed; exit !(passed > 0 && failed == 0) }' target/tests.log target/e2e.log

cluster-up: ## a real Kubernetes with our images, to try things in; prints what to export
	bash .ci/need python3 npm redis-server
	python3 e2e/cluster up

cluster-down: ## ends it
	python3 e2e/cluster down

conformance: ## the public HTTP cache test suite against a real edge
	bash .ci/need node npm python3
	cargo build --release --locked -p edge -p local
	bash e2e/conformance/run.sh

bench: ## side by side with nginx, Varnish and Traffic Server; rewrites docs/benchmarks.*
	bash .ci/need nginx varnishd traffic_server wrk
	cargo build --release --locked -p edge
	python3 e2e/bench/run.py $(BENCH)

bench-peers: ## what two edges of a place hold alone and as peers; prints the table of docs/benchmarks-peers.md
	cargo test --release --locked -p e2e --test it -- sharing::bench --ignored --nocapture

bench-purge: ## how fast a purge is everywhere: 50 edges on one Redis; rewrites docs/benchmarks-purge.*
	bash .ci/need redis-server
	cargo build --release --locked -p edge -p e2e --bins
	target/release/fifty --write

bench-dns: ## answers per CPU-second beside gdnsd and PowerDNS; rewrites docs/benchmarks-dns.*
	bash .ci/need gdnsd pdns_server dnsperf taskset node npm python3
	cargo build --release --locked -p geodns
	python3 e2e/bench/run_dns.py $(BENCH)

bench-adaptive: ## what an adaptive limit makes of an origin that loses half of itself; rewrites docs/benchmarks-adaptive.*
	cargo build --release --locked -p edge -p e2e --bins
	nice target/release/adaptive --write

bench-failover: ## how soon a dead place leaves all DNS answers, and how it comes back; rewrites docs/benchmarks-failover.md
	cargo build --release --locked -p edge -p geodns -p e2e --bins
	target/release/failover --write

bench-operator: ## how soon a thousand resources are reconciled and what they cost at rest; rewrites docs/benchmarks-operator.md
	bash .ci/need python3 npm redis-server
	cargo build --release --locked -p operator -p edge
	python3 e2e/bench/run_operator.py --write
