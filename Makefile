# Two commands for a new user: `make demo` and `make test`. Both use one build profile, so dependencies are compiled once.

CARGO ?= cargo
WEB := dashboards/web
WEB_SOURCES := $(WEB)/package.json $(WEB)/package-lock.json $(wildcard $(WEB)/*.mjs) $(wildcard $(WEB)/src/*)

.PHONY: demo test postgresql proof torture lint lint-contracts bench bench-scale bench-catalogue web docs

# The linter of contracts comes from PyPI into an environment of its own.
LINTER := $(or $(CARGO_TARGET_DIR),target)/datacontract-1.2.8

## Builds, ingests data-samples/, refreshes, prints the headline figures, serves http://127.0.0.1:8080
demo: web
	$(CARGO) run --locked -- demo

## Builds and passes all tests
test: web postgresql
	$(CARGO) test --locked --no-fail-fast

## The PostgreSQL server that stands in for a register in the tests, installed when absent
postgresql:
	.ci/postgresql

## Every indicator by every dimension over a generated million events, against plain SQL in DuckDB and the generator's own count; about
## ten minutes
proof: web
	SVOD_PROOF_EVENTS=1000000 $(CARGO) test --locked --test it indicators::on_generated -- --nocapture

## The tests that kill runs, at many more moments; about an hour
torture: web postgresql
	SVOD_TORTURE_KILLS=200 $(CARGO) test --locked --test it cli::kill

## What has to be clean before every push: format, lints, documentation
lint: web lint-contracts
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps --document-private-items

## Whether other readers of the Open Data Contract Standard can read the contracts
lint-contracts: $(LINTER)/.stamp
	for contract in warehouse/contracts/*.odcs.yaml; do $(LINTER)/bin/datacontract lint $$contract || exit 1; done

$(LINTER)/.stamp:
	python3 -m venv $(LINTER)
	$(LINTER)/bin/pip install --quiet datacontract-cli==1.2.8
	touch $@

## What each stage costs per million rows, and how fast pushed rows become durable
bench: web
	$(CARGO) bench --locked --profile dev --bench stages --bench push

## Ingestion beside bare DuckDB, and a small refresh on top of a long history; minutes, and gigabytes below the target folder
bench-scale: web
	$(CARGO) bench --locked --profile dev --bench scale

## Every indicator at its default cut, after a refresh; SVOD_BENCH_MILLIONS=1,10
bench-catalogue: web
	$(CARGO) bench --locked --profile dev --bench catalogue

## Fonts, styles and scripts, installed from npm by the lock file and built into the binary
web: $(WEB)/dist/.stamp

$(WEB)/dist/.stamp: $(WEB_SOURCES)
	cd $(WEB) && npm ci --no-audit --no-fund && npm run build
	touch $@
