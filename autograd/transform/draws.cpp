#include <wengert/autograd/tensor/error.hpp>
#include <wengert/autograd/transform/draws.hpp>

namespace wengert {

std::uint64_t Draws::take(std::uint64_t& position, std::uint64_t count) {
    // The innermost list that repeats decides; lists around it have noted these draws already.
    Draws* repeat = innermost_;
    while (repeat != nullptr && repeat->repeated_ == nullptr) repeat = repeat->outer_;
    std::uint64_t at = position;
    if (repeat == nullptr)
        position += count;
    else if (repeat->next_ < repeat->repeated_->size())
        at = (*repeat->repeated_)[repeat->next_++];
    else
        throw TapeError("a function that is run again draws more random numbers than at first");
    for (const Draws* note = innermost_; note != repeat; note = note->outer_) note->noted_->push_back(at);
    return at;
}

}  // namespace wengert
