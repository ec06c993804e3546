#include "store/image_codec.hpp"

#include <cmath>
#include <memory>

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/journal.hpp"
#include "store/value_json.hpp"

namespace taskctl {

namespace {

/// Writes JSON text. Two images stand in the journal for every row that is written: a tree of JSON nodes for each of
/// them would take longer than writing the row. What is written is what nlohmann::ordered_json dumps.
class JsonText {
 public:
  void append(std::string_view raw) { m_text.append(raw); }

  void string(std::string_view text) {
    m_text.push_back('"');
    std::size_t done = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte >= 0x20 && byte != '"' && byte != '\\') {
        continue;
      }
      m_text.append(text.substr(done, i - done));
      escape(byte);
      done = i + 1;
    }
    m_text.append(text.substr(done));
    m_text.push_back('"');
  }

  void value(const Value& value) { std::visit(*this, value); }
  void operator()(const Null& /*null*/) { append("null"); }
  void operator()(std::int64_t number) { append(std::to_string(number)); }
  void operator()(double real) {
    if (std::isfinite(real)) {
      append(StoredJson(real).dump());
    } else {
      tagged("real", special_real_name(real));
    }
  }
  void operator()(const std::string& text) {
    if (is_valid_utf8(text)) {
      string(text);
    } else {
      tagged("text", to_hex(text));
    }
  }
  void operator()(const Blob& blob) { tagged("blob", to_hex(blob.bytes)); }

  std::string take() { return std::move(m_text); }

 private:
  void tagged(std::string_view kind, std::string_view text) {
    append("{\"");
    append(kind);
    append("\":");
    string(text);
    append("}");
  }

  void escape(unsigned char byte) {
    constexpr std::string_view k_short = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (std::size_t i = 0; i < k_short.size(); i += 2) {
      if (static_cast<unsigned char>(k_short[i]) == byte) {
        m_text.push_back('\\');
        m_text.push_back(k_short[i + 1]);
        return;
      }
    }
    m_text.append("\\u00").append(to_hex(std::string_view{reinterpret_cast<const char*>(&byte), 1}));
  }

  std::string m_text;
};

/// Column and table names are the only texts that stand bare; one that is not UTF-8 cannot.
void write_name(JsonText& json, const std::string& name) {
  if (!is_valid_utf8(name)) {
    throw Error{ExitCode::mismatch, "a column's or table's name is not valid UTF-8 and cannot be journalled"};
  }
  json.string(name);
}

/// Parses and hands over; whatever does not have the expected shape is damage.
template <typename Read>
auto parse(const std::string& text, Read read) {
  try {
    return read(StoredJson::parse(text));
  } catch (const StoredJson::exception&) {
    throw Error{ExitCode::mismatch, "the journal is damaged: '" + truncate_to_width(printable(text), 80) + "'"};
  }
}

std::string encode_object(const std::vector<std::string>& columns, const std::vector<Value>& values) {
  JsonText json;
  for (std::size_t i = 0; i < values.size(); ++i) {
    json.append(i == 0 ? "{" : ",");
    write_name(json, columns[i]);
    json.append(":");
    json.value(values[i]);
  }
  json.append(values.empty() ? "{}" : "}");
  return json.take();
}

}  // namespace

std::string encode_image(const Image& image) {
  return encode_object(*image.columns, image.values);
}

Image decode_image(const std::string& json) {
  return parse(json, [](const StoredJson& object) {
    auto columns = std::make_shared<std::vector<std::string>>();
    Image image;
    read_stored_columns(object, *columns, image.values);
    image.columns = std::move(columns);
    return image;
  });
}

std::string encode_key(const RowKey& key) {
  return encode_object(key.columns, key.values);
}

RowKey decode_key(const std::string& json) {
  return parse(json, [](const StoredJson& object) {
    RowKey key;
    read_stored_columns(object, key.columns, key.values);
    return key;
  });
}

std::string encode_names(const std::vector<std::string>& names) {
  JsonText json;
  json.append("[");
  for (std::size_t i = 0; i < names.size(); ++i) {
    json.append(i == 0 ? "" : ",");
    write_name(json, names[i]);
  }
  json.append("]");
  return json.take();
}

std::vector<std::string> decode_names(const std::string& json) {
  return parse(json, [](const StoredJson& array) { return array.get<std::vector<std::string>>(); });
}

std::string encode_side_effects(const std::vector<SideEffect>& effects) {
  JsonText json;
  json.append("[");
  for (std::size_t i = 0; i < effects.size(); ++i) {
    json.append(i == 0 ? "{\"table\":" : ",{\"table\":");
    write_name(json, effects[i].table);
    json.append(",\"column\":");
    write_name(json, effects[i].column);
    json.append(",\"planned\":");
    json.value(effects[i].planned);
    json.append(",\"actual\":");
    json.value(effects[i].actual);
    json.append("}");
  }
  json.append("]");
  return json.take();
}

std::vector<SideEffect> decode_side_effects(const std::string& json) {
  return parse(json, [](const StoredJson& array) {
    std::vector<SideEffect> effects;
    for (const StoredJson& entry : array) {
      effects.push_back({.table = entry.at("table").get<std::string>(),
                         .column = entry.at("column").get<std::string>(),
                         .planned = read_stored_value(entry.at("planned")),
                         .actual = read_stored_value(entry.at("actual"))});
    }
    return effects;
  });
}

}  // namespace taskctl
