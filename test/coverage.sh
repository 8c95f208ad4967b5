#!/usr/bin/env bash
# Lines and branches of the pure core that its own tests run: test/coverage.sh [gate|cdr|config …]; docs/mutation.md
# asks what the tests would notice. Needs `rustup component add llvm-tools`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[[ $# -gt 0 ]] || set -- gate cdr
tools=$(rustc --print target-libdir)/../bin
[[ -x $tools/llvm-cov ]] || {
    echo "coverage: llvm-cov is not installed: rustup component add llvm-tools" >&2
    exit 1
}

out=$PWD/build/coverage
rm -rf "$out/profiles"
mkdir -p "$out/profiles"
# Branches are still behind a switch of the compiler; nothing else of what it builds is unstable.
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C instrument-coverage -Z coverage-options=branch"
export CARGO_TARGET_DIR=$out/target LLVM_PROFILE_FILE=$out/profiles/%p-%m.profraw
test=(cargo test --locked --no-default-features --lib)
program=$("${test[@]}" --no-run --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1)
"$program" --quiet
"$tools/llvm-profdata" merge -sparse "$out"/profiles/*.profraw -o "$out/all.profdata"
for module in "$@"; do
    printf '\n== %s\n' "$module"
    "$tools/llvm-cov" report "$program" --instr-profile="$out/all.profdata" \
        --ignore-filename-regex='(/tests|/fixture|/test_|\.cargo|rustc|library)' "$PWD/src/$module"
done
