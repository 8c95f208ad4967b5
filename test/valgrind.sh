#!/bin/sh
# Runs the rcl wrappers' tests under valgrind: a definite leak or an invalid
# access, ours or a library's, fails. No suppressions: there is nothing to
# suppress. Needs the ROS environment, as the tests do.
set -eu
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null 2>&1; then
    echo "SKIPPED: rcl wrappers under valgrind (valgrind is not installed)" >&2
    exit 0
fi

# `isolated` in test/support puts these words in front of each test's process.
# --fair-sched: middleware threads must not starve while a test polls.
export INTERLOCK_TEST_WRAPPER="valgrind --quiet --fair-sched=yes --num-callers=30 \
--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode=99"
export INTERLOCK_TEST_LIMIT_S=600

# Left out, because other tests make the same calls and each second costs half a
# minute here.
exec cargo test --test rcl_wrappers -- \
    --skip names_follow_every_rule \
    --skip bad_names_are_errors \
    --skip a_late_reader_gets \
    --skip taken_bytes_can_be_changed \
    --skip no_parameters_are "$@"
