#include "engine/recovery.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"

namespace taskctl {

namespace {

/// A batch that ends every session it is sent over is not sent for ever.
constexpr int k_most_in_a_row = 5;
/// Also who does not want to wait wants to know.
constexpr Duration k_look_up = std::chrono::seconds{10};
constexpr Duration k_first_pause = std::chrono::milliseconds{100};
constexpr Duration k_longest_pause = std::chrono::seconds{2};
constexpr std::size_t k_named = 5;

/// "t40, t41 and 17 more"
std::string named(const std::vector<std::string>& tasks) {
  std::vector<std::string> shown(tasks.begin(),
                                 tasks.begin() + static_cast<std::ptrdiff_t>(std::min(tasks.size(), k_named)));
  std::ranges::transform(shown, shown.begin(), [](const std::string& task) { return printable(task); });
  const std::string text = join(shown, ", ");
  return tasks.size() <= k_named ? text : fmt::format("{} and {} more", text, tasks.size() - k_named);
}

}  // namespace

Recovery::Recovery(Connection& connection, Journal& journal, RunLock* lock, Duration wait, const Clock& clock,
                   Pause pause)
    : m_reconnectable{dynamic_cast<Reconnectable*>(&connection)},
      m_journal{journal},
      m_lock{lock},
      m_wait{wait},
      m_clock{clock},
      m_pause{std::move(pause)} {}

void Recovery::recover(const ConnectionLostError& lost, const CommittedSoFar& committed) {
  if (m_wait <= Duration::zero()) {
    throw lost;
  }
  recover_within(m_wait, lost, committed);
}

void Recovery::recover_within(Duration wait, const ConnectionLostError& lost, const CommittedSoFar& committed) {
  if (m_reconnectable == nullptr || m_in_a_row == k_most_in_a_row) {
    throw lost;
  }
  ++m_in_a_row;
  const auto deadline = m_clock.steady() + wait;
  for (Duration pause = k_first_pause;; pause = std::min(pause * 2, k_longest_pause)) {
    try {
      m_reconnectable->reconnect();
      if (m_lock != nullptr) {
        m_lock->retake();
      }
      require_committed(committed);
      ++m_count;
      return;
    } catch (const ConnectionLostError& again) {
      if (m_clock.steady() >= deadline || !m_pause(pause)) {
        throw ConnectionLostError{lost.message() + ", and did not come back: " + again.message(), again.hint()};
      }
    }
  }
}

void Recovery::require_committed(const CommittedSoFar& committed) {
  if (committed.sequence == 0) {
    return;
  }
  const bool exists = m_journal.exists();
  const std::int64_t found = exists ? m_journal.last_sequence(committed.run) : 0;
  if (found >= committed.sequence) {
    return;
  }
  const std::set<std::string> there = exists ? m_journal.applied_tasks(committed.run) : std::set<std::string>{};
  std::vector<std::string> missing;
  std::ranges::copy_if(committed.applied, std::back_inserter(missing),
                       [&there](const std::string& task) { return !there.contains(task); });
  throw InDoubtError{
      fmt::format("the database that answers now has {} of the {} changes that run {} had committed: a server took "
                  "over that lacks the newest; missing: {}",
                  found, committed.sequence, committed.run, named(missing)),
      fmt::format(
          "Compare with the old server before it is discarded. What is still wrong here is repaired by: taskctl "
          "resume {}{}",
          committed.run, committed.target_words)};
}

bool Recovery::was_committed(const InDoubtError& doubt, const CommittedSoFar& committed, std::int64_t last_sequence) {
  CommitState state = CommitState::unknown;
  bool there = false;
  try {
    recover_within(m_wait > Duration::zero() ? m_wait : k_look_up, ConnectionLostError{doubt.message()}, committed);
    there = m_journal.exists() && m_journal.last_sequence(committed.run) >= last_sequence;
    state = m_reconnectable->last_commit();
  } catch (const InDoubtError&) {
    throw;
  } catch (const Error& error) {
    throw InDoubtError{error.message() == doubt.message() ? doubt.message() : error.message()};
  }
  // The journal is written by the transaction itself, so what it has was committed. What it has not may still come
  // while the transaction runs.
  if (!there && (state == CommitState::running || state == CommitState::committed)) {
    throw InDoubtError{doubt.message() + (state == CommitState::running
                                              ? ", and its transaction is still running"
                                              : ": the server calls it committed, and the journal lacks it")};
  }
  return there;
}

}  // namespace taskctl
