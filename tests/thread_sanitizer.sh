#!/bin/sh
# sh tests/thread_sanitizer.sh [CLANG]: compiles the suites by clang, 19 unless another is named, for ThreadSanitizer,
# and runs the tests in which threads meet: a user's own that share tensors, parameters, tapes or a model, those of
# OpenMP within ops, and ranks that are threads. run.sh calls it for --races alone: it compiles everything once more.
# Archer, a part of clang's OpenMP, tells the sanitizer how OpenMP's threads wait for one another. Libraries that are not compiled for it
# are not looked into.
set -eu
cd "$(dirname "$0")/.."
number=${1:-19}
export CXX="clang++-$number"
# shellcheck source=tests/setup.sh
. tests/setup.sh
packages="$packages clang-$number libomp-$number-dev"

set_up
archer=$("$CXX" -print-file-name=libarcher.so)
[ -e "$archer" ] || stop "$CXX has no libarcher.so"
suites='test_autograd test_ops test_nn test_models'
configure build-thread -Db_sanitize=thread -Db_lundef=false -Doptimization=1 -Donednn=disabled -Dcpp_args=-g1
# shellcheck disable=SC2046,SC2086 # one word a target
compile build-thread $(printf 'tests/%s ' $suites)
export OMP_NUM_THREADS=4 OMP_TOOL_LIBRARIES="$archer"
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1 suppressions=$PWD/tests/tsan.supp"
for suite in $suites; do
    build-thread/tests/"$suite" --test-case='*thread*,*OpenMP*,*fork*,*rank*,*all_reduce*,overlapped*,allocator:*,waiting:*'
done
