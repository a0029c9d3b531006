#!/bin/bash
# Measures what an elementwise formula costs whoever compiles it: compiles generated programs at -O3 for the processor
# of this machine and prints one line of JSON.
#
#   bash tests/bench/formula_cost.sh [BUILD]
#
# seconds_per_formula        one more formula of three operands, in seconds of the compiler's CPU time
# kib_per_formula            and in KiB of code
# seconds_first              a small program with one formula, headers included
# seconds_thirteen_operands  a camera's reprojection error, a formula of thirteen operands, beyond a program without
#
# BUILD is a configured build directory, build by default; nothing of it need be compiled. Each time is the median of
# three.
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
compiler=${CXX:-g++}
read -ra flags <<<"$(PKG_CONFIG_PATH=$build/meson-uninstalled pkg-config --cflags wengert)"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

begin_program() {
    printf '#include <wengert/autograd/tape/tape.hpp>\n#include <wengert/ops/ops.hpp>\n\nusing namespace wengert;\n\n'
    printf 'int main() {\n    const Tensor x = tensor({1, 2, 3}), y = tensor({4, 5, 6}), z = tensor({7, 8, 9});\n'
    printf '    Tape tape;\n    tape.watch(x);\n    Tensor last = x;\n'
}
end_program() {
    printf '    return tape.gradient(sum(last), x).numel() == 3 ? 0 : 1;\n}\n'
}

# formulas N: a program with N formulas of three operands.
formulas() {
    begin_program
    for ((i = 1; i <= $1; ++i)); do
        echo "    last = map([](auto x, auto y, auto z) { return (x - $i) * tanh(y) + exp(z * $i.5) / y; }, last, y, z);"
    done
    end_program
}

# A point is turned about an axis (Rodrigues), moved, projected and distorted, and compared with what the camera saw.
reprojection() {
    begin_program
    cat <<'PROGRAM'
    last = map(
        [](auto rx, auto ry, auto rz, auto depth, auto focal, auto k1, auto k2, auto px, auto py, auto pz, auto u,
           auto v, auto weight) {
            auto angle = sqrt(rx * rx + ry * ry + rz * rz + 1e-12);
            auto ax = rx / angle, ay = ry / angle, az = rz / angle;
            auto c = cos(angle), s = sin(angle);
            auto along = (ax * px + ay * py + az * pz) * (1.0 - c);
            auto qx = px * c + (ay * pz - az * py) * s + ax * along;
            auto qy = py * c + (az * px - ax * pz) * s + ay * along;
            auto qz = pz * c + (ax * py - ay * px) * s + az * along + depth;
            auto x = -qx / qz, y = -qy / qz;
            auto r2 = x * x + y * y;
            auto scale = focal * (1.0 + r2 * (k1 + k2 * r2));
            auto du = scale * x - u, dv = scale * y - v;
            return weight * (du * du + dv * dv);
        },
        x, y, z, x, y, z, x, y, z, x, y, z, last);
PROGRAM
    end_program
}

# seconds PROGRAM: compiles it to PROGRAM.o and prints the median CPU time of three runs.
seconds() {
    local TIMEFORMAT=%U
    for _ in 1 2 3; do
        { time "$compiler" -std=c++20 -O3 -march=native "${flags[@]}" -c "$1" -o "$1.o" >&2; } 2>"$scratch/time" || {
            cat "$scratch/time" >&2
            exit 1
        }
        tail -n 1 "$scratch/time"
    done | sort -n | sed -n 2p
}
code_bytes() {
    size "$1.o" | awk 'NR == 2 { print $1 }'
}

formulas 0 >"$scratch/none.cpp"
formulas 1 >"$scratch/one.cpp"
formulas 11 >"$scratch/eleven.cpp"
reprojection >"$scratch/reprojection.cpp"
none=$(seconds "$scratch/none.cpp")
one=$(seconds "$scratch/one.cpp")
eleven=$(seconds "$scratch/eleven.cpp")
reprojection=$(seconds "$scratch/reprojection.cpp")

awk -v none="$none" -v one="$one" -v eleven="$eleven" -v reprojection="$reprojection" \
    -v one_bytes="$(code_bytes "$scratch/one.cpp")" -v eleven_bytes="$(code_bytes "$scratch/eleven.cpp")" 'BEGIN {
        printf "{\"seconds_per_formula\": %.3f, \"kib_per_formula\": %.1f, \"seconds_first\": %.2f, ",
            (eleven - one) / 10, (eleven_bytes - one_bytes) / 10 / 1024, one
        printf "\"seconds_thirteen_operands\": %.2f}\n", reprojection - none
    }'
