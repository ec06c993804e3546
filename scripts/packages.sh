# Sourced by the other scripts: what the machine needs, and how to get it. Debian 12.
# shellcheck shell=bash

build_packages=(g++ cmake ninja-build pkg-config ccache git ca-certificates
  libsqlitecpp-dev libsqlite3-dev libpqxx-dev libpq-dev libcli11-dev libfmt-dev nlohmann-json3-dev
  libtomlplusplus-dev libhowardhinnant-date-dev libutf8proc-dev libre2-dev libssl-dev tzdata gzip)
package_packages=(dpkg-dev file lintian gzip)
demo_packages=(sqlite3)
bench_packages=(sqlite3 python3 postgresql-15 postgresql-client-15 postgresql-common)
test_packages=(catch2 sqlite3 python3 postgresql-15 postgresql-client-15 postgresql-common pgbouncer procps util-linux strace faketime
  mandoc man-db zsh fish systemd "${package_packages[@]}"
  make ruby ruby-delayed-job ruby-delayed-job-active-record ruby-sqlite3 ruby-pg
  libminion-perl libminion-backend-sqlite-perl libmojo-pg-perl)
# Any npm will do, whoever packaged it.
command -v npm >/dev/null || test_packages+=(npm)

# Installs those of the named packages that are missing; says nothing when all are there.
install_packages() {
  local missing=() package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null)" != "ii " ]; then
      missing+=("$package")
    fi
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "these packages are missing and sudo is not there to install them: ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}" >&2
  if [[ " ${missing[*]} " == *" postgresql-"* ]]; then
    # A cluster that the server package would start by itself is of no use here: tests start their own.
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
      echo "create_main_cluster = false" | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# build_preset NAME [target …]: configures once, builds, keeps quiet unless it fails.
build_preset() {
  local preset=$1 log
  shift
  log=$(mktemp)
  if ! { cmake --preset "$preset" && cmake --build "build/$preset" -j "$(nproc)" ${1:+--target "$@"}; } >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
