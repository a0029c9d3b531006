#pragma once

#include <array>
#include <string_view>

namespace wengert::program {

/// Options of train that belong together; those that are given beside take their place.
struct Preset {
    std::string_view name, meaning, flags;
};

inline constexpr std::array presets{
    Preset{"seed", "the article's: two GRU layers of 1024, 4 epochs on 8,000 pairs",
           "--hidden 1024 --embedding 256 --layers 2 --batch 64 --epochs 4 --learning-rate 5e-4 --pairs 8000"},
    Preset{"tiny", "a minute's training on the built-in corpus",
           "--hidden 256 --layers 1 --epochs 3 --learning-rate 2e-3"},
    Preset{"multi30k", "Multi30k with words, for any system: 10 epochs",
           "--tokenizer spaces --vocabulary 8000 --min-count 2 --hidden 256 --embedding 256 --layers 1 --dropout 0.3 "
           "--label-smoothing 0.1 --max-length 80 --epochs 10 --learning-rate 1.5e-3 --warmup 300 --schedule cosine "
           "--metric bleu"},
    Preset{"multi30k-best", "Multi30k's best single recurrent model: subwords, a conditional GRU",
           "--system conditional --bidirectional --subwords 4000 --joint --tying all --hidden 320 --attention 320 "
           "--embedding 256 --layers 1 --dropout 0.3 --context-dropout 0.3 --output-dropout 0.5 --word-dropout 0.1 "
           "--recurrent-dropout 0.2 --label-smoothing 0.1 --max-length 80 --epochs 18 --learning-rate 1.5e-3 "
           "--warmup 300 --schedule cosine --metric bleu"}};

}  // namespace wengert::program
