#include <wengert/autograd/tape/observer.hpp>

namespace wengert {

Observer::~Observer() {
    Observer** link = &innermost_;
    while (*link != nullptr && *link != this) link = &(*link)->outer_;
    if (*link == this) *link = outer_;
}

bool Observer::is_inspecting_cotangents() {
    for (const Observer* observer = innermost_; observer != nullptr; observer = observer->outer_)
        if (observer->inspects_cotangents()) return true;
    return false;
}

}  // namespace wengert
