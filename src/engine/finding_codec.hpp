#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "model/finding.hpp"

namespace taskctl {

// Pieces of spooled records: each encode() is read back by the decode_ function beside it. Used for listings
// (encode_item) and for plans (encode_unit). Read in the process that wrote them.

void encode(ByteWriter& out, const std::optional<std::string>& text);
[[nodiscard]] std::optional<std::string> decode_optional_text(ByteReader& in);

void encode(ByteWriter& out, const std::optional<std::int64_t>& number);
[[nodiscard]] std::optional<std::int64_t> decode_optional_number(ByteReader& in);

void encode(ByteWriter& out, const std::vector<std::string>& texts);
[[nodiscard]] std::vector<std::string> decode_texts(ByteReader& in);

void encode(ByteWriter& out, const TimeFact& time);
[[nodiscard]] TimeFact decode_time_fact(ByteReader& in);

void encode(ByteWriter& out, const Task& task);
[[nodiscard]] Task decode_task(ByteReader& in);

void encode(ByteWriter& out, const Finding& finding);
[[nodiscard]] Finding decode_finding(ByteReader& in);

/// Oldest first. Unknown ages come last: they are not old.
[[nodiscard]] Instant sort_time(const Finding& finding);
/// The same of what encode_item() wrote, without decoding the rest.
[[nodiscard]] Instant decode_sort_time(std::string_view item);

/// Enumerations stand as their number.
template <typename Enum>
void encode_enum(ByteWriter& out, Enum value) {
  out.number(static_cast<std::int64_t>(value));
}
template <typename Enum>
[[nodiscard]] Enum decode_enum(ByteReader& in) {
  return static_cast<Enum>(in.number());
}

}  // namespace taskctl
