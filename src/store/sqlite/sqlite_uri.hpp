#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace taskctl {

/// `file:` URI of an absolute path. Everything that is not plainly part of a path is percent-encoded, so that '?', '#'
/// and '%' in names stay names.
[[nodiscard]] std::string sqlite_file_uri(const std::filesystem::path& path, std::string_view query);

}  // namespace taskctl
