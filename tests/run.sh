#!/bin/sh
# sh tests/run.sh [--sanitize] [--clang N [--races]]: runs every test suite in the optimised build, with the first flag
# again under AddressSanitizer and UBSan, with the second again compiled by clang N, and with the third that of
# thread_sanitizer.sh, as continuous integration does. Installs what is missing and compiles first. The last line is
# "N passed, N failed": test cases, over all builds, of which thread_sanitizer.sh counts as one.
set -eu
cd "$(dirname "$0")/.."
# shellcheck source=tests/setup.sh
. tests/setup.sh

usage() {
    stop 'usage: run.sh [--sanitize] [--clang N [--races]]'
}
sanitize=''
races=''
by_clang=''
while [ $# -gt 0 ]; do
    case $1 in
        --sanitize) sanitize=yes ;;
        --races) races=yes ;;
        --clang)
            [ $# -gt 1 ] || usage
            shift
            by_clang=$1
            case $by_clang in '' | *[!0-9]*) usage ;; esac
            [ "$by_clang" -ge 17 ] || stop 'the suites need clang 17 or later'
            packages="$packages clang-$by_clang libomp-$by_clang-dev"
            ;;
        *) usage ;;
    esac
    shift
done
[ -z "$races" ] || [ -n "$by_clang" ] || usage
passed=0
failed=0

# Prints "PASSED FAILED" for a log of `meson test`. A program that fails though none of its cases did (a crash, a leak
# found at exit) adds one failure, and so does one that ran no case; a program that is no doctest suite is one case,
# unless it skips (77).
count() {
    awk '
        function finish() {
            if (name == "" || result == "exit status 77") return
            if (cases == 0) print name ": no test case ran" > "/dev/stderr"
            if (cases == 0 || (result != "exit status 0" && suite_failed == 0)) suite_failed++
            else if (cases < 0) suite_passed = 1
            passed += suite_passed
            failed += suite_failed
        }
        /^=+ [0-9]+\/[0-9]+ =+$/ { finish(); name = result = ""; cases = -1; suite_passed = suite_failed = 0 }
        /^test: / && name == "" { sub(/^test: */, ""); name = $0 }
        /^result: / && result == "" { sub(/^result: */, ""); result = $0 }
        /^\[doctest\] test cases:/ { cases = $4; suite_passed = $6; suite_failed = $9 }
        END { finish(); print passed + 0, failed + 0 }' "$1"
}

# run_suites DIRECTORY: a failure is counted, and the next build is still tested.
run_suites() {
    log=$PWD/$1/meson-logs/testlog.txt
    rm -f "$log"
    status=0
    meson test -C "$1" --no-rebuild --print-errorlogs --timeout-multiplier 10 || status=$?
    [ -s "$log" ] || stop "no test of $1 could be started"
    counts=$(count "$log")
    case $status/$counts in
        */'0 0' | [!0]*/*' 0') stop "meson test ended with $status after '$counts' passed and failed; see $log" ;;
        [!0]*) echo "Failures in $1: the whole log is $log" >&2 ;;
    esac
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
}

set_up
[ -z "$by_clang" ] || command -v "clang++-$by_clang" >/dev/null || stop "there is no clang++-$by_clang"
sh tests/check_format.sh || failed=1

# Suites run side by side: a thread that waits leaves its core to another suite.
export OMP_WAIT_POLICY=passive

configure build
compile build programs
run_suites build

if [ -n "$sanitize" ]; then
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export LSAN_OPTIONS="suppressions='$PWD/tests/lsan.supp':print_suppressions=0"
    # UBSan's checks of each reference in the inlined vector kernels double the time to compile, and find nothing that
    # AddressSanitizer does not.
    configure build-sanitize -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=g \
        -Dcpp_args='-g1 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS -fno-sanitize=null,alignment,object-size,vptr'
    compile build-sanitize programs
    run_suites build-sanitize
fi

if [ -n "$by_clang" ]; then
    export CXX="clang++-$by_clang"
    # Another compiler's warnings and results are asked for, not its speed.
    configure build-clang -Dwerror=true -Doptimization=2
    compile build-clang programs
    run_suites build-clang
fi

if [ -n "$races" ]; then
    if sh tests/thread_sanitizer.sh "$by_clang"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
