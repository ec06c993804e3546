#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace taskctl {

/// SHA-256 of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void add(std::string_view bytes);
  /// Lower-case hex. Ends the digest: nothing can be added afterwards.
  [[nodiscard]] std::string hex();

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

/// Lower-case hex SHA-256.
[[nodiscard]] std::string sha256(std::string_view bytes);

/// Of a whole file, read in pieces. Never call it on a SQLite database that this process has open:
/// closing the file drops SQLite's POSIX locks. Throws Error{failed}.
[[nodiscard]] std::string sha256_file(const std::filesystem::path& path);

/// `bytes` random bytes as lower-case hex, from the operating system.
[[nodiscard]] std::string random_hex(std::size_t bytes);

/// Random UUID, version 4.
[[nodiscard]] std::string random_uuid();

}  // namespace taskctl
