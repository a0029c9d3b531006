#pragma once

#include <cstdint>
#include <wengert/nn/named_tensors.hpp>

/// How a learning rate changes over a training.
namespace WENGERT_EXPORT wengert {

/// What the first learning rate is multiplied by at each step. Steps count from 0, as Optimizer::step_count() does
/// before step():
///
///     const auto schedule = LearningRateSchedule::cosine(90000).after_warmup(10000);
///     optimizer.set_learning_rate(rate * schedule.factor(optimizer.step_count()));
///     optimizer.step(gradients);
///
/// Each schedule begins with 1, and a warm-up leads up to that. Options that PyTorch has have its names and defaults,
/// but are factors too: CosineAnnealingLR's eta_min is a learning rate, `end` is its share of the first one.
class LearningRateSchedule {
  public:
    /// 1.
    LearningRateSchedule() = default;
    /// 1 at every step.
    static LearningRateSchedule constant() { return {}; }
    /// 1 + (end - 1) step / steps, and `end` from then on. Throws ValueError unless steps is 1 or more and end is in
    /// [0, 1].
    static LearningRateSchedule linear(std::int64_t steps, double end = 0);
    /// end + (1 - end) (1 + cos(pi step / steps)) / 2, and `end` from then on (Loshchilov and Hutter 2017,
    /// arXiv:1608.03983, without restarts). Throws what linear() throws.
    static LearningRateSchedule cosine(std::int64_t steps, double end = 0);
    /// sqrt(steps / (steps + step)). The n-th step of inverse_square_root(w).after_warmup(w - 1) has min(n / w,
    /// sqrt(w / n)), which is the schedule of Vaswani et al. 2017, arXiv:1706.03762, with its peak as the rate. Throws
    /// ValueError unless steps is 1 or more.
    static LearningRateSchedule inverse_square_root(std::int64_t steps);
    /// gamma^k with k = step / step_size, rounded down: PyTorch's StepLR. Throws ValueError unless step_size is 1 or
    /// more and gamma is in [0, 1].
    static LearningRateSchedule step_decay(std::int64_t step_size, double gamma = 0.1);

    /// The same schedule, later: (step + 1) / (steps + 1) in the first `steps` steps, then this one from its beginning
    /// (Goyal et al. 2017, arXiv:1706.02677). A warm-up of what has one is longer by so many steps. Throws ValueError
    /// unless steps is 0 or more.
    LearningRateSchedule after_warmup(std::int64_t steps) const;

    /// Throws ValueError unless step is 0 or more.
    double factor(std::int64_t step) const;

  private:
    enum class Form { constant, linear, cosine, inverse_square_root, step_decay };
    LearningRateSchedule(Form form, std::int64_t steps, double end) : form_(form), steps_(steps), end_(end) {}

    Form form_ = Form::constant;
    std::int64_t steps_ = 1;
    double end_ = 1;  // of step_decay: gamma
    std::int64_t warmup_ = 0;
};

/// Whether a smaller value is a better one, such as a loss, or a larger one, such as BLEU.
enum class PlateauMode { min, max };
/// What a value must exceed the best one by: a share of it, or a difference.
enum class PlateauThreshold { rel, abs };

/// Options of PyTorch's ReduceLROnPlateau, with its defaults.
struct PlateauOptions {
    PlateauMode mode = PlateauMode::min;                      ///< which values are better
    double factor = 0.1;                                      ///< what the factor is multiplied by, in [0, 1)
    std::int64_t patience = 10;                               ///< so many bad values in succession are borne
    double threshold = 1e-4;                                  ///< what is better by less is bad
    PlateauThreshold threshold_mode = PlateauThreshold::rel;  ///< how `threshold` is meant
    std::int64_t cooldown = 0;                                ///< so many values after a reduction are never bad
    double min_factor = 0;                                    ///< the factor does not fall below it
};

/// A factor of the learning rate that falls when a validation value stops to improve, as PyTorch's ReduceLROnPlateau
/// has it:
///
///     Plateau plateau({.patience = 2});
///     optimizer.set_learning_rate(rate * plateau.update(validation_loss));
///
/// A value is better than the best one b if it is below b (1 - threshold), or b - threshold if that is absolute; for
/// the largest value, above b (1 + threshold) or b + threshold. All others are bad, NaN too. After more than `patience`
/// bad values in succession the factor is multiplied, and the count begins anew.
class Plateau {
  public:
    /// Throws ValueError if an option is outside its domain.
    explicit Plateau(const PlateauOptions& options = {});

    /// Takes the next value; returns factor().
    double update(double value);
    /// What the first learning rate is multiplied by; 1 at first.
    double factor() const { return factor_; }
    /// The best value so far; plus or minus infinity before the first.
    double best() const { return best_; }
    /// How many bad values there have been in succession.
    std::int64_t bad_count() const { return bad_count_; }

    /// All that another one with the same options needs to go on from here: "factor" and "best" [] float64, "bad_count"
    /// and "cooldown_counter" [] int64.
    NamedTensors state() const;
    /// Goes on from a state(). Throws ValueError, before anything is changed, unless it has just these names and
    /// shapes, a factor in [0, 1] and counts of 0 or more.
    void load_state(const NamedTensors& state, const SourceLine& where = std::source_location::current());

  private:
    bool is_better(double value) const;

    PlateauOptions options_;
    double factor_ = 1;
    double best_;
    std::int64_t bad_count_ = 0;
    std::int64_t cooldown_counter_ = 0;
};

}  // namespace wengert
