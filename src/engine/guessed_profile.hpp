#pragma once

#include <string>

#include "engine/profile_guess.hpp"
#include "model/finding.hpp"

namespace taskctl {

struct ProfileTextOptions {
  std::string name;                         ///< of the profile
  Safety safety = Safety::read_only;        ///< full: repairs are in force; else they stand there as comments
  Duration beat = std::chrono::minutes{5};  ///< a heartbeat older than this is dead
  bool beat_given = false;
  Outcome dead = Outcome::failed;  ///< what becomes of a task whose worker is dead: failed or requeued
};

/// A profile in TOML: every guess with its reason as a comment, what could not be guessed commented out with how to
/// fill it in. parse_profile() takes it.
std::string profile_text(const ProfileGuess& guess, const TableSketch& tasks, const ProfileTextOptions& options);

/// A profile's name from that of a table: lower-case letters, digits, dashes.
[[nodiscard]] std::string profile_name_of(std::string_view table);

}  // namespace taskctl
