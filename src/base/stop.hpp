#pragma once

#include <atomic>
#include <functional>
#include <mutex>

namespace taskctl {

/// What the signal thread tells the rest of the program. First INT/TERM/HUP: finish the batch, stop reading.
/// Second: the current statement is interrupted and its transaction rolled back.
/// Thread-safe; never locks while a signal handler runs (signals are taken by sigwait in a thread).
class StopSource {
 public:
  /// Called by the signal thread. Runs the interrupter at every call, while the mutex is held: whoever forgets it with
  /// set_interrupter knows that it does not run any more.
  void request(int signal);
  /// Number of the first signal, 0 when none came.
  [[nodiscard]] int signal() const { return m_signal.load(); }
  [[nodiscard]] bool requested() const { return m_signal.load() != 0; }
  [[nodiscard]] bool urgent() const { return m_count.load() > 1; }
  /// What to do at a signal (Connection::interrupt); an empty function forgets it. It asks urgent() whether this is the
  /// second.
  void set_interrupter(std::function<void()> interrupter);

 private:
  std::atomic<int> m_signal{0};
  std::atomic<int> m_count{0};
  std::mutex m_mutex;
  std::function<void()> m_interrupter;
};

}  // namespace taskctl
