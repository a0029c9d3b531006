#!/bin/sh
# Measures training on two ranks: prints a table in Markdown of target tokens a second by one rank of one and of two
# threads, by two ranks of one thread on this machine, and by two ranks between which all goes over a link of 1 Gbit/s,
# as they are and rounded to bfloat16.
#
#   sh tests/bench/ranks.sh [BUILD] [STEPS] [OPTIONS OF TRAIN...]
#
# BUILD is a build directory, build by default. A training on the built-in corpus takes so many steps, 24 by default,
# of which the first half does not count, with `--hidden 512 --embedding 256 --layers 1 --batch 256` unless options are
# given. The link is made of two network namespaces, for which one must be root; elsewhere its rows are left out. Of
# each row there are three runs, and the median stands in the table.
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
steps=${2:-24}
[ $# -lt 2 ] || shift
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- --hidden 512 --embedding 256 --layers 1 --batch 256
seq2seq=$PWD/$build/examples/seq2seq
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

scratch=$(mktemp -d)
cleanup() {
    rm -rf "$scratch"
    ip netns del wengert-a 2>/dev/null || true
    ip netns del wengert-b 2>/dev/null || true
}
trap cleanup EXIT

make_link() {
    [ "$(id -u)" -eq 0 ] && command -v ip >/dev/null && command -v tc >/dev/null || return 1
    ip netns add wengert-a && ip netns add wengert-b || return 1
    ip link add wengert-va netns wengert-a type veth peer name wengert-vb netns wengert-b || return 1
    for side in a:1 b:2; do
        netns=wengert-${side%:*}
        interface=wengert-v${side%:*}
        ip -n "$netns" addr add "10.77.0.${side#*:}/24" dev "$interface"
        ip -n "$netns" link set lo up
        ip -n "$netns" link set "$interface" up
        ip netns exec "$netns" tc qdisc add dev "$interface" root tbf rate 1gbit burst 256kb latency 50ms || return 1
    done
    # mpirun calls it with a host and a command, as it would call ssh.
    printf '#!/bin/sh\nshift\nexec ip netns exec wengert-b sh -c "$*"\n' >"$scratch/agent"
    chmod +x "$scratch/agent"
}

# tokens_per_second COMMAND...: over the second half of the steps, median of three.
tokens_per_second() {
    for run in 1 2 3; do
        rm -rf "$scratch/model"
        "$@" >"$scratch/out" 2>&1 || {
            cat "$scratch/out" >&2
            return 1
        }
        awk -v steps="$steps" -F'[:,]' '{
                for (i = 1; i < NF; ++i) {
                    if ($i ~ /"step"/) step = $(i + 1)
                    if ($i ~ /"tokens_per_second"/) rate = $(i + 1)
                    if ($i ~ /"seconds"/) seconds = $(i + 1)
                }
                if (step > steps / 2) { tokens += rate * seconds; time += seconds }
            }
            END { printf "%.0f\n", tokens / time }' "$scratch/model/steps.jsonl" >"$scratch/rate$run"
    done
    sort -n "$scratch/rate1" "$scratch/rate2" "$scratch/rate3" | sed -n 2p
}

train() { echo "$seq2seq" train --model "$scratch/model" --epochs 1000 --max-steps "$steps" --validate-every 1000000 "$@"; }

# row WHAT THREADS TOKENS
row() {
    [ -n "${one:-}" ] || one=$3
    awk -v tokens="$3" -v one="$one" "BEGIN { printf \"| $1 | $2 | %d | %.2f |\\n\", tokens, tokens / one }"
}

echo '| ranks | threads of each | tokens/s | of one rank of one thread |'
echo '| --- | ---: | ---: | ---: |'
# shellcheck disable=SC2046,SC2086 # one word an argument
{
    rate=$(tokens_per_second $(train "$@" --threads 1))
    row 1 1 "$rate"
    rate=$(tokens_per_second $(train "$@" --threads 2))
    row 1 2 "$rate"
    local_ranks="mpirun --bind-to none --oversubscribe -np 2"
    rate=$(tokens_per_second $local_ranks $(train "$@" --threads 1))
    row '2, one machine' 1 "$rate"
    rate=$(tokens_per_second $local_ranks $(train "$@" --threads 1 --wire bfloat16))
    row '2, one machine, bfloat16' 1 "$rate"
    make_link || exit 0
    far_ranks="ip netns exec wengert-a mpirun --mca plm_rsh_agent $scratch/agent --mca pml ob1 --mca btl self,tcp
        --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 --bind-to none
        --host 10.77.0.1:1,10.77.0.2:1 -np 2"
    rate=$(tokens_per_second $far_ranks $(train "$@" --threads 1))
    row '2, 1 Gbit/s' 1 "$rate"
    rate=$(tokens_per_second $far_ranks $(train "$@" --threads 1 --wire bfloat16))
    row '2, 1 Gbit/s, bfloat16' 1 "$rate"
}
