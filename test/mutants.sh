#!/usr/bin/env bash
# Mutation testing of the pure core: test/mutants.sh MODULE FILES [ARGS of cargo mutants…]; docs/mutation.md.
#
#   test/mutants.sh gate 'machine.rs limit/*.rs' --shard 0/4
#
# MODULE is gate, cdr or config, FILES are inside it. gate and cdr import nothing of ours and config only
# those two, so a crate of just this module, with the other two as another crate below it, builds in seconds
# where the whole one takes a minute; its own tests judge each mutant. The crates are made anew in
# build/mutants-MODULE from the work tree. SKIP='NAME NAME…' leaves out the tests whose names contain one of
# them, for a first look; what survives it is judged again with all of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

module=${1:?"which module: gate, cdr or config"}
files=${2:?"which files of it, for example '*.rs'"}
shift 2
case $module in
    gate | cdr) below=() ;;
    config) below=(cdr gate) ;;
    *) echo "mutants: no module '$module'" >&2 && exit 2 ;;
esac
command -v cargo-mutants >/dev/null || {
    echo "mutants: cargo-mutants is not installed: cargo install --locked cargo-mutants" >&2
    exit 1
}

crate=build/mutants-$module
rm -rf "${crate:?}"/{src,below,test,config,proptest-regressions}
mkdir -p "$crate"/{src,below/src,test,.cargo}
cp -r "src/$module" "$crate/src/"
printf 'pub mod %s;\n' "$module" >"$crate/src/lib.rs"
for part in "${below[@]}"; do
    cp -r "src/$part" "$crate/below/src/"
    printf 'pub mod %s;\n' "$part" >>"$crate/below/src/lib.rs"
    printf 'pub use below::%s;\n' "$part" >>"$crate/src/lib.rs"
done
touch "$crate/below/src/lib.rs"
cp -r test/config test/config.rs "$crate/test/"
cp -r config proptest-regressions Cargo.lock README.md "$crate/"
cp .cargo/mutants.toml "$crate/.cargo/"

# The versions are the crate's own: its lock file, of which cargo keeps what is needed here.
version() { sed -n "s/^\($1 = .*\) #.*/\1/p" Cargo.toml; }
package() {
    printf '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2024"\npublish = false\nautotests = false\n' "$1"
    printf '[dependencies]\n'
    for name in crc nalgebra saphyr-parser sha2 thiserror urdf-rs; do version "$name"; done
}
package below >"$crate/below/Cargo.toml"
{
    package interlock
    printf 'below = { path = "below" }\n[workspace]\n[dev-dependencies]\n'
    version proptest
    # Where the tests take longer than the compiler, the compiler may take longer.
    case $module in cdr) level=1 ;; *) level=0 ;; esac
    printf '[profile.dev]\ndebug = false\nopt-level = %s\n[profile.dev.package."*"]\nopt-level = 2\n' $level
    # The texts of refusals judge the configuration.
    if [[ $module == config ]]; then printf '[[test]]\nname = "config"\npath = "test/config.rs"\n'; fi
} >"$crate/Cargo.toml"

# A mutant that fails has failed: no shrinking to the smallest case, no backtraces; and nothing is kept of
# it, or a case that fails by itself would fail for every mutant after it.
export PROPTEST_CASES=${PROPTEST_CASES:-64} PROPTEST_MAX_SHRINK_ITERS=0 RUST_BACKTRACE=0
export PROPTEST_DISABLE_FAILURE_PERSISTENCE=true

mkdir -p build/mutants-out
cd "$crate"
in_place=(--in-place)
[[ " $* " != *" --list "* ]] || in_place=()
chosen=()
set -f
for file in $files; do chosen+=(--file "src/$module/$file"); done
skip=()
for name in ${SKIP:-}; do skip+=(--skip "$name"); done
exec nice -n 19 cargo mutants --no-shuffle "${in_place[@]}" "${chosen[@]}" --output "../mutants-out/$module" "$@" -- --tests -- "${skip[@]}"
