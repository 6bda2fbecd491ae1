# Millrace: one verb per thing one does. `make` alone lists them.
SHELL := bash
.DEFAULT_GOAL := help

CONFIGURATION ?= Release
DOTNET = $(shell scripts/sdk)
BUILD = "$(DOTNET)" build Platform.sln -c $(CONFIGURATION) -v quiet -nologo -clp:NoSummary

FORMAT = "$(DOTNET)" format whitespace . --folder --exclude artifacts .dotnet

.PHONY: help run test check build bench e2e e2e-compose e2e-helm test-faults torture conformance images fmt clean

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Build, then start the platform with a small simulated fleet
	artifacts/millrace dev --simulate 20

build: ## Build the executable: artifacts/millrace
	@"$(DOTNET)" publish services/host/Millrace.csproj -c $(CONFIGURATION) -o artifacts/app -v quiet -nologo
	@install -m 0755 eng/launcher artifacts/millrace

test: ## Run every test that needs no server, and those whose servers are there
	@$(BUILD)
	@DOTNET="$(DOTNET)" CONFIGURATION=$(CONFIGURATION) scripts/test

check: ## What CI runs: format, build with warnings as errors, tidy and all other tests
	@echo "Checking the format"
	@$(FORMAT) --verify-no-changes
	@$(BUILD) -p:UseSharedCompilation=true
	@"$(DOTNET)" build-server shutdown --vbcscompiler > /dev/null
	@DOTNET="$(DOTNET)" CONFIGURATION=$(CONFIGURATION) scripts/test

e2e: ## Try the real process from outside: the README, kills, real MQTT clients
	@$(BUILD)
	@DOTNET="$(DOTNET)" CONFIGURATION=$(CONFIGURATION) scripts/test tests/integration

e2e-compose: ## Try docker/compose.yml; needs docker-compose and a Docker API
	@$(BUILD)
	@DOTNET="$(DOTNET)" CONFIGURATION=$(CONFIGURATION) scripts/test --category Compose

e2e-helm: ## Try the chart on a real Kubernetes; needs helm and kubectl
	@$(BUILD)
	@DOTNET="$(DOTNET)" CONFIGURATION=$(CONFIGURATION) scripts/test --category Helm

test-faults: ## Kill, pause and restart real servers under load; needs the servers
	@$(BUILD)
	@DOTNET="$(DOTNET)" CONFIGURATION=$(CONFIGURATION) scripts/test --category Faults

torture: ## Run the long crash and load tests
	@$(BUILD)
	@DOTNET="$(DOTNET)" CONFIGURATION=$(CONFIGURATION) scripts/test --category Torture

conformance: build ## Run the MQTT suites of Eclipse Paho against an open broker
	@scripts/conformance

bench: ## Run the benchmarks and write benchmarks/results
	@"$(DOTNET)" build -c Release benchmarks/Millrace.Benchmarks.csproj -v quiet -nologo
	@LD_PRELOAD=$(wildcard /usr/lib/*-linux-gnu/libjemalloc.so.2) \
	  "$(DOTNET)" artifacts/bin/Millrace.Benchmarks/release/Millrace.Benchmarks.dll all

images: ## Build the container images with docker, buildah or podman
	@scripts/images

fmt: ## Format the source
	@$(FORMAT)
	@"$(DOTNET)" format style Platform.sln

clean: ## Remove everything that was built
	@rm -rf artifacts
