#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/models/seq2seq/onnx_export.hpp>

#include "verbs.hpp"

namespace wengert::program {

void export_model(const ExportArguments& arguments) { export_onnx(load_checkpoint(arguments.model), arguments.onnx); }

}  // namespace wengert::program
