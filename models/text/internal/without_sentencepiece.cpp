#include <wengert/autograd/tensor/error.hpp>
#include <wengert/models/text/internal/sentencepiece.hpp>

namespace wengert::subwords {

namespace {

[[noreturn]] void refuse() {
    throw ValueError(
        "subwords: this build has no libsentencepiece; install libsentencepiece-dev and configure the build with "
        "-Dsentencepiece=enabled");
}

}  // namespace

struct Model::Library {};

bool is_built() { return false; }
void require_built() { refuse(); }
std::string train(std::span<const std::string>, const SubwordOptions&) { refuse(); }

Model::Model(std::string_view) { refuse(); }
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Sentence Model::encode(std::string_view) const { refuse(); }
std::vector<Piece> Model::learned() const { refuse(); }
bool Model::has_bytes() const { refuse(); }

}  // namespace wengert::subwords
