# Gatehouse. `make` alone lists what there is.
SHELL := /bin/bash -o pipefail
.DEFAULT_GOAL := help

BIN     := .build/gatehouse
TOOLS   := $(CURDIR)/.build/tools
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
export CGO_ENABLED = 0

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# ---- the two commands of the README -----------------------------------------

.PHONY: run
run: postgresql build ## get what is needed, build, start the whole product with a sample warehouse
	@exec $(BIN) demo $(DEMO)

.PHONY: test
test: postgresql chromium node-modules verify check unit e2e ## get what is needed, then run everything: generated code, lint, unit, real database, browser

# ---- what is needed ----------------------------------------------------------

.PHONY: postgresql
postgresql: # PostgreSQL's programs, for the private cluster of demo and tests
	@.ci/need postgresql

.PHONY: chromium
chromium:
	@.ci/need chromium

.PHONY: node-modules
node-modules: # browser tests only; nothing of it reaches the server
	@.ci/need node
	@cmp -s internal/e2e/package-lock.json internal/e2e/node_modules/.installed-lock || { echo "==> npm ci (browser tests)"; cd internal/e2e && npm ci --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.installed-lock; }

$(TOOLS)/golangci-lint: internal/tools/golangci/go.mod
	@echo "==> building the linter (two minutes the first time)"
	@mkdir -p $(TOOLS)
	@cd internal/tools/golangci && go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

# ---- building ----------------------------------------------------------------

.PHONY: build
build: ## build .build/gatehouse
	@echo "==> building"
	@mkdir -p .build
	@go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/gatehouse
	@cp -f /etc/ssl/certs/ca-certificates.crt .build/ 2>/dev/null || true # for the image; a machine without it builds all the same

.PHONY: gen
gen: ## regenerate templates and the GraphQL server, format
	@go tool templ fmt templates > /dev/null
	@go tool templ generate -path templates -log-level error
	@cd internal/graph && go tool gqlgen generate
	@gofmt -w $$(git ls-files '*.go')

.PHONY: expected
expected: ## write down anew what each migration of the warehouse leaves in the database
	@UPDATE=1 go test -count=1 ./internal/migrator -run TestExpectedIsWhatTheFilesLeave

.PHONY: readings
readings: ## write down anew what PostgreSQL's own parser reads in the warehouse's migrations
	@UPDATE=1 go test -count=1 ./internal/sqlparse -run TestReadingsAreWhatTheParserReads

.PHONY: verify
verify: ## generated code and go.mod are what their sources make
	@echo "==> verify: generated code, go.mod"
	@$(MAKE) --no-print-directory gen
	@go mod tidy
	@git diff --exit-code -- '*_templ.go' '*.templ' internal/graph go.mod go.sum || { echo "generated code or go.mod is stale: run make gen, go mod tidy, and commit"; exit 1; }

# ---- checking ----------------------------------------------------------------

.PHONY: check
check: $(TOOLS)/golangci-lint ## vet and lint
	@echo "==> check: vet, lint"
	@go vet ./...
	@$(TOOLS)/golangci-lint run ./...

.PHONY: unit
unit: ## Go tests: rules, stories on a real database, pages, access (race detector on)
	@echo "==> unit and database tests"
	@CGO_ENABLED=1 go test -race -shuffle=on -timeout 30m $$(go list ./... | grep -v -e /internal/e2e -e /internal/bench)

.PHONY: e2e
e2e: ## the whole product in a real browser
	@echo "==> browser tests"
	@go test -count=1 -timeout 45m ./internal/e2e/...

.PHONY: bench-migrate
bench-migrate: build ## the six migrations on the large sample warehouse: rehearsed, ours, psql, golang-migrate; BENCH="-history 10000000" for ten million rows
	@go run ./internal/bench -only migrate $(BENCH)

.PHONY: bench
bench: build ## PERFORMANCE P3, P7, P8, P10, P11, P12, P14 as ratios beside their limits, in one run
	@go run ./internal/bench $(BENCH)

.PHONY: screenshots
screenshots: build ## remake the pictures under docs/screenshots
	@SCREENSHOTS=$(CURDIR)/docs/screenshots go test -count=1 -timeout 20m -run TestWalk ./internal/e2e

# ---- working -----------------------------------------------------------------

.PHONY: dev
dev: postgresql ## the demo, rebuilt and restarted whenever a template changes
	@go tool templ generate -path templates --watch --proxy=http://127.0.0.1:8080 --cmd "go run ./cmd/gatehouse demo"

.PHONY: migration
migration: ## new warehouse migration: make migration version=V0.0.23 name=add_something
	@.ci/migration "$(version)" "$(name)"
