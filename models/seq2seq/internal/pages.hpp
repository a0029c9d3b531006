#pragma once

namespace wengert {

/// Files of this folder, which the build puts in: attention_page.html, report_page.html with report_page.js, and what
/// both pages have, attention_map.css and .js.
extern const char *const attention_page, *const report_page, *const report_script, *const attention_style,
                                                                                       *const attention_script;

}  // namespace wengert
