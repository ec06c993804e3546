#pragma once

#include <filesystem>
#include <string_view>

#include "base/descriptor.hpp"

namespace taskctl {

/// Gives a file its final name unless somebody has it; returns 0, or errno (EEXIST: the name is taken).
[[nodiscard]] int rename_without_overwriting(const std::filesystem::path& from, const std::filesystem::path& to);

/// A file of mode 0600 written piece by piece under a temporary name in the same folder. It gets its name by publish();
/// without that nothing stays. Errors as in base/file.hpp.
class NewFile {
 public:
  /// Throws Error{refused} when the name is taken already.
  explicit NewFile(std::filesystem::path path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void append(std::string_view bytes);
  /// Flushes content and folder to disk. Throws Error{refused} when the name was taken meanwhile: never overwrites.
  void publish();

 private:
  std::filesystem::path m_path, m_temporary;
  Descriptor m_file;
  bool m_published = false;
};

}  // namespace taskctl
