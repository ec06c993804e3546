#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "model/task.hpp"
#include "store/connection.hpp"

namespace taskctl {

/// Where the sightings of one database under one profile are kept: a file of taskctl's own, on this machine.
struct SightingPlace {
  std::filesystem::path file;
  std::string owner;     ///< which database and profile: stands in the file, and has to be the same
  Duration busy_wait{};  ///< how long to wait for somebody who writes it; a reader waits no more than a second
};
/// Below `folder`, named after profile and database.
[[nodiscard]] SightingPlace sighting_place(const std::filesystem::path& folder, const ServerInfo& server,
                                           const Profile& profile, Duration busy_wait);

/// How far apart two looks at a task may be: what nobody looked at for longer may have been put back and taken again,
/// and counts anew.
inline constexpr Duration k_longest_gap = std::chrono::hours{6};

struct Sighting {
  Instant first;  ///< since when every look has found it active and with this fingerprint
  Instant last;
};

/// Reads such a file. Creates nothing. Errors name the file.
class SightingReader {
 public:
  virtual ~SightingReader() = default;
  /// When this task was seen active with this fingerprint, however long ago; nullopt: never. Holds a lock that keeps a
  /// writer's commit waiting, until pause() or for some hundred calls.
  virtual std::optional<Sighting> find(const std::string& task, const std::string& fingerprint) = 0;
  virtual void pause() = 0;
};

struct SightingCounts {
  std::int64_t active = 0;     ///< tasks that were seen
  std::int64_t added = 0;      ///< of them: for the first time
  std::int64_t changed = 0;    ///< … not as they were when they were seen before: they count anew
  std::int64_t forgotten = 0;  ///< tasks that had been seen, and are not active any more
};

/// One observation. Whoever makes one keeps others from making one until it ends. Without finish() nothing is kept.
class SightingWriter {
 public:
  virtual ~SightingWriter() = default;
  virtual void add(const std::string& task, const std::string& fingerprint) = 0;
  /// Writes what was added, in one transaction; what was not seen for k_longest_gap counts anew. `complete`: every
  /// active task was added, so that the others are forgotten.
  virtual SightingCounts finish(bool complete) = 0;
};

/// How such files are opened. main.cpp fills it.
struct SightingFiles {
  /// nullptr: there is no file, or an empty one.
  std::function<std::unique_ptr<SightingReader>(const SightingPlace&)> read;
  /// Creates the file. `clock`, the database's, is asked once no other observation goes on. Throws BusyError when one
  /// does not end in time.
  std::function<std::unique_ptr<SightingWriter>(const SightingPlace&, const std::function<Instant()>& clock)> write;
  /// By which a look was long ago.
  std::function<Instant()> now = [] { return system_clock().now(); };
};

/// The sightings as judgements use them: what cannot be read is unknown, never an error; so is what nobody has looked
/// at for k_longest_gap, by the machine's clock.
class Sightings {
 public:
  Sightings(SightingPlace place, const SightingFiles& files) : m_place{std::move(place)}, m_files{files} {}

  [[nodiscard]] TimeFact find(const std::string& task, const std::string& fingerprint);
  /// Between two statements: lets writers go on, and looks for a new file.
  void pause() noexcept;
  /// Why the file cannot be read, as a sentence for people; empty: it can, or there is none.
  [[nodiscard]] const std::string& problem() const { return m_problem; }
  [[nodiscard]] const SightingPlace& place() const { return m_place; }
  [[nodiscard]] const SightingFiles& files() const { return m_files; }

 private:
  void give_up(const Error& error);

  SightingPlace m_place;
  const SightingFiles& m_files;
  std::unique_ptr<SightingReader> m_reader;
  bool m_looked = false;
  std::string m_problem;
};

}  // namespace taskctl
