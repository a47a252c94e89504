#!/usr/bin/env bash
# `make test`: brings up what the tests look at, runs every test of the workspace once, takes down what it brought up,
# and ends with a summary that says in words what did not run. With CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

LOG=target/test.log
LAB=target/debug/handbell-lab
NOT_RUN=()
UP=

say() { printf '\n== %s\n' "$*"; }

clear_up() {
  [ -z "$UP" ] || "$LAB" down || true
}
trap clear_up EXIT
trap 'exit 130' INT TERM

# without WHAT COMMAND…: runs a command that brings something; when it fails, WHAT does not run.
without() {
  local what=$1
  shift
  "$@" || NOT_RUN+=("$what")
}

say 'What the tests need'
lab/install.sh build processes
without 'tests against a Docker engine (it could not be installed)' lab/install.sh docker
without 'the page in a real browser (Chromium could not be installed)' lab/install.sh browser
without 'the comparison with discord.py (Python could not be installed)' lab/install.sh python
without 'a Docker engine over SSH (an SSH server could not be installed)' lab/install.sh ssh
[ -n "${HANDBELL_DISCORD_OPENAPI:-}" ] ||
  NOT_RUN+=("the comparison with Discord's OpenAPI description (HANDBELL_DISCORD_OPENAPI does not name its file)")

say 'Programs'
cargo build --workspace --bins

say 'The lab'
"$LAB" status >/dev/null 2>&1 || UP=yes
"$LAB" up || NOT_RUN+=('tests against the lab (it did not come up)')
[[ $("$LAB" status 2>/dev/null) == *' as containers '* ]] ||
  NOT_RUN+=('tests against containers: Docker cannot run here, so the lab runs as plain processes (its reason stands above)')

say 'Tests'
status=0
cargo test --workspace --no-fail-fast -- --show-output 2>&1 | tee "$LOG" || status=$?

say 'Summary'
# A test that could not run says so in a line that begins with these words.
while IFS= read -r line; do NOT_RUN+=("$line"); done < <(sed -n 's/^NOT RUN: *//p' "$LOG" | sort -u)
if [ ${#NOT_RUN[@]} -eq 0 ]; then
  echo 'Everything ran.'
else
  echo 'This did not run:'
  printf '  - %s\n' "${NOT_RUN[@]}"
fi
awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, ignored }' "$LOG"
[ "$status" -eq 0 ] || { echo "Some tests failed; what they said stands in $LOG."; exit "$status"; }
if [ ${#NOT_RUN[@]} -gt 0 ] && [ "${CI:-}" = true ]; then
  echo 'With CI=true, what did not run is a failure.'
  exit 1
fi
