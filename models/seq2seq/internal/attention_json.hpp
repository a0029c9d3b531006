#pragma once

#include <nlohmann/json.hpp>
#include <wengert/models/seq2seq/attention_map.hpp>

namespace wengert {

/// A map as an entry of to_json(). Throws what to_svg() does.
nlohmann::ordered_json as_json(const AttentionMap& map);

}  // namespace wengert
