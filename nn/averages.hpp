#pragma once

#include <vector>
#include <wengert/nn/named_tensors.hpp>

/// Averages of weights, which often are better ones than the last (Polyak and Juditsky 1992, Acceleration of stochastic
/// approximation by averaging).
namespace WENGERT_EXPORT wengert {

struct EmaOptions {
    double decay = 0.999;  ///< how much of the average an update keeps
};

/// The exponential moving average of parameters over the steps of a training, as PyTorch's AveragedModel with
/// get_ema_multi_avg_fn has it: at the first update the parameters themselves, then
///
///     average = decay average + (1 - decay) parameter
///
///     Ema ema(parameters(model));
///     optimizer.step(gradients), ema.update(parameters(model));    // at each step
///     const EmaScope averaged(ema, parameters(model));             // while it lives, the model has the averages
///
/// It keeps no handle to the parameters, so that a clone of the model can go on with it.
class Ema {
  public:
    /// For parameters of these shapes, dtypes and names. Throws ValueError if there are none, one is undefined, a name
    /// occurs twice, or the decay is not in [0, 1); DtypeError unless all are float32 or float64.
    explicit Ema(const std::vector<Tensor>& parameters, const EmaOptions& options = {});

    /// Takes the parameters' values into the averages, in the order of the constructor. Throws, before anything is
    /// changed: ShapeError if their number or a shape differs, DtypeError if a dtype does, ValueError if one is
    /// undefined.
    void update(const std::vector<Tensor>& parameters, const SourceLine& where = std::source_location::current());

    /// The averages, in the order of the constructor; before the first update the values that it saw. Those are the
    /// tensors in use, not copies.
    const std::vector<Tensor>& averages() const { return averages_; }
    /// How many updates there have been.
    std::int64_t update_count() const { return update_count_; }

    /// All that another Ema of the same parameters needs to go on from here: "n_averaged" [] int64 and each average
    /// under its parameter's name, or its number if it has none. Those are the tensors in use, not copies.
    NamedTensors state() const;
    /// Goes on from a state(). Throws ValueError, before anything is changed, unless it has just the names and shapes
    /// that state() has here and a number of updates of 0 or more.
    void load_state(const NamedTensors& state, const SourceLine& where = std::source_location::current());

  private:
    friend class EmaScope;
    std::string label(std::size_t i) const;
    void require_fitting(const std::vector<Tensor>& parameters) const;

    std::vector<Tensor> averages_;  // each with the name of its parameter
    double decay_;
    std::int64_t update_count_ = 0;
};

/// While it lives, parameters have the values of an Ema's averages: for validation, and for saving them. When it ends
/// they have again what they had, bit for bit, whatever was written to them meanwhile. It keeps a copy of them.
class EmaScope {
  public:
    /// Throws what Ema::update() throws.
    EmaScope(const Ema& ema, const std::vector<Tensor>& parameters,
             const SourceLine& where = std::source_location::current());
    ~EmaScope();
    EmaScope(const EmaScope&) = delete;
    EmaScope& operator=(const EmaScope&) = delete;

  private:
    std::vector<Tensor> parameters_, before_;
};

/// The mean of several sets of weights, tensor by tensor, with the names, the order and the dtypes of the first: of the
/// last checkpoints of a training, say (Vaswani et al. 2017, arXiv:1706.03762; Izmailov et al. 2018, arXiv:1803.05407).
///
///     assign(named_parameters(model), average_weights({read_safetensors(a).tensors, read_safetensors(b).tensors}));
///
/// It is summed in double. Throws ValueError if there is no set, or unless all have the same names, each once, with the
/// same shapes; DtypeError if a tensor is of integers or bool.
NamedTensors average_weights(const std::vector<NamedTensors>& sets);

}  // namespace wengert
