#!/bin/sh
# What `meson install` leaves is enough: installs into a temporary root, and compiles and runs programs against it without
# a warning. The README's program by a Makefile with pkg-config, by CMake and by Meson, with the static library too;
# tests/user_program.cpp as C++23, for this processor and for any. Then looks at what the shared libraries show and need.
#
#   sh tests/install.sh BUILD COMPILER... [-Werror]
#
# BUILD is a build directory whose libraries are compiled, COMPILER the command that compiled them.
set -eu
cd "$(dirname "$0")/.."
build=$1
shift
case " $* " in
    *' -Werror '*) werror=-Werror ;;
    *) werror='' ;;
esac
compiler="$*"
CXX=${compiler% -Werror}
export CXX
command -v pkg-config >/dev/null || {
    echo 'Skipped: there is no pkg-config here.'
    exit 77
}
stop() {
    echo "$*" >&2
    exit 1
}

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
meson install -C "$build" --no-rebuild --destdir "$root" >"$root/log" || {
    cat "$root/log"
    exit 1
}
libraries=$(dirname "$(find "$root" -name libwengert.so)")
# As if this root were "/".
sed -i "s|^prefix=|prefix=$root|" "$libraries"/pkgconfig/wengert*.pc
export PKG_CONFIG_PATH="$libraries/pkgconfig" LD_LIBRARY_PATH="$libraries"

# run PROGRAM: in a directory of its own, for what it draws. It prints what README says that it prints.
said=$(sed -n "s|.*<< '.n';   // ||p" README.md)
[ -n "$said" ] || stop 'README.md does not say what its program prints.'
run() {
    printed=$(cd "$(dirname "$1")" && "$1")
    echo "$printed"
    [ "$printed" = "$said" ] || stop "It prints $printed, and README.md says $said"
}

# project NAME FILE: a directory with the README's program and how it is built.
project() {
    mkdir "$root/$1"
    awk '/^```/ { inside = $0 == "```cpp"; next } inside' README.md >"$root/$1/program.cpp"
    cp "tests/install/$2" "$root/$1"
    echo "README.md by $1"
}
if command -v make >/dev/null; then
    project make Makefile
    make -s -C "$root/make" CXX="$CXX $werror"
    run "$root/make/program"
else
    echo 'Skipped: there is no make here.'
fi
if command -v cmake >/dev/null; then
    project cmake CMakeLists.txt
    cmake -S "$root/cmake" -B "$root/cmake/build" -DCMAKE_CXX_FLAGS="-Wall -Wextra $werror" -DCMAKE_BUILD_TYPE=Release \
        -DCMAKE_PREFIX_PATH="${libraries%/lib*}" >"$root/log" || stop "$(cat "$root/log")"
    cmake --build "$root/cmake/build" >"$root/log" || stop "$(cat "$root/log")"
    run "$root/cmake/build/program"
else
    echo 'Skipped: there is no CMake here.'
fi
project meson meson.build
meson setup "$root/meson/build" "$root/meson" ${werror:+--werror} >"$root/log" || stop "$(cat "$root/log")"
meson compile -C "$root/meson/build" >"$root/log" || stop "$(cat "$root/log")"
run "$root/meson/build/program"
# As a subproject it is configured alone: to compile the library once more takes minutes.
mkdir "$root/meson/subprojects"
ln -s "$PWD" "$root/meson/subprojects/wengert"
cp docs/packaging/wengert.wrap "$root/meson/subprojects"
meson setup --wrap-mode=forcefallback "$root/meson/parts" "$root/meson" >"$root/log" || stop "$(cat "$root/log")"
grep -q 'Dependency wengert-graph found: YES .* (overridden)' "$root/log" || stop "$(cat "$root/log")"

# user LIBRARIES FLAG...: the training of a model of the user's own, with formulas that this program compiles.
user() {
    flags=$1
    shift
    echo "tests/user_program.cpp: $*"
    # shellcheck disable=SC2046,SC2086 # one word a flag
    "$@" tests/user_program.cpp -o "$root/user_program" $(pkg-config --cflags wengert-models) $flags
    "$root/user_program" >"$root/training"
    tee -a "$root/trained" <"$root/training"
}
shared=$(pkg-config --libs wengert-models)
# -l:lib*.a is the static library, whatever stands beside it. The others are shared, since not all their own have to be
# here to link.
static="$(echo "$shared" | sed 's/-l\(wengert[a-z-]*\)/-l:lib\1.a/g')
    $(pkg-config --libs $(pkg-config --print-requires-private wengert-models))
    $(sed -n 's/^Libs.private: *//p' "$libraries/pkgconfig/wengert.pc")"
strict='-std=c++23 -O2 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-sign-conversion'
# shellcheck disable=SC2086 # one word a flag
{
    user "$shared" "$@" $strict
    user "$shared" "$@" $strict -march=native
    user "$static" "$@" $strict
}
[ "$(sort "$root/trained" | uniq -c | awk '{ print $1 }')" = 3 ] || stop 'The same training ends otherwise for another processor.'

# A build without MPI has the single process in the library of all.
ranks=wengert
[ ! -f "$libraries/pkgconfig/wengert-mpi.pc" ] || ranks=wengert-mpi
echo "examples/data_parallel.cpp by $ranks.pc"
# shellcheck disable=SC2046 # one word a flag
"$@" -std=c++20 -O1 examples/data_parallel.cpp -o "$root/data_parallel" $(pkg-config --cflags --libs $ranks wengert-models)
(cd "$root" && ./data_parallel >data_parallel.out)
grep '^1 ranks, ' "$root/data_parallel.out"
[ -s "$root/data_parallel.svg" ] || stop 'data_parallel has drawn nothing.'

# shown LIBRARY: the names that a program can link to.
shown() {
    nm --dynamic --defined-only --demangle "$libraries/$1"
}
soversion=$(sed -n "s/^soversion = '\(.*\)'$/\1/p" meson.build)
shown libwengert.so | grep -q "wengert::abi_$soversion::Tensor::" || stop "Tensor is not in the namespace abi_$soversion."
# A namespace of internal headers alone.
find autograd ops nn models -path '*/internal/*.hpp' -exec sed -n 's/^namespace wengert::\([a-z_]*\) {$/\1/p' {} + >"$root/hidden"
[ -s "$root/hidden" ] || stop 'No namespace is internal.'
# shellcheck disable=SC2086 # a command and its arguments
if $CXX --version | grep -q clang; then : >"$root/hidden"; fi  # it hides nothing: see meson.build
for library in libwengert libwengert-graph libwengert-models; do
    while read -r namespace; do
        ! shown $library.so | grep -q "[A-Z] wengert::$namespace::" || stop "$library.so shows wengert::$namespace."
    done <"$root/hidden"
done
needs() {
    readelf --dynamic "$libraries/$1" | grep -q "NEEDED.*$2"
}
needs libwengert-graph.so libgvc || stop 'readelf does not say what libwengert-graph.so needs.'
for library in libgvc libcgraph libsentencepiece libmpi; do
    ! needs libwengert.so $library || stop "libwengert.so needs $library."
done
