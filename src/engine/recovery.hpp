#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "model/run.hpp"
#include "store/journal.hpp"
#include "store/reconnectable.hpp"
#include "store/run_lock.hpp"

namespace taskctl {

/// What a run has committed, as it knows itself.
struct CommittedSoFar {
  const std::string& run;
  std::int64_t sequence = 0;                ///< of the last change whose COMMIT was answered; 0: none
  const std::vector<std::string>& applied;  ///< the tasks, as far as they are kept
  const std::string& target_words;          ///< ApplyOptions'
};

/// Brings a run back to its database after the connection was lost.
class Recovery {
 public:
  /// Waits for so long; false when the run is to stop.
  using Pause = std::function<bool(Duration)>;

  /// A connection that cannot be lost, or `wait` 0: nothing is ever recovered.
  Recovery(Connection& connection, Journal& journal, RunLock* lock, Duration wait, const Clock& clock, Pause pause);

  /// Returns with a new session that holds the run lock and has seen that everything committed is there. Throws `lost`
  /// when the server stays away, the run is to stop, or too many sessions were lost one after the other;
  /// InDoubtError when the database that answers lacks committed changes (a failover that lost the newest); Error when
  /// it is another one, or another run has taken the lock.
  void recover(const ConnectionLostError& lost, const CommittedSoFar& committed);

  /// After a COMMIT whose answer was lost: recovers, and says whether it happened. Throws `doubt` when that cannot be
  /// found out.
  [[nodiscard]] bool was_committed(const InDoubtError& doubt, const CommittedSoFar& committed,
                                   std::int64_t last_sequence);

  /// The sessions lost so far did not keep the run from going on.
  void made_progress() { m_in_a_row = 0; }
  /// How many sessions took the place of a lost one.
  [[nodiscard]] int count() const { return m_count; }

 private:
  void recover_within(Duration wait, const ConnectionLostError& lost, const CommittedSoFar& committed);
  void require_committed(const CommittedSoFar& committed);

  Reconnectable* m_reconnectable;
  Journal& m_journal;
  RunLock* m_lock;
  Duration m_wait;
  const Clock& m_clock;
  Pause m_pause;
  int m_in_a_row = 0;
  int m_count = 0;
};

}  // namespace taskctl
