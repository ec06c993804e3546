#include "store/postgres/session_settings.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace taskctl::postgres {
namespace {

constexpr std::int64_t k_longest_write_lock_wait_ms = 1000;  ///< others queue behind whoever waits for a table lock
constexpr std::int64_t k_idle_read_ms = 60'000;

/// 0 would mean "wait for ever" to the server.
std::int64_t lock_timeout(Access access, Duration busy_wait) {
  const std::int64_t wanted = std::max<std::int64_t>(milliseconds(busy_wait), 1);
  return access == Access::write ? std::min(wanted, k_longest_write_lock_wait_ms) : wanted;
}

}  // namespace

std::int64_t milliseconds(Duration duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(duration).count();
}

SessionSettings::SessionSettings(Access access, const OpenOptions& options)
    : m_access{access},
      m_values{{"DateStyle", "ISO, YMD"},
               {"IntervalStyle", "postgres"},
               {"TimeZone", "UTC"},
               {"bytea_output", "hex"},
               {"extra_float_digits", "1"},
               {"idle_in_transaction_session_timeout", std::to_string(k_idle_read_ms)},
               // The planner overrates statements with sub-selects: compiling them takes longer than running them.
               {"jit", "off"},
               {"lock_timeout", std::to_string(lock_timeout(access, options.busy_wait))},
               {"standard_conforming_strings", "on"},
               {"statement_timeout", std::to_string(milliseconds(options.statement_timeout))}} {
  if (access == Access::read) {
    m_values.emplace("default_transaction_read_only", "on");
  }
}

std::string SessionSettings::statements() const {
  std::string text;
  for (const auto& [name, value] : m_values) {
    text += fmt::format("SET {} = '{}'; ", name, value);
  }
  return text + (m_access == Access::read ? "" : "SET default_transaction_read_only = default");
}

std::string SessionSettings::first_difference(const std::string& read) const {
  const std::string lines = "\n" + read;
  const auto found = std::ranges::find_if(m_values, [&lines](const auto& setting) {
    return lines.find(fmt::format("\n{}={}\n", setting.first, setting.second)) == std::string::npos;
  });
  return found == m_values.end() ? std::string{} : found->first;
}

}  // namespace taskctl::postgres
