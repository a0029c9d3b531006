// Mirrors no file: a fuzz target; target.hpp says what one promises.

#include <wengert/models/seq2seq/checkpoint.hpp>

#include "models/seq2seq/small_translator.hpp"
#include "target.hpp"
#include "temporary_directory.hpp"

namespace {

/// A directory with a small model, whose configuration is what the fuzzer writes.
class ConfiguredModel {
  public:
    ConfiguredModel() {
        wengert::save_checkpoint(wengert::small_translator({.embedding = 3, .hidden = 4, .layers = 1}),
                                 directory_.path());
    }
    std::filesystem::path with(std::string_view configuration) const {
        wengert::write_file(directory_.path() / "latest" / "config.json", configuration);
        return directory_.path() / "latest";
    }

  private:
    wengert::TemporaryDirectory directory_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wengert;
    static const ConfiguredModel model;
    // A model beside the fixed weights and vocabularies of some kilobytes.
    fuzz::keep_promise(size, {.each = 150, .fixed = 1 << 21},
                       [&] { load_checkpoint(model.with(fuzz::Bytes(data, size).rest())); });
    return 0;
}
