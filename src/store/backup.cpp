#include "store/backup.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/timestamp.hpp"

namespace taskctl {

namespace {

/// Sorted by name, so that the checksum does not depend on who wrote it.
using SortedJson = nlohmann::json;

constexpr std::string_view k_manifest_suffix = ".manifest.json";
constexpr std::string_view k_manifest_schema = "taskctl.backup/1";
constexpr std::uint64_t k_manifest_limit = 16U << 20U;

constexpr auto k_levels = std::to_array<std::pair<VerifyLevel, std::string_view>>(
    {{VerifyLevel::none, "none"}, {VerifyLevel::open, "open"}, {VerifyLevel::restore, "restore"}});

constexpr auto k_scopes = std::to_array<std::pair<BackupScope, std::string_view>>(
    {{BackupScope::whole, "whole"}, {BackupScope::tables, "tables"}, {BackupScope::rows, "rows"}});

template <typename Table, typename Key>
std::string_view name_in(const Table& table, Key key) {
  return std::find_if(table.begin(), table.end(), [key](const auto& entry) { return entry.first == key; })->second;
}

template <typename Table>
auto value_in(const Table& table, std::string_view name) -> std::optional<typename Table::value_type::first_type> {
  const auto found =
      std::find_if(table.begin(), table.end(), [name](const auto& entry) { return entry.second == name; });
  return found == table.end() ? std::nullopt : std::make_optional(found->first);
}

/// Over everything but the entry itself; nlohmann sorts the keys, so the text is the same after reading.
std::string checksum(SortedJson document) {
  document.erase("checksum");
  return sha256(document.dump());
}

SortedJson to_json(const BackupManifest& manifest) {
  SortedJson document{{"schema", k_manifest_schema},
                      {"file", manifest_text(manifest.file)},
                      {"engine", manifest.engine},
                      {"scope", to_string(manifest.scope)},
                      {"source", manifest_text(manifest.source)},
                      {"identity", manifest_text(manifest.identity)},
                      {"database_version", manifest.database_version},
                      {"taskctl_version", manifest.taskctl_version},
                      {"created", format_instant(manifest.created)},
                      {"bytes", manifest.bytes},
                      {"sha256", manifest.sha256},
                      {"row_counts", manifest.row_counts},
                      {"verified", to_string(manifest.verified)},
                      {"automatic", manifest.automatic}};
  document["checksum"] = checksum(document);
  return document;
}

/// Throws SortedJson::exception or Error for anything that manifest_json() does not write.
BackupManifest from_json(const SortedJson& document) {
  if (document.at("schema") != k_manifest_schema) {
    throw Error{ExitCode::backup, "it was written by another version of taskctl"};
  }
  if (document.at("checksum") != checksum(document)) {
    throw Error{ExitCode::backup, "its checksum differs: it was edited or damaged"};
  }
  const std::optional<BackupScope> scope = value_in(k_scopes, document.at("scope").get<std::string>());
  const std::optional<VerifyLevel> verified = parse_verify_level(document.at("verified").get<std::string>());
  if (!scope || !verified) {
    throw Error{ExitCode::backup, "it names an unknown scope or level of verification"};
  }
  BackupManifest manifest;
  document.at("file").get_to(manifest.file);
  document.at("engine").get_to(manifest.engine);
  manifest.scope = *scope;
  document.at("source").get_to(manifest.source);
  document.at("identity").get_to(manifest.identity);
  document.at("database_version").get_to(manifest.database_version);
  document.at("taskctl_version").get_to(manifest.taskctl_version);
  manifest.created = parse_instant(document.at("created").get<std::string>(), "created");
  document.at("bytes").get_to(manifest.bytes);
  document.at("sha256").get_to(manifest.sha256);
  document.at("row_counts").get_to(manifest.row_counts);
  manifest.verified = *verified;
  document.at("automatic").get_to(manifest.automatic);
  return manifest;
}

std::optional<struct stat> status_of(const std::filesystem::path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? std::make_optional(info) : std::nullopt;
}

/// `…_backup_20251219_085456…`: what free_backup_name() is asked for by default.
bool looks_like_backup(const std::string& name) {
  constexpr std::string_view k_mark = "_backup_";
  constexpr std::string_view k_shape = "dddddddd_dddddd";
  const std::size_t mark = name.rfind(k_mark);
  if (mark == std::string::npos) {
    return false;
  }
  const std::string_view stamp = std::string_view{name}.substr(mark + k_mark.size()).substr(0, k_shape.size());
  return stamp.size() == k_shape.size() &&
         std::equal(stamp.begin(), stamp.end(), k_shape.begin(),
                    [](char c, char shape) { return shape == 'd' ? (c >= '0' && c <= '9') : c == shape; });
}

BackupListing read_listing(const std::filesystem::path& path) {
  BackupListing listing{.path = path, .manifest = std::nullopt, .problem = {}};
  const std::filesystem::path beside = manifest_path(path);
  const std::optional<struct stat> file = status_of(path);
  if (!status_of(beside)) {
    listing.problem = "manifest is missing";
    return listing;
  }
  try {
    listing.manifest = parse_manifest(read_file(beside, k_manifest_limit), beside.string());
  } catch (const Error&) {
    listing.problem = "manifest is unreadable";
    return listing;
  }
  if (!file) {
    listing.problem = "file is missing";
  } else if (static_cast<std::uint64_t>(file->st_size) != listing.manifest->bytes) {
    listing.problem = "size differs";
  } else if (listing.manifest->file != manifest_text(path.filename().string())) {
    listing.problem = "manifest belongs to another file";
  }
  return listing;
}

/// Listings without a manifest go by the file's time.
Instant listing_time(const BackupListing& listing) {
  if (listing.manifest) {
    return listing.manifest->created;
  }
  const std::optional<struct stat> info = status_of(listing.path);
  return info ? Instant{std::chrono::seconds{info->st_mtim.tv_sec}} : Instant{};
}

bool counts_for_retention(const BackupListing& listing, const std::string& identity, Instant now) {
  return listing.manifest && listing.problem.empty() && listing.manifest->identity == manifest_text(identity) &&
         listing.manifest->created <= now;
}

void remove_backup(const std::filesystem::path& path) {
  for (const std::filesystem::path& file : {path, manifest_path(path)}) {
    std::error_code problem;
    std::filesystem::remove(file, problem);
    if (problem) {
      throw Error{ExitCode::backup,
                  fmt::format("cannot remove the old backup '{}': {}", file.string(), problem.message())};
    }
  }
}

}  // namespace

std::string_view to_string(VerifyLevel level) {
  return name_in(k_levels, level);
}

std::optional<VerifyLevel> parse_verify_level(std::string_view text) {
  return value_in(k_levels, text);
}

std::string_view to_string(BackupScope scope) {
  return name_in(k_scopes, scope);
}

std::string manifest_text(std::string_view text) {
  return is_valid_utf8(text) ? std::string{text} : printable(text);
}

std::string manifest_json(const BackupManifest& manifest) {
  return to_json(manifest).dump(2) + "\n";
}

BackupManifest parse_manifest(const std::string& text, const std::string& file) {
  try {
    return from_json(SortedJson::parse(text));
  } catch (const SortedJson::exception&) {
    throw Error{ExitCode::backup, fmt::format("'{}' is not a backup manifest", file)};
  } catch (const Error& error) {
    throw Error{ExitCode::backup, fmt::format("manifest '{}' cannot be used: {}", file, error.message())};
  }
}

std::filesystem::path manifest_path(const std::filesystem::path& backup) {
  return std::filesystem::path{backup.string().append(k_manifest_suffix)};
}

BackupManifest read_manifest(const std::filesystem::path& backup) {
  const std::filesystem::path beside = manifest_path(backup);
  const bool has_file = status_of(backup).has_value();
  if (status_of(beside) && has_file) {
    return parse_manifest(read_file(beside, k_manifest_limit), beside.string());
  }
  if (has_file) {
    throw Error{
        ExitCode::backup, fmt::format("'{}' has no manifest: nothing says what should be in it", backup.string()),
        fmt::format("'taskctl backup' writes '{}' last, so either the backup was not finished or its manifest "
                    "was not moved along. Other copies are checked with their own tools: 'sqlite3 FILE \"PRAGMA "
                    "integrity_check\"', 'pg_restore --list FILE'.",
                    beside.filename().string())};
  }
  const bool orphan = status_of(beside).has_value();
  throw Error{orphan ? ExitCode::backup : ExitCode::usage, fmt::format("there is no file '{}'", backup.string()),
              orphan ? "Only its manifest is left: look for the file where it was moved to."
                     : "'taskctl backup list' lists the backups of a target."};
}

std::filesystem::path free_backup_name(const std::filesystem::path& folder, const std::string& stem,
                                       const std::string& extension) {
  for (int number = 1;; ++number) {
    std::filesystem::path path =
        folder / (number == 1 ? stem + extension : fmt::format("{}-{}{}", stem, number, extension));
    if (!status_of(path) && !status_of(manifest_path(path))) {
      return path;
    }
  }
}

std::vector<BackupListing> list_backups(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::directory_iterator entries{folder, problem};
  if (problem) {
    throw Error{ExitCode::backup, fmt::format("cannot list the folder '{}': {}", folder.string(), problem.message())};
  }
  std::set<std::filesystem::path> backups;
  for (const std::filesystem::directory_entry& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(k_manifest_suffix)) {
      backups.insert(folder / name.substr(0, name.size() - k_manifest_suffix.size()));
    } else if (looks_like_backup(name)) {
      backups.insert(entry.path());
    }
  }
  std::vector<BackupListing> listings;
  std::transform(backups.begin(), backups.end(), std::back_inserter(listings), read_listing);
  std::stable_sort(listings.begin(), listings.end(),
                   [](const BackupListing& a, const BackupListing& b) { return listing_time(a) > listing_time(b); });
  return listings;
}

std::vector<std::filesystem::path> prune_backups(const std::filesystem::path& folder, const std::string& identity,
                                                 const Retention& retention, Instant now) {
  std::vector<std::filesystem::path> removed;
  if (!retention.keep && !retention.keep_within) {
    return removed;
  }
  std::size_t seen = 0;
  bool floor_passed = false;
  for (const BackupListing& listing : list_backups(folder)) {
    if (!counts_for_retention(listing, identity, now)) {
      continue;
    }
    const bool is_floor = !floor_passed && listing.manifest->verified != VerifyLevel::none;
    floor_passed = floor_passed || is_floor;
    if (retention.automatic_only && !listing.manifest->automatic) {
      continue;
    }
    const bool beyond_count = !retention.keep || seen >= *retention.keep;
    const bool too_old = !retention.keep_within || now - listing.manifest->created > *retention.keep_within;
    ++seen;
    if (beyond_count && too_old && !is_floor) {
      remove_backup(listing.path);
      removed.push_back(listing.path);
    }
  }
  return removed;
}

}  // namespace taskctl
