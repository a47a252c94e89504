#!/usr/bin/env bash
# `make lint`: everything that can be said about the code without running it, in one run; fails at the end if anything
# failed, so that one mistake does not hide the next.
set -uo pipefail
cd "$(dirname "$0")/.."

FAILED=()
NOT_RUN=()
export PATH="$PWD/target/venv/bin:$PATH"

# missing WHAT: WHAT does not run for want of its program. With CI=true that is a failure.
missing() {
  if [ "${CI:-}" = true ]; then
    FAILED+=("$1, which could not be installed; with CI=true that is a failure")
  else
    NOT_RUN+=("$1 (it could not be installed)")
  fi
}

# check NAME COMMAND…
check() {
  local name=$1
  shift
  printf '\n== %s\n' "$name"
  "$@" || FAILED+=("$name")
}

lab/install.sh build || exit 1
lab/install.sh lint || true
lab/install.sh compose || true

check 'format' cargo fmt --all --check
check 'clippy' cargo clippy --workspace --all-targets --quiet -- -D warnings
check 'documentation' env RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet
check 'the handbook' cargo run --quiet --bin handbell -- handbook lint commands
if command -v typos >/dev/null; then check 'typos' typos; else missing 'typos'; fi
if [ -x target/venv/bin/docker-compose ]; then
  check "the lab's compose.yaml" target/venv/bin/docker-compose --file lab/compose.yaml config --quiet
else
  missing "the lab's compose.yaml against Docker Compose"
fi
if command -v cargo-deny >/dev/null; then
  check 'licences, bans, sources' cargo-deny --log-level warn check bans licenses sources
  # The advisories come from a repository of their own, which not every machine reaches.
  printf '\n== advisories\n'
  if timeout 120 cargo-deny --log-level error fetch db 2>/dev/null; then
    check 'advisories' cargo-deny --log-level warn check --disable-fetch advisories
  else
    NOT_RUN+=('advisories (the database of RustSec could not be fetched)')
  fi
else
  missing 'cargo-deny'
fi

printf '\n'
[ ${#NOT_RUN[@]} -eq 0 ] || printf 'This did not run: %s\n' "${NOT_RUN[@]}"
if [ ${#FAILED[@]} -gt 0 ]; then
  printf 'Failed: %s\n' "${FAILED[@]}"
  exit 1
fi
echo 'Lint: nothing to say.'
