#!/bin/sh
# Checks that what is often written wrong in a formula or a layer is refused by the compiler with a sentence of ours.
# sentences.sh BUILD_DIRECTORY COMPILER [OPTION...]
set -eu
build=$1
shift
failed=0

# try SENTENCE STATEMENT COMPILER [OPTION...]
try() {
    sentence=$1 statement=$2
    shift 2
    program="#include <wengert/nn/nn.hpp>
using namespace wengert;
int main() {
    const Tensor x = ones({3}), y = ones({3});
    $statement;
}"
    output=$(printf '%s\n' "$program" | "$@" -std=c++20 -fsyntax-only -I"$build/include" -x c++ - 2>&1) && output='it compiles'
    case $output in
        *"$sentence"*) ;;
        *)
            printf 'not refused with "%s": %s\n%s\n' "$sentence" "$statement" "$output" | head -n 20
            failed=1
            ;;
    esac
}

try 'a formula cannot branch on its operands' 'map([](auto v) { if (v > 0.0) return v; return -v; }, x)' "$@"
try 'pass a tensor to map() as an operand' 'map([y](auto v) { return v * y; }, x)' "$@"
try 'pass the tensor to map() as an operand' 'map([&](auto v) { return v * y; }, x)' "$@"
try 'with one `auto` parameter for each operand' 'map([](auto v) { return v; }, x, y)' "$@"
try 'must return a value computed from its operands' 'map([](auto) { return "text"; }, x)' "$@"
try 'declare the variable as std::common_type_t' 'map([](auto v, auto w) { auto s = v; s += w; return s; }, x, y)' "$@"
try 'ReductionAxes(Bool) = delete' 'sum(x, true)' "$@"
for call in 'name_parameters(layer)' 'parameters(layer)' 'clone(layer)' 'save(layer, "file")'; do
    try 'a layer has a public `void visit(auto&& f)`' "struct { Tensor weight; } layer; $call" "$@"
done
exit $failed
