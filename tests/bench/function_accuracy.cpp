/// Measures how exact each function of one operand is, over all numbers of float32 and a sample of float64's, in values
/// and derivatives, and prints docs/accuracy.md.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#include <wengert/ops/products/threads.hpp>

#include "../ops/elementwise/ulp_errors.hpp"

using namespace ulp_errors;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view introduction = R"(# How exact functions are

```sh
meson setup build-bench -Dbenchmarks=true && meson compile -C build-bench function_accuracy
build-bench/tests/bench/function_accuracy --seconds {} --samples {} > docs/accuracy.md
```

measured this page: for each function of one operand the largest error of its value and of its derivative, and the operand x at which it
is. Errors are in units of the last place of the exact result, and 0.5 is the best that rounding allows. The exact results are computed
in long double, those of derivatives by the function's rule, or, of a function that is a formula, by the chain rule.

A bound is what the function's block documents (`Accuracy` in `ops/elementwise/reading.hpp`). `tests/ops/elementwise/accuracy.cpp` holds
each function to it at 100 000 numbers of either type in every run of the suite. m is the least normal number: "0 below 2 m" says that
smaller results may be 0. "of 1 from -1.4 to -1.1" says that the derivative passes 0 there, and that its units are those of the number 1.
Where a value is infinite, its derivative is not looked at.

- In float32 every n-th of all 2³² bit patterns was taken, NaN and infinities among them; n is the stride. 1 is all of them.
- In float64 a quarter of the numbers is of every magnitude, and the others are between 2⁻²⁰ and 2¹² in size.
- `gelu` and `gelu_tanh` have no bound far left, where the results are small: the rounding of x there costs x² units. `digamma` and `lgamma`
  have none near their roots, nor below 0, where there is a root between any two poles.
)";

struct Flags {
    double seconds = 0;
    std::int64_t samples = 10'000'000;
    int threads = 2;
    std::vector<std::string> functions;
};

struct Row {
    const FunctionEntry* function;
    FunctionErrors errors;
    std::int64_t stride = 1;  ///< between the bit patterns of float32 that were taken
};

/// 1, or the least 2^n - 1 with which a function takes no longer than it may. Odd, so that no exponent or digit is left
/// out; a first measurement, spread over all numbers, tells.
std::int64_t affordable_stride(const FunctionEntry& f, double seconds) {
    if (seconds == 0) return 1;
    const std::int64_t probe = (1 << 16) - 1;
    const Clock::time_point begin = Clock::now();
    over_float32(f, probe);
    const double all = std::chrono::duration<double>(Clock::now() - begin).count() * static_cast<double>(probe);
    std::int64_t stride = 1;
    while (all > seconds * static_cast<double>(stride)) stride = 2 * stride + 1;
    return stride;
}

std::string rounded(double ulps) {
    return ulps == 0 ? "0" : ulps < 100 ? fmt::format("{:.2f}", ulps) : fmt::format("{:.2g}", ulps);
}

/// The two columns of values or of derivatives: "0.52 at 1.3 | 1".
std::string cells(const Errors& errors, const Bound& bound) {
    std::string text = rounded(errors.held.ulps);
    if (errors.held.ulps > 0) text += fmt::format(" at {:.9g}", errors.held.x);
    text += fmt::format(" | {:g}", bound.ulps);
    if (errors.lost > 0) text += fmt::format("; 0 below {:.2g} m", bound.least_normals);
    if (bound.root.low != bound.root.high)
        text += fmt::format("; of 1 from {:g} to {:g}", bound.root.low, bound.root.high);
    if (errors.held.ulps > bound.ulps) text += " **exceeded**";
    return text;
}

/// "x < -3: 160 at -12, 1.6e+07 at -13.3", or nothing.
std::string beyond(const Range& between, const FunctionErrors& errors) {
    std::string text;
    const auto add = [&](std::string_view side, double end) {
        if (std::isfinite(end)) text += fmt::format("{}x {} {:g}", text.empty() ? "" : ", ", side, end);
    };
    add("<", between.low);
    add(">", between.high);
    const auto worst = [](const Errors& e) { return fmt::format("{} at {:.9g}", rounded(e.beyond.ulps), e.beyond.x); };
    return text.empty() ? "" : fmt::format("{}: {}; derivative {}", text, worst(errors.values), worst(errors.slopes));
}

void print_table(const std::vector<Row>& rows, bool has_stride) {
    std::cout << "| function | value | bound | derivative | bound | where it has no bound |"
              << (has_stride ? " stride |" : "") << "\n| --- | --- | --- | --- | --- | --- |"
              << (has_stride ? " --- |" : "") << '\n';
    for (const auto& [function, errors, stride] : rows) {
        const Accuracy& a = function->accuracy;
        std::cout << fmt::format("| `{}` | {} | {} | {} |", function->name, cells(errors.values, value_bound(a)),
                                 cells(errors.slopes, slope_bound(a)), beyond(a.between, errors))
                  << (has_stride ? fmt::format(" {} |", stride) : "") << '\n';
    }
}

/// One row for each function, in the order of the lists. Threads take functions in turn.
template <class F>
std::vector<Row> rows_of(const std::vector<const FunctionEntry*>& functions, int threads, std::string_view what,
                         const F& measured) {
    std::vector<Row> rows(functions.size());
    std::atomic<std::size_t> next = 0;
    std::mutex progress;
    std::vector<std::jthread> workers;
    for (int i = 0; i < threads; ++i)
        workers.emplace_back([&] {
            set_thread_count(1);
            for (std::size_t k = next++; k < rows.size(); k = next++) {
                const Clock::time_point begin = Clock::now();
                rows[k].function = functions[k];
                measured(rows[k]);
                const std::scoped_lock lock(progress);
                std::cerr << fmt::format("{} {} of {}: {}, {:.0f} s\n", what, k + 1, rows.size(), functions[k]->name,
                                         std::chrono::duration<double>(Clock::now() - begin).count());
            }
        });
    workers.clear();
    return rows;
}

void print_page(const Flags& f) {
    std::vector<const FunctionEntry*> functions;
    for (const FunctionEntry& function : all_functions())
        if (is_measured(function) &&
            (f.functions.empty() || std::ranges::find(f.functions, function.name) != f.functions.end()))
            functions.push_back(&function);
    const std::vector<Row> narrow = rows_of(functions, f.threads, "float32", [&](Row& row) {
        row.stride = affordable_stride(*row.function, f.seconds);
        row.errors = over_float32(*row.function, row.stride);
    });
    const std::vector<Row> wide = rows_of(functions, f.threads, "float64",
                                          [&](Row& row) { row.errors = over_float64(*row.function, f.samples); });
    std::cout << fmt::format(introduction, f.seconds, f.samples) << "\n## float32\n\n";
    print_table(narrow, true);
    std::cout << "\n## float64\n\n";
    print_table(wide, false);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures the errors of the functions of one operand, and prints docs/accuracy.md."};
    Flags f;
    app.add_option("--seconds", f.seconds, "a function in float32 takes about as long: every n-th number (0: all)")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--samples", f.samples, "numbers of float64")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--threads", f.threads, "functions at a time")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--functions", f.functions, "these alone")->delimiter(',');
    CLI11_PARSE(app, argc, argv);
    print_page(f);
}
