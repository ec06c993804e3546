#include "engine/change_codec.hpp"

#include <stdexcept>

#include "engine/finding_codec.hpp"

namespace taskctl {

namespace {

void encode_values(ByteWriter& out, const std::vector<Value>& values) {
  out.number(static_cast<std::int64_t>(values.size()));
  for (const Value& value : values) {
    encode(out, value);
  }
}

std::vector<Value> decode_values(ByteReader& in) {
  std::vector<Value> values(static_cast<std::size_t>(in.number()));
  for (Value& value : values) {
    value = decode_value(in);
  }
  return values;
}

enum class ImageForm { absent, own_columns, columns_of_before };

/// Most values of an after-image are those of the before-image: they are not kept twice.
void encode_differences(ByteWriter& out, const std::vector<Value>& values, const std::vector<Value>& before) {
  out.number(static_cast<std::int64_t>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool same = i < before.size() && values[i] == before[i];
    out.number(same ? 1 : 0);
    if (!same) {
      encode(out, values[i]);
    }
  }
}

std::vector<Value> decode_differences(ByteReader& in, const std::vector<Value>& before) {
  std::vector<Value> values(static_cast<std::size_t>(in.number()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = in.number() != 0 ? before.at(i) : decode_value(in);
  }
  return values;
}

void encode_optional_image(ByteWriter& out, const std::optional<Image>& image, const Image* before) {
  if (!image) {
    encode_enum(out, ImageForm::absent);
    return;
  }
  const bool shared = before != nullptr && (before->columns == image->columns || *before->columns == *image->columns);
  encode_enum(out, shared ? ImageForm::columns_of_before : ImageForm::own_columns);
  if (shared) {
    encode_differences(out, image->values, before->values);
  } else {
    encode(out, *image->columns);
    encode_values(out, image->values);
  }
}

std::optional<Image> decode_optional_image(ByteReader& in, const Image* before) {
  const auto form = decode_enum<ImageForm>(in);
  if (form == ImageForm::absent) {
    return std::nullopt;
  }
  if (form == ImageForm::columns_of_before) {
    return Image{before->columns, decode_differences(in, before->values)};
  }
  Image image;
  image.columns = std::make_shared<const std::vector<std::string>>(decode_texts(in));
  image.values = decode_values(in);
  return image;
}

}  // namespace

void encode(ByteWriter& out, const Value& value) {
  out.number(static_cast<std::int64_t>(value.index()));
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out.number(*number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    out.real(*real);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    out.text(*text);
  } else if (const auto* blob = std::get_if<Blob>(&value)) {
    out.text(blob->bytes);
  }
}

Value decode_value(ByteReader& in) {
  switch (in.number()) {
    case 0:
      return Null{};
    case 1:
      return in.number();
    case 2:
      return in.real();
    case 3:
      return in.text();
    case 4:
      return Blob{in.text()};
    default:
      throw std::out_of_range{"spooled value has an unknown type"};
  }
}

void encode(ByteWriter& out, const RowKey& key) {
  encode(out, key.columns);
  encode_values(out, key.values);
}

RowKey decode_row_key(ByteReader& in) {
  RowKey key;
  key.columns = decode_texts(in);
  key.values = decode_values(in);
  return key;
}

void encode(ByteWriter& out, const Change& change) {
  encode_enum(out, change.operation);
  out.text(change.table.schema);
  out.text(change.table.name);
  encode(out, change.key);
  encode_optional_image(out, change.before, nullptr);
  encode_optional_image(out, change.after, change.before ? &*change.before : nullptr);
  encode(out, change.written);
}

Change decode_change(ByteReader& in) {
  Change change;
  change.operation = decode_enum<Operation>(in);
  change.table.schema = in.text();
  change.table.name = in.text();
  change.key = decode_row_key(in);
  change.before = decode_optional_image(in, nullptr);
  change.after = decode_optional_image(in, change.before ? &*change.before : nullptr);
  change.written = decode_texts(in);
  return change;
}

}  // namespace taskctl
