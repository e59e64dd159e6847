#!/usr/bin/env bash
# Everything that shows whether this tree is good: installs what the tests need, builds once, runs every suite.
#   ./test.sh          minutes
#   ./test.sh --long   the same with the big numbers: more kills, longer fuzzing, bigger seeds
#   ./test.sh --soak [minutes]   one server under random faults for so long (10), and nothing else
# Its last line is 'N passed, N failed'; it exits with 0 only if nothing failed. What a failed suite said is in artifacts/tests/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

soak=
case "${1:-}" in
  '') ;;
  --long) export TIDINGS_LONG=1 ;;
  --soak)
    soak=${2:-10}
    [[ $soak =~ ^[0-9]{1,4}$ && $soak != 0* ]] || { echo "usage: ./test.sh --soak [minutes]" >&2; exit 2; }
    export TIDINGS_SOAK_MINUTES=$soak ;;
  *) echo "usage: ./test.sh [--long | --soak [minutes]]" >&2; exit 2 ;;
esac

export TIDINGS_ALL_TESTS=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1
logs=artifacts/tests
rm -rf "$logs"
mkdir -p "$logs"
passed=0
failed=0
limit=$([ -n "${TIDINGS_LONG:-}" ] && echo 7200 || echo 900)   # seconds for one suite: what hangs has failed
[ -z "$soak" ] || limit=$((soak * 60 + 600))

# The last line, whatever happens before it.
finish() {
  local status=$?
  [ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1
  printf '\n%s s in all\n%s passed, %s failed\n' "$SECONDS" "$passed" "$failed"
  [ "$failed" = 0 ] || exit 1
}
trap finish EXIT

say() { printf '\n== %s\n' "$*"; }

# install COMMAND PACKAGE: a Debian package, unless its command is there. A tool that can't be had is a failure, never a skipped test.
install() {
  command -v "$1" > /dev/null && return 0
  if ! command -v apt-get > /dev/null || [ "$(id -u)" != 0 ]; then
    echo "The tests need '$1': install it (on Debian: apt-get install $2), or run ./test.sh as root." >&2
    exit 1
  fi
  say "installing $2"
  [ -n "${apt_is_fresh:-}" ] || apt-get update -qq
  apt_is_fresh=1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" > "$logs/install-$2.log" 2>&1 || { cat "$logs/install-$2.log"; exit 1; }
}

# suite NAME COUNTER COMMAND…: runs a command, adds up what COUNTER reads from its output. A suite that runs no test has failed.
suite() {
  local name=$1 counter=$2 log="$logs/$1.log" began=$SECONDS status=0 good=0 bad=0
  shift 2
  timeout --kill-after=10 "$limit" "$@" > "$log" 2>&1 || status=$?
  read -r good bad < <("$counter" "$log") || true
  good=${good:-0} bad=${bad:-0}
  if [ "$status" != 0 ] && [ "$counter" = of_check ]; then good=0; fi
  if [ "$bad" = 0 ] && { [ "$status" != 0 ] || [ "$good" = 0 ]; }; then bad=1; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  printf '%-28s %6d passed %4d failed %5d s\n' "$name" "$good" "$bad" "$((SECONDS - began))"
  if [ "$bad" != 0 ]; then
    echo "---- the end of $log"
    [ "$status" != 124 ] || echo "It did not end within $limit s; the last tests that began: $(grep -F '[STARTING]' "$log" | tail -n 4)"
    grep -vE 'Starting:|Discover|Finished:|\[(STARTING|FINISHED|PASS)\]' "$log" | tail -n 120 || true
    echo "----"
  fi
}

# What the runners say at the end, as 'passed failed'.
of_xunit() { sed -nE 's/.*Total: ([0-9]+), Errors: ([0-9]+), Failed: ([0-9]+), Skipped: ([0-9]+).*/\1 \2 \3 \4/p' "$1" | tail -n 1 | awk '{ print $1 - $3 - $4, $2 + $3 + $4 }'; }
of_vitest() { sed -E 's/\x1b\[[0-9;]*m//g' "$1" | awk '/^ *Tests / { for (i = 2; i <= NF; i++) { if ($i == "passed") good = $(i - 1); if ($i == "failed" || $i == "skipped" || $i == "todo") bad += $(i - 1) } } END { print good + 0, bad + 0 }'; }
of_check() { echo "1 0"; }   # one check; its exit code decides

# xunit NAME PROJECT [FILTER…]
xunit() { suite "$1" of_xunit dotnet "tests/$2/bin/Debug/net10.0/$2.dll" -noColor -noLogo -reporter verbose "${@:3}"; }

if [ -n "$soak" ]; then
  say "building"
  dotnet build tests/Tidings.Faults.Tests -p:BuildPage=false --nologo -v quiet > "$logs/build.log" 2>&1 || { tail -n 60 "$logs/build.log"; exit 1; }
  say "soaking for $soak minutes"
  suite soak of_xunit dotnet tests/Tidings.Faults.Tests/bin/Debug/net10.0/Tidings.Faults.Tests.dll -noColor -noLogo -reporter verbose -showLiveOutput -class '*.SoakTests'
  sed -n '/\[OUTPUT\]/s/.*\[OUTPUT\] *//p' "$logs/soak.log"
  exit 0
fi

install chromium chromium
# Only its binaries: the tests make clusters of their own, and Debian's would be one beside them.
if [ ! -d /usr/lib/postgresql ] && ! command -v initdb > /dev/null; then
  install pg_lsclusters postgresql-common
  [ "$(id -u)" != 0 ] || sed -ri 's/^#?create_main_cluster .*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
  install initdb postgresql
fi
install strace strace
install faketime faketime
install redis-server redis-server
install redis-sentinel redis-sentinel
install nginx nginx-light
# What docs/backends.md has programs for.
install curl curl
install python3 python3
install php php-cli
install ruby ruby
install go golang-go
install systemd-analyze systemd
chromium=$(command -v chromium)
export CHROMIUM=$chromium

say "building"
began=$SECONDS
npm ci --no-audit --no-fund --loglevel=error > "$logs/npm.log" 2>&1 || { cat "$logs/npm.log"; exit 1; }
dotnet build Tidings.slnx --nologo -v quiet > "$logs/build.log" 2>&1 || { tail -n 60 "$logs/build.log"; exit 1; }
echo "built in $((SECONDS - began)) s"

say "testing${TIDINGS_LONG:+, the long way}"
suite format of_check dotnet format Tidings.slnx --no-restore --verify-no-changes
suite client-types of_check npm run typecheck --workspace clients/typescript --silent
suite client of_vitest npm test --workspace clients/typescript --silent
suite client-size of_check npm run size --workspace clients/typescript --silent
suite page-types of_check npm run typecheck --workspace web --silent
suite page of_vitest npm test --workspace web --silent
xunit realtime Tidings.Realtime.Tests
xunit simulation Tidings.Simulation.Tests
xunit fuzz Tidings.Fuzz
xunit protocols Tidings.Protocols.Tests
xunit library Tidings.Library.Tests
suite interop-types of_check npm run typecheck --workspace tests/interop --silent
suite interop of_vitest npm test --workspace tests/interop --silent
xunit server Tidings.Server.Tests
TIDINGS_TEST_DATABASE=postgres xunit server-postgres Tidings.Server.Tests -trait- Database=SQLite
xunit scaleout Tidings.Scaleout.Tests
xunit faults Tidings.Faults.Tests
xunit cluster Tidings.Cluster.Tests
xunit publishing Tidings.Publishing.Tests
xunit deploy Tidings.Deploy.Tests
xunit browser Tidings.Browser.Tests
