#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>
#include <wengert/models/text/fingerprint.hpp>
#include <wengert/nn/safetensors.hpp>

#include "temporary_directory.hpp"

namespace wengert {

/// The files that tests/fixtures/onnx_fixtures.py has run in ONNX Runtime and found right, by a fingerprint of each: a
/// graph that is written otherwise now is no longer proven. With WENGERT_ONNX=DIR in the environment a test writes its
/// files there, for that script, and compares nothing.
class OnnxFixture {
  public:
    explicit OnnxFixture(const std::string& suite)
        : file_(std::filesystem::path(WENGERT_FIXTURES) / fmt::format("onnx_{}.json", suite)) {
        if (const char* const directory = std::getenv("WENGERT_ONNX")) {
            directory_ = std::filesystem::path(directory) / suite;
            std::filesystem::create_directories(directory_);
        } else {
            fingerprints_ = nlohmann::json::parse(content_of(file_)).get<std::map<std::string, std::int64_t>>();
        }
    }

    bool writes() const { return !directory_.empty(); }

    /// A graph, which computes `outputs` of `inputs`, under the names of its ports.
    void check(const std::string& name, const std::string& graph, const NamedTensors& inputs,
               const NamedTensors& outputs) {
        INFO(name);
        CHECK(met_.insert(name).second);
        if (!writes()) {
#ifdef __clang__  // The order of arguments, and so of nodes, is the compiler's. What was run are GCC's graphs.
            return;
#endif
            CHECK_MESSAGE(fingerprints_[name] == Fingerprint().add(graph).value(),
                          "the graph is not the one that ONNX Runtime ran: run tests/fixtures/onnx_fixtures.py again");
            return;
        }
        const std::string number = fmt::format("{:04}", met_.size());
        write_file(directory_ / (number + ".onnx"), graph);
        // A port's name may be any text, and that of a tensor too.
        TensorFile file{{}, {{"name", name}}};
        for (const auto& [port, x] : inputs) file.tensors.emplace_back("input:" + port, x);
        for (const auto& [port, x] : outputs) file.tensors.emplace_back("output:" + port, x);
        write_safetensors(directory_ / (number + ".safetensors"), file);
    }

    /// That all graphs of the fixture were there.
    void check_all_met() const {
        if (writes()) return;
        for (const auto& [name, fingerprint] : fingerprints_) CHECK_MESSAGE(met_.contains(name), name);
        CHECK(met_.size() > 0);
    }

  private:
    std::filesystem::path file_, directory_;
    std::map<std::string, std::int64_t> fingerprints_;
    std::set<std::string> met_;
};

}  // namespace wengert
