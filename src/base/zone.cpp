#include "base/zone.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <stdexcept>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"

namespace taskctl {

namespace {

const date::time_zone& named_zone(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

std::string offset_name(std::chrono::minutes offset) {
  if (offset == std::chrono::minutes{0}) {
    return "UTC";
  }
  const std::int64_t minutes = std::chrono::abs(offset).count();
  return fmt::format("{}{:02}:{:02}", offset < offset.zero() ? '-' : '+', minutes / 60, minutes % 60);
}

/// The system's zones; the first call reads the folder (about 2 ms).
const date::tzdb& zones() {
  try {
    return date::get_tzdb();
  } catch (const std::runtime_error& error) {
    throw Error{ExitCode::failed, fmt::format("the system's time zones cannot be read: {}", error.what()),
                "Install the package tzdata."};
  }
}

std::string zone_hint(std::string_view name) {
  std::vector<std::string> names{"UTC"};
  for (const date::time_zone& zone : zones().zones) {
    names.push_back(zone.name());
  }
  const std::string near = nearest(name, names);
  return near.empty() ? "Write UTC, an offset like +08:00, or a name like Asia/Singapore."
                      : fmt::format("Did you mean '{}'?", near);
}

}  // namespace

Zone Zone::utc() {
  return Zone{"UTC", nullptr, Duration{0}};
}

Zone Zone::find(std::string_view name) {
  if (name == "UTC") {
    return utc();
  }
  if (const std::optional<std::chrono::minutes> offset = parse_utc_offset(name)) {
    return Zone{offset_name(*offset), nullptr, *offset};
  }
  zones();  // a system without zones is another error than an unknown name
  try {
    return Zone{std::string{name}, date::locate_zone(std::string{name}), Duration{0}};
  } catch (const std::runtime_error&) {
    throw Error{ExitCode::usage, fmt::format("unknown time zone '{}'", truncate_to_width(printable(name), 80)),
                zone_hint(name)};
  }
}

Instant Zone::to_instant(LocalTime local) const {
  if (m_zone == nullptr) {
    return Instant{local.time_since_epoch() - m_offset};
  }
  const date::local_time<Duration> same{local.time_since_epoch()};
  return Instant{named_zone(m_zone).to_sys(same, date::choose::latest).time_since_epoch()};
}

LocalTime Zone::to_local(Instant instant) const {
  if (m_zone == nullptr) {
    return LocalTime{instant.time_since_epoch() + m_offset};
  }
  const date::sys_time<Duration> same{instant.time_since_epoch()};
  return LocalTime{named_zone(m_zone).to_local(same).time_since_epoch()};
}

}  // namespace taskctl
