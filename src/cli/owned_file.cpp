#include "cli/owned_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace taskctl {

namespace {

constexpr std::size_t k_limit = 1U << 20U;

int read_text(int descriptor, std::string& text) {
  for (;;) {
    char piece[4096];
    const ssize_t got = ::read(descriptor, piece, sizeof piece);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return errno;
    }
    if (got == 0) {
      return 0;
    }
    text.append(piece, static_cast<std::size_t>(got));
    if (text.size() > k_limit) {
      return EFBIG;
    }
  }
}

}  // namespace

bool OwnedFile::owned_by_caller() const {
  return owner == 0 || owner == ::geteuid();
}

bool OwnedFile::readable_by_others() const {
  return regular && (mode & (S_IRWXG | S_IRWXO)) != 0;
}

bool OwnedFile::writable_by_others() const {
  return regular && (mode & (S_IWGRP | S_IWOTH)) != 0;
}

OwnedFile read_owned_file(const std::filesystem::path& path) {
  OwnedFile file;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    file.error = errno;
    return file;
  }
  struct stat facts {};
  if (::fstat(descriptor, &facts) == 0) {
    file.owner = facts.st_uid;
    file.mode = facts.st_mode & 07777U;
    file.regular = S_ISREG(facts.st_mode);
    file.error = S_ISDIR(facts.st_mode) ? EISDIR : read_text(descriptor, file.text);
  } else {
    file.error = errno;
  }
  ::close(descriptor);
  return file;
}

}  // namespace taskctl
