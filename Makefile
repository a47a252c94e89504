# What one types in this repository. Each target installs what it needs and is missing (lab/install.sh says what and why).
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench lab-up lab-down score clean

CARGO := cargo
LAB := target/debug/handbell-lab

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: programs ## a real mall to break, a local Discord in your browser, and the bot between them
	@$(LAB) demo $(ARGS)

test: ## everything that is tested, against the real thing
	@lab/test.sh

lint: ## format, clippy, documentation, the handbook's pages, spelling, licences
	@lab/lint.sh

bench: lab-up ## Handbell against its rivals, as ratios
	$(CARGO) build --release -p handbell -p handbell-sandbox --bin handbell --bin handbell-sandbox --example bare_bot
	$(CARGO) bench --profile dev --bench handbook --bench foundation -- --programs $(CURDIR)/target/release

lab-up: programs ## the lab alone: the mall with its database, Redis, Nginx, WeChat Pay and name servers
	@$(LAB) up $(ARGS)

lab-down: ## takes the lab down, with its data
	@if [ -x $(LAB) ]; then $(LAB) down; else echo 'The lab was never built, so it is not up.'; fi

score: programs ## breaks the lab in every way and prints how often the diagnosis was right
	@$(LAB) score $(ARGS)

clean: lab-down ## removes everything that was built
	$(CARGO) clean

# Docker where it can be had; the lab runs as plain processes where it cannot, and says why.
.PHONY: programs
programs:
	@lab/install.sh build processes
	@lab/install.sh docker || echo 'Docker could not be installed; the lab will run as plain processes.' >&2
	@$(CARGO) build --workspace --bins
