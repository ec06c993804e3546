#pragma once

#include <string>
#include <string_view>

#include "base/time.hpp"

namespace taskctl {

/// A time zone of the system's database, or a fixed offset ("UTC", "+08:00").
/// A value; copies are cheap. Loading reads /usr/share/zoneinfo once.
/// The files list changes up to 2037 and date-tz does not read the rule for the time after: from 2038 on, summer is
/// read in standard time, that is an hour younger.
class Zone {
 public:
  /// Throws Error{usage} for a name that the system does not know, Error{failed} when it has no zones at all.
  static Zone find(std::string_view name);
  static Zone utc();

  /// An hour that happens twice (end of summer time) is read as its *later* instant and an hour that
  /// does not exist as the moment of the change: a task then looks younger, never older, than it is.
  [[nodiscard]] Instant to_instant(LocalTime local) const;
  [[nodiscard]] LocalTime to_local(Instant instant) const;
  [[nodiscard]] const std::string& name() const { return m_name; }

  friend bool operator==(const Zone& a, const Zone& b) { return a.m_name == b.m_name; }

 private:
  Zone(std::string name, const void* zone, Duration offset) : m_name{std::move(name)}, m_zone{zone}, m_offset{offset} {}

  std::string m_name;
  const void* m_zone;  ///< date::time_zone of a named zone; nullptr for a fixed offset
  Duration m_offset;
};

}  // namespace taskctl
