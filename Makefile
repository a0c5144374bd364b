# Strowger. Python 3.11, node and npm are enough to begin with; the rest is fetched when it is first needed.
PYTHON ?= python3
IN = $(PYTHON) -m portal.run exec
IN_TESTS = $(PYTHON) -m portal.run --tests exec

.DEFAULT_GOAL := help
.PHONY: help run test lint bench screenshots call

help:  ## Say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

run:  ## Start everything: portal, workers, an SBC node, the lab; Ctrl-C stops all of it
	@exec $(PYTHON) -m portal.run run

test: ## Check everything: style, types, imports, migrations, settings, and all tests
	@$(IN_TESTS) scripts/check all

lint: ## Check style, types, imports, migrations and settings only
	@$(IN) scripts/check lint

bench: ## Measure the figures of the README, each beside its baseline
	@$(IN_TESTS) python -m tests.bench $(ONLY)

screenshots: ## Take the README's pictures from the running demo (`make run` in another terminal)
	@$(IN_TESTS) python -m tests.screenshots

call: ## Place one call in the running demo: make call FROM=+4930… TO=+4420…
	@$(IN) python -m lab.call --dir "$${STROWGER_VAR:-var}/lab" $(if $(FROM),--from $(FROM)) $(if $(TO),--to $(TO))
