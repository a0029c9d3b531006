#pragma once

namespace wengert {

/// attention_page.html, which the build puts in.
extern const char* const attention_page;

}  // namespace wengert
