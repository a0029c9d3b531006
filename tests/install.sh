#!/bin/sh
# What `meson install` leaves is enough: installs into a temporary root, and compiles and runs against it, with the flags
# that pkg-config gives, the README's program as C++20 and tests/user_program.cpp as C++23, without a warning.
#
#   sh tests/install.sh BUILD COMPILER... [-Werror]
#
# BUILD is a build directory whose library is compiled, COMPILER the command that compiled it.
set -eu
cd "$(dirname "$0")/.."
build=$1
shift
command -v pkg-config >/dev/null || {
    echo 'Skipped: there is no pkg-config here.'
    exit 77
}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
meson install -C "$build" --no-rebuild --destdir "$root" >"$root/log" || {
    cat "$root/log"
    exit 1
}
pc=$(find "$root" -name wengert.pc)
# As if this root were "/".
sed -i "s|^prefix=|prefix=$root|" "$pc"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
libraries=$(find "$root" -name 'libwengert.*' -exec dirname {} \; | sort -u)

# use PROGRAM FLAG...
use() {
    source=$1
    shift
    echo "$source: $*"
    # shellcheck disable=SC2046 # one word a flag
    "$@" "$source" -o "$root/program" $(pkg-config --cflags --libs wengert)
    (cd "$root" && LD_LIBRARY_PATH=$libraries ./program)
}
awk '/^```/ { inside = $0 == "```cpp"; next } inside' README.md >"$root/readme.cpp"
use "$root/readme.cpp" "$@" -std=c++20 -O1 -Wall -Wextra
use tests/user_program.cpp "$@" -std=c++23 -O3 -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion
