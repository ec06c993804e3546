#include "base/stop.hpp"

#include <utility>

namespace taskctl {

void StopSource::request(int signal) {
  int none = 0;
  m_signal.compare_exchange_strong(none, signal);
  ++m_count;
  const std::lock_guard lock{m_mutex};
  if (m_interrupter) {
    m_interrupter();
  }
}

void StopSource::set_interrupter(std::function<void()> interrupter) {
  const std::lock_guard lock{m_mutex};
  m_interrupter = std::move(interrupter);
}

}  // namespace taskctl
