#!/bin/sh
# Measures what a busy processor costs a training step: times a small translation model by one thread and by two, alone
# and beside a program that never rests, and prints a table in Markdown.
#
#   sh tests/bench/busy_cores.sh [BUILD] [PROGRAM] [REPETITIONS]
#
# BUILD is a build directory with -Dbenchmarks=true, build by default, PROGRAM its seq2seq_step or another one that takes
# the same options. Of each time there are so many, 5 by default, and the median stands in the table. `ratio` is to one
# thread beside the same load. Run it on two processors with nothing beside (`taskset -c 0,1` where there are more).
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
step=${2:-$build/tests/bench/seq2seq_step}
repetitions=${3:-5}
unset OMP_WAIT_POLICY GOMP_SPINCOUNT OMP_NUM_THREADS

load=
trap '[ -z "$load" ] || kill "$load"' EXIT

# seconds THREADS [VARIABLE=VALUE]: the median time of a step.
seconds() {
    for _ in $(seq "$repetitions"); do
        env ${2:-} "$step" --hidden 256 --emb 128 --vocab 1000 --layers 1 --steps 20 --warmup 3 --threads "$1" |
            sed -n 's/.*"seconds_per_step":\([0-9.e-]*\).*/\1/p'
    done | sort -g | sed -n "$(((repetitions + 1) / 2))p"
}

# row LOAD THREADS WAITING SECONDS ONE_THREAD
row() { awk -v s="$4" -v one="$5" "BEGIN { printf \"| $1 | $2 | $3 | %.4f | %.2f |\\n\", s, s / one }"; }

rows() {
    one=$(seconds 1)
    row "$1" 1 '' "$one" "$one"
    row "$1" 2 usual "$(seconds 2)" "$one"
    row "$1" 2 'spin 1000 times' "$(seconds 2 GOMP_SPINCOUNT=1000)" "$one"
    row "$1" 2 'sleep' "$(seconds 2 OMP_WAIT_POLICY=passive)" "$one"
    row "$1" 2 'spin for 3 ms' "$(seconds 2 GOMP_SPINCOUNT=300000)" "$one"
}

echo '| beside it | threads | waiting | seconds | ratio |'
echo '| --- | ---: | --- | ---: | ---: |'
rows nothing
sh -c 'while :; do :; done' &
load=$!
rows 'one busy program'
