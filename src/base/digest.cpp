#include "base/digest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/descriptor.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace taskctl {

namespace {

void require_digest(bool fine) {
  if (!fine) {
    throw Error{ExitCode::failed, "SHA-256 is not available from the OpenSSL library"};
  }
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t filled = 0; filled < count;) {
    const ssize_t got = getrandom(bytes.data() + filled, count - filled, 0);
    if (got < 0 && errno != EINTR) {
      throw Error{ExitCode::failed, fmt::format("cannot read random bytes: {}", error_text(errno))};
    }
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return bytes;
}

}  // namespace

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : m_state{std::make_unique<State>()} {
  require_digest(m_state->context && EVP_DigestInit_ex(m_state->context.get(), EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) {
  require_digest(EVP_DigestUpdate(m_state->context.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  require_digest(EVP_DigestFinal_ex(m_state->context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) ==
                 1);
  return to_hex(digest.substr(0, size));
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.add(bytes);
  return digest.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) {
    throw Error{ExitCode::failed, fmt::format("cannot open '{}': {}", path.string(), error_text(errno))};
  }
  Sha256 digest;
  std::vector<char> piece(std::size_t{1} << 18U);
  for (;;) {
    const ssize_t got = read_some(file.number(), piece.data(), piece.size());
    if (got < 0) {
      throw Error{ExitCode::failed, fmt::format("cannot read '{}': {}", path.string(), error_text(errno))};
    }
    if (got == 0) {
      return digest.hex();
    }
    digest.add({piece.data(), static_cast<std::size_t>(got)});
  }
}

std::string random_hex(std::size_t bytes) {
  return to_hex(random_bytes(bytes));
}

std::string random_uuid() {
  std::string bytes = random_bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);  // variant of RFC 9562
  const std::string hex = to_hex(bytes);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20));
}

}  // namespace taskctl
