#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>
#include <wengert/models/seq2seq/system_options.hpp>
#include <wengert/nn/nn.hpp>

/// A sequence-to-sequence system as training, decoding, checkpoints and pictures know it. Sentences are rows of ids: a
/// source ends with </s>, a target begins with <s> and ends with </s>; <pad> follows.
namespace WENGERT_EXPORT wengert {

/// What the loss is made of besides the sentences.
struct LossOptions {
    double label_smoothing = 0;  ///< the share of the probability that goes to all tokens alike
    /// The probability that a step reads the model's own best token in place of the target's (Bengio et al. 2015,
    /// Scheduled sampling). It needs a source of noise.
    double sampling = 0;
};

/// What a system knows between two steps about N hypotheses, a row for each.
class DecoderState {
  public:
    virtual ~DecoderState() = default;
    /// Row i becomes what row rows[i] was. `same_sources`: rows[i] and i have the same source, so that what is
    /// remembered of it stays where it is.
    virtual void select(std::span<const std::int64_t> rows, bool same_sources) = 0;
    /// The tensors with a row for each source, "memory.keys", and those with a row for each hypothesis, which steps
    /// change, "state.cell.h".
    virtual void visit(const ParameterVisitor& of_memory, const ParameterVisitor& of_state) = 0;
};

/// A translation system: what is trained, searched with and saved, whatever its equations are.
class System {
  public:
    /// Teacher forcing: for the token after each of target[:, :-1].
    struct Forced {
        Tensor logits;   ///< [B, T - 1, V]
        Tensor weights;  ///< [B, T - 1, S]: attention; undefined without one
    };
    /// What one step of decoding computes.
    struct Step {
        Tensor logits;      ///< [N, V]
        Tensor weights;     ///< [N, S]: attention; undefined without one
        Tensor heads = {};  ///< [N, H, S]: that of each head, of which `weights` is the mean; undefined without heads
    };

    virtual ~System() = default;
    System(const System&) = delete;
    System& operator=(const System&) = delete;

    /// As the table of systems has it.
    std::string_view name() const { return name_; }
    /// With which it was made.
    const SystemOptions& options() const { return options_; }
    /// The parameters in use, not copies, under their dotted names.
    virtual NamedTensors named_parameters() const = 0;
    /// The same without names, each once.
    std::vector<Tensor> parameters() const;

    /// The mean cross entropy of the target tokens after the first, padding left out. source int64 [B, S], lengths
    /// int64 [B], or undefined if all rows are full, target int64 [B, T], T > 1. Dropout acts if there is a source of
    /// noise. Throws ShapeError if they do not fit, ValueError for an id outside its vocabulary, a length outside [0,
    /// S] and for sampling by a system that has no steps.
    virtual Tensor loss(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise = nullptr,
                        const LossOptions& options = {}) const = 0;
    /// The logits of teacher forcing, and attention; arguments and errors are those of loss().
    virtual Forced force(const Tensor& source, const Tensor& lengths, const Tensor& target,
                         Generator* noise = nullptr) const = 0;
    /// One hypothesis for each source, before its first token. Records nothing, as step() does. Throws as loss() does
    /// for source and lengths.
    virtual std::unique_ptr<DecoderState> start(const Tensor& source, const Tensor& lengths) const = 0;
    /// The logits after one more token of each hypothesis, int64 [N]. Throws ShapeError unless there is one for each,
    /// ValueError for one outside the vocabulary.
    virtual Step step(const Tensor& tokens, DecoderState& state) const = 0;

    /// A system with parameters of its own in another dtype. Throws DtypeError unless that is float32 or float64.
    virtual std::unique_ptr<System> to(Dtype dtype) const = 0;
    /// A system with replace(p) in place of each of parameters(), in their order: for gradient checks.
    virtual std::unique_ptr<System> with_parameters(const std::function<Tensor(const Tensor&)>& replace) const = 0;

  protected:
    /// `name` must live as long as the program.
    System(std::string_view name, const SystemOptions& options) : name_(name), options_(options) {}

  private:
    std::string_view name_;
    SystemOptions options_;
};

/// A row of the table of systems.
struct SystemEntry {
    std::string_view name, meaning;  ///< of the option `--system`, and in a line what it is
    /// A system of random parameters. Throws ValueError for options that do not fit it.
    std::unique_ptr<System> (*make)(std::string_view name, const SystemOptions& options, Generator& generator);
    std::span<const std::string_view> unread =
        {};  ///< the options that it has no use for, or cannot have but at their defaults
};

/// All systems, the reference model first.
std::span<const SystemEntry> all_systems();

/// A system with random parameters. Throws ValueError, with the names that there are, for another name, and for options
/// that the system cannot have.
std::unique_ptr<System> make_system(std::string_view name, const SystemOptions& options, Generator& generator);

/// The first thing in which a name and options differ from a system's, the vocabularies' sizes apart: "hidden is 24,
/// not 12"; empty if nothing does.
std::string first_difference(std::string_view name, const SystemOptions& options, const System& other);

/// Throws ValueError for an option, of SystemOptions or TrainingOptions, that is not at its default though the system
/// has no use for it, and for a system that does not exist. make_system() does not mind: a checkpoint may say what it
/// likes.
void require_read_options(std::string_view system, const OptionList& given, const OptionList& defaults);
template <class Options>
void require_read_options(std::string_view system, const Options& options) {
    require_read_options(system, option_texts(options), option_texts(Options()));
}

/// Throws ShapeError unless target is [B, T] with T > 1, of as many rows as source [B, S].
void require_target(const Tensor& source, const Tensor& target);

/// Rows of x [N, ..], one after another, each as often as `rows` has it -> [rows.size(), ..]. A constant. Throws
/// ShapeError for [], and ValueError for a row that x does not have.
Tensor select_rows(const Tensor& x, std::span<const std::int64_t> rows);

/// A model as a system. The model is a Module with
///
///     struct Memory { ... visit };   // what all steps read of the source: visit names the tensors with a row a source
///     struct State { ... visit };    // what a step changes, a row a hypothesis
///     struct Encoded { Memory memory; State state; };
///     Encoded encode(const Tensor& source, const Tensor& lengths, Generator* noise) const;
///     Step step(const Tensor& tokens, const State& state, const Memory& memory) const;
///     // logits, weights, State, and heads if it has some
///     Tensor loss(source, lengths, target, noise, options) const;
///     Result operator()(source, lengths, target, noise) const;                           // logits, weights
///
/// of which systems/recurrent.hpp has the last two for all recurrent ones.
template <class Model>
class SystemOf final : public System {
  public:
    /// Takes over a model that was made with these options.
    SystemOf(std::string_view name, const SystemOptions& options, Model model)
        : System(name, options), model_(std::move(model)) {}

    /// The model itself, for what System does not offer.
    const Model& model() const { return model_; }

    NamedTensors named_parameters() const override { return wengert::named_parameters(model_); }
    Tensor loss(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise,
                const LossOptions& options) const override {
        return model_.loss(source, lengths, target, noise, options);
    }
    /// What the model's call operator computes.
    Forced force(const Tensor& source, const Tensor& lengths, const Tensor& target, Generator* noise) const override {
        const auto result = model_(source, lengths, target, noise);
        return {result.logits, result.weights};
    }
    std::unique_ptr<DecoderState> start(const Tensor& source, const Tensor& lengths) const override {
        const Pause pause;
        return std::make_unique<Rows>(model_.encode(source, lengths, nullptr));
    }
    Step step(const Tensor& tokens, DecoderState& state) const override {
        const Pause pause;
        Encoded& encoded = static_cast<Rows&>(state).encoded;
        auto next = model_.step(tokens, encoded.state, encoded.memory);
        encoded.state = std::move(next.state);
        Step result{next.logits, next.weights};
        if constexpr (requires { next.heads; }) result.heads = next.heads;
        return result;
    }
    std::unique_ptr<System> to(Dtype dtype) const override {
        return std::make_unique<SystemOf>(name(), options(), wengert::to(model_, dtype));
    }
    std::unique_ptr<System> with_parameters(const std::function<Tensor(const Tensor&)>& replace) const override {
        return std::make_unique<SystemOf>(name(), options(), wengert::with_parameters(model_, replace));
    }

  private:
    using Encoded = typename Model::Encoded;

    struct Rows final : DecoderState {
        explicit Rows(Encoded e) : encoded(std::move(e)) {}
        void select(std::span<const std::int64_t> rows, bool same_sources) override {
            const auto take = [&](const std::string&, Tensor& x) { x = select_rows(x, rows); };
            for_each_parameter(encoded.state, take);
            if (!same_sources) for_each_parameter(encoded.memory, take);
        }
        void visit(const ParameterVisitor& of_memory, const ParameterVisitor& of_state) override {
            for_each_parameter(encoded.memory, of_memory, "memory");
            for_each_parameter(encoded.state, of_state, "state");
        }
        Encoded encoded;
    };

    Model model_;
};

}  // namespace wengert
