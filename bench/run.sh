#!/bin/sh
# Measures the server from outside: bench/run.sh peers|latency|posts|likes|crowd|schedule|connections|fanout|storm|stalled|all [--name value …]
# The server gets core 0, the generator the last core. Results: a table here, and JSON lines in bench/results/.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

for tool in dotnet taskset setpriv; do
    command -v "$tool" >/dev/null || { echo "bench/run.sh needs $tool (taskset and setpriv are in util-linux)." >&2; exit 1; }
done

build() {
    log=$(dotnet build "$root/$1" -c Release -p:BuildPage=false --nologo -v quiet 2>&1) || { echo "$log" >&2; exit 1; }
}
if [ "${BENCH_BUILD:-1}" = 1 ]; then
    build src/Tidings.Server/Tidings.Server.csproj
    build bench/Tidings.Bench/Tidings.Bench.csproj
    if [ "${1:-}" = peers ]; then
        only=$(printf '%s\n' "$@" | sed -n '/^--only$/{n;p;}')
        "$root/bench/peers/prepare.sh" ${only:+"$only"}
    fi
fi

BENCH_COMMIT=$(git -C "$root" rev-parse --short HEAD 2>/dev/null || echo unknown)
export BENCH_COMMIT
exec taskset -c "$(($(nproc) - 1))" dotnet "$root/bench/Tidings.Bench/bin/Release/net10.0/Tidings.Bench.dll" "$@"
