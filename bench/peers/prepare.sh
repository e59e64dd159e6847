#!/bin/sh
# Builds and fetches what the comparison runs against: prepare.sh [floor,uws,nchan,ws,socketio,soketi,signalr] (all without an argument).
# Whatever cannot be had is said here and becomes a row "not available" in the table; it never stops the rest.
set -u
cd "$(dirname "$0")"
wanted=",${1:-floor,uws,nchan,ws,socketio,soketi,signalr},"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

newer() { [ ! -e "$2" ] || [ "$1" -nt "$2" ]; } # a plain -nt is false in some shells where the second is missing
wants() { case $wanted in *",$1,"*) return 0 ;; esac; return 1; }
tried() { "$@" >"$log" 2>&1 || { echo "'$*' failed:" >&2; tail -n 15 "$log" >&2; return 1; }; }

if wants floor && newer floor/floor.cpp floor/bin/floor; then
    mkdir -p floor/bin
    tried g++ -O2 -std=c++17 -Wall -Wextra -o floor/bin/floor floor/floor.cpp || rm -f floor/bin/floor
fi

if { wants uws || wants ws || wants socketio; } && newer package-lock.json node_modules/.package-lock.json; then
    tried npm ci --ignore-scripts && touch node_modules/.package-lock.json
fi

# Without a lock file: npm does not write a whole one where a registry lacks the optional packages of other systems.
if wants soketi && newer soketi/package.json soketi/node_modules/.package-lock.json; then
    (cd soketi && tried npm install --ignore-scripts --no-package-lock --no-audit --no-fund && touch node_modules/.package-lock.json)
fi

if wants signalr; then
    tried dotnet build SignalR/SignalR.csproj -c Release --nologo -v quiet || true
fi

if wants nchan && [ ! -f /usr/lib/nginx/modules/ngx_nchan_module.so ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq >/dev/null 2>&1
        # RUNLEVEL=1: Debian starts no service for a package that is installed; the comparison starts its own nginx.
        tried env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light libnginx-mod-nchan || true
    else
        echo "Nchan is not installed (on Debian: apt-get install nginx-light libnginx-mod-nchan)." >&2
    fi
fi
exit 0
