#include "view/plan_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <exception>

#include "base/descriptor.hpp"
#include "base/digest.hpp"
#include "base/duration.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/new_file.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"

namespace taskctl {

namespace {

constexpr std::size_t k_piece = std::size_t{1} << 16U;
/// One task may change very many rows; a file without line ends is not read whole.
constexpr std::size_t k_longest_line = std::size_t{1} << 28U;
/// How far the clocks of two machines may be apart.
constexpr Duration k_clock_tolerance = std::chrono::minutes{1};

std::string last_line(const std::string& digest) {
  return "{\"sha256\":\"" + digest + "\"}\n";
}

/// Says what is wrong with the content; becomes Error{stale} with the file's name.
class Damage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Lines of a file, and the digest of those taken so far.
class LineReader {
 public:
  explicit LineReader(const std::filesystem::path& path)
      : m_path{path}, m_file{open(path.c_str(), O_RDONLY | O_CLOEXEC)}, m_piece(k_piece, '\0') {
    if (!m_file) {
      throw_file_error("read", path, errno);
    }
    refill();  // a folder can be opened, but not read
  }

  /// Without its newline; throws Damage when the file ends before one.
  std::string next() {
    std::string line;
    for (;;) {
      const std::size_t end = m_rest.find('\n');
      line.append(m_rest.substr(0, end));
      if (end != std::string_view::npos) {
        m_rest.remove_prefix(end + 1);
        return line;
      }
      if (line.size() > k_longest_line || !refill()) {
        throw Damage{line.size() > k_longest_line ? "has a line that is too long" : "is cut off"};
      }
    }
  }

  std::string next_digested() {
    std::string line = next();
    m_digest.add(line);
    m_digest.add("\n");
    return line;
  }

  [[nodiscard]] bool at_end() { return m_rest.empty() && !refill(); }
  [[nodiscard]] std::string digest() { return m_digest.hex(); }

 private:
  bool refill() {
    const ssize_t got = read_some(m_file.number(), m_piece.data(), m_piece.size());
    if (got < 0) {
      throw_file_error("read", m_path, errno);
    }
    m_rest = std::string_view{m_piece}.substr(0, static_cast<std::size_t>(got));
    return got > 0;
  }

  const std::filesystem::path& m_path;
  Descriptor m_file;
  std::string m_piece;
  std::string_view m_rest;
  Sha256 m_digest;
};

void give_up_when_stopped(const StopSource* stop, const char* what) {
  if (stop != nullptr && stop->requested()) {
    throw InterruptedError{what};
  }
}

[[noreturn]] void throw_newer(const std::filesystem::path& path, const PlanFormat& format) {
  throw Error{ExitCode::stale,
              fmt::format("'{}' has the format '{}', and this taskctl reads '{}'", path.string(),
                          printable(format.format), k_plan_format),
              format.written_by.empty()
                  ? "Use the taskctl that wrote it, or make the plan again."
                  : fmt::format("Use taskctl {} or newer, or make the plan again.", printable(format.written_by))};
}

SavedPlan read_lines(LineReader& lines, const std::filesystem::path& path, const StopSource* stop) {
  const std::string first = lines.next_digested();
  const PlanFormat format = plan_format_of(first);
  if (!format.format.starts_with("taskctl.plan/")) {
    throw Damage{"is not a saved plan"};
  }
  if (format.format != k_plan_format) {
    throw_newer(path, format);
  }
  PlanHeader header = decode_plan_header(first);
  Plan& plan = header.plan;
  for (std::size_t i = 0; i < header.units; ++i) {
    give_up_when_stopped(stop, "the plan was not read to its end; nothing was changed");
    const PlanUnit unit = decode_plan_unit(lines.next_digested());
    if (!unit.finding && plan.command != "undo") {
      throw Damage{"does not say why '" + printable(unit.task) + "' is changed"};
    }
    plan.append(unit);
  }
  for (std::size_t i = 0; i < header.left_out; ++i) {
    plan.left_out.push_back(decode_left_out(lines.next_digested()));
  }
  header.info.sha256 = lines.digest();
  if (lines.next() + "\n" != last_line(header.info.sha256) || !lines.at_end()) {
    throw Damage{"was changed after it was written"};
  }
  if (plan.hash() != header.plan_hash) {
    throw Damage{"does not hold the plan that it was made from"};
  }
  return {std::move(plan), std::move(header.info)};
}

[[noreturn]] void throw_damaged(const std::filesystem::path& path, const std::string& what) {
  throw Error{ExitCode::stale, fmt::format("plan '{}' {}: nothing of it is used", path.string(), what),
              "Make the plan again."};
}

}  // namespace

void write_plan_file(const std::filesystem::path& path, const Plan& plan, PlanFileInfo& info, const StopSource* stop) {
  NewFile file{path};
  Sha256 digest;
  std::string waiting;
  const auto flush = [&] {
    digest.add(waiting);
    file.append(waiting);
    waiting.clear();
  };
  const auto add = [&](const std::string& line) {
    waiting.append(line).push_back('\n');
    if (waiting.size() >= k_piece) {
      flush();
    }
  };
  add(encode_plan_header(plan, info));
  plan.for_each([&add, stop](std::size_t, const PlanUnit& unit) {
    give_up_when_stopped(stop, "the plan was not saved; nothing was changed");
    add(encode_plan_unit(unit));
  });
  for (const LeftOut& left : plan.left_out) {
    add(encode_left_out(left));
  }
  flush();
  info.sha256 = digest.hex();
  file.append(last_line(info.sha256));
  file.publish();
}

SavedPlan read_plan_file(const std::filesystem::path& path, const StopSource* stop) {
  LineReader lines{path};
  try {
    return read_lines(lines, path, stop);
  } catch (const InterruptedError&) {
    throw;
  } catch (const Damage& damage) {
    throw_damaged(path, damage.what());
  } catch (const Error& error) {
    if (error.code() == ExitCode::stale || error.code() == ExitCode::failed || error.code() == ExitCode::access) {
      throw;  // another format, or the system could not read it
    }
    throw_damaged(path, fmt::format("was changed after it was written ({})", error.message()));
  } catch (const std::exception&) {
    throw_damaged(path, "was changed after it was written");
  }
}

void require_unexpired(const PlanFileInfo& info, Instant now) {
  const auto seconds = [](Instant at) { return format_instant(std::chrono::floor<std::chrono::seconds>(at)); };
  if (now >= info.expires) {
    throw Error{ExitCode::stale,
                fmt::format("the plan expired {} ago, at {}", format_age(now - info.expires), seconds(info.expires)),
                "Make the plan again; --expires says how long it is good for."};
  }
  if (info.created > now + k_clock_tolerance) {
    throw Error{
        ExitCode::stale,
        fmt::format("the plan was made at {}, and this machine's clock says {}", seconds(info.created), seconds(now)),
        "Set the clock, or make the plan again."};
  }
}

}  // namespace taskctl
