#!/usr/bin/env bash
# `make test`: brings up what the tests look at, runs every test of the workspace once, takes down what it brought up,
# and ends with a summary that says in words what did not run. With CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

# A panic's message and place say enough, and the trail of a hundred frames hides the next one.
export RUST_BACKTRACE=0

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

# failures LOG: of each program of tests that failed its name, which tests failed and their panics, and of a program that
# could not be built its errors; the last FAILURE_LINES lines of it.
FAILURE_LINES=150
failures() {
  awk '
    # A program of tests, and the two lists that it prints under "failures:": what was said, and the names.
    /^ +(Running|Doc-tests) / { program = $0; told = 0; list = 0; panic = 0 }
    /^failures:$/ {
      list++; panic = 0
      if (!told) { print program; told = 1 }
      next
    }
    /^test result: / { list = 0; panic = 0; next }
    list == 1 && /^---- .* ----$/ { name = $0; panic = 0; next }
    # The message goes on to the note on backtraces; an assertion may show a whole run.
    list == 1 && /^Error: / { if (name != "") print name; name = ""; print }
    list == 1 && /^thread .* panicked at / { if (name != "") print name; name = ""; panic = 40 }
    /^note: (run with|Some details)/ { panic = 0 }
    list == 1 && panic > 0 { panic--; print; if (panic == 0) print "  […]"; next }
    list == 2 && NF { print "failed:" $0 }
    # What did not come so far: the build, or a process that was killed.
    /^error(\[|:)/ { print }
  ' "$1" | cut -c 1-2000 | tail -n "$FAILURE_LINES"
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
if [ "$status" -ne 0 ]; then
  say "Some tests failed; the whole log is $LOG"
  failures "$LOG"
  exit "$status"
fi
if [ ${#NOT_RUN[@]} -gt 0 ] && [ "${CI:-}" = true ]; then
  echo 'With CI=true, what did not run is a failure.'
  exit 1
fi
