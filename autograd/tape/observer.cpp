#include <wengert/autograd/tape/observer.hpp>

namespace wengert {

Observer::Observer() : link_(new Link{.observer = this, .outer = innermost_}) { innermost_ = link_; }

Observer::~Observer() {
    link_->observer = nullptr;
    for (Link** place = &innermost_; *place != nullptr;) {
        Link* const link = *place;
        if (link->observer != nullptr) {
            place = &link->outer;
        } else {
            *place = link->outer;
            give_back(link);
        }
    }
    give_back(link_);
}

void Observer::give_back(Link* link) {
    if (--link->owners == 0) delete link;
}

bool Observer::is_inspecting_cotangents() {
    for (const Link* link = innermost_; link != nullptr; link = link->outer)
        if (const Observer* const observer = link->observer; observer != nullptr && observer->inspects_cotangents())
            return true;
    return false;
}

}  // namespace wengert
