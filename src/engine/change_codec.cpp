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

void encode_optional_image(ByteWriter& out, const std::optional<Image>& image, const Image* before) {
  if (!image) {
    encode_enum(out, ImageForm::absent);
    return;
  }
  const bool shared = before != nullptr && (before->columns == image->columns || *before->columns == *image->columns);
  encode_enum(out, shared ? ImageForm::columns_of_before : ImageForm::own_columns);
  if (!shared) {
    encode(out, *image->columns);
  }
  encode_values(out, image->values);
}

std::optional<Image> decode_optional_image(ByteReader& in, const Image* before) {
  const auto form = decode_enum<ImageForm>(in);
  if (form == ImageForm::absent) {
    return std::nullopt;
  }
  Image image;
  image.columns = form == ImageForm::columns_of_before
                      ? before->columns
                      : std::make_shared<const std::vector<std::string>>(decode_texts(in));
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
