#include <catch2/catch.hpp>
#include <cerrno>

#include "support/streams.hpp"
#include "view/streams.hpp"

using namespace taskctl;
using taskctl::test::CapturedStreams;

TEST_CASE("result and talk go to their own streams") {
  CapturedStreams captured;
  captured.streams.line("result");
  captured.streams.talk("talk");
  captured.streams.warn("careful");
  captured.streams.error("bad");
  CHECK(captured.out == "result\n");
  CHECK(captured.err == "talk\nwarning: careful\nbad\n");
}

TEST_CASE("quiet drops talk and nothing else") {
  CapturedStreams captured{{.width = 0, .quiet = true}};
  captured.streams.talk("talk");
  captured.streams.warn("careful");
  captured.streams.error("bad");
  captured.streams.line("result");
  CHECK(captured.err == "warning: careful\nbad\n");
  CHECK(captured.out == "result\n");
}

TEST_CASE("a reader who left is remembered and writing goes on without him") {
  int calls = 0;
  Streams streams{{},
                  [&](std::string_view) {
                    ++calls;
                    errno = EPIPE;
                    return false;
                  },
                  [](std::string_view) { return true; },
                  []() -> std::optional<std::string> { return std::nullopt; }};
  streams.line("one");
  streams.line("two");
  CHECK(calls == 1);
  CHECK(streams.out_lost());
  CHECK(streams.out_problem().empty());
}

TEST_CASE("a full disk behind stdout is a problem with a reason") {
  Streams streams{{},
                  [](std::string_view) {
                    errno = ENOSPC;
                    return false;
                  },
                  [](std::string_view) { return true; },
                  []() -> std::optional<std::string> { return std::nullopt; }};
  streams.line("one");
  CHECK(streams.out_lost());
  CHECK(streams.out_problem() == "No space left on device");
}

TEST_CASE("a buffer passes the result on in pieces and before any talk") {
  CapturedStreams captured{{.width = 0, .out_buffer = 10}};
  captured.streams.out("12345");
  CHECK(captured.out.empty());
  captured.streams.out("67890");
  CHECK(captured.out == "1234567890");
  captured.streams.out("abc");
  captured.streams.talk("talk");
  CHECK(captured.out == "1234567890abc");
  captured.streams.out("d");
  captured.streams.flush();
  CHECK(captured.out == "1234567890abcd");
}

TEST_CASE("progress rewrites one line on a terminal and is silent elsewhere") {
  CapturedStreams file;
  file.streams.progress("1 of 2");
  file.streams.end_progress();
  CHECK(file.err.empty());

  CapturedStreams terminal{{.err_is_terminal = true, .width = 80}};
  terminal.streams.progress("1 of 2");
  terminal.streams.progress("2 of 2");
  terminal.streams.talk("done");
  CHECK(terminal.err == "1 of 2\r\x1b[2K2 of 2\r\x1b[2Kdone\n");
}

TEST_CASE("a question is asked only where somebody can answer") {
  CapturedStreams pipe;
  pipe.input = {"y"};
  CHECK_FALSE(pipe.streams.ask("go on? "));
  CHECK(pipe.err.empty());

  CapturedStreams terminal{{.err_is_terminal = true, .in_is_terminal = true}};
  terminal.input = {"y"};
  CHECK(terminal.streams.ask("go on? ") == "y");
  CHECK(terminal.err == "go on? ");
  CHECK_FALSE(terminal.streams.ask("again? "));
  CHECK(terminal.err == "go on? again? \n");
}

TEST_CASE("styles wrap in codes only with colour") {
  CHECK(styled("x", Style::red, true) == "\x1b[31mx\x1b[0m");
  CHECK(styled("x", Style::red, false) == "x");
  CHECK(styled("x", Style::plain, true) == "x");
  CHECK(styled("", Style::red, true).empty());
}
