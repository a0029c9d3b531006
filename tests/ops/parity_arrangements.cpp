// Mirrors no file: views, copies and lookups beside PyTorch, for parity.cpp.
#include <algorithm>
#include <wengert/ops/ops.hpp>

#include "parity.hpp"

using namespace wengert;

namespace {

OpInputs reversed(OpInputs parts) {
    std::ranges::reverse(parts);
    return parts;
}

}  // namespace

const OpCases& arrangements_cases() {
    static const OpCases cases{
        {"flip",
         [](const OpInputs& in) {
             return flip(in[0], {0, 2});
         }},
        {"roll", [](const OpInputs& in) { return roll(in[0], 2, 2); }},
        {"tile", [](const OpInputs& in) { return tile(in[0], 2, 1); }},
        {"repeat_interleave", [](const OpInputs& in) { return repeat_interleave(in[0], 2, 1); }},
        {"pad constant", [](const OpInputs& in) { return pad(in[0], 2, 1, 2, {.value = 0.5}); }},
        {"pad edge", [](const OpInputs& in) { return pad(in[0], 2, 1, 2, {.mode = PadMode::edge}); }},
        {"pad reflect", [](const OpInputs& in) { return pad(in[0], 2, 1, 2, {.mode = PadMode::reflect}); }},
        {"pad circular", [](const OpInputs& in) { return pad(in[0], 2, 1, 2, {.mode = PadMode::circular}); }},
        {"tril", [](const OpInputs& in) { return tril(in[0], 1); }},
        {"triu", [](const OpInputs& in) { return triu(in[0], -1); }},
        {"diagonal", [](const OpInputs& in) { return diagonal(in[0]); }},
        {"diag_embed", [](const OpInputs& in) { return diag_embed(in[0]); }},
        {"movedim", [](const OpInputs& in) { return movedim(in[0], 0, 2); }},
        {"unfold", [](const OpInputs& in) { return unfold(in[0], 2, 3, 1); }},
        {"slice steps", [](const OpInputs& in) { return slice(in[0], 2, {.begin = 1, .step = 2}); }},
        {"concat", [](const OpInputs& in) { return concat(in, 0); }},
        {"stack", [](const OpInputs& in) { return stack(in, 1); }},

        {"gather", [](const OpInputs& in) { return gather(in[0], 1, in[1]); }},
        {"scatter", [](const OpInputs& in) { return scatter(in[0], 1, in[1], in[2]); }},
        {"scatter_add", [](const OpInputs& in) { return scatter_add(in[0], 1, in[1], in[2]); }},
        {"index_select", [](const OpInputs& in) { return index_select(in[0], 1, in[1]); }},
        {"index",
         [](const OpInputs& in) {
             return index(in[0], {in[1], in[2]});
         }},
        {"index_put",
         [](const OpInputs& in) {
             return index_put(in[0], {in[1], in[2]}, in[3]);
         }},
        {"index_put added",
         [](const OpInputs& in) {
             return index_put(in[0], {in[1], in[2]}, in[3], true);
         }},
        {"masked_select", [](const OpInputs& in) { return masked_select(in[0], in[1]); }},
        {"segment_sum", [](const OpInputs& in) { return segment_sum(in[0], in[1], 4); }},
        {"embedding", [](const OpInputs& in) { return embedding(in[0], in[1]); }},

        {"reshape",
         [](const OpInputs& in) {
             return reshape(transpose(in[0]), {2, -1});
         }},
        {"permute",
         [](const OpInputs& in) {
             return permute(in[0], {2, 0, 1});
         }},
        {"transpose", [](const OpInputs& in) { return transpose(in[0], 0, 2); }},
        {"expand",
         [](const OpInputs& in) {
             return expand(slice(in[0], 1, 0, 1), {4, 2, 3, 4});
         }},
        {"slice", [](const OpInputs& in) { return slice(in[0], 1, 1, 3); }},
        {"select", [](const OpInputs& in) { return select(in[0], 1, -1); }},
        {"unsqueeze", [](const OpInputs& in) { return unsqueeze(in[0], -1); }},
        {"squeeze", [](const OpInputs& in) { return squeeze(slice(in[0], 1, 0, 1), 1); }},
        {"chunk", [](const OpInputs& in) { return concat(reversed(chunk(in[0], 2, 2)), 0); }},
        {"split",
         [](const OpInputs& in) {
             return concat(reversed(split(in[0], {1, 2}, 1)), 1);
         }},
        {"unbind", [](const OpInputs& in) { return unbind(in[0], 1)[2]; }},
        {"flatten", [](const OpInputs& in) { return flatten(in[0], 1); }},
        {"meshgrid", [](const OpInputs& in) { return stack(meshgrid(in), 0); }},
        {"contiguous", [](const OpInputs& in) { return contiguous(transpose(in[0])); }},
        {"put_slice",
         [](const OpInputs& in) {
             return put_slice(in[0], {2, 7, 4}, 1, 2, 5);
         }},
        {"overlap_add", [](const OpInputs& in) { return overlap_add(in[0], 1, 9, 2); }},
        {"convert", [](const OpInputs& in) { return convert(convert(in[0], Dtype::float32), Dtype::float64); }},
        {"masked_fill", [](const OpInputs& in) { return masked_fill(in[0], in[1], 0.5); }},
        {"nonzero", [](const OpInputs& in) { return nonzero(in[0]); }},
        {"one_hot", [](const OpInputs& in) { return one_hot(in[0], 5, Dtype::float64); }},
        {"scatter_rows", [](const OpInputs& in) { return scatter_rows(in[0], in[1], 5); }},
    };
    return cases;
}
