/// Times the reference model as a user would run it, and prints one JSON line: a training step (forward, gradient,
/// Adam), the forward pass, or greedy decoding. Random token ids; no sampling, nothing left out.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/observe/profile.hpp>
#include <wengert/models/seq2seq/decoding/search.hpp>
#include <wengert/models/seq2seq/system.hpp>
#include <wengert/models/text/vocabulary.hpp>
#include <wengert/nn/optimizers.hpp>
#include <wengert/ops/products/internal/packed_weights.hpp>

#include "product_floor.hpp"

using namespace wengert;

namespace {

struct Flags {
    std::int64_t hidden = 1024, embedding = 256, vocabulary = 5000, batch = 64, source_length = 30, target_length = 30,
                 attention = 0;
    int layers = 2, steps = 5, warmup = 1, threads = 2;
    bool bidirectional = false;
    int beam = 1;
    std::string system = "bahdanau", lengths, mode = "train", profile, precision = "float32";
};

struct Batch {
    BatchLengths lengths;
    Tensor source, source_lengths, target;  ///< source_lengths is undefined if all rows are full
    std::int64_t target_tokens = 0;         ///< that are predicted
};

Tensor random_ids(const std::vector<std::int64_t>& lengths, std::int64_t vocabulary, Generator& generator) {
    const auto rows = static_cast<std::int64_t>(lengths.size()), columns = std::ranges::max(lengths);
    std::vector<std::int64_t> ids(static_cast<std::size_t>(rows * columns), Vocabulary::pad);
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t i = 0; i < lengths[static_cast<std::size_t>(row)]; ++i)
            ids[static_cast<std::size_t>(row * columns + i)] =
                4 + static_cast<std::int64_t>(generator.uniform() * static_cast<double>(vocabulary - 4));
    return tensor(ids, {rows, columns});
}

Batch make_batch(BatchLengths lengths, std::int64_t vocabulary, Generator& generator) {
    Batch batch;
    batch.source = random_ids(lengths.source, vocabulary, generator);
    batch.target = random_ids(lengths.target, vocabulary, generator);
    if (std::ranges::min(lengths.source) != batch.source.dim(1))
        batch.source_lengths = tensor(lengths.source, {batch.source.dim(0)});
    for (const std::int64_t n : lengths.target) batch.target_tokens += n - 1;
    batch.lengths = std::move(lengths);
    return batch;
}

/// One batch a line: SOURCE:TARGET lengths of its pairs.
std::vector<Batch> read_batches(const std::string& path, std::int64_t vocabulary, Generator& generator) {
    std::ifstream file(path);
    if (!file) throw FileError(path + ": cannot be read");
    std::vector<Batch> batches;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        BatchLengths lengths;
        std::istringstream pairs(line);
        char colon;
        for (std::int64_t s, t; pairs >> s >> colon >> t;) lengths.source.push_back(s), lengths.target.push_back(t);
        batches.push_back(make_batch(std::move(lengths), vocabulary, generator));
    }
    return batches;
}

double peak_rss_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

nlohmann::json run(const Flags& f) {
    set_thread_count(f.threads);
    if (f.precision == "bfloat16" && !bfloat16_is_idle().empty())
        std::cerr << "all float32: " << bfloat16_is_idle() << '\n';
    const ProductPrecision precision(f.precision == "bfloat16" ? Precision::bfloat16 : Precision::float32);
    Generator generator(1);
    const std::unique_ptr<System> system = make_system(f.system,
                                                       {.source_vocabulary = f.vocabulary,
                                                        .target_vocabulary = f.vocabulary,
                                                        .embedding = f.embedding,
                                                        .hidden = f.hidden,
                                                        .attention = f.attention,
                                                        .layers = f.layers,
                                                        .bidirectional = f.bidirectional},
                                                       generator);
    const std::vector<Tensor> parameters = system->parameters();
    std::int64_t parameter_count = 0;
    for (const Tensor& p : parameters) parameter_count += p.numel();
    std::vector<Batch> batches;
    if (!f.lengths.empty()) {
        batches = read_batches(f.lengths, f.vocabulary, generator);
    } else {
        const auto rows = static_cast<std::size_t>(f.batch);
        batches.push_back(make_batch({std::vector(rows, f.source_length), std::vector(rows, f.target_length)},
                                     f.vocabulary, generator));
    }
    Adam optimizer(parameters, {.learning_rate = 5e-4});
    const int steps = std::max<int>(f.steps, static_cast<int>(batches.size()));
    std::vector<double> seconds, losses;
    std::int64_t tokens = 0, allocations = 0, nodes = 0;
    std::size_t bytes_saved = 0;
    for (int i = 0; i < f.warmup + steps; ++i) {
        const Batch& batch = batches[static_cast<std::size_t>(std::max(0, i - f.warmup)) % batches.size()];
        const std::int64_t allocations_before = allocator_statistics().system_allocations;
        const auto begin = std::chrono::steady_clock::now();
        if (f.mode == "greedy") {
            // A sentence that ended early would be less work than the peer's.
            const System* const systems[] = {system.get()};
            search(systems, batch.source, batch.source_lengths, f.target_length - 1,
                   {.beam = f.beam, .min_length = f.target_length - 1});
        } else if (f.mode == "forward") {
            losses.push_back(system->loss(batch.source, batch.source_lengths, batch.target).item());
        } else {
            Tape tape;
            const Tensor loss = system->loss(batch.source, batch.source_lengths, batch.target);
            if (i == 0) {
                nodes = tape.size();
                bytes_saved = saved_bytes(tape);
            }
            optimizer.step(tape.gradient(loss, parameters));
            losses.push_back(loss.item());
        }
        allocations = allocator_statistics().system_allocations - allocations_before;
        if (i < f.warmup) continue;
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
        tokens += f.mode == "greedy" ? batch.source.dim(0) * (f.target_length - 1) : batch.target_tokens;
    }
    const double peak = peak_rss_mib();  // before what takes memory of its own
    if (!f.profile.empty()) {
        const Batch& batch = batches.front();
        Profile profile;
        {
            Tape tape;
            const Tensor loss = system->loss(batch.source, batch.source_lengths, batch.target);
            optimizer.step(tape.gradient(loss, parameters));
        }
        write_svg(profile, f.profile);
        std::cerr << to_string(profile);
    }

    double total = 0;
    if (f.lengths.empty()) {
        std::ranges::sort(seconds);
        total = seconds[seconds.size() / 2] * static_cast<double>(seconds.size());
    } else {
        for (const double s : seconds) total += s;
    }
    const double per_step = total / static_cast<double>(seconds.size());
    ProductFloor floor(
        {f.hidden, f.embedding, f.vocabulary, f.attention > 0 ? f.attention : f.hidden, f.layers, f.bidirectional},
        f.mode == "train");
    double floor_seconds = 0;
    if (f.mode == "greedy") {
        floor_seconds = floor.greedy_seconds(batches[0].source.dim(0), batches[0].source.dim(1), f.target_length - 1);
    } else {
        for (const Batch& batch : batches)
            floor_seconds += floor.seconds(batch.lengths) / static_cast<double>(batches.size());
    }
    losses.resize(std::min<std::size_t>(losses.size(), 8));
    return {{"peer", "wengert"},
            {"threads", f.threads},
            {"mode", f.mode},
            {"seconds_per_step", per_step},
            {"target_tokens_per_second", static_cast<double>(tokens) / total},
            {"peak_rss_mib", peak},
            {"parameters", parameter_count},
            {"losses", losses},
            {"gemm_floor_seconds", floor_seconds},
            {"floor_ratio", per_step / floor_seconds},
            {"tape_nodes", nodes},
            {"bytes_saved", bytes_saved},
            {"packed_bytes", packed_weight_bytes()},
            {"allocations", allocations}};
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times the reference sequence-to-sequence model and prints one JSON line."};
    Flags f;
    app.add_option("--hidden", f.hidden, "features of a state")->capture_default_str();
    app.add_option("--emb", f.embedding, "features of an embedding")->capture_default_str();
    app.add_option("--vocab", f.vocabulary, "tokens of each language")->capture_default_str();
    app.add_option("--batch", f.batch, "sentences in a batch")->capture_default_str();
    app.add_option("--src-len", f.source_length, "tokens of a source")->capture_default_str();
    app.add_option("--trg-len", f.target_length, "tokens of a target")->capture_default_str();
    app.add_option("--layers", f.layers, "layers of the encoder")->capture_default_str();
    app.add_option("--attention", f.attention, "features of keys and queries (0: as hidden)")->capture_default_str();
    app.add_flag("--bidirectional", f.bidirectional, "an encoder of two directions");
    app.add_option("--system", f.system, "the kind of model")->capture_default_str();
    app.add_option("--beam", f.beam, "hypotheses that a search follows")->capture_default_str();
    app.add_option("--steps", f.steps, "steps that are timed")->capture_default_str();
    app.add_option("--warmup", f.warmup, "steps before")->capture_default_str();
    app.add_option("--threads", f.threads, "threads")->capture_default_str();
    app.add_option("--lengths", f.lengths, "file of real sentence lengths, one batch a line")->check(CLI::ExistingFile);
    app.add_option("--profile", f.profile, "one more training step is drawn to this SVG file and printed as a table");
    app.add_option("--mode", f.mode, "what is timed")
        ->check(CLI::IsMember({"train", "forward", "greedy"}))
        ->capture_default_str();
    app.add_option("--precision", f.precision, "of the products' operands")
        ->check(CLI::IsMember({"float32", "bfloat16"}))
        ->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        std::cout << run(f) << '\n';
    } catch (const std::exception& error) {
        std::cerr << "seq2seq_step: " << error.what() << '\n';
        return 1;
    }
}
