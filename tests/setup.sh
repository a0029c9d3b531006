# Sets up the build for examples/run.sh and tests/run.sh, which source this file in the repository root: installs the
# Debian packages that are missing, names whatever else is missing, configures and compiles. What is done already is not
# done again.
# shellcheck shell=sh

# dpkg-dev: Meson asks it where libraries go, so that the compiler and the loader find them.
packages='g++ dpkg-dev meson ninja-build pkgconf libfmt-dev libxsimd-dev libgraphviz-dev nlohmann-json3-dev libcli11-dev
    libutf8proc-dev doctest-dev'
pkg_config_modules='openblas fmt xsimd libcgraph libgvc nlohmann_json libutf8proc'
headers='CLI/CLI.hpp doctest/doctest.h'
export CXX="${CXX:-g++}"
clang=$("$CXX" --version 2>/dev/null | sed -n 's/.*clang version \([0-9]*\).*/\1/p')
# clang's OpenMP is a package of its own.
[ -z "$clang" ] || packages="$packages libomp-$clang-dev"

stop() {
    printf '%s: stopped: %s\n' "$0" "$*" >&2
    exit 1
}

system_name() (
    PRETTY_NAME=$(uname -s)
    # shellcheck source=/dev/null
    [ ! -r /etc/os-release ] || . /etc/os-release
    printf '%s' "$PRETTY_NAME"
)

# Debian 12 and Ubuntu 24.04 are the first whose g++ and Meson are new enough. Debian testing has no number, and the
# numbers of derived systems are their own: `lacking` finds out if one of them is too old.
has_our_packages() (
    ID='' ID_LIKE='' VERSION_ID=''
    # shellcheck source=/dev/null
    [ ! -r /etc/os-release ] || . /etc/os-release
    case "$ID $ID_LIKE " in
        'debian '*) dpkg --compare-versions "${VERSION_ID:-12}" ge 12 ;;
        'ubuntu '*) dpkg --compare-versions "$VERSION_ID" ge 24.04 ;;
        *' debian '* | *' ubuntu '*) ;;
        *) false ;;
    esac
)

installed() {
    dpkg-query --show --showformat '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# OpenBLAS's OpenMP build shares its threads with Wengert's own loops, but whichever is there already will do.
missing_packages() {
    for package in $packages; do
        installed "$package" || printf ' %s' "$package"
    done
    installed libopenblas-openmp-dev || installed libopenblas-pthread-dev || installed libopenblas-serial-dev ||
        printf ' libopenblas-openmp-dev'
    # oneDNN is for processors with AVX-512, and not every architecture has it.
    [ "$(dpkg --print-architecture)" != amd64 ] || installed libdnnl-dev || printf ' libdnnl-dev'
    # NumPy's files are optional.
    installed libzip-dev || printf ' libzip-dev'
    # So is the server of translators.
    installed libcpp-httplib-dev || printf ' libcpp-httplib-dev'
    # Subwords are optional, and sentencepiece is not on every architecture either.
    case $(dpkg --print-architecture) in
        amd64 | arm64) installed libsentencepiece-dev || printf ' libsentencepiece-dev' ;;
    esac
}

# Output goes to one stream for the caller to keep; apt waits its turn if an automatic upgrade is running.
apt_get() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 "$@" </dev/null 2>&1
}

# Package lists are updated only if the installation fails without: they may be absent or stale.
install_packages() {
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    by_hand="apt-get update && apt-get install --no-install-recommends$missing"
    as_root=''
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || stop "packages are missing and there is no sudo; run as root: $by_hand"
        as_root=sudo
    fi
    printf 'Installing%s\n' "$missing"
    # shellcheck disable=SC2086 # one word a package
    output=$(apt_get install -y --no-install-recommends $missing) ||
        output=$(apt_get update && apt_get install -y --no-install-recommends $missing) || {
        printf '%s\n' "$output" | tail -n 20 >&2
        stop "the packages could not be installed (the end of apt's output stands above); run as root: $by_hand"
    }
}

# at_least OLDEST VERSION: compares major.minor; no version at all is too old.
at_least() {
    [ -n "$2" ] && printf '%s\n%s\n' "$1" "$2" | sort -C -V
}

# Prints, one a line, what the build needs and cannot find.
lacking() {
    if [ -n "$clang" ]; then
        at_least 16 "$clang" || echo "clang 16 or later ($CXX is clang $clang)"
    else
        at_least 12 "$("$CXX" -dumpversion 2>/dev/null)" || echo "$CXX 12 or later"
    fi
    at_least 1.0 "$(meson --version 2>/dev/null)" || echo 'meson 1.0 or later'
    command -v ninja >/dev/null || echo 'ninja'
    command -v pkg-config >/dev/null || echo 'pkg-config'
    for module in $pkg_config_modules; do
        pkg-config --exists "$module" 2>/dev/null || echo "$module.pc"
    done
    for header in $headers; do
        echo "#include <$header>" | "$CXX" -E -x c++ - >/dev/null 2>&1 || echo "$header"
    done
}

# Everything that configuring, compiling and testing need.
set_up() {
    if has_our_packages; then install_packages; fi
    missing=$(lacking | paste -s -d , - | sed 's/,/, /g')
    if [ -n "$missing" ]; then
        stop "missing on this system, $(system_name): $missing." \
            'Debian 12 and Ubuntu 24.04, or later, have all of it and get it from this script.'
    fi
    case $(pkg-config --variable=openblas_config openblas) in
        *USE_OPENMP=1*) ;;
        *)
            echo "Note: OpenBLAS in $(pkg-config --variable=libdir openblas) is not its OpenMP build; all works, with" \
                'more threads than need be. Package libopenblas-openmp-dev is that build; update-alternatives chooses.'
            ;;
    esac
}

# configure DIRECTORY [OPTION...]: a directory that is configured keeps its options. Warnings are errors with the
# compiler that this tree is written with; a newer one may warn of what it alone sees, and is not to stop a user for it.
configure() {
    [ ! -f "$1/build.ninja" ] || return 0
    case $("$CXX" -dumpversion) in
        12 | 12.*) werror=true ;;
        *) werror=false ;;
    esac
    meson setup -Dtests=true -Dwerror=$werror "$@" || stop "configuring $1 failed; the whole log is $PWD/$1/meson-logs/meson-log.txt"
}

# compile DIRECTORY [TARGET...]
compile() {
    meson compile -C "$@" || stop "compiling in $1 failed; the compiler's words stand above"
}
