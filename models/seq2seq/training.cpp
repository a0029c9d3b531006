#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/models/seq2seq/training.hpp>
#include <wengert/nn/clipping.hpp>
#include <wengert/nn/optimizers.hpp>
#include <wengert/nn/streams.hpp>

namespace wengert {
namespace {

void check(const TrainingOptions& options) {
    const auto require = [](bool holds, std::string_view what, auto value) {
        if (!holds) throw ValueError(fmt::format("training: {} is {}", what, value));
    };
    require(options.epochs >= 1, "the number of epochs", options.epochs);
    require(options.max_steps >= 0, "the number of steps", options.max_steps);
    require(options.clip >= 0, "the limit of the gradients' norm", options.clip);
}

}  // namespace

void train(Translator& translator, const Corpus& corpus, const TrainingOptions& options,
           const TrainingObserver& observer) {
    check(options);
    const Batches batches(corpus, translator.source, translator.target,
                          {.batch_size = options.batch, .seed = options.seed});
    const auto steps_per_epoch = static_cast<std::int64_t>(batches.size());
    const std::int64_t epochs =
        options.max_steps == 0 ? options.epochs
                               : std::min(options.epochs, (options.max_steps + steps_per_epoch - 1) / steps_per_epoch);
    const std::int64_t steps =
        options.max_steps == 0 ? epochs * steps_per_epoch : std::min(epochs * steps_per_epoch, options.max_steps);

    const std::vector<Tensor> parameters = wengert::parameters(translator.model);
    Adam optimizer(parameters, {.learning_rate = options.learning_rate});
    Generator noise(options.seed, streams::noise);
    std::int64_t step = 0;
    for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
        const auto start = std::chrono::steady_clock::now();
        double loss_sum = 0;
        std::int64_t tokens = 0;
        for (const auto& pairs : batches.epoch(static_cast<std::uint64_t>(epoch))) {
            if (step == steps) break;
            const BatchTensors batch = to_tensors(batches.assemble(pairs));
            double loss_value = 0;
            {
                Tape tape;
                const NodeId first = tape.size();
                const Tensor loss = translator.model.loss(batch.source, batch.lengths, batch.target, &noise);
                loss_value = loss.item();
                if (!std::isfinite(loss_value))
                    throw NonFiniteError(
                        fmt::format("training: the loss is {} at epoch {}, step {}; a smaller learning "
                                    "rate or a tighter limit of the gradients' norm may help",
                                    std::isnan(loss_value) ? std::abs(loss_value) : loss_value, epoch, step + 1));
                if (step == 0) require_visited(tape, translator.model, first);
                std::vector<Tensor> gradients = tape.gradient(loss, parameters);
                if (options.clip > 0) clip_gradient_norm(gradients, options.clip);
                if (options.schedule == Schedule::linear)
                    optimizer.set_learning_rate(options.learning_rate * static_cast<double>(steps - step) /
                                                static_cast<double>(steps));
                optimizer.step(gradients);
            }
            ++step;
            ++translator.steps;
            loss_sum += loss_value * static_cast<double>(batch.labels);
            tokens += batch.labels;
            if (observer.on_step) observer.on_step({epoch, epochs, step, steps, loss_value, batch.labels});
        }
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        if (observer.on_epoch)
            observer.on_epoch({epoch, step, loss_sum / static_cast<double>(tokens), tokens, seconds.count()});
    }
}

}  // namespace wengert
