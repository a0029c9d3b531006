#include <span>
#include <wengert/autograd/tensor/atomic_file.hpp>
#include <wengert/nn/onnx.hpp>

namespace wengert {

void write_onnx(const std::filesystem::path& path, const OnnxGraph& graph,
                const std::map<std::string, std::string>& metadata) {
    const std::string bytes = graph.serialized(metadata);
    AtomicFile file(path);
    file.write(std::as_bytes(std::span(bytes)));
    file.commit();
}

void export_onnx(const std::filesystem::path& path, const OnnxFunction& f, const std::vector<OnnxPort>& inputs,
                 const std::vector<std::string>& outputs, const std::map<std::string, std::string>& metadata) {
    write_onnx(path, record_onnx(f, inputs, outputs), metadata);
}

}  // namespace wengert
