/// Prints the op reference, docs/ops.md.
#include <iostream>
#include <wengert/ops/op_reference.hpp>

int main() { std::cout << wengert::op_reference(); }
