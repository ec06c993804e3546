#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/stop.hpp"
#include "model/policy.hpp"

namespace taskctl {

/// Who is alive according to --alive-from: a file, or a command for /bin/sh, with one name a line. Asked outside of
/// transactions only, for a command takes its time (at most `patience`).
class AliveFrom {
 public:
  AliveFrom(std::string source, const Clock& clock, const StopSource* stop,
            Duration patience = std::chrono::seconds{30});

  /// Reads the file or runs the command. A failure, an empty answer or too long a one makes the list unknown.
  void ask();
  /// The same when the last answer is older than 5 s.
  void ask_when_old();

  /// Shared with every policy that it was given to: what ask() learns is seen by the next judgement.
  [[nodiscard]] std::shared_ptr<const AliveList> list() const { return m_list; }

 private:
  std::shared_ptr<AliveList> m_list = std::make_shared<AliveList>();
  const Clock& m_clock;
  const StopSource* m_stop;
  Duration m_patience;
  std::chrono::steady_clock::time_point m_asked{};
};

/// Names in a text, one a line, without blanks around them; "pod/web-1" counts as web-1 too.
[[nodiscard]] std::set<std::string, std::less<>> names_in(const std::string& text);

}  // namespace taskctl
