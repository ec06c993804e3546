#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace taskctl {

/// Text as roff shows it: backslashes, a leading dot or quote, and characters beyond ASCII escaped.
[[nodiscard]] std::string roff_text(std::string_view text);

/// The same for what is typed: hyphens stay hyphens when somebody copies them.
[[nodiscard]] std::string roff_code(std::string_view text);

/// The body of a page in man(7) macros, of a small Markdown: "## SECTION", "### Subsection", paragraphs, "- item",
/// a term followed by ":   definition", tables, ``` blocks, `code`, **bold**, *emphasis*; <!-- comments --> are
/// dropped. A line "@NAME@" becomes what `fill` returns for NAME. Throws Error{bug} for a block without an end.
[[nodiscard]] std::string roff_of_markdown(std::string_view markdown,
                                           const std::function<std::string(const std::string&)>& fill);

}  // namespace taskctl
