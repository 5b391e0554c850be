# authcompat's tasks. `make` lists them.

GO ?= go

.DEFAULT_GOAL := help
.PHONY: help build run check test test-waiting test-computing lint fuzz tools originals peers compatibility compatible million moving soak \
	vet-all bench bench-logins bench-flood release release-test crash powercut docs openapi screenshots skew nodes failover front mutants vulncheck

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

build: ## build one static binary, ./authcompat
	CGO_ENABLED=0 $(GO) build -trimpath -o authcompat ./cmd/authcompat

run: ## serve the snippit profile on ./authcompat.db
	$(GO) run ./cmd/authcompat serve --profile snippit

# The race detector needs a C compiler; the JSON reader is compared with
# python3's own; strace records what a server writes before the power is cut, and
# kills commands; genuine servers are Debian's Django; stores run on a PostgreSQL
# that the tests start themselves, also behind pgbouncer; Django's tables are also
# read on a MariaDB of theirs. nginx and HAProxy run as docs/old-clients.md has them, and
# with Caddy as front snippet prints them. systemd-analyze reads the unit of the packages.
PACKAGES = gcc libc6-dev strace python3 python3-django python3-djangorestframework python3-djoser python3-django-cors-headers python3-psycopg2 gunicorn \
	postgresql-15 pgbouncer mariadb-server nginx haproxy caddy chromium systemd
# axe-core looks at the console's pages in that browser. It comes from npm, whoever's that is, into a folder of its own.
CONSOLE_TOOLS ?= $(or $(TMPDIR),/tmp)/authcompat-console-tools
export AUTHCOMPAT_TEST_CONSOLE_TOOLS = $(CONSOLE_TOOLS)
CONSOLE_TOOLS_LIST = cmd/authcompat/internal/console/consoletest/tools/package.json
tools: ## install what the tests need from Debian's packages and npm, if it is missing
	@missing=""; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	command -v npm >/dev/null || missing="$$missing npm"; \
	if [ -n "$$missing" ]; then echo "installing from Debian's packages:$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; fi
	@if ! cmp -s $(CONSOLE_TOOLS_LIST) "$(CONSOLE_TOOLS)/package.json"; then echo "installing axe-core from npm"; \
		mkdir -p "$(CONSOLE_TOOLS)" && cp $(CONSOLE_TOOLS_LIST) "$(CONSOLE_TOOLS)/package.json" && cd "$(CONSOLE_TOOLS)" && \
		{ npm install --no-audit --no-fund --no-package-lock --ignore-scripts --loglevel=error >/dev/null || { rm -f package.json; exit 1; }; }; fi

# Without VERSION=1.2.3: the last tag, or 0.0.0 with the commit's date. TARGETS="linux/amd64 …" builds some alone.
VERSION ?= $(or $(shell git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null),0.0.0-dev.$(shell TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M%S --format=%cd))
release: ## write a release into dist/VERSION: binaries, deb and rpm, man pages, completions, SBOMs and checksums (docs/installing.md)
	packaging/build $(VERSION) dist/$(patsubst v%,%,$(VERSION))

release-test: ## build a release twice and compare; install, use, upgrade and remove the deb and the rpm on Debians of their own, run the image (wants root)
	packaging/test

lint: ## gofmt, go vet, staticcheck, errcheck, unparam and misspell
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "not gofmt-ed:" $$files; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) tool errcheck -ignoretests -exclude .errcheck ./...
	$(GO) tool unparam ./...
	$(GO) tool misspell -error -i infinit,nmae $$(git ls-files '*.go' '*.md')

vet-all: ## go vet for the other systems that releases are for, tests included (minutes on two processors)
	@for os in windows freebsd darwin; do echo "GOOS=$$os"; GOOS=$$os $(GO) vet ./... || exit 1; done

vulncheck: ## known vulnerabilities of what is built in, from the Go project's database (docs/vulnerabilities.md)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

# What starts databases, servers or a browser, or hashes at full cost, is left to `make test`.
SLOW = /cmd/bench|/cmd/authcompat$$|/inprocess$$|/console$$|/console/(browse|consoletest|operate|suite|try)$$|/conformance$$|/conformance/differential$$|/core/password$$|/store/(django/(live|mariadbtest|transfer)|postgres|internal/pgconn)
check: lint ## what to run all day: lint, and the tests that need nothing and take no time
	$(GO) test $$($(GO) list ./... | grep -vE '$(SLOW)')

# Two lanes run side by side. One waits for most of its time: for servers, some of which are held to seconds, and stores for their
# databases. The other computes, at a lower priority, so that it takes what the first leaves. It compiles for the race detector
# first, before the first lane needs that, so that neither compiles the same twice.
# What counts seconds or bytes of its own process runs after them, alone, one package at a time. Imports of all kinds, exchanges at servers in the
# same process, measured times and sizes and most commands take the race detector five times as long and have
# few goroutines: with it, a few generated user bases are imported, and servers run whose requests meet. Of SQLite
# it watches what several do at once: backups and restores are files that one command reads. Lint has vetted all of it.
ALONE = /cmd/authcompat$$|/internal/(server|httpserver)$$|/core/hashing$$
STORES = /store/(postgres|django/live|internal/pgconn)$$
SERIAL = /inprocess$$|/console/browse$$|/store/(sqlite|django/transfer)$$
RACED = ^Test(Nodes|Failover|Parallel|RegistrationFlood|ReplyIsOnesOwn|SlowConnections|FrontOf|RotationsAtOnce|RotationByAnother|Reload|TwoServers|FirstKey|Callers|AskAtOnce|AskOperation|AskIdentity|AskWarnings)
# The same goes for single tests of packages that are watched: every example of every exchange file, 10 000 requests one after another, and files that are full.
UNRACED = ^Test(EveryExample|HostileRequests|OneCallSpoilsNothing|FullFile)$$
RACED_SQLITE = ^Test(Store|Operation|Transfer|Cache|BackupUnderLoad|FindToken|Expiry|Locked|Readers|Turns|OpenTogether|Processes|Replaced|RestoreUnder|RestoreDuring)
COSTS = ^Test(CostsAreLinear|MemoryOfConnections)$$
# SQLite, in C before it was translated, and what hashes have no races of ours to find, and take most
# of the time where every access to memory is watched. Not all of crypto: its packages that have sync.Map bring
# their own copy of its functions, which the linker may take for everybody, and which then hides who waited for whom.
RACE = -race -gcflags=modernc.org/...=-race=false -gcflags=golang.org/x/crypto/...=-race=false -gcflags=crypto/internal/fips140/...=-race=false
TEST = $(GO) test -vet=off -timeout 20m
test: tools lint compatible ## lint, then all tests, with the race detector where there are goroutines
	@$(MAKE) --no-print-directory -j 2 --output-sync=line test-waiting test-computing
	$(TEST) -run '$(COSTS)' ./cmd/authcompat/internal/httpserver
	$(TEST) $(RACE) -p 1 -skip '$(COSTS)' $$($(GO) list ./... | grep -E '$(ALONE)' | grep -v '/cmd/authcompat$$')

# What waits is more at a time than there are processors.
test-waiting:
	$(TEST) -parallel 4 -skip '$(RACED)' ./cmd/authcompat
	$(TEST) $(RACE) -p 3 -parallel 3 $$($(GO) list ./... | grep -E '$(STORES)')
	$(TEST) $(RACE) -run '$(RACED)' ./cmd/authcompat

test-computing:
	nice -n 10 $(TEST) $(RACE) -p 3 -skip '$(UNRACED)' $$($(GO) list ./... | grep -vE '$(ALONE)|$(STORES)|$(SERIAL)')
	nice -n 10 $(TEST) $(RACE) -run '$(RACED_SQLITE)|^TestGenerated$$' ./store/sqlite ./store/django/transfer
	nice -n 10 $(TEST) $$($(GO) list ./... | grep -E '$(SERIAL)')
	nice -n 10 $(TEST) -run '$(UNRACED)' ./cmd/authcompat/internal/console ./cmd/authcompat/internal/console/try ./conformance/record

compatible: tools
	$(GO) test -tags originals -run TestCompatibility ./cmd/authcompat/internal/inprocess

# The suites are others' code, and no part of this project: they are read where PEERS says that they lie.
peers: ## the suites of knox, Django REST framework, djoser and dj-rest-auth over HTTP: PEERS=folder with their sources (conformance/peers/README.md)
	@[ -n "$(PEERS)" ] || { echo "make peers wants PEERS=FOLDER, where the suites lie:"; conformance/peers/run --help | sed -n '/^FOLDER is/,$$p'; exit 2; }
	@$(MAKE) --no-print-directory build
	conformance/peers/run $(PEERS_FLAGS) --binary ./authcompat "$(PEERS)"

docs: ## write docs/schema, and the tables of keys in docs/profiles.md, docs/exchanges.md and docs/configuration.md
	$(GO) test ./cmd/authcompat/internal/schema -run '^TestDocs$$' -update

# The tools are others' and come from npm, into a folder of their own; TOOLS=… has them already.
TOOLS ?= $(or $(TMPDIR),/tmp)/authcompat-openapi-tools
openapi: ## the descriptions of all profiles (profile openapi) as redocly, spectral, Prism and openapi-typescript see them; wants npm
	@mkdir -p "$(TOOLS)" && cp cmd/authcompat/internal/openapi/tools/package.json "$(TOOLS)/"
	@cd "$(TOOLS)" && npm install --no-audit --no-fund --no-package-lock --ignore-scripts --loglevel=error
	AUTHCOMPAT_OPENAPI_TOOLS="$(TOOLS)" $(GO) test -count=1 -v -timeout 20m ./cmd/authcompat/internal/openapi

# Of all pictures those that the documents show are kept, with few colours: the repository keeps every version of them.
SCREENSHOTS = profiles endpoint-phone try-answer try-difference-dark suite-passed-phone-dark suite-exchange operate-cutover operate-metrics-dark
screenshots: tools ## write docs/console/*.png, as the console's tests see its pages; pngquant makes them small
	@command -v pngquant >/dev/null || { echo "needs pngquant (apt-get install pngquant)"; exit 1; }
	@mkdir -p docs/console
	@all="$$(mktemp -d)" && trap 'rm -rf "$$all"' EXIT && \
	AUTHCOMPAT_TEST_SCREENSHOTS="$$all" $(GO) test -count=1 ./cmd/authcompat/internal/console/... -run '^TestBrowser$$' && \
	for one in $(SCREENSHOTS); do pngquant --force --quality 60-90 --speed 1 --strip --output "docs/console/$$one.png" "$$all/$$one.png" || exit 1; done

compatibility: tools ## write docs/compatibility.md from runs at genuine servers and ours
	$(GO) test -tags originals -run TestCompatibility ./cmd/authcompat/internal/inprocess -update

originals: tools ## our exchange files and 40 000 random requests at reference servers, 20 000 of them at djoser, whose mails are read; PEERS=folder with django-rest-knox and dj-rest-auth adds 28 000
	$(GO) test -tags originals -count=1 -v -timeout 30m ./conformance/reference
	$(GO) test -tags originals -count=1 -v -timeout 30m -run TestRecordGenuine ./cmd/authcompat/internal/inprocess

FUZZTIME ?= 30s
fuzz: ## fuzz everything that reads input, FUZZTIME each (30s)
	@for target in $$(grep -rHoE '^func Fuzz[A-Za-z0-9]+' --include=*_test.go . | sed 's/:func /:/'); do \
		package=$$(dirname $${target%%:*}); name=$${target##*:}; echo "$$package $$name"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package" || exit 1; done

MILLION ?= 1000000
million: ## import MILLION users and tokens (1000000) into SQLite and PostgreSQL, killed and run again
	AUTHCOMPAT_TEST_ROWS=$(MILLION) $(GO) test ./store/django/transfer -run '^TestKilled$$' -v -timeout 60m

# A run that was cut off goes on with SEED=… FROM=…, which its log names.
MOVING ?= 20000
SEED ?= $(shell date +%s)
FROM ?= 0
# In processes of 2 000 cases: each store keeps a descriptor for as long as its process lives.
moving: tools ## import, export and work on MOVING generated Django user bases (20000)
	@seed=$(SEED); from=$(FROM); end=$$(($(FROM) + $(MOVING))); while [ $$from -lt $$end ]; do \
		cases=$$((end - from)); [ $$cases -le 2000 ] || cases=2000; \
		AUTHCOMPAT_MOVING_CASES=$$cases AUTHCOMPAT_MOVING_SEED=$$seed AUTHCOMPAT_MOVING_FROM=$$from \
			$(GO) test -count=1 ./store/django/transfer -run '^TestGenerated$$' -v -timeout 4h || exit 1; \
		from=$$((from + cases)); done

SOAK ?= 10000000
soak: tools ## SOAK generated requests (10000000) to all profiles on all stores, hostile ones among them
	AUTHCOMPAT_SOAK=$(SOAK) AUTHCOMPAT_SOAK_SEED=$(SEED) AUTHCOMPAT_SOAK_FROM=$(FROM) \
		$(GO) test -count=1 ./cmd/authcompat/internal/inprocess -run '^TestSoak$$' -v -timeout 24h

# ONLY=^sqlite plants those bugs alone. DRAW=120 draws changes of the syntax instead (of which some don't compile), by a seed
# that it prints; SEED= repeats them, and SKIP=… goes on with a run that was cut off.
MUTANTS = $(if $(ONLY),-only '$(ONLY)') $(if $(DRAW),-draw $(DRAW) $(if $(filter command line environment,$(origin SEED)),-seed $(SEED)) $(if $(SKIP),-skip $(SKIP)))
mutants: tools ## plant bugs one at a time, each to be caught by the tests of its own package (an hour); DRAW=120 SEED=… draws others
	$(GO) run ./cmd/mutants $(MUTANTS)

# -count=1: these are runs for their figures, never taken from the cache.
LONG = AUTHCOMPAT_LONG=1 $(GO) test -count=1 -v -timeout 60m ./cmd/authcompat
nodes: tools ## two nodes on one PostgreSQL: 1 000 races for a name, 100 000 checks after logouts, restarts
	$(LONG) -run '^TestNodes'

skew: tools ## two nodes on one store while clocks leap by seconds to years (AUTHCOMPAT_SKEW_SEED repeats a run)
	$(LONG) -run '^TestSkew$$'

failover: tools ## a replicated PostgreSQL whose primary is killed 20 times under load
	$(LONG) -run '^TestFailover$$'

front: tools ## a front: 10 000 generated requests and 5 000 mutated paths at genuine Django, 4 GiB up and down, 1 000 silent WebSockets (20 minutes)
	$(LONG) -run '^TestFront'
	$(GO) test -run '^$$' -bench '^Benchmark(Front|Ask)$$' -benchtime 60s ./cmd/authcompat/internal/server

crash: ## a server killed 200 times under load
	AUTHCOMPAT_CRASH_CYCLES=200 $(GO) test -count=1 -v -timeout 30m ./cmd/authcompat -run '^TestKilledServer$$'

CUTS ?= 10000
powercut: tools ## the power cut CUTS times (10000) under servers and commands on an SQLite file (a few minutes; SEED=… repeats the draw)
	AUTHCOMPAT_POWERCUT_CUTS=$(CUTS) AUTHCOMPAT_POWERCUT_SEED=$(SEED) $(GO) test -count=1 -v -timeout 60m ./cmd/authcompat -run '^TestPowercut$$'

bench: ## what authcompat costs, beside bare handlers in the same run (a quarter of an hour; BENCH=-quick for a first look)
	$(GO) run ./cmd/bench $(BENCH)

bench-logins: ## whether login times tell unknown, wrong, inactive and unusable apart, by rank (ten minutes)
	$(LONG) -run '^TestLoginTimes$$'

bench-flood: ## token checks beside ten times the logins that can be served
	$(LONG) -run '^TestLoginFlood$$'
