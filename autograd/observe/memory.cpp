#include <unordered_set>
#include <wengert/autograd/observe/memory.hpp>

namespace wengert {
namespace {

/// The storages met so far, and their bytes.
class Storages {
  public:
    void add(const Node& node) {
        for (const Saved& saved : node.kept())
            if (const Storage* const storage = saved.tensor.defined() ? saved.tensor.state()->storage : nullptr;
                storage != nullptr && seen_.insert(storage).second)
                bytes_ += storage->bytes;
    }
    std::size_t bytes() const { return bytes_; }

  private:
    std::unordered_set<const Storage*> seen_;
    std::size_t bytes_ = 0;
};

}  // namespace

std::size_t saved_bytes(const Tape& tape) {
    Storages storages;
    for (NodeId id = 0; id < tape.size(); ++id) storages.add(tape[id]);
    return storages.bytes();
}

std::size_t saved_bytes(const Tape& tape, std::span<const NodeId> nodes) {
    Storages storages;
    for (const NodeId id : nodes) storages.add(tape[id]);
    return storages.bytes();
}

}  // namespace wengert
