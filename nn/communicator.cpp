#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <functional>
#include <wengert/autograd/tensor/half.hpp>
#include <wengert/autograd/tensor/strided.hpp>
#include <wengert/nn/communicator.hpp>

namespace wengert {
namespace {

std::span<std::byte> bytes_of(const Tensor& x) {
    return {static_cast<std::byte*>(x.raw()), static_cast<std::size_t>(x.numel()) * size_of(x.dtype())};
}

/// What ranks must have in common to exchange tensors.
struct Signature {
    std::int64_t tensors, elements;
    std::size_t hash;
    bool operator==(const Signature&) const = default;
};

/// Of a rank that has nothing to exchange any more.
constexpr Signature gave_up{-1, 0, 0};

Signature signature_of(std::string_view caller, std::string_view how, const std::vector<Tensor>& tensors) {
    Signature result{std::ssize(tensors), 0, 0};
    std::string text = fmt::format("{} {}", caller, how);
    for (const Tensor& x : tensors) {
        text += x.defined() ? fmt::format(";{} {}", to_string(x.dtype()), to_string(x.shape())) : ";undefined";
        result.elements += x.defined() ? x.numel() : 0;
    }
    result.hash = std::hash<std::string>()(text);
    return result;
}

/// What an element that was sent stands for.
template <class T, class Sent>
T widened(Sent x) {
    if constexpr (std::is_same_v<Sent, Bfloat16>)
        return static_cast<float>(x);
    else
        return x;
}

void require_rank(std::string_view caller, int root, int size) {
    if (root < 0 || root >= size) throw ValueError(fmt::format("{}: there is no rank {} of {}", caller, root, size));
}

}  // namespace

/// Elements of a tensor that travel in one bucket.
struct Communicator::Piece {
    Tensor* tensor;  // contiguous, and nobody else's
    std::int64_t begin, count;
};

void Communicator::require_alike(std::string_view caller, const std::vector<Tensor>& tensors, std::string_view how) {
    std::vector<Signature> all(1);
    if (size() > 1) all = all_gather(signature_of(caller, how, tensors));
    for (std::size_t rank = 0; rank < all.size(); ++rank)
        if (all[rank] == gave_up) throw AbandonedError(fmt::format("{}: rank {} gave up", caller, rank));
    for (std::size_t rank = 1; rank < all.size(); ++rank)
        if (all[rank] != all[0])
            throw RankError(fmt::format("{}: rank {} comes with {} tensors of {} elements, rank 0 with {} of {}{}",
                                        caller, rank, all[rank].tensors, all[rank].elements, all[0].tensors,
                                        all[0].elements,
                                        all[rank].elements == all[0].elements
                                            ? ", of other shapes or dtypes, or to another function, op or wire"
                                            : ""));
    for (std::size_t i = 0; i < tensors.size(); ++i)
        if (!tensors[i].defined()) throw ValueError(fmt::format("{}: tensor {} is undefined", caller, i));
}

void Communicator::give_up() { all_gather(gave_up); }

void Communicator::reserve(const std::vector<Tensor>& tensors) {
    if (size() == 1) return;
    std::int64_t elements = 0;
    std::size_t widest = 0;
    for (const Tensor& x : tensors) elements += x.numel(), widest = std::max(widest, size_of(x.dtype()));
    reserve(static_cast<std::size_t>(std::min(elements, bucket) + size()) * widest);
}

void Communicator::reserve(std::size_t bytes) {
    for (std::vector<std::byte>* const room : {&sent_, &received_}) room->resize(std::max(room->size(), bytes));
}

void Communicator::all_reduce(std::vector<Tensor>& tensors, ReduceOp op, Wire wire) {
    require_alike("all_reduce", tensors, fmt::format("{} {}", static_cast<int>(op), static_cast<int>(wire)));
    for (std::size_t i = 0; i < tensors.size(); ++i)
        if (!is_floating(tensors[i].dtype()))
            throw DtypeError(fmt::format("all_reduce: tensor {} is {}", i, to_string(tensors[i].dtype())));
    if (size() == 1) return;
    std::vector<Piece> pieces;
    std::int64_t elements = 0;
    const auto flush = [&] {
        if (pieces.empty()) return;
        visit_floating(pieces.front().tensor->dtype(), [&](auto type) {
            using T = decltype(type);
            wire == Wire::exact ? reduce<T, T>(pieces, op) : reduce<T, Bfloat16>(pieces, op);
        });
        pieces.clear();
        elements = 0;
    };
    for (Tensor& x : tensors) {
        if (!x.is_unique() || !x.is_contiguous()) x = x.clone();
        if (!pieces.empty() && pieces.front().tensor->dtype() != x.dtype()) flush();
        for (std::int64_t begin = 0; begin < x.numel();) {
            const std::int64_t count = std::min(x.numel() - begin, bucket - elements);
            pieces.push_back({&x, begin, count});
            begin += count;
            elements += count;
            if (elements == bucket) flush();
        }
    }
    flush();
}

/// Each rank sums a part of the bucket for all, so that there is one sum of each element.
template <class T, class Sent>
void Communicator::reduce(std::span<const Piece> pieces, ReduceOp op) {
    std::int64_t elements = 0;
    for (const Piece& piece : pieces) elements += piece.count;
    const std::int64_t part = (elements + size() - 1) / size();
    const std::size_t bytes = static_cast<std::size_t>(part * size()) * sizeof(Sent);
    reserve(bytes);
    const std::span<std::byte> whole = std::span(sent_).first(bytes), parts = std::span(received_).first(bytes);
    auto* const mine = reinterpret_cast<Sent*>(whole.data());
    Sent* to = mine;
    for (const Piece& piece : pieces) {
        const T* const from = piece.tensor->data<T>() + piece.begin;
        to = std::transform(from, from + piece.count, to, [](T x) { return static_cast<Sent>(x); });
    }
    std::fill(to, mine + part * size(), static_cast<Sent>(T(0)));
    exchange(whole, parts);
    auto* const theirs = reinterpret_cast<Sent*>(parts.data());
    std::array<T, 1024> sums;  // a part of them at a time, near the processor
    for (std::int64_t begin = 0; begin < part; begin += std::ssize(sums)) {
        const std::int64_t count = std::min(std::ssize(sums), part - begin);
        for (std::int64_t i = 0; i < count; ++i) sums[static_cast<std::size_t>(i)] = widened<T>(theirs[begin + i]);
        for (std::int64_t rank = 1; rank < size(); ++rank)
            for (std::int64_t i = 0; i < count; ++i)
                sums[static_cast<std::size_t>(i)] += widened<T>(theirs[rank * part + begin + i]);
        for (std::int64_t i = 0; i < count; ++i) {
            const T sum = sums[static_cast<std::size_t>(i)];
            theirs[begin + i] = static_cast<Sent>(op == ReduceOp::mean ? sum / static_cast<T>(size()) : sum);
        }
    }
    gather(parts.first(static_cast<std::size_t>(part) * sizeof(Sent)), whole);
    const Sent* from = mine;
    for (const Piece& piece : pieces) {
        std::transform(from, from + piece.count, piece.tensor->mutable_data<T>() + piece.begin, widened<T, Sent>);
        from += piece.count;
    }
}

void Communicator::broadcast(const std::vector<Tensor>& tensors, int root) {
    require_rank("broadcast", root, size());
    require_alike("broadcast", tensors);
    for (Tensor x : tensors) {
        Tensor elements = rank() == root ? packed(x) : Tensor::empty(x.shape(), x.dtype());
        send_from(root, bytes_of(elements));
        if (rank() != root) x.copy_from(elements);
    }
}

std::string Communicator::broadcast(std::string text, int root) {
    require_rank("broadcast", root, size());
    text.resize(all_gather(text.size())[static_cast<std::size_t>(root)]);
    send_from(root, std::as_writable_bytes(std::span(text)));
    return text;
}

void Communicator::all_or_none(const std::function<void()>& work) {
    if (size() == 1) return work();
    enum Outcome : int { done, failed, abandoned };
    Outcome mine = done;
    std::exception_ptr error;
    std::string message;
    try {
        work();
    } catch (const std::exception& thrown) {
        error = std::current_exception();
        message = thrown.what();
        mine = dynamic_cast<const AbandonedError*>(&thrown) != nullptr ? abandoned : failed;
    }
    const std::vector<Outcome> all = all_gather(mine);
    const auto first = std::ranges::find(all, failed);
    if (first == all.end() && !error) return;
    if (first == all.end()) std::rethrow_exception(error);
    const int rank = static_cast<int>(first - all.begin());
    message = broadcast(std::move(message), rank);
    if (mine == failed) std::rethrow_exception(error);
    throw RankError(fmt::format("rank {}: {}", rank, message));
}

void SingleProcess::exchange(std::span<const std::byte> from, std::span<std::byte> to) {
    std::ranges::copy(from, to.begin());
}
void SingleProcess::gather(std::span<const std::byte> from, std::span<std::byte> to) {
    std::ranges::copy(from, to.begin());
}
void SingleProcess::send_from(int, std::span<std::byte>) {}

Communicator& single_process() {
    static SingleProcess one;
    return one;
}

}  // namespace wengert
