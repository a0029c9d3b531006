#!/bin/sh
# sh tests/thread_sanitizer.sh: builds the library for ThreadSanitizer and runs the tests in which a user's own threads
# share tensors, parameters, tapes or a model. Not part of run.sh: it compiles everything once more. OpenMP stays at one
# thread, because GCC's OpenMP library is not built for ThreadSanitizer, which then cannot see how its threads wait.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tests/setup.sh
. tests/setup.sh

set_up
configure build-thread -Db_sanitize=thread -Db_lundef=false -Doptimization=1 -Donednn=disabled -Dcpp_args=-g1
compile build-thread tests/test_autograd tests/test_ops tests/test_models
export OMP_NUM_THREADS=1 TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/tests/tsan.supp"
build-thread/tests/test_autograd --test-case='allocator:*,large blocks: threads*,recording scope:*,scope:*,tape: one per thread*,threads can draw*'
build-thread/tests/test_ops --test-case='packed weights: threads*,precision: the scope*'
build-thread/tests/test_models --test-case='search: threads*'
