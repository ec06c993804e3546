#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace taskctl {

/// An OS lock (flock) on a side file. The kernel drops it when the process dies, however it dies.
/// The file holds `note` (who, host, pid, since) for the one who is refused; release removes the file.
class FileLock {
 public:
  /// Takes the lock at once or returns nullopt; `holder` then gets what the holder wrote.
  /// Throws Error{access} when the file cannot be created.
  static std::optional<FileLock> try_acquire(const std::filesystem::path& path, const std::string& note,
                                             std::string& holder);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  FileLock(std::filesystem::path path, int descriptor) : m_path{std::move(path)}, m_descriptor{descriptor} {}
  std::filesystem::path m_path;
  int m_descriptor = -1;
};

}  // namespace taskctl
