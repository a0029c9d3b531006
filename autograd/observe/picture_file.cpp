#include <span>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/autograd/tensor/atomic_file.hpp>

namespace wengert {

void write_picture(std::string_view picture, const std::filesystem::path& file) {
    AtomicFile out(file);
    out.write(std::as_bytes(std::span(picture)));
    out.commit();
}

}  // namespace wengert
