# GNU make 3.81 (macOS) is enough. What needs Python calls bin/install first, which does nothing
# when the environment is ready: PYTHON=/path/to/python overrides its choice of an interpreter.

# Where it is set, each process of a run would compile moto and boto3 anew: the tests take half as long again.
unexport PYTHONDONTWRITEBYTECODE

# With ON=3.11 a target runs on that Python, in an environment of its own.
PY  := .venv$(if $(ON),-$(ON))/bin/python
SAM := .venv-sam/bin
# Whoever runs what is deployed builds it first.
FUNCTIONS_NEED := $(if $(filter runtime sam,$(FUNCTIONS)),built)

.DEFAULT_GOAL := help
.PHONY: help install install-sam run test test-long test-client demo bench check contact-flow golden lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install:
	@bin/install $(ON)
install-sam:
	@bin/install sam

run: install $(FUNCTIONS_NEED) ## Start the whole service on this machine, with a phone in the browser [PORT=… WEBHOOKS=real TELEPHONY=chime|simulated FUNCTIONS=runtime]
	@$(PY) -m local run $(if $(PORT),--port $(PORT)) $(if $(WEBHOOKS),--webhooks $(WEBHOOKS)) $(OPTIONS)

demo: install $(FUNCTIONS_NEED) ## Place the specification's calls on this machine and show what happens [TELEPHONY=chime|simulated FUNCTIONS=runtime ON=3.11]
	@$(PY) -m local demo $(OPTIONS)
OPTIONS = $(if $(TELEPHONY),--telephony $(TELEPHONY)) $(if $(FUNCTIONS),--functions $(FUNCTIONS))

.PHONY: bench-cold built sam-events sam-local test-runtime test-sam-local
built:
	@bin/sam-build
	@bin/install runtime

# A private engine reaches no registry, so the image is made here; else SAM takes AWS's, unless bin/local-image was run.
SAM_LOCAL = bin/with-engine sh -c '[ -z "$$PRIVATE_ENGINE" ] || bin/local-image; exec "$$@"' -

sam-local: install built ## The whole service with its functions in `sam local`'s containers [PORT=… WEBHOOKS=real]
	@$(SAM_LOCAL) $(PY) -m local run --functions sam $(if $(PORT),--port $(PORT)) $(if $(WEBHOOKS),--webhooks $(WEBHOOKS))

test-sam-local: install built ## The demonstration through `sam local`, and every event of events/ [ARGS=…]
	@$(SAM_LOCAL) $(PY) -m pytest -m sam_local tests/sam_local $(ARGS)

sam-events: install built ## `sam local invoke` with every file of events/ [EVENTS="sqs/webhook.json …"]
	@$(SAM_LOCAL) $(PY) -m local.tools.sam_events $(EVENTS)

test-runtime: install built ## Run what is deployed under Lambda's own runtime: its tests, and the demonstration [ARGS=…]
	$(PY) -m pytest -n 2 --dist loadfile -m runtime tests/runtime $(ARGS)

# Four at a time, for two cores: calls wait for keys and timeouts.
test: install ## Run the tests [ARGS="-k menu" ON=3.11]
	$(PY) -m pytest -n 4 --dist worksteal $(ARGS)

test-long: install ## Run the tests that take minutes: 5,000 compiled menus and callees, 100,000 messages [COMPILED_WALK_PAIRS=…]
	$(PY) -m pytest -n 2 --dist worksteal -m long $(ARGS)

test-client: install ## Build the wheels, and run the Python client's suite with them alone in an empty folder [ARGS=…]
	$(PY) -m pytest -m long tests/e2e/test_client_wheels.py $(ARGS)

bench-cold: install built ## Measure the first invocation of each function under Lambda's runtime, against a floor [FUNCTIONS="ControlCallFunction …" BENCH=short]
	@$(PY) -m benchmarks.cold $(FUNCTIONS)

BENCHMARKS := acceptance strangers imports keys compile prove webhooks dialer retirement idle mailbox bill rehearsal
bench: install ## Measure what our own code costs, against a floor measured in the same run [BENCH=short: only whether it runs]
	@for benchmark in $(BENCHMARKS); do $(PY) -m benchmarks.$$benchmark || exit; done

.PHONY: format lint types unit
format: install ## Format the code, and fix what ruff can fix
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

lint: install ## Look for mistakes, and for imports against the rules
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports

types: install ## Check the types
	.venv/bin/mypy

# Those that take longer than the rest together run in `make test` only, and all but fifteen examples of each property.
unit: install ## Run the quick tests of rules and use cases [ARGS=tests/unit/test_walk.py]
	$(PY) -m pytest -q -n 2 --dist worksteal --hypothesis-profile=quick -m "not slow and not long" $(or $(ARGS),tests/unit $(NOT_QUICK))

# Modules that are slow as a whole need not be imported.
NOT_QUICK = $(addprefix --ignore=,$(shell grep -l '^pytestmark = pytest.mark.slow' tests/unit/*.py))

check: export SAM_CLI_TELEMETRY = 0
check: export AWS_DEFAULT_REGION = eu-central-1
check: export AWS_EC2_METADATA_DISABLED = true
check: lint types install-sam ## Lint, types, import rules; validate and build the SAM application
	$(SAM)/cfn-lint
	$(SAM)/cfn-lint $(wildcard telephony/*.template.yaml network/*.template.yaml docs/pipeline/*.template.yaml) # its Metadata says for which Regions
	PYTHONPATH=. $(SAM)/python -m local.tools.translations
	$(SAM)/sam validate --lint
	@bin/sam-build; built=$$?; [ $$built -eq 3 ] || { [ $$built -eq 0 ] && $(PY) -m local.cloud.artifact && $(PY) -m pytest -q -m artifact tests/built; } # 3: it has said that there is no Python 3.13

contact-flow: install ## Write telephony/connect.template.json anew from contact_flow.py
	$(PY) -m speechcall.telephony.connect.contact_flow >telephony/new.json
	@mv telephony/new.json telephony/connect.template.json

.PHONY: fuzz
fuzz: ## Thousands of made-up requests, each answer held to docs/openapi.yaml [FUZZ=short]
	@bin/install fuzz
	@.venv-fuzz/bin/python -m local.tools.fuzz $(FUZZ)

.PHONY: fuzz-bytes
fuzz-bytes: install ## Strangers' bytes, made up by what they reach in the code (atheris; Linux) [SECONDS=10 for each target, TARGETS="json url"]
	@bin/install atheris
	@$(PY) -m tests.fuzzing $(if $(SECONDS),--seconds $(SECONDS)) $(TARGETS)

.PHONY: openapi
openapi: install ## Write docs/openapi.yaml, the served openapi.json and request_schema.py from the models
	@$(PY) -m local.tools.openapi

.PHONY: numbering
numbering: install ## Write the numbering plans in speechcall/requests/rules again, from libphonenumber's metadata
	@$(PY) -m local.tools.numbering

golden: install ## Write tests/golden anew: the state machines of the specification's examples
	@$(PY) -m tests.golden.flows

.PHONY: permissions
permissions: install ## Write tests/golden/permissions.json again: what the functions ask for while the tests run
	@rm -rf build/permissions-seen
	PERMISSIONS_SEEN=build/permissions-seen $(PY) -m pytest -n 2 -q tests/e2e tests/integration
	PERMISSIONS_SEEN=build/permissions-seen $(PY) -m tests.kit.permission_rules

# Keeps every version that still fits pyproject.toml; LOCK=--upgrade takes the newest ones.
lock: install ## Write constraints.txt and the other locks anew from pyproject.toml [LOCK=--upgrade]
	$(PY) -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(PY) -m uv pip compile --quiet $(LOCK_OPTIONS) pyproject.toml --extra local --extra cli --extra dev --extra fuzz --extra atheris -o constraints.txt
	$(PY) -m uv pip compile --quiet $(LOCK_OPTIONS) --group pyproject.toml:sam -o requirements-sam.txt
	$(PY) -m uv pip compile --quiet $(LOCK_OPTIONS) --group pyproject.toml:runtime -c constraints.txt -o requirements-runtime.txt
	$(PY) -m uv pip compile --quiet $(LAYER_LOCK_OPTIONS) layers/dependencies/requirements.txt -o layers/dependencies/requirements.lock
	$(PY) -m uv pip compile --quiet $(LAYER_LOCK_OPTIONS) layers/pydantic/requirements.txt -o layers/pydantic/requirements.lock
	$(PY) -m uv pip compile --quiet $(LAYER_LOCK_OPTIONS:manylinux2014=manylinux_2_28) layers/audio/requirements.txt -o layers/audio/requirements.lock
LAYER_LOCK_OPTIONS = --generate-hashes -c constraints.txt --python-version 3.13 --python-platform x86_64-manylinux2014 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(LOCK)
LOCK_OPTIONS = --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" $(LOCK)

clean: ## Remove the environments, the build and every cache
	rm -rf .venv .venv-* .aws-sam build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
