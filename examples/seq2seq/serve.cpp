#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>
#include <wengert/models/seq2seq/checkpoint.hpp>
#include <wengert/ops/products/threads.hpp>

#include "model_names.hpp"
#include "serving/http_server.hpp"
#include "serving/service.hpp"
#include "training_run.hpp"
#include "verbs.hpp"

namespace wengert::program {
namespace {

/// Loads the models, under names that tell them apart: the second "m" is "m-2".
std::vector<ServedModel> load(const std::vector<std::filesystem::path>& paths) {
    std::vector<ServedModel> models;
    for (const std::filesystem::path& path : paths) {
        std::string base = model_name(path);
        if (base.empty()) base = "model";
        std::string name = base;
        for (int i = 2; std::ranges::find(models, name, &ServedModel::name) != models.end(); ++i)
            name = fmt::format("{}-{}", base, i);
        models.push_back({name, load_checkpoint(path)});
    }
    return models;
}

/// Text in quotation marks, in one line whatever it has.
std::string quoted(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string address(const std::string& host, int port) {
    const bool is_ipv6 = host.find(':') != host.npos;
    return fmt::format("http://{}:{}/", is_ipv6 ? '[' + host + ']' : host, port);
}

}  // namespace

void serve(const ServeArguments& arguments) {
    const Signals signals;
    const int threads = thread_count();
    const ServeLimits& limits = arguments.limits;
    std::vector<ServedModel> models = load(arguments.models);
    std::vector<std::string> names;
    for (const ServedModel& model : models) names.push_back(model.name);
    Service service(std::move(models), arguments.search, limits, threads);
    constexpr std::size_t besides = 16;  // answers that take no translating
    const auto logged = [&service](const HttpRequest& request) {
        const auto begin = std::chrono::steady_clock::now();
        HttpResponse response = service.answer(request);
        const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
        // Nothing is thrown where standard error is full or closed.
        std::fputs(
            fmt::format("{} {} {} {:.1f} ms\n", request.method, quoted(request.path), response.status, taken.count())
                .c_str(),
            stderr);
        return response;
    };
    HttpServer server({.host = arguments.host,
                       .port = arguments.port,
                       .threads = static_cast<std::size_t>(threads + limits.queue) + besides,
                       .max_bytes = limits.max_bytes},
                      logged);
    fmt::print("Serving {} at {}\n", fmt::join(names, ", "), address(arguments.host, server.port()));
    std::fflush(stdout);
    const std::jthread watch([&](const std::stop_token& has_ended) {
        while (signals.received() == 0 && !has_ended.stop_requested())
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        service.stop();
        server.stop();
    });
    server.run();
}

}  // namespace wengert::program
