/// A first gradient, and a first picture: d/dx of sum(tanh(W x)) and the tape that it came from.
#include <iostream>
#include <wengert/nn/nn.hpp>

using namespace wengert;

int main(int argc, char** argv) try {
    const Tensor w = tensor({1, -2, 3, 0.5, 0, -1}, {2, 3}), x = tensor({0.1, 0.2, 0.3});

    Tape tape;      // while it lives, what leads back to a watched tensor is recorded
    tape.watch(x);  // parameters of layers are followed without being told
    const Tensor y = sum(tanh(matmul(w, x)));
    const Tensor dx = tape.gradient(y, x, {.retain_graph = true});  // keep the tape whole, to draw it
    std::cout << "y     = " << y << "\ndy/dx = " << dx << '\n';

    const char* const picture = argc > 1 ? argv[1] : "first_gradient.svg";
    write_graph(tape, picture);
    std::cout << "the tape is drawn in " << picture << '\n';
} catch (const Error& error) {
    std::cerr << "first_gradient: " << error.what() << '\n';
    return 1;
}
