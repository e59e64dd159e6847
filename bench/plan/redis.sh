#!/bin/sh
# What carrying costs a Redis: its CPU for a publication and for each node that takes a copy.
#   bench/plan/redis.sh [publications] [bytes]
# A Redis of its own on a Unix socket (over TCP it costs somewhat more), 0, 4 and 16 subscribers, one publication in flight on each of eight connections. Prints one JSON line per
# round and the two costs, as bench/plan/inputs.json wants them.
set -eu
count=${1:-100000}
bytes=${2:-1024}
for tool in redis-server redis-cli redis-benchmark; do
    command -v "$tool" > /dev/null || { echo "bench/plan/redis.sh needs $tool (Debian: redis-server, redis-tools)." >&2; exit 1; }
done

folder=$(mktemp -d)
socket=$folder/redis.sock
pids=
cleanup() {
    for pid in $pids; do kill "$pid" 2> /dev/null || true; done
    rm -rf "$folder"
}
trap cleanup EXIT INT TERM

redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no --dir "$folder" --client-output-buffer-limit 'pubsub 256mb 64mb 60' > "$folder/log" &
pids=$!
until redis-cli -s "$socket" ping > /dev/null 2>&1; do sleep 0.1; done

payload=$(head -c "$bytes" /dev/zero | tr '\0' x)
cpu() { redis-cli -s "$socket" info cpu | awk -F: '/^used_cpu_(sys|user):/ { sum += $2 } END { printf "%.6f", sum }'; }

have=0
for readers in 0 4 16; do
    while [ "$have" -lt "$readers" ]; do
        redis-cli -s "$socket" subscribe bench > /dev/null &
        pids="$pids $!"
        have=$((have + 1))
    done
    until [ "$(redis-cli -s "$socket" pubsub numsub bench | tail -n 1)" = "$readers" ]; do sleep 0.1; done

    before=$(cpu)
    redis-benchmark -s "$socket" -n "$count" -c 8 -q publish bench "$payload" > "$folder/benchmark" 2>&1
    after=$(cpu)
    cost=$(awk -v a="$before" -v b="$after" -v n="$count" 'BEGIN { printf "%.3f", (b - a) / n * 1e6 }')
    printf '{"publications":%s,"bytes":%s,"subscribers":%s,"redisCpuMicrosecondsPerPublication":%s}\n' "$count" "$bytes" "$readers" "$cost"
    case $readers in
        0) alone=$cost ;;
        16) awk -v a="$alone" -v b="$cost" 'BEGIN { printf "redisMicrosecondsPerPublication %.1f\nredisMicrosecondsPerCopy %.1f\n", a, (b - a) / 16 }' ;;
    esac
done
