#include "view/streams.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/text.hpp"

namespace taskctl {

namespace {

// Erases the line that the cursor is in and returns to its beginning.
constexpr std::string_view k_erase_line = "\r\x1b[2K";

}  // namespace

Streams::Streams(Options options, Writer out, Writer err, Reader in)
    : m_options{options}, m_out{std::move(out)}, m_err{std::move(err)}, m_in{std::move(in)} {}

void Streams::out(std::string_view text) {
  if (m_out_lost) {
    return;
  }
  m_out_held.append(text);
  if (m_out_held.size() >= m_options.out_buffer) {
    flush();
  }
}

void Streams::line(std::string_view text) {
  std::string whole{text};
  whole.push_back('\n');
  out(whole);
}

void Streams::flush() {
  if (m_out_held.empty() || m_out_lost) {
    m_out_held.clear();
    return;
  }
  end_progress();
  errno = 0;
  if (!m_out(m_out_held)) {
    const int reason = errno;
    m_out_lost = true;
    if (reason != 0 && reason != EPIPE) {
      m_out_problem = std::strerror(reason);
    }
  }
  m_out_held.clear();
}

void Streams::talk(std::string_view text) {
  flush();
  if (!m_options.quiet) {
    error(text);
  }
}

void Streams::warn(std::string_view text) {
  flush();
  error(styled("warning:", Style::yellow, m_options.colour && m_options.err_is_terminal) + " " + std::string{text});
}

void Streams::error(std::string_view text) {
  std::string whole{text};
  whole.push_back('\n');
  write_err(whole);
}

void Streams::write_err(std::string_view text, bool keep_progress) {
  const std::scoped_lock lock{*m_err_mutex};
  std::string whole;
  if (m_progress_shown) {
    whole.append(k_erase_line);
  }
  whole.append(text);
  m_progress_shown = keep_progress;
  // One call, so that lines of two threads do not mix. Nobody is left to tell when stderr is gone.
  static_cast<void>(m_err(whole));
}

void Streams::progress(std::string_view text) {
  if (!m_options.err_is_terminal || m_options.quiet) {
    return;
  }
  flush();
  const std::size_t width = m_options.width > 1 ? m_options.width - 1 : 79;
  write_err(truncate_to_width(printable(text), width), true);
}

void Streams::end_progress() {
  {
    const std::scoped_lock lock{*m_err_mutex};
    if (!m_progress_shown) {
      return;
    }
  }
  write_err("");
}

std::optional<std::string> Streams::read_line() {
  return m_in();
}

std::optional<std::string> Streams::ask(std::string_view question) {
  if (!m_options.in_is_terminal || !m_options.err_is_terminal) {
    return std::nullopt;
  }
  flush();
  write_err(question);
  std::optional<std::string> answer = m_in();
  if (!answer) {
    write_err("\n");
  }
  return answer;
}

std::string styled(std::string_view text, Style style, bool colour) {
  if (!colour || style == Style::plain || text.empty()) {
    return std::string{text};
  }
  const char* code = "0";
  switch (style) {
    case Style::bold:
      code = "1";
      break;
    case Style::dim:
      code = "2";
      break;
    case Style::red:
      code = "31";
      break;
    case Style::green:
      code = "32";
      break;
    case Style::yellow:
      code = "33";
      break;
    case Style::plain:
      break;
  }
  return std::string{"\x1b["} + code + "m" + std::string{text} + "\x1b[0m";
}

}  // namespace taskctl
