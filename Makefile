# What people and CI call. Everything works in a fresh clone; `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ORIGIN ?=
PORT ?= 8400
EXAMPLE ?= examples/quickstart

.PHONY: help demo test lint unit conformance bench bench-purge bench-peers bench-adaptive

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## a whole CDN on this machine; ORIGIN=http://… puts your own site behind it, PORT=N moves it
	cargo build --release -p local -p cli
	exec target/release/local $(EXAMPLE) --base-port $(PORT) $(if $(ORIGIN),--origin $(ORIGIN))

test: lint conformance-debug unit ## everything that must hold before a commit lands

lint: ## formatting and lints, without a warning
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

unit: ## every test of the workspace
	bash .ci/need nginx redis-server ip
	@mkdir -p target
	cargo build --workspace --bins --locked
	cargo test --workspace --all-targets --locked 2>&1 | tee target/tests.log
	@awk '/^test result:/ { passed += $$4; failed += $$6 } END { printf "%d passed, %d failed\n", passed, failed; exit !(passed > 0 && failed == 0) }' target/tests.log

.PHONY: conformance-debug
conformance-debug:
	bash .ci/need node npm
	cargo build --workspace --bins --locked
	node --test e2e/conformance/
	BIN=target/debug bash e2e/conformance/run.sh

conformance: ## the public HTTP cache test suite against a real edge
	bash .ci/need node npm
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

bench-adaptive: ## what an adaptive limit makes of an origin that loses half of itself; rewrites docs/benchmarks-adaptive.*
	cargo build --release --locked -p edge -p e2e --bins
	nice target/release/adaptive --write
