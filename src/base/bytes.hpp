#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace taskctl {

/// Length-prefixed fields for spooled records. In-process only: byte order is the machine's.
class ByteWriter {
 public:
  void number(std::int64_t value) { m_bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void real(double value) { m_bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size()));
    m_bytes.append(value);
  }
  [[nodiscard]] const std::string& bytes() const { return m_bytes; }
  void clear() { m_bytes.clear(); }

 private:
  std::string m_bytes;
};

/// Reads what ByteWriter wrote, in the same order. Throws std::out_of_range past the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : m_rest{bytes} {}
  std::int64_t number() {
    std::int64_t value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  double real() {
    double value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string{take(static_cast<std::size_t>(number()))}; }

 private:
  std::string_view take(std::size_t size) {
    const std::string_view head = m_rest.substr(0, size);
    if (head.size() != size) {
      throw std::out_of_range{"spooled record is too short"};
    }
    m_rest.remove_prefix(size);
    return head;
  }
  std::string_view m_rest;
};

}  // namespace taskctl
