#include "base/process.hpp"

#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/file_lock.hpp"
#include "support/databases.hpp"

using namespace taskctl;
using namespace std::chrono_literals;

namespace {

ProcessResult shell(const std::string& script, Duration limit = 20s) {
  return run_process({"sh", "-c", script}, {}, limit);
}

std::chrono::steady_clock::duration time_of(const std::function<void()>& action) {
  const auto begin = system_clock().steady();
  action();
  return system_clock().steady() - begin;
}

}  // namespace

TEST_CASE("a program's status and both outputs are read") {
  const ProcessResult result = shell("echo out; echo err >&2; exit 3");
  CHECK(result.status == 3);
  CHECK(result.output == "out\n");
  CHECK(result.error == "err\n");
  CHECK_FALSE(result.timed_out);
}

TEST_CASE("arguments reach the program without a shell") {
  const ProcessResult result = run_process({"printf", "%s|", "a b", "$HOME", "'q'", ""}, {}, 20s);
  CHECK(result.output == "a b|$HOME|'q'||");
}

TEST_CASE("a missing program is 127 and an unusable one an error") {
  CHECK(run_process({"taskctl-no-such-program"}, {}, 20s).status == 127);
  CHECK(run_process({"/no/such/program"}, {}, 20s).status == 127);
  const test::TempFolder folder;
  std::ofstream{folder.path() / "not-executable"} << "x";
  CHECK_THROWS_AS(run_process({(folder.path() / "not-executable").string()}, {}, 20s), Error);
}

TEST_CASE("environment entries are added and replace ours") {
  setenv("TASKCTL_TEST_VARIABLE", "ours", 1);
  setenv("TASKCTL_TEST_VARIABLE_2", "kept", 1);
  const ProcessResult result = run_process(
      {"sh", "-c",
       "echo $TASKCTL_TEST_VARIABLE $TASKCTL_TEST_VARIABLE_2 $TASKCTL_TEST_NEW; env | grep -c ^TASKCTL_TEST_VARIABLE="},
      {"TASKCTL_TEST_VARIABLE=theirs", "TASKCTL_TEST_NEW=new"}, 20s);
  CHECK(result.output == "theirs kept new\n1\n");
}

TEST_CASE("standard input is empty") {
  CHECK(shell("wc -c").output.find('0') != std::string::npos);
}

TEST_CASE("much output on both sides blocks nobody and is cut") {
  const ProcessResult result = shell("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; echo end >&2; exit 4");
  CHECK(result.status == 4);
  CHECK(result.output.size() == std::size_t{1} << 20U);
  CHECK(result.error.size() == std::size_t{64} << 10U);
}

TEST_CASE("a program that is too slow is ended") {
  ProcessResult result;
  const auto took = time_of([&result] { result = shell("echo begun; sleep 60", 300ms); });
  CHECK(result.timed_out);
  CHECK(result.status == 128 + SIGTERM);
  CHECK(result.output == "begun\n");
  CHECK(took < 10s);
}

TEST_CASE("a program that ignores sigterm is killed with what it started") {
  ProcessResult result;
  const auto took =
      time_of([&result] { result = shell("trap '' TERM; sleep 60 & echo $!; sleep 60; sleep 60", 200ms); });
  CHECK(result.timed_out);
  CHECK(result.status == 128 + SIGKILL);
  CHECK(took < 15s);
}

TEST_CASE("a background process that keeps the pipe does not delay us") {
  ProcessResult result;
  const auto took = time_of([&result] { result = shell("sleep 5 & echo done"); });
  CHECK(result.output_held);
  CHECK_FALSE(shell("sleep 5 >/dev/null & echo done").output_held);
  CHECK(result.status == 0);
  CHECK(result.output == "done\n");
  CHECK(took < 4s);
}

TEST_CASE("a program that closes its outputs is waited for") {
  const ProcessResult result = shell("exec >&- 2>&-; sleep 0.3; exit 5");
  CHECK(result.status == 5);
  CHECK_FALSE(result.timed_out);
}

TEST_CASE("a stop ends the program") {
  StopSource stop;
  std::thread requester{[&stop] {
    std::this_thread::sleep_for(200ms);
    stop.request(SIGINT);
  }};
  ProcessResult result;
  const auto took = time_of([&] { result = run_process({"sleep", "60"}, {}, 60s, &stop); });
  requester.join();
  CHECK(result.status == 128 + SIGTERM);
  CHECK_FALSE(result.timed_out);
  CHECK(took < 10s);
}

TEST_CASE("the program has default signals whatever we block") {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGINT);
  REQUIRE(pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
  const auto ignored = ::signal(SIGPIPE, SIG_IGN);
  const ProcessResult blocked_in_program = run_process({"grep", "SigBlk", "/proc/self/status"}, {}, 20s);
  const ProcessResult piped = shell("kill -PIPE $$; exit 0");
  const ProcessResult interrupted = shell("kill -INT $$; exit 0");
  ::signal(SIGPIPE, ignored);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(blocked_in_program.output == "SigBlk:\t0000000000000000\n");
  CHECK(piped.status == 128 + SIGPIPE);
  CHECK(interrupted.status == 128 + SIGINT);
}

TEST_CASE("a program does not inherit our locks") {
  const test::TempFolder folder;
  std::string holder;
  const auto lock = FileLock::try_acquire(folder.path() / "lock-of-ours", "x", holder);
  REQUIRE(lock);
  const ProcessResult result = run_process({"ls", "-l", "/proc/self/fd"}, {}, 20s);
  CHECK(result.status == 0);
  CHECK(result.output.find("/dev/null") != std::string::npos);
  CHECK(result.output.find("lock-of-ours") == std::string::npos);
}

TEST_CASE("a program that ignores the first request is asked again and then killed") {
  ProcessResult result;
  const std::string twice =
      "n=0; trap 'n=$((n+1)); [ $n -ge 2 ] && echo again && exit 7' TERM; while :; do sleep 0.02; done";
  result = run_process({"bash", "-c", twice}, {}, 200ms, nullptr, 2s);
  CHECK(result.timed_out);
  CHECK(result.status == 7);
  CHECK(result.output == "again\n");
  const auto took = time_of([&result] {
    result = run_process({"bash", "-c", "trap '' TERM; while :; do sleep 0.02; done"}, {}, 200ms, nullptr, 200ms);
  });
  CHECK(result.status == 128 + SIGKILL);
  CHECK(took < 2s);
}

TEST_CASE("becoming a program that is not there changes nothing") {
  become_process({"/no/such/program"}, "input");
  CHECK(shell("echo still here").output == "still here\n");
}

TEST_CASE("a program that moves no byte is ended when nobody finds it worth waiting for") {
  int asked = 0;
  const ProcessWatch watch{.silence = 200ms, .is_worth_it = [&asked] { return ++asked < 3; }};
  ProcessResult result;
  const auto took = time_of([&] { result = run_process({"sleep", "60"}, {}, 50s, nullptr, 2s, watch); });
  CHECK(result.gave_up);
  CHECK_FALSE(result.timed_out);
  CHECK(result.status == 128 + SIGTERM);
  CHECK(asked == 3);
  CHECK(took < 20s);
}

TEST_CASE("a program that moves bytes now and then is not asked about") {
  int asked = 0;
  const ProcessWatch watch{.silence = 2s, .is_worth_it = [&asked] { return ++asked < 0; }};
  const ProcessResult result =
      run_process({"sh", "-c", "for i in 1 2 3 4 5 6; do sleep 0.5; echo $i; done"}, {}, 50s, nullptr, 2s, watch);
  CHECK(result.status == 0);
  CHECK_FALSE(result.gave_up);
  CHECK(asked == 0);
  CHECK(result.output == "1\n2\n3\n4\n5\n6\n");
}

TEST_CASE("a program that computes is not asked about") {
  int asked = 0;
  const ProcessWatch watch{.silence = 1200ms, .is_worth_it = [&asked] { return ++asked < 0; }};
  const ProcessResult result = run_process({"bash", "-c", "end=$((SECONDS + 5)); while ((SECONDS < end)); do :; done"},
                                           {}, 50s, nullptr, 2s, watch);
  CHECK(result.status == 0);
  CHECK_FALSE(result.gave_up);
  CHECK(asked == 0);
}

TEST_CASE("a program that the kernel does not let go is not asked about") {
  // Waits as fsync() does: for a child made by vfork() that opens a pipe which nobody writes.
  const test::TempFolder folder;
  const std::string script =
      "import os, sys\nfifo = sys.argv[1] + '/fifo'\nos.mkfifo(fifo)\nif os.fork() == 0:\n"
      " import time\n time.sleep(4)\n open(fifo, 'w').close()\n os._exit(0)\n"
      "os.waitpid(os.posix_spawn('/bin/true', ['true'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 0, fifo, os.O_RDONLY, "
      "0)]), 0)\n";
  int asked = 0;
  const ProcessWatch watch{.silence = 1200ms, .is_worth_it = [&asked] { return ++asked < 0; }};
  const ProcessResult result =
      run_process({"python3", "-c", script, folder.path().string()}, {}, 50s, nullptr, 2s, watch);
  CHECK(result.status == 0);
  CHECK_FALSE(result.gave_up);
  CHECK(asked == 0);
}
