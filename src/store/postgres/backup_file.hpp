#pragma once

#include <filesystem>
#include <string>

namespace taskctl::postgres {

/// An empty file of a name nobody else has, mode 0600, that goes away with the object.
class TemporaryFile {
 public:
  /// Throws Error{backup} when the folder cannot be written.
  explicit TemporaryFile(const std::filesystem::path& folder);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

  /// Flushes the content to disk and gives it a name that is free in the folder, `stem` + `extension`, or with -2, -3 …
  /// before the extension. The file then stays.
  std::filesystem::path publish(const std::string& stem, const std::string& extension);

 private:
  std::filesystem::path m_path;
};

}  // namespace taskctl::postgres
