// Mirrors no file: all layers and optimizers beside PyTorch.
#include "parity.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <wengert/nn/nn.hpp>

using namespace wengert;

namespace {

/// Where the layers and optimizers of nn's headers are compared, or why not: a file's name, or a sentence. Those that
/// are not here stand in layers.safetensors.
const std::map<std::string, std::string> compared_elsewhere{
    {"BahdanauAttention", "attention"},
    {"CoverageAttention", "coverage_neural"},
    {"LuongAttention", "luong_general"},
    {"LocalMonotonicAttention", "local_monotonic"},
    {"LocalPredictiveAttention", "local_predictive"},
    {"TransformerEncoder", "transformer_encoder"},
    {"TransformerDecoder", "transformer_decoder"},
    {"LearnedEncoding", "positional_encoding"},
    {"SinusoidalEncoding", "positional_encoding"},
    {"LayerNorm", "layer_norm"},
    {"GruCell", "decoder_step"},
    {"LstmCell", "lstm_layer_norm"},
    {"RnnCell", "rnn_layer_norm"},
    {"Gru", "gru"},
    {"Lstm", "lstm"},
    {"Rnn", "rnn"},
    {"Sgd", "optimisers"},
    {"Adam", "optimisers"},
    {"AdamW", "optimisers"},
    {"Adadelta", "optimisers"},
    {"RmsProp", "adaptive_optimisers"},
    {"Adagrad", "adaptive_optimisers"},
    {"NAdam", "adaptive_optimisers"},
    {"RAdam", "adaptive_optimisers"},
    {"Lbfgs", "adaptive_optimisers"},
    {"Plateau", "schedules"},
    {"Ema", "averages"},
    {"Lamb", "PyTorch has none."},
    {"Lion", "PyTorch has none."},
    {"Dropout", "It draws numbers of its own."},
    {"Sequential", "It calls its parts."},
};

std::string fixture_path(const std::string& name) { return WENGERT_FIXTURES "/" + name + ".safetensors"; }

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The types of nn's headers that are called, or that step or are updated: layers, optimizers, averages.
std::set<std::string> types_of_headers() {
    std::set<std::string> names;
    const std::regex type("\\n(?:struct|class) (\\w+)( final)?( : public \\w+(<\\w+>)?)? \\{");
    for (const auto& entry : std::filesystem::directory_iterator(WENGERT_FIXTURES "/../../nn")) {
        if (entry.path().extension() != ".hpp") continue;
        const std::string text = text_of(entry.path());
        for (std::sregex_iterator i(text.begin(), text.end(), type), end; i != end; ++i) {
            const auto begin = static_cast<std::size_t>(i->position());
            const std::string body = text.substr(begin, text.find("\n};", begin) - begin), base = (*i)[3];
            const auto says = [&](const char* words) { return body.find(words) != std::string::npos; };
            const bool derives =
                base.find("RecurrentStack") != std::string::npos || base.find("Optimizer") != std::string::npos;
            if ((*i)[1] != "Optimizer" && (derives || says("operator()") || says(" step(") || says(" update(")))
                names.insert((*i)[1]);
        }
    }
    return names;
}

/// One case of layers.safetensors.
class Case {
  public:
    Case(const TensorFile& file, const std::string& name) : file_(file), name_(name) {}

    Tensor operator[](const std::string& what) const { return file_.at(name_ + ":" + what); }

    /// call(layer with the file's parameters, inputs) -> outputs, all compared, and their gradients.
    template <Module M, class F>
    void compare(const M& made, const F& call) const {
        INFO(name_);
        const M layer = to(made, Dtype::float64);
        NamedTensors parameters = named_parameters(layer), values, moving;
        for (const auto& [name, parameter] : parameters) values.emplace_back(name, (*this)["parameter." + name]);
        assign(parameters, values);
        for (const auto& [name, parameter] : parameters) moving.emplace_back("parameter." + name, parameter);
        Tape tape;
        std::vector<Tensor> inputs, sources, cotangents;
        for (std::size_t i = 0; has("input." + std::to_string(i)); ++i) {
            const std::string name = "input." + std::to_string(i);
            inputs.push_back((*this)[name]);
            if (!has("grad." + name)) continue;
            tape.watch(inputs.back());
            moving.emplace_back(name, inputs.back());
        }
        for (const auto& [name, x] : moving) sources.push_back(x);
        const std::vector<Tensor> outputs = call(layer, inputs);
        Tensor total = zeros({}, Dtype::float64);
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const std::string number = std::to_string(i);
            CHECK(difference(outputs[i], (*this)["output." + number], 1e-10) == "");
            if (has("cotangent." + number)) total = total + sum(outputs[i] * (*this)["cotangent." + number]);
        }
        CHECK_FALSE(has("output." + std::to_string(outputs.size())));
        const std::vector<Tensor> slopes = tape.gradient(total, sources);
        for (std::size_t i = 0; i < moving.size(); ++i) {
            INFO(moving[i].first);
            CHECK(difference(slopes[i], (*this)["grad." + moving[i].first], 1e-10) == "");
        }
    }

  private:
    bool has(const std::string& what) const {
        for (const auto& [name, tensor] : file_.tensors)
            if (name == name_ + ":" + what) return true;
        return false;
    }

    const TensorFile& file_;
    std::string name_;
};

using Tensors = std::vector<Tensor>;

Tensors call_plainly(const auto& layer, const Tensors& in) { return {layer(in[0])}; }

/// By the names of layers.safetensors.
const std::map<std::string, std::function<void(const Case&)>>& layer_cases() {
    static Generator draws(1);
    const auto plainly = [](const auto& layer) {
        return [layer](const Case& with) {
            with.compare(layer, [](const auto& l, const Tensors& in) { return call_plainly(l, in); });
        };
    };
    const auto attends_under_mask = [](const Case& with) {
        with.compare(MultiHeadAttention(6, 2, draws), [](const MultiHeadAttention& attend, const Tensors& in) {
            const auto memory = attend.remember(in[0], in[2]);
            const auto [outputs, weights] = attend(in[0], memory, {.attn_mask = in[1]});
            const Tensor fast = attend(in[0], memory, {.need_weights = false, .attn_mask = in[1]}).outputs;
            CHECK(difference(fast, outputs, 1e-12) == "");
            return Tensors{outputs, weights};
        });
    };
    static const std::map<std::string, std::function<void(const Case&)>> cases{
        {"Linear", plainly(Linear(4, 3, draws))},
        {"Embedding", plainly(Embedding(5, 3, draws))},
        {"Conv1d", plainly(Conv1d(4, 6, 3, draws, {.stride = 2, .padding = 1, .groups = 2}))},
        {"Conv2d", plainly(Conv2d(4, 3, {2, 3}, draws, {.stride = {2, 1}, .padding = 1, .dilation = {1, 2}}))},
        {"ConvTranspose2d",
         plainly(ConvTranspose2d(4, 6, 3, draws, {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2}))},
        {"BatchNorm running", plainly(BatchNorm(3))},
        {"BatchNorm batch",
         [](const Case& with) {
             with.compare(BatchNorm(3, {.momentum = 0.3}), [](const BatchNorm& norm, const Tensors& in) {
                 const Tensor y = norm(in[0], NormStatistics::batch);
                 return Tensors{y, norm.running_mean.tensor, norm.running_var.tensor};
             });
         }},
        {"GroupNorm", plainly(GroupNorm(2, 4))},
        {"RmsNorm", plainly(RmsNorm(5, 1e-6))},
        {"MultiHeadAttention mask", attends_under_mask},
        {"MultiHeadAttention bool mask", attends_under_mask},
        {"TransformerEncoderLayer mask",
         [](const Case& with) {
             with.compare(TransformerEncoderLayer(6, 2, draws,
                                                  {.dim_feedforward = 8,
                                                   .dropout = 0,
                                                   .activation = FeedForwardActivation::gelu,
                                                   .norm_first = true}),
                          [](const TransformerEncoderLayer& layer, const Tensors& in) {
                              return Tensors{layer(in[0], in[2], {.attn_mask = in[1]})};
                          });
         }},
        {"TransformerDecoderLayer mask",
         [](const Case& with) {
             with.compare(TransformerDecoderLayer(6, 2, draws, {.dim_feedforward = 8, .dropout = 0}),
                          [](const TransformerDecoderLayer& layer, const Tensors& in) {
                              return Tensors{layer(in[0], layer.remember(in[1], in[4]), nullptr, {in[2], in[3]})};
                          });
         }},
    };
    return cases;
}

}  // namespace

TEST_CASE("parity: layers that have no file of their own are PyTorch's, with masks too") {
    const TensorFile file = read_safetensors(fixture_path("layers"));
    std::set<std::string> names;
    for (const auto& [name, tensor] : file.tensors) names.insert(name.substr(0, name.find(':')));
    for (const auto& [name, check] : layer_cases()) CHECK_MESSAGE(names.contains(name), name);
    for (const std::string& name : names) {
        REQUIRE_MESSAGE(layer_cases().contains(name), name);
        layer_cases().at(name)(Case(file, name));
    }
}

TEST_CASE("parity: every layer and optimizer of nn is compared with PyTorch's, or has a reason not to be") {
    std::set<std::string> here;
    for (const auto& [name, check] : layer_cases()) here.insert(name.substr(0, name.find(' ')));
    const std::set<std::string> types = types_of_headers();
    CHECK(types.size() > 35);
    for (const std::string& type : types)
        CHECK_MESSAGE(here.contains(type) + compared_elsewhere.contains(type) >= 1, type);
    for (const auto& [type, where] : compared_elsewhere) {
        CHECK_MESSAGE(types.contains(type), type);
        CHECK_MESSAGE((where.ends_with('.') || std::filesystem::exists(fixture_path(where))), where);
    }
}
