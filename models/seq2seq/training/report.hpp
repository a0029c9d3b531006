#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <wengert/models/line_chart.hpp>
#include <wengert/models/seq2seq/attention_map.hpp>

namespace WENGERT_EXPORT wengert {

/// What a page tells of a training: how far it is, its curves, and how translations of a few sentences changed.
struct TrainingReport {
    /// A sentence as the model translated it at one time.
    struct Sample {
        std::string source, reference, translation;  ///< as they are shown
        std::optional<AttentionMap> attention = {};  ///< none: the system has none
    };
    /// What a validation showed.
    struct Validation {
        std::int64_t step;            ///< after which it was
        std::string name;             ///< "epoch 3, step 900"
        std::vector<Sample> samples;  ///< of the same sentences, in the same order, at each validation
    };
    /// A text that is shown as it is, under a heading.
    struct Text {
        std::string heading, text;  ///< text keeps its lines
    };

    std::string title = {};                                       ///< of the page
    std::string state = {};                                       ///< in words: how far it is, or how it ended
    std::int64_t step = 0, steps = 0;                             ///< done, and in all
    bool is_running = false;                                      ///< more is to come
    std::int64_t written = 0;                                     ///< seconds since 1970
    std::vector<std::pair<std::string, std::string>> facts = {};  ///< name and value, in the order of the page
    std::vector<LineChart> charts = {};                           ///< one without a point is left out
    std::vector<Validation> validations = {};                     ///< in the order of their steps
    std::vector<Text> texts = {};                                 ///< at the end: commands, the configuration
};

/// The report as a page for browsers, one file that refers to no other. A reader chooses a validation and sees the
/// translations of that time beside those of others, and what each word looked at. While the training runs, the page
/// loads itself anew now and then and stays where the reader was; it says so when it has not been written for long.
/// Text shows as it is, bytes that are no UTF-8 as U+FFFD. Throws what to_svg() does of charts and of attention maps.
std::string to_html(const TrainingReport& report);

}  // namespace wengert
