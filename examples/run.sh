#!/bin/sh
# Trains the reference translator on the built-in corpus, evaluates it on held-out sentences, translates with it and
# draws it. Installs what is missing and compiles first. Everything is left in out/.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tests/setup.sh
. tests/setup.sh

training='--hidden 256 --embedding 128 --layers 1 --learning-rate 2e-3'

# Shows the command as it can be typed, and runs it.
run() {
    printf '\n$'
    for word in "$@"; do
        case $word in
            *' '*) printf " '%s'" "$word" ;;
            *) printf ' %s' "$word" ;;
        esac
    done
    echo
    "$@" || stop "\`$1 $2\` failed"
}

set_up
configure build
compile build examples/seq2seq

seq2seq=build/examples/seq2seq
mkdir -p out
# shellcheck disable=SC2086 # one word an option
run $seq2seq train --model out/model --force $training --epochs 3
run $seq2seq evaluate --model out/model
run $seq2seq translate --model out/model --attention out/attention.svg \
    'When did Jerry sell his computer?' 'Tom will not feed a cow under the tree tonight.' \
    'The computer that Jerry bought two days ago is old.' 'She is angry because Tom stole her watch.'
run $seq2seq graph --model out/model --out out/graph.svg
run $seq2seq graph --model out/model --profile --out out/graph.html

printf '\nAnother system, and a beam of five hypotheses:\n'
# shellcheck disable=SC2086 # one word an option
run $seq2seq train --system luong-general --cell lstm --model out/luong --force $training --epochs 2
run $seq2seq translate --model out/luong --beam 5 --n-best 3 --length-penalty 0.6 --attention out/attention-luong.svg \
    'The computer that Jerry bought two days ago is old.'

printf '\nThe pictures have Chinese words: where they show boxes, a font is missing (fonts-noto-cjk, for one).\n'
printf 'The checkpoints are in %s and %s,\nhow the training went in %s,\nthe attention heat maps in %s and %s,\nthe computation graph in %s,\nand to look around in, with the milliseconds of each op, in %s.\n' \
    "$PWD/out/model" "$PWD/out/luong" "$PWD/out/model/report.html" "$PWD/out/attention.svg" "$PWD/out/attention-luong.svg" "$PWD/out/graph.svg" \
    "$PWD/out/graph.html"
