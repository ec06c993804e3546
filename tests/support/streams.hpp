#pragma once

#include <deque>
#include <memory>
#include <string>

#include "view/streams.hpp"

namespace taskctl::test {

/// Streams into strings; lines of `input` are read one after the other.
struct CapturedStreams {
  std::string out, err;
  std::deque<std::string> input;
  Streams streams;

  explicit CapturedStreams(Streams::Options options = {.width = 0})
      : streams{options,
                [this](std::string_view text) {
                  out += text;
                  return true;
                },
                [this](std::string_view text) {
                  err += text;
                  return true;
                },
                [this]() -> std::optional<std::string> {
                  if (input.empty()) {
                    return std::nullopt;
                  }
                  std::string line = input.front();
                  input.pop_front();
                  return line;
                }} {}
  CapturedStreams(const CapturedStreams&) = delete;
  CapturedStreams& operator=(const CapturedStreams&) = delete;
};

}  // namespace taskctl::test
