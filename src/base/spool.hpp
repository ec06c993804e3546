#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace taskctl {

/// Records of bytes, kept in memory up to a bound and then in an unlinked temporary file, so that
/// results can be read in one short transaction and printed afterwards with flat memory.
/// Reading is by position returned from append(), or in order. Not thread-safe.
class Spool {
 public:
  static constexpr std::size_t k_memory_limit = 16U << 20U;  ///< 16 MiB, then the file

  explicit Spool(std::size_t memory_limit = k_memory_limit);
  ~Spool();
  Spool(Spool&&) noexcept;
  Spool& operator=(Spool&&) noexcept;

  /// Returns where the record begins. Throws Error{failed} naming $TMPDIR when it is full.
  std::uint64_t append(std::string_view record);
  [[nodiscard]] std::string read(std::uint64_t position) const;
  /// Every record in the order of append; with its position.
  void for_each(const std::function<void(std::string_view)>& visit) const;
  void for_each_at(const std::function<void(std::uint64_t position, std::string_view)>& visit) const;
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] bool in_memory() const;

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace taskctl
