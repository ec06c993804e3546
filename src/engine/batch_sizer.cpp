#include "engine/batch_sizer.hpp"

#include <algorithm>

namespace taskctl {

namespace {

constexpr std::size_t k_largest = 5'000;
constexpr double k_growth = 1.5;
constexpr double k_weight_of_newest = 0.3;

}  // namespace

BatchSizer::BatchSizer(std::size_t start, Duration target) : m_size{std::clamp<std::size_t>(start, 1, k_largest)} {
  aim(target);
}

void BatchSizer::aim(Duration target, std::size_t least) {
  m_least = least;
  m_target_us = static_cast<double>(std::max<Duration::rep>(target.count(), 1));
}

BatchSizer BatchSizer::fixed(std::size_t size) {
  BatchSizer sizer{size, Duration{1}};
  sizer.m_fixed = true;
  return sizer;
}

void BatchSizer::measured(std::size_t units, Duration elapsed) {
  if (m_fixed || units == 0) {
    return;
  }
  const double newest = std::max(static_cast<double>(elapsed.count()), 1.0) / static_cast<double>(units);
  m_us_per_unit = m_us_per_unit > 0 ? (1 - k_weight_of_newest) * m_us_per_unit + k_weight_of_newest * newest : newest;
  const double wanted = std::min(m_target_us / m_us_per_unit, static_cast<double>(m_size) * k_growth + 1);
  m_size = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), m_least, k_largest);
}

void BatchSizer::was_busy() {
  if (!m_fixed) {
    m_size = std::max<std::size_t>(m_size / 2, 1);
  }
}

}  // namespace taskctl
