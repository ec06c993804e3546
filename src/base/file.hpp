#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace taskctl {

// Errors name path and reason: usage when the path is wrong (missing, a folder, a loop), access when permission is
// missing or the file system is read-only, failed for everything else (disk full, I/O).

/// The whole file, a pipe too. Refuses over `limit` bytes with Error{usage}.
[[nodiscard]] std::string read_file(const std::filesystem::path& path, std::uint64_t limit = 64U << 20U);

/// Writes a new file (mode 0600 unless told) beside `path`, fsyncs, renames over it, fsyncs the folder.
void write_file_durably(const std::filesystem::path& path, std::string_view content, unsigned mode = 0600);

/// Throws the Error for an errno: "cannot write 'PATH': no space left on device".
[[noreturn]] void throw_file_error(const char* what, const std::filesystem::path& path, int reason);

/// The folder that a path lies in; "." for a bare name.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& path);

void fsync_file(const std::filesystem::path& path);
void fsync_folder(const std::filesystem::path& folder);

/// Bytes that an unprivileged process may still write where `path` (or its nearest existing parent) lies.
[[nodiscard]] std::uint64_t free_space(const std::filesystem::path& path);

/// Creates the folder and its parents with mode 0700. Throws Error{failed}.
void make_private_folder(const std::filesystem::path& folder);

}  // namespace taskctl
