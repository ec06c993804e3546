#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.hpp"
#include "profile/profile_reader.hpp"
#include "sample_profile.hpp"

namespace taskctl::testing {

struct Refusal {
  std::string message;
  std::string hint;
};

/// What parse_profile says about a text that it must refuse as wrong usage.
inline Refusal refusal(std::string_view toml) {
  try {
    (void)parse_profile(toml, "queue.toml");
  } catch (const Error& e) {
    CHECK(e.code() == ExitCode::usage);
    return {e.message(), e.hint()};
  }
  return {"accepted", ""};
}

/// The sample with one mistake, and how the message begins.
struct BadProfile {
  std::string_view name, from, to, message;
};

inline void check_refused(const std::vector<BadProfile>& profiles) {
  for (const BadProfile& bad : profiles) {
    INFO(bad.name);
    const Refusal said = refusal(sample_with(bad.from, bad.to));
    CHECK_THAT(said.message, Catch::StartsWith(std::string{bad.message}));
  }
}

}  // namespace taskctl::testing
