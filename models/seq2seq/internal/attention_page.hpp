#pragma once

namespace wengert {

/// attention_page.html, attention_view.css and attention_view.js, which the build puts in.
extern const char *const attention_page, *const attention_style, *const attention_script;

}  // namespace wengert
