#include "store/sightings.hpp"

#include <fmt/format.h>

#include "base/digest.hpp"

namespace taskctl {

SightingPlace sighting_place(const std::filesystem::path& folder, const ServerInfo& server, const Profile& profile,
                             Duration busy_wait) {
  constexpr std::size_t k_digits = 16;
  // A copy of a whole server (a base backup, a snapshot of the disk) has the same identity; it answers elsewhere.
  const std::string where = server.host.empty() ? std::string{} : fmt::format(" at {}:{}", server.host, server.port);
  std::string owner = fmt::format("{} of {}{}", profile.title(), server.database_identity, where);
  const std::string name = fmt::format("{}-{}.db", profile.name, sha256(owner).substr(0, k_digits));
  return {.file = folder / "first-seen" / name, .owner = std::move(owner), .busy_wait = busy_wait};
}

TimeFact Sightings::find(const std::string& task, const std::string& fingerprint) {
  if (!m_problem.empty()) {
    return {};
  }
  try {
    if (!m_looked) {
      m_reader = m_files.read(m_place);
      m_looked = true;
    }
    if (m_reader) {
      const std::optional<Sighting> seen = m_reader->find(task, fingerprint);
      if (seen && m_files.now() - seen->last <= k_longest_gap) {
        return {TimeFact::State::known, seen->first, {}};
      }
    }
  } catch (const Error& error) {
    give_up(error);
  }
  return {};
}

void Sightings::pause() noexcept {
  if (!m_reader) {
    m_looked = false;
    return;
  }
  try {
    m_reader->pause();
  } catch (const Error& error) {
    give_up(error);
  }
}

void Sightings::give_up(const Error& error) {
  m_reader.reset();
  m_problem = fmt::format("when tasks were first seen is not known: {}{}", error.message(),
                          error.hint().empty() ? "" : ". " + error.hint());
}

}  // namespace taskctl
