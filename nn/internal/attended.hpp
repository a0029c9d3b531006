#pragma once

#include <string_view>
#include <wengert/nn/module.hpp>

/// What the attention layers over a batch's source positions have in common. Errors bear the name of the layer.
namespace wengert::attended {

/// 1 where there is no token, 0 elsewhere: of states [B, S, M] and lengths int64 [B] -> [B, S]; undefined if the
/// lengths are. In their place a mask, bool [B, S], may say where there is none. Throws ShapeError if they do not fit,
/// ValueError unless 0 <= length <= S.
Tensor padding(std::string_view layer, const Input& states, const Tensor& lengths);

/// Throws ValueError if a mask has padding before a token: a window's place is counted from the row's beginning.
void require_padding_behind(std::string_view layer, const Input& states, const Tensor& lengths);

/// Throws ShapeError unless a state [R, H] has one row for each of the keys [B, S, A] (or either has one) and the keys
/// have so many features, ValueError if the keys are undefined.
void require_fitting(std::string_view layer, const Input& state, const Tensor& keys, std::int64_t features);

/// v . tanh(keys + queries): v [1, A], keys [B, S, A], queries [R, A] -> [R, S].
Tensor additive_scores(const Tensor& v, const Tensor& keys, const Tensor& queries);

/// The softmax over the last axis of the scores, exactly 0 where the mask is not 0. An undefined mask masks nothing.
Tensor weigh(const Tensor& scores, const Tensor& mask);

/// sum_s weights_s states_s: weights [R, S], states [B, S, M] -> [R, M].
Tensor context(const Tensor& weights, const Tensor& states);

}  // namespace wengert::attended
