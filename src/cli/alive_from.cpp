#include "cli/alive_from.hpp"

#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

constexpr Duration k_fresh = std::chrono::seconds{5};
/// What run_process keeps of an output.
constexpr std::size_t k_most_output = 1U << 20U;

/// A path that is there and cannot be run is a file with names.
bool is_file(const std::string& source) {
  std::error_code problem;
  const auto status = std::filesystem::status(source, problem);
  using std::filesystem::perms;
  const bool runs =
      (status.permissions() & (perms::owner_exec | perms::group_exec | perms::others_exec)) != perms::none;
  return std::filesystem::is_regular_file(status) && !runs;
}

/// The answer, or why there is none.
std::pair<std::string, std::string> answer_of_command(const std::string& source, Duration patience,
                                                      const StopSource* stop) {
  const ProcessResult result = run_process({"/bin/sh", "-c", source}, {}, patience, stop);
  if (result.timed_out) {
    return {{}, "it did not end within " + format_duration(patience)};
  }
  if (result.status != 0) {
    const std::string said = result.error.substr(0, result.error.find('\n'));
    return {{}, fmt::format("it ended with {}{}", result.status, said.empty() ? "" : ": " + printable(said))};
  }
  if (result.output.size() >= k_most_output) {
    return {{}, "its answer is longer than 1 MiB"};
  }
  if (result.output_held) {
    return {{}, "it ended and left its output open: what it started may have more to say"};
  }
  return {result.output, {}};
}

std::pair<std::string, std::string> answer_of_file(const std::string& source) {
  try {
    return {read_file(source, k_most_output), {}};
  } catch (const Error& error) {
    return {{}, error.message()};
  }
}

}  // namespace

std::set<std::string, std::less<>> names_in(const std::string& text) {
  constexpr const char* k_blank = " \t\r";
  std::set<std::string, std::less<>> names;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find_first_not_of(k_blank);
    if (first == std::string::npos) {
      continue;
    }
    std::string name = line.substr(first, line.find_last_not_of(k_blank) - first + 1);
    if (const std::size_t slash = name.rfind('/'); slash != std::string::npos && slash + 1 < name.size()) {
      names.insert(name.substr(slash + 1));
    }
    names.insert(std::move(name));
  }
  return names;
}

AliveFrom::AliveFrom(std::string source, const Clock& clock, const StopSource* stop, Duration patience)
    : m_clock{clock}, m_stop{stop}, m_patience{patience} {
  m_list->source = std::move(source);
}

void AliveFrom::ask() {
  auto [text, problem] =
      is_file(m_list->source) ? answer_of_file(m_list->source) : answer_of_command(m_list->source, m_patience, m_stop);
  m_list->names = names_in(text);
  m_list->problem = std::move(problem);
  if (m_list->problem.empty() && m_list->names.empty()) {
    m_list->problem = "it names nobody";
  }
  m_asked = m_clock.steady();
}

void AliveFrom::ask_when_old() {
  if (m_clock.steady() - m_asked > k_fresh) {
    ask();
  }
}

}  // namespace taskctl
