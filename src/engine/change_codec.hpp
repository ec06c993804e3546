#pragma once

#include "base/bytes.hpp"
#include "model/change.hpp"

namespace taskctl {

// Pieces of spooled plan units, beside those of finding_codec.hpp. Also what Plan::hash() and row identities are made
// of: two values encode alike only when they are equal bit for bit.

void encode(ByteWriter& out, const Value& value);
[[nodiscard]] Value decode_value(ByteReader& in);

void encode(ByteWriter& out, const RowKey& key);
[[nodiscard]] RowKey decode_row_key(ByteReader& in);

void encode(ByteWriter& out, const Change& change);
[[nodiscard]] Change decode_change(ByteReader& in);

}  // namespace taskctl
