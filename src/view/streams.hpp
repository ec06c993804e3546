#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/stop.hpp"

namespace taskctl {

/// Where a command reads and writes. Injectable: tests use strings. Result goes to out(), talk to err().
/// A closed stdout (EPIPE) is remembered and further output dropped, so that a run is never cut half-way by its reader.
/// error() may be called by any thread; everything else belongs to the main thread.
class Streams {
 public:
  struct Options {
    bool out_is_terminal = false, err_is_terminal = false, in_is_terminal = false;
    std::size_t width = 80;  ///< columns of the terminal; 0: unlimited
    bool colour = false;
    bool utf8 = true;            ///< the locale's character set is UTF-8
    bool quiet = false;          ///< talk() is dropped; warnings and errors are not
    std::size_t out_buffer = 0;  ///< out() is passed on in pieces of this size; flush() and talk pass it on at once
  };
  using Writer = std::function<bool(std::string_view)>;        ///< false: the other side is gone, errno says why
  using Reader = std::function<std::optional<std::string>()>;  ///< one line without newline; nullopt at the end

  Streams(Options options, Writer out, Writer err, Reader in);

  void out(std::string_view text);
  void line(std::string_view text);      ///< out() + newline
  void flush();                          ///< passes on what out() still holds
  void talk(std::string_view text);      ///< a line on stderr; dropped when quiet
  void warn(std::string_view text);      ///< "warning: …" on stderr, never dropped
  void error(std::string_view text);     ///< a line on stderr as it is
  void progress(std::string_view text);  ///< rewrites one line on a terminal; nothing elsewhere or when quiet
  void end_progress();
  std::optional<std::string> read_line();
  std::optional<std::string> ask(
      std::string_view question);  ///< prompt on stderr; nullopt when not a terminal or at end

  [[nodiscard]] const Options& options() const { return m_options; }
  void set_quiet(bool quiet) { m_options.quiet = quiet; }
  void set_colour(bool colour) { m_options.colour = colour; }
  [[nodiscard]] bool out_lost() const { return m_out_lost; }
  /// Why out() could not be written ("No space left on device"); empty when it could, and when its reader just left
  /// (EPIPE).
  [[nodiscard]] const std::string& out_problem() const { return m_out_problem; }

 private:
  void write_err(std::string_view text, bool keep_progress = false);

  Options m_options;
  Writer m_out, m_err;
  Reader m_in;
  std::string m_out_held;
  std::string m_out_problem;
  bool m_out_lost = false;
  bool m_progress_shown = false;  ///< guarded by m_err_mutex
  std::shared_ptr<std::mutex> m_err_mutex = std::make_shared<std::mutex>();
};

/// The process's own streams, SIGPIPE ignored, partial writes continued, width from the terminal ($COLUMNS wins; 0 when
/// stdout is no terminal). With `stop`, a question is given up at the first signal and a blocked stdout at the second;
/// what a reader takes at once is still written then, up to 64 KiB.
Streams process_streams(const StopSource* stop = nullptr);

enum class Style { plain, bold, red, yellow, green, dim };
/// Wraps in SGR codes when `colour`.
[[nodiscard]] std::string styled(std::string_view text, Style style, bool colour);

}  // namespace taskctl
