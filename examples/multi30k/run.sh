#!/bin/sh
# sh examples/multi30k/run.sh DATA OUT [SYSTEM...]: trains translation systems on Multi30k from German to English,
# prints a table of them in Markdown, and draws their curves and their BLEU by length. DATA has train.de, train.en,
# val.de, val.en, or the same with multi30k. in front. OUT gets a model and a log for each system. Without names every
# system is trained, and last the best recipe with three seeds: best, best-2 and best-3, which are measured together,
# too, as an ensemble. FROM=en TO=de, into another OUT, is the other direction; THREADS, SEED and TEST (another pair of
# files) may be set.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/setup.sh
. tests/setup.sh

[ $# -ge 2 ] || stop 'usage: run.sh DATA OUT [SYSTEM...]'
from=${FROM:-de} to=${TO:-en} seed=${SEED:-1} threads=${THREADS:-$(nproc)}
out=$2
data=$1/multi30k.
[ -e "${data}train.$from" ] || data=$1/
for part in train val; do
    for side in "$from" "$to"; do
        [ -e "$data$part.$side" ] || stop "$data$part.$side does not exist"
    done
done
test=${TEST:-${data}val}
shift 2

set_up
configure build
compile build examples/seq2seq
seq2seq=build/examples/seq2seq
[ $# -gt 0 ] || set -- sutskever cho bahdanau conditional luong-dot luong-general luong-concat luong-local-m luong-local-p \
    coverage multihead transformer best best-2 best-3
mkdir -p "$out"
one_vector='--subwords 4000 --joint --tying all --hidden 400 --output-dropout 0.5 --word-dropout 0.1 --epochs 14'

# What the articles have beside the common recipe. Without attention the source is one vector, for which subwords, more
# features and more dropout do most. Where the state predicts the place that it looks at, and the encoder's last states
# know all, it learns to look at the end; an encoder of both directions has no such place.
own_options() {
    case $1 in
        sutskever) echo "--cell lstm --layers 2 --reverse-source --readout deep $one_vector" ;;
        cho) echo "--bidirectional $one_vector" ;;
        bahdanau) echo '--bidirectional --backward-bridge --readout maxout --tying target --epochs 13' ;;
        coverage | multihead) echo '--bidirectional --backward-bridge --readout maxout' ;;
        conditional) echo '--bidirectional' ;;
        luong-local-p) echo '--cell lstm --layers 1 --bidirectional' ;;
        luong-*) echo '--cell lstm --layers 1' ;;
        transformer) echo '--layers 3 --feed-forward 512 --learning-rate 5e-4 --warmup 1000 --schedule inverse-square-root' ;;
    esac
}

for system in "$@"; do
    model=$out/$system
    [ ! -e "$model/done" ] || continue
    own_seed=$seed
    case $system in
        best) recipe='--preset multi30k-best' ;;
        best-*) recipe='--preset multi30k-best' own_seed=${system#best-} ;;
        *) recipe="--preset multi30k --system $system $(own_options "$system")" ;;
    esac
    again=''
    [ ! -e "$model/latest" ] || again=--resume
    # shellcheck disable=SC2086 # one word an option
    $seq2seq train --model "$model" $again $recipe --source "${data}train.$from" --target "${data}train.$to" \
        --validation-source "${data}val.$from" --validation-target "${data}val.$to" --seed "$own_seed" \
        --threads "$threads" || stop "training $system failed"
    touch "$model/done"
done
ensemble=''
for system in "$@"; do
    case $system in best*) ensemble="$ensemble --model $out/$system/best" ;; esac
    set -- "$@" --model "$out/$system/best"
    shift
done
$seq2seq compare "$@" --source "$test.$from" --target "$test.$to" --tokenize none --beam 5 --length-penalty 1 \
    --threads "$threads" --curves "$out/curves.svg" --lengths "$out/lengths.svg" >"$out/table.md"
cat "$out/table.md"
case $ensemble in
    *--model*--model*)
        echo "The ensemble of$ensemble:"
        # shellcheck disable=SC2086 # one word an option
        $seq2seq evaluate $ensemble --source "$test.$from" --target "$test.$to" --tokenize none --beam 5 \
            --length-penalty 1 --threads "$threads" | tee "$out/ensemble.json"
        ;;
esac
