#pragma once

#include <string>
#include <string_view>

#include "base/stop.hpp"
#include "base/time.hpp"
#include "profile/profile.hpp"

namespace taskctl {

/// Where a database is. `text` may hold a password; `display` never does.
struct Location {
  Engine engine = Engine::sqlite;
  std::string text;     ///< absolute path, or the libpq connection string or URL
  std::string display;  ///< redacted, for people, journals and JSON
  bool has_password = false;
};

/// `postgres://…`, `postgresql://…`, a libpq keyword string (`host=… dbname=…`), `sqlite:PATH`, or a plain path.
/// Opens nothing. Throws Error{usage} for an empty text, another scheme ("mysql://"), or NUL.
Location parse_location(std::string_view text);

/// Options of opening that are not part of the place.
struct OpenOptions {
  std::string application;                       ///< "taskctl reconcile": application_name
  Duration busy_wait = std::chrono::seconds{5};  ///< how long to wait for locks of others
  Duration connect_timeout = std::chrono::seconds{10};
  Duration statement_timeout{};      ///< 0: none (reads)
  std::string password;              ///< from --password-file; overrides the text's
  const StopSource* stop = nullptr;  ///< once it is requested, nobody waits for a server to accept a first connection
};

}  // namespace taskctl
