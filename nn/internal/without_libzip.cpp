#include <wengert/autograd/tensor/error.hpp>
#include <wengert/nn/npz.hpp>

namespace wengert {
namespace {

[[noreturn]] void refuse_npz() {
    throw ValueError("npz: this build has no libzip; install libzip-dev and configure the build with -Dlibzip=enabled");
}

}  // namespace

NamedTensors load_npz(const std::filesystem::path&) { refuse_npz(); }
void save_npz(const std::filesystem::path&, const NamedTensors&) { refuse_npz(); }

}  // namespace wengert
