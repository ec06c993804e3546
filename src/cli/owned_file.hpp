#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace taskctl {

/// A small file with the facts that decide whether it may be trusted. Facts and text are of the same opened file, so
/// that nobody can exchange it in between.
struct OwnedFile {
  int error = 0;  ///< errno when it could not be read; the rest is empty then
  std::string text;
  uid_t owner = 0;
  mode_t mode = 0;      ///< permission bits
  bool regular = true;  ///< false for a pipe such as /dev/fd/63

  /// Root or whoever runs this owns it.
  [[nodiscard]] bool owned_by_caller() const;
  /// Group or others may read or write it. A pipe is never shared.
  [[nodiscard]] bool readable_by_others() const;
  [[nodiscard]] bool writable_by_others() const;
};

/// Reads at most 1 MiB; a larger file has error EFBIG.
[[nodiscard]] OwnedFile read_owned_file(const std::filesystem::path& path);

}  // namespace taskctl
