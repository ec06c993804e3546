#include "base/spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/descriptor.hpp"
#include "base/environment.hpp"
#include "base/error.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_header = sizeof(std::uint64_t);        ///< length of the record that follows
constexpr std::size_t k_write_buffer = std::size_t{1} << 18U;  ///< kept in memory once there is a file
constexpr std::size_t k_read_ahead = std::size_t{1} << 18U;
constexpr std::size_t k_read_record = 1024;  ///< most records are smaller: one call of the system for each

std::string spool_folder() {
  return environment("TMPDIR").value_or("/tmp");
}

[[noreturn]] void fail(const std::string& what) {
  const int reason = errno;
  throw Error{ExitCode::failed,
              fmt::format("cannot {} a temporary file in '{}': {}", what, spool_folder(), error_text(reason)),
              "Set TMPDIR to a folder with more free space."};
}

Descriptor temporary_file() {
  std::string path = spool_folder() + "/taskctl-spool-XXXXXX";
  Descriptor file{mkostemp(path.data(), O_CLOEXEC)};
  if (!file) {
    fail("create");
  }
  unlink(path.c_str());
  return file;
}

std::uint64_t decode_length(std::string_view header) {
  std::uint64_t length = 0;
  std::memcpy(&length, header.data(), k_header);
  return length;
}

}  // namespace

/// Bytes at positions below `filed` stand in the file, the rest in `tail`; no record is split between the two.
struct Spool::State {
  std::size_t memory_limit;
  std::string tail;
  Descriptor file;
  std::uint64_t filed = 0;
  std::uint64_t count = 0;

  [[nodiscard]] std::uint64_t size() const { return filed + tail.size(); }
  [[nodiscard]] std::size_t tail_limit() const { return file ? k_write_buffer : memory_limit; }

  /// Room for a record, without the doubling that would keep up to three times the limit for a moment.
  void make_room(std::size_t bytes) {
    if (!tail.empty() && tail.size() + bytes > tail_limit()) {
      flush();
    } else if (tail.size() + bytes > k_write_buffer && tail.capacity() < tail_limit()) {
      tail.reserve(tail_limit());
    }
  }

  void flush() {
    if (!file) {
      file = temporary_file();
    }
    const bool at_end = lseek(file.number(), static_cast<off_t>(filed), SEEK_SET) >= 0;
    if (!at_end || !write_all(file.number(), tail)) {
      fail("write");
    }
    filed += tail.size();
    tail.clear();
    tail.shrink_to_fit();
  }

  /// Replaces `out` by what stands at `position`: `wanted` bytes, fewer at the end of the file or of the tail.
  void fetch(std::uint64_t position, std::uint64_t wanted, std::string& out) const {
    if (position >= filed) {
      out.assign(tail, position - filed, wanted);
      return;
    }
    out.resize(std::min(wanted, filed - position));
    for (std::size_t done = 0; done < out.size();) {
      const auto offset = static_cast<off_t>(position + done);
      const ssize_t got = pread(file.number(), out.data() + done, out.size() - done, offset);
      if (got == 0 || (got < 0 && errno != EINTR)) {
        fail("read");
      }
      done += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
  }
};

Spool::Spool(std::size_t memory_limit) : m_state{std::make_unique<State>()} {
  m_state->memory_limit = memory_limit;
}
Spool::~Spool() = default;
Spool::Spool(Spool&&) noexcept = default;
Spool& Spool::operator=(Spool&&) noexcept = default;

std::uint64_t Spool::append(std::string_view record) {
  State& state = *m_state;
  state.make_room(k_header + record.size());
  const std::uint64_t position = state.size();
  const std::uint64_t length = record.size();
  state.tail.append(reinterpret_cast<const char*>(&length), k_header).append(record);
  ++state.count;
  if (state.tail.size() > state.tail_limit()) {
    state.flush();
  }
  return position;
}

std::string Spool::read(std::uint64_t position) const {
  const std::uint64_t size = m_state->size();
  std::string bytes;
  if (position >= m_state->filed && position < size && size - position >= k_header) {
    const std::string_view held = std::string_view{m_state->tail}.substr(position - m_state->filed);
    if (const std::uint64_t length = decode_length(held); length <= held.size() - k_header) {
      return std::string{held.substr(k_header, length)};
    }
  }
  if (position < size && size - position >= k_header) {
    m_state->fetch(position, k_read_record, bytes);
    const std::uint64_t length = bytes.size() >= k_header ? decode_length(bytes) : size;
    if (length <= size - position - k_header) {
      if (k_header + length > bytes.size()) {
        m_state->fetch(position, k_header + length, bytes);
      }
      return bytes.substr(k_header, length);
    }
  }
  throw Error{ExitCode::bug, fmt::format("no spooled record begins at {}", position)};
}

void Spool::for_each(const std::function<void(std::string_view)>& visit) const {
  for_each_at([&visit](std::uint64_t, std::string_view record) { visit(record); });
}

void Spool::for_each_at(const std::function<void(std::uint64_t, std::string_view)>& visit) const {
  std::string window;
  std::uint64_t window_begin = 0;
  const auto bytes_at = [&](std::uint64_t position, std::uint64_t bytes) {
    if (position + bytes > window_begin + window.size()) {
      m_state->fetch(position, std::max<std::uint64_t>(bytes, k_read_ahead), window);
      window_begin = position;
    }
    return std::string_view{window}.substr(position - window_begin, bytes);
  };
  for (std::uint64_t position = 0; position < m_state->size();) {
    const std::uint64_t length = decode_length(bytes_at(position, k_header));
    visit(position, bytes_at(position, k_header + length).substr(k_header));
    position += k_header + length;
  }
}

std::uint64_t Spool::count() const {
  return m_state->count;
}

bool Spool::in_memory() const {
  return !m_state->file;
}

}  // namespace taskctl
