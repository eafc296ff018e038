# Everything a person does with Marquee. `make help` lists it.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
export

# What a target is told beside settings. It counts on the command line alone: VERSION, NAME or DATA
# in somebody's environment is about something else. A setting counts there, too: Compose reads it.
ARGUMENTS := ARGS BACKUP CHALLENGER DATA DELETE FAULTS FROM HOUR IMAGE KIND KNOWN NAME ONLY OVERLAP PLAN QUALITY \
  REQUEST_RATE SCALE SERVICE SHARE SINCE SOAK SWAPS TWICE UNUSED VERSION WATCH YES
$(foreach name,$(ARGUMENTS),$(if $(filter environment%,$(origin $(name))),$(eval override undefine $(name))))

# NAME=value on the command line is text, not make's own language: $ and all, it is handed on.
GIVEN := $(strip $(foreach name,$(.VARIABLES),$(if $(filter command line,$(origin $(name))),$(name))))
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name))))

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Jenkins has no engine: there, these ask whoever may (ci/README.md).
ASK_HELPER = $(if $(JENKINS_HELPER),ci/jenkins/ask_helper.sh $@)
ASK_QUEUE = $(if $(JENKINS_HELPER),ci/jenkins/ask_queue.sh)

# --- run it

.PHONY: up down status alert-test logs psql password rotate backup restore images sbom prune
up: ## Install what is missing, build, start, train, release; settings: NAME=value
	@compose/up.sh
down: ## Stop everything and keep the data; DATA=gone deletes it, after asking
	@compose/down.sh
status: ## One table: services, live version, lag, rows, last release; WATCH=1: again and again
	@compose/status.sh
alert-test: ## Send one alert through the whole way to Slack, and wait until it has arrived
	@docker compose exec -T evaluation python -m monitoring alert-test
logs: ## Follow the logs; SERVICE=name for one
	@docker compose logs --follow --tail 50 $${SERVICE:+"$$SERVICE"}
psql: ## Look at the data, read-only
	@docker compose exec postgres psql --host=/tmp --username=analyst marquee
password: ## Show a password: NAME=analyst, grafana, jenkins, ...
	@docker compose run --rm --no-deps -T secrets show $${NAME:+"$$NAME"}
rotate: ## Give one database role a new password, nobody locked out: NAME=ingest, analyst, ...
	@docker compose run --rm --no-deps -T rotate python -m compose.migrate rotate "$${NAME-}"
backup: ## Copy database, models, state and secrets to BACKUP_DIRECTORY, while all runs
	@compose/exec.sh backup python -m compose.backup take
restore: ## Start from a backup, here or on another host: FROM=folder; asks before it replaces
	@compose/restore.sh
images: ## Build every image of this checkout, push it where IMAGE_REGISTRY is set; TWICE=1: again, and what differs
	@$(or $(ASK_HELPER),compose/images.sh)
sbom: ## What is in each image: bills of materials (CycloneDX) in build/sbom
	@compose/sbom.sh
prune: ## What builds left behind: images without a name, cache unused for UNUSED=24h; DELETE=1 deletes it
	@compose/prune.sh

# --- change what is live

.PHONY: retrain release rollback story certificates release-code experiment experiments experiment-stop
retrain: ## Train a model version and show how good it is
	@$(if $(ASK_QUEUE),$(ASK_QUEUE) train,compose/exec.sh trainer python -m trainer retrain)
reproduce: ## Fit a version again from its pinned data and compare: VERSION=name
	@compose/exec.sh trainer python -m trainer reproduce $${VERSION:+"$$VERSION"}
release: ## Release the newest accepted version, step by step; VERSION=name; QUALITY=skip asks no people; PLAN=1 only says how
	@$(if $(ASK_QUEUE),$(ASK_QUEUE) release,compose/exec.sh releaser python -m ci release $${VERSION:+--version "$$VERSION"} $${QUALITY:+--quality "$$QUALITY"} $(if $(PLAN),--plan))
rollback: ## Put the previous version back, at once; the previous code where that went live last
	@compose/rollback.sh
story: ## What happened to what is live in the last SINCE='1 hour', in sentences, each with its evidence
	@docker compose exec -T postgres psql --host=/tmp --username=analyst --no-psqlrc --expanded --pset=xheader_width=80 --set=since="$${SINCE:-1 hour}" --file=- marquee < ci/story.sql
certificates: ## Was what each release proved changed or removed since? KNOWN=hash that must be there still
	@docker compose exec -T releaser python -m ci certificates $${KNOWN:+--known "$$KNOWN"}
experiment: ## Try a version on people, against the live one: CHALLENGER=name; SHARE=500 of 1,000; KIND=interleaving: lists of both; NAME
	@docker compose exec -T releaser python -m ci experiment "$${CHALLENGER-}" $${SHARE:+--share "$$SHARE"} $${NAME:+--name "$$NAME"} $${KIND:+--kind "$$KIND"}
experiments: ## What runs and ran, what it says, and a plot of the newest: build/experiment.svg
	@docker compose exec -T evaluation python -m monitoring experiments
	@mkdir -p build && docker compose exec -T evaluation python -m monitoring experiment-plot > build/experiment.svg.partial
	@if [ -s build/experiment.svg.partial ]; then mv build/experiment.svg.partial build/experiment.svg; fi
experiment-stop: ## End the experiment that runs; everybody gets the live version
	@docker compose exec -T releaser python -m ci experiment-stop
release-code: ## After make images: the new recommender, step by step, into both slots; IMAGE=name@digest for another; PLAN=1 only says how
	@$(or $(ASK_HELPER),compose/release_code.sh)

# --- check it

.PHONY: test lint test-unit test-integration test-end-to-end drill bench certificate lock
test: ## Everything below, on a stack of its own beside a running one
	@tests/run.sh all
lint: ## Lint, types, import rules, and each configuration by its own checker
	@$(or $(ASK_HELPER),tests/run.sh lint)
test-unit: ## Unit tests with coverage (build/coverage.xml); ARGS=... goes to pytest
	@$(or $(ASK_HELPER),tests/run.sh unit)
test-integration: ## Tests on a real Kafka and PostgreSQL; ARGS=... goes to pytest
	@$(or $(ASK_HELPER),tests/run.sh integration)
test-end-to-end: ## Tests on the whole stack; ARGS=... goes to pytest
	@tests/run.sh end-to-end
drill: ## Every fault at full count, on a stack of its own; SOAK=2h: only what grows; HOUR=60m: one left alone; YES=1: kill what runs HERE, as a scorecard; FAULTS
	@$(or $(ASK_HELPER),$(if $(YES),compose/drill.sh,tests/run.sh drill))
bench: ## Measure: ONLY=ingest, trainer, serving, evaluation, release or host; SCALE=small or full; figures in build/bench
	@tests/run.sh bench
certificate: ## Play SWAPS=20 releases at REQUEST_RATE=200 a second; what that proved: build/certificate.json
	@$(or $(ASK_HELPER),tests/run.sh certificate)
lock: ## Resolve the dependencies anew and pin them by hash
	@compose/images/lock.sh
