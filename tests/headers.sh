#!/bin/sh
# Every public header compiles alone, and none warns: each by itself with the compiler of the build, and all headers
# together with clang, if clang 16 or later is installed. Headers of other libraries are the system's and may warn.
#
#   sh tests/headers.sh BUILD COMPILER... [-Werror]
#
# BUILD is a configured build directory, COMPILER the command that compiles it.
set -eu
cd "$(dirname "$0")/.."
build=$1
shift

PKG_CONFIG_PATH=$build/meson-uninstalled
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # one word a package
packages=$(pkg-config --print-requires --print-requires-private wengert wengert-graph wengert-models | grep -v '^wengert')
# shellcheck disable=SC2086
others=$(pkg-config --cflags $packages | sed 's/-I */-isystem /g')
# What GCC calls -Wconversion in C++; clang's has changes of sign in it.
flags="-std=c++20 -fsyntax-only -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-sign-conversion
    -fopenmp -I$build/include $others"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
find autograd ops nn models -name '*.hpp' ! -name precompiled.hpp ! -name wengert.hpp | sort >"$scratch/headers"
grep -v /internal/ "$scratch/headers" | while read -r header; do
    printf '#include <wengert/%s>\n' "$header" >"$scratch/$(echo "$header" | tr / -).cpp"
done

failed=0
# shellcheck disable=SC2086 # one word a flag
find "$scratch" -name '*.cpp' -print0 | xargs -0 -n 1 -P "$(nproc)" "$@" $flags || failed=1
echo "$(grep -vc /internal/ "$scratch/headers") headers, each alone, with $*"

case " $* " in
    *' -Werror '*) flags="$flags -Werror" ;;
esac
clang=''
for program in clang++ clang++-16 clang++-17 clang++-18 clang++-19 clang++-20; do
    version=$("$program" -dumpversion 2>/dev/null) || continue
    [ "${version%%.*}" -lt 16 ] || clang=$program
done
if [ -n "$clang" ]; then
    sed 's/.*/#include <wengert\/&>/' "$scratch/headers" >"$scratch/all.cpp"
    # shellcheck disable=SC2086
    "$clang" $flags "$scratch/all.cpp" || failed=1
    echo "All headers together, with $clang"
else
    echo 'Not checked with clang: there is no clang 16 or later here.'
fi
exit $failed
