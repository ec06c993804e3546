#pragma once

#include <filesystem>
#include <string>

#include "base/descriptor.hpp"

namespace taskctl {

/// A new file of mode 0600 under a hidden name, ".taskctl-partial-…", removed with the object unless it was published.
/// A process that is killed leaves it; whoever makes the next one in that folder removes it: its writer holds a
/// flock(2) as long as it lives.
class PartialFile {
 public:
  /// Throws Error{backup} when the folder cannot be written.
  explicit PartialFile(const std::filesystem::path& folder);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

  /// Flushes the content to disk and renames it, never over an existing file: false when there is one. Throws
  /// Error{backup}.
  [[nodiscard]] bool publish(const std::filesystem::path& name);
  /// Under the first name that is free in its folder: `stem` + `extension`, or with -2, -3 … before the extension.
  std::filesystem::path publish_as(const std::string& stem, const std::string& extension);

 private:
  std::filesystem::path m_path;
  Descriptor m_file;
};

}  // namespace taskctl
