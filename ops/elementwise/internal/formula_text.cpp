#include <fmt/format.h>

#include <array>
#include <thread>
#include <unordered_map>
#include <vector>
#include <wengert/ops/elementwise/internal/formula_text.hpp>
#include <wengert/ops/elementwise/internal/map_op.hpp>

namespace wengert {
namespace {

/// Functions that are written between their operands, and how strongly they bind.
struct Infix {
    std::string_view name, symbol;
    int strength;
};
constexpr std::array infixes{
    Infix{"add", "+", 3},        Infix{"sub", "-", 3},          Infix{"mul", "*", 4},
    Infix{"div", "/", 4},        Infix{"greater", ">", 2},      Infix{"greater_equal", ">=", 2},
    Infix{"less", "<", 2},       Infix{"less_equal", "<=", 2},  Infix{"equal", "==", 2},
    Infix{"not_equal", "!=", 2}, Infix{"logical_and", "&&", 1}, Infix{"logical_or", "||", 1}};
constexpr int whole = 5;  // binds more strongly than any
constexpr std::size_t longest = 48;

struct Expression {
    std::string text;
    int strength = whole;

    std::string inside(int strength_around) const { return strength < strength_around ? '(' + text + ')' : text; }
};

/// Writes down what ops of this thread compute, as expressions of the tensors that are named to it.
class Transcript final : public Observer {
  public:
    void name(const Tensor& x, std::string text) { remember(x, {std::move(text)}); }
    /// The expression of a value, without a name of its own.
    std::string text_of(const Term& x) const {
        return x.is_number() ? fmt::format("{:.6g}", x.number()) : expression_of(x.tensor()).text;
    }
    /// "t1 = ..." for each part that has a name.
    const std::string& parts() const { return parts_; }

    void begin(const Work& work) override { ops_.push_back(work.name); }
    void end(const Work&) override { ops_.pop_back(); }
    void computed(const Applied&, const Inputs& in, const Tensor& out) override {
        if (ops_.size() != 1) return;  // what an op's forward calls is the op's
        Expression result = written(ops_.back(), in);
        if (result.text.size() > longest && ++part_count_ > 0) {
            const std::string name = fmt::format("t{}", part_count_);
            parts_ += fmt::format("{} = {}\n", name, result.text);
            result = {name};
        }
        remember(out, std::move(result));
    }

  private:
    Expression written(std::string_view op, const Inputs& in) const {
        for (const Infix& infix : infixes)
            if (infix.name == op && in.size() == 2)
                return {fmt::format("{} {} {}", expression_of(in[0]).inside(infix.strength), infix.symbol,
                                    expression_of(in[1]).inside(infix.strength + 1)),
                        infix.strength};
        std::string operands;
        for (std::size_t i = 0; i < in.size(); ++i)
            operands += fmt::format("{}{}", i == 0 ? "" : ", ", expression_of(in[i]).text);
        return {fmt::format("{}({})", op, operands)};
    }
    Expression expression_of(const Tensor& x) const {
        if (const auto found = known_.find(x.state()); found != known_.end()) return found->second.second;
        const double number = cast(x, Dtype::float64).item();
        return {fmt::format("{:.6g}", number), number < 0 ? 0 : whole};
    }
    void remember(const Tensor& x, Expression expression) {
        known_[x.state()] = {x, std::move(expression)};  // the handle keeps the address from being another's
    }

    std::vector<std::string_view> ops_;
    std::unordered_map<const TensorState*, std::pair<Tensor, Expression>> known_;
    std::string parts_;
    int part_count_ = 0;
};

std::string name_of_operand(std::size_t k) {
    constexpr std::size_t letters = 26;
    return k < letters ? std::string(1, static_cast<char>('a' + k)) : fmt::format("x{}", k);
}

std::string text_of(const Formula& formula, const void* captured, std::string_view around) {
    std::vector<TermDual> in;
    Transcript transcript;
    for (std::size_t k = 0; k < static_cast<std::size_t>(formula.operands); ++k) {
        const Tensor x = full({1}, 0.5, Dtype::float64);
        transcript.name(x, name_of_operand(k));
        in.emplace_back(Term(x));
    }
    std::array<TermDual, most_results> out;
    formula.compose(captured, in.data(), out.data());
    std::string text;
    for (std::size_t r = 0; r < static_cast<std::size_t>(formula.results); ++r) {
        const std::string result = transcript.text_of(out[r].value);
        text += around.empty() ? result : fmt::format("{}({})", around, result);
        text += '\n';
    }
    text.pop_back();
    return transcript.parts() + text;
}

template <bool captures, bool summed>
bool add_text(const Node& node, std::string& text) {
    const auto* const recorded = dynamic_cast<const Recorded<MapOp<captures, summed>>*>(&node);
    if (recorded == nullptr) return false;
    const Formula& formula = *recorded->op().formula;
    if (formula.name != (summed ? "map_sum" : "map") || formula.compose == nullptr) return true;
    std::jthread([&] {
        try {
            text = text_of(formula, &recorded->op().captured, summed ? "sum" : "");
        } catch (const Error&) {
            text.clear();  // a formula that cannot be read with these values goes without
        }
    });
    return true;
}

}  // namespace

std::optional<std::string> formula_text(const Node& node) {
    std::string text;
    const bool is_formula = add_text<false, false>(node, text) || add_text<true, false>(node, text) ||
                            add_text<false, true>(node, text) || add_text<true, true>(node, text);
    return is_formula ? std::optional(text) : std::nullopt;
}

}  // namespace wengert
