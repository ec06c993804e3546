#include "engine/batch_sizer.hpp"

#include <algorithm>

namespace taskctl {

namespace {

constexpr std::size_t k_largest = 5'000;
constexpr double k_growth = 1.5;
constexpr double k_weight_of_newest = 0.3;
/// The first batch must not last long even where a row takes a millisecond.
constexpr std::size_t k_first = 20;
/// SQLite has one lock for all. It stays free for longer than a busy handler that began to wait with the batch sleeps
/// at its end (1, 2, 5, 10 … ms), so that it does not miss the gap. A batch as short as its first sleep costs it no
/// second.
constexpr BatchTargets k_sqlite{.alone = std::chrono::milliseconds{20},
                                .shared = std::chrono::microseconds{500},
                                .least_room = std::chrono::milliseconds{5}};
/// PostgreSQL keeps only those waiting who want a row of the batch. Half of the time goes into round trips.
constexpr BatchTargets k_postgres{.alone = std::chrono::milliseconds{100},
                                  .shared = std::chrono::milliseconds{5},
                                  .least_room = std::chrono::milliseconds{20}};
constexpr Duration k_most_room = std::chrono::milliseconds{50};
constexpr std::size_t k_least_shared = 5;
constexpr std::chrono::seconds k_expected{1};

}  // namespace

BatchSizer::BatchSizer(std::size_t start, BatchTargets targets)
    : m_size{std::clamp<std::size_t>(start, 1, k_largest)}, m_targets{targets} {}

BatchSizer::BatchSizer(Engine engine, std::size_t fixed)
    : BatchSizer{fixed > 0 ? fixed : k_first, engine == Engine::sqlite ? k_sqlite : k_postgres} {
  m_fixed = fixed > 0;
}

void BatchSizer::noticed(bool others, std::chrono::steady_clock::time_point now) {
  if (others) {
    m_last_seen = now;
  }
  m_shared = others || (m_shared && now - m_last_seen < k_expected);
}

Duration BatchSizer::room() const {
  return std::clamp(2 * m_last, m_targets.least_room, k_most_room);
}

void BatchSizer::measured(std::size_t units, Duration elapsed) {
  m_last = elapsed;
  if (m_fixed || units == 0) {
    return;
  }
  const double newest = std::max(static_cast<double>(elapsed.count()), 1.0) / static_cast<double>(units);
  m_us_per_unit = m_us_per_unit > 0 ? (1 - k_weight_of_newest) * m_us_per_unit + k_weight_of_newest * newest : newest;
  const auto target = static_cast<double>((m_shared ? m_targets.shared : m_targets.alone).count());
  const double wanted = std::min(target / m_us_per_unit, static_cast<double>(m_size) * k_growth + 1);
  m_size = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), m_shared ? k_least_shared : 1, k_largest);
}

void BatchSizer::was_busy() {
  if (!m_fixed) {
    m_size = std::max<std::size_t>(m_size / 2, 1);
  }
}

}  // namespace taskctl
