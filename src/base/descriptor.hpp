#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace taskctl {

/// Owns an open file descriptor; negative means none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : m_number{number} {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : m_number{other.release()} {}
  Descriptor& operator=(Descriptor&& other) noexcept;

  explicit operator bool() const { return m_number >= 0; }
  [[nodiscard]] int number() const { return m_number; }
  [[nodiscard]] int release();
  void close();

 private:
  int m_number = -1;
};

/// read(2) and write(2) that go on after a signal. write_all: false, with errno set, when not everything was written.
[[nodiscard]] ssize_t read_some(int descriptor, char* buffer, std::size_t size);
[[nodiscard]] bool write_all(int descriptor, std::string_view bytes);

/// What the system says about an errno, in lower case: "no such file or directory".
[[nodiscard]] std::string error_text(int error_number);

}  // namespace taskctl
