#!/usr/bin/env bash
# Builds the package as an integrator does: the tracked files in a workspace of their own, `colcon
# build` in a sourced ROS 2, then what is installed is used from the sourced install folder.
#
# usage: test/colcon_build.sh [--keep]     in an environment with ROS 2 and colcon (./dev test colcon)
#
# The workspace is made anew each time, only cargo's folder in it is kept: at the same path r2r need not
# generate everything again. Its path has to be outside of src/, so it is in build/.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
workspace=$root/build/colcon
log=$workspace/last.log
passed=0
failed=0

# check WHAT CMD…: one line a check; the command's output only when it fails.
check() {
    local what=$1
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $what"
    else
        failed=$((failed + 1))
        echo "FAILED  $what"
        tail -n 40 "$log" | sed 's/^/  | /'
    fi
}

# Runs a command in a shell that sourced an install folder: sourced FOLDER CMD…
sourced() {
    local folder=$1
    shift
    bash -c 'source "$0/setup.bash" && "$@"' "$workspace/$folder" "$@"
}

build() {
    (cd "$workspace" && colcon build --event-handlers console_direct+ "$@")
}

# --- the workspace ---------------------------------------------------------------------------------

command -v colcon >/dev/null || { echo "colcon is not installed (Debian: python3-colcon-common-extensions)"; exit 1; }
mkdir -p "$workspace/cargo"
find "$workspace" -mindepth 1 -maxdepth 1 ! -name cargo -exec rm -rf {} +
mkdir -p "$workspace/src/interlock"
package=$workspace/src/interlock
(cd "$root" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$package") || exit 1
version=$(sed -n '0,/^version/s/^version *= *"\(.*\)"/\1/p' "$package/Cargo.toml")
rust_needed=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$package/Cargo.toml")

# A Rust that fails if it is used, and says that it is old.
old_rust=$workspace/old-rust
mkdir -p "$old_rust"
printf '#!/bin/sh\necho "rustc 1.70.0 (90c541806 2023-05-31)"\n' >"$old_rust/rustc"
printf '#!/bin/sh\necho "cargo was used" >&2\nexit 1\n' >"$old_rust/cargo"
chmod +x "$old_rust"/*

# --- messages alone, without Rust ------------------------------------------------------------------

interfaces_only() {
    PATH=$old_rust:$PATH build --install-base install-interfaces --cmake-args -DINTERLOCK_INTERFACES_ONLY=ON
}
check "interfaces only: builds without a usable Rust" interfaces_only
check "interfaces only: Python imports messages and services" \
    sourced install-interfaces python3 -c 'import interlock.msg as m, interlock.srv as s; m.State.KILLED, s.Reset.Request(seq=1)'
# The controller's computer has no more than this: the guard is there, and its package builds against it.
build_controller() {
    cp -r "$package/test/controller_side" "$workspace/src/controller_side" || return 1
    sourced install-interfaces colcon --log-base "$workspace/log" build --base-paths "$workspace/src" \
        --build-base "$workspace/build-controller" --install-base "$workspace/install-controller" \
        --packages-select interlock_test_controller_side --event-handlers console_direct+
    local status=$?
    rm -rf "$workspace/src/controller_side"
    return "$status"
}
controller_runs() {
    sourced install-controller "$workspace/install-controller/interlock_test_controller_side/lib/interlock_test_controller_side/guard_cases" \
        <"$package/test/controller_side/cases.txt"
}
check "interfaces only: Python imports the guard" sourced install-interfaces python3 -c 'import interlock_guard as g; g.PermitGuard(), g.PermitSubscription'
check "interfaces only: a controller with the C++ guard builds" build_controller
check "interfaces only: and its guard says what the table says" controller_runs
check "interfaces only: no node is installed" test ! -e "$workspace/install-interfaces/interlock/lib/interlock"

# --- a Rust that is too old, or none -----------------------------------------------------------------

# The configuration fails, and of all it printed one line tells about Rust: says WHAT, from CMD…
refused() {
    local line=$1
    shift
    if "$@" >"$workspace/refused.log" 2>&1; then
        echo "was not refused"
        return 1
    fi
    cat "$workspace/refused.log"
    [[ $(grep -c 'Rust' "$workspace/refused.log") -eq 1 ]] && grep -qF "$line" "$workspace/refused.log"
}
configure_with_path() {
    env PATH="$1" HOME=/nonexistent CARGO_HOME=/nonexistent cmake -S "$package" -B "$workspace/build-refused"
}
check "Rust too old: one clear line" \
    refused "interlock: Rust $rust_needed or newer is needed, $old_rust/rustc is 1.70.0;" \
    configure_with_path "$old_rust:$PATH"
rm -rf "$workspace/build-refused"
# Every folder of PATH that has a Rust is left out.
path_without_rust=
IFS=: read -ra folders <<<"$PATH"
for folder in "${folders[@]}"; do
    [[ -e $folder/cargo || -e $folder/rustc ]] || path_without_rust+=${path_without_rust:+:}$folder
done
if PATH=$path_without_rust command -v cmake gcc >/dev/null; then
    check "no Rust: one clear line" \
        refused "interlock: Rust $rust_needed or newer is needed and no cargo and rustc were found;" \
        configure_with_path "$path_without_rust"
else
    echo "skipped no Rust: this machine's cargo is in the compiler's folder"
fi

# --- everything --------------------------------------------------------------------------------------

# In the same build folder: what was generated and compiled serves again.
full=(--cmake-args -DINTERLOCK_INTERFACES_ONLY=OFF "-DINTERLOCK_CARGO_TARGET_DIR=$workspace/cargo")
echo "        building the node (release; the first time takes minutes)"
check "colcon build" build --install-base install "${full[@]}"
if [[ $failed -gt 0 ]]; then
    echo "$passed passed, $failed failed"
    exit 1
fi
# ament cannot go over to links in a used build folder: it stumbles over its own copy of the Python
# package. Everything else in there serves again.
rm -rf "$workspace/build/interlock/ament_cmake_python"
check "colcon build --symlink-install" build --symlink-install --install-base install-symlink "${full[@]}"

for install in install install-symlink; do
    prefix=$workspace/$install/interlock
    for file in lib/interlock/interlock lib/interlock/interlockctl bin/interlock bin/interlockctl \
        share/interlock/launch/interlock.launch.py share/interlock/package.xml \
        share/interlock/systemd/interlock.service include/interlock/interlock_guard/permit_subscription.hpp \
        lib/libinterlock__rosidl_typesupport_c.so lib/libinterlock__rosidl_typesupport_introspection_c.so \
        share/ament_index/resource_index/rosidl_interfaces/interlock; do
        check "$install: $file" test -f "$prefix/$file"
    done
    while IFS= read -r file; do
        check "$install: share/interlock/$file" test -f "$prefix/share/interlock/$file"
    done < <(cd "$package" && find config -type f)
    check "$install: the node starts" \
        sourced "$install" sh -c "\"$prefix/lib/interlock/interlock\" --version | grep -F '$version'"
    check "$install: interlock is found by name and checks a file" \
        sourced "$install" interlock --check-config "$prefix/share/interlock/config/mobile_base.yaml"
    check "$install: interlockctl is found and starts" \
        sourced "$install" sh -c "interlockctl --version | grep -F '$version'"
    check "$install: Python imports the messages and the guard" \
        sourced "$install" python3 -c 'import interlock.msg, interlock.srv, interlock_guard; interlock_guard.PermitSubscription'
    check "$install: the service types load at run time" sourced "$install" python3 -c '
from rclpy.type_support import check_for_type_support
import interlock.srv, interlock.msg
check_for_type_support(interlock.srv.Arm)
check_for_type_support(interlock.msg.Decision)'
    check "$install: interlockctl links no ROS library" sourced "$install" bash -c "
        set -o pipefail; libraries=\$(ldd '$prefix/bin/interlockctl') && ! grep -E 'librcl|librmw|rosidl' <<<\"\$libraries\""
done

# --- a vendor's messages in the same workspace ---------------------------------------------------------

# A lane of a type that the node was not built with: found by its name in the sourced workspace.
cat >"$workspace/vendor.yaml" <<'END'
interlock:
  ros__parameters:
    schema: 1
    http: {enabled: false}
    lanes:
      body:
        type: interlock_test_vendor_msgs/msg/MotorCmd
        interface: position
        output: motor_out
        joints: [hip]
        fields: {position: q, velocity: dq, effort: tau, kp: kp, kd: kd}
        fixed: {enabled: {field: mode, allowed: [1], safe: 1}}
        keep: [reserve]
        balance: false
        feedback: none
        because: a test has no robot
        limits: {min_position: -1.0, max_position: 1.0, max_velocity: 1.0, max_acceleration: 10.0,
                 max_effort: 10.0, max_kp: 100.0, max_kd: 20.0}
        unlimited: [total_effort]
        safe: {command: silent, because: a test}
        sources: {agent: {topic: motor_in, priority: 10, timeout_s: 1.0, max_rate_hz: 50.0}}
END
# Starts the installed node with that file, ends it when it runs, and gives its exit status.
node_with_vendor_type() {
    local node status told='' _
    # exec, twice: the signal goes to the node.
    bash -c 'source "$0/install/setup.bash" && exec "$0/install/interlock/lib/interlock/interlock" "$@"' \
        "$workspace" --ros-args --params-file "$workspace/vendor.yaml" >"$workspace/node.log" 2>&1 &
    node=$!
    for _ in {1..600}; do
        kill -0 "$node" 2>/dev/null || break
        if [[ -z $told ]] && grep -q ' runs, ' "$workspace/node.log"; then
            told=yes
            kill -TERM "$node"
        fi
        sleep 0.1
    done
    kill -KILL "$node" 2>/dev/null
    wait "$node"
    status=$?
    cat "$workspace/node.log"
    return "$status"
}
not_installed() {
    local status
    node_with_vendor_type
    status=$?
    [[ $status -eq 78 ]] && grep -q 'interlock_test_vendor_msgs.* is not installed' "$workspace/node.log"
}
build_vendor() {
    cp -r "$package/test/vendor_msgs" "$workspace/src/vendor_msgs" &&
        build --install-base install --packages-select interlock_test_vendor_msgs
}
check "a type that is not in the workspace: refused with its package" not_installed
check "a vendor's messages build in the same workspace" build_vendor
check "the installed node gates a type that it was not built with" node_with_vendor_type

# --- an edited message ---------------------------------------------------------------------------------

stage() { ls "$workspace/build/interlock/r2r_stage"; }
edited_message() {
    local before after
    before=$(stage)
    echo "float64 one_more" >>"$package/msg/Trip.msg"
    (cd / && cmake "$workspace/build/interlock") && after=$(stage) && echo "$before -> $after" &&
        [[ $(wc -w <<<"$after") -eq 1 && $before != "$after" ]]
}
check "an edited message gets a new stage, and the old one goes" edited_message

[[ ${1:-} == --keep ]] || find "$workspace" -mindepth 1 -maxdepth 1 ! -name cargo -exec rm -rf {} +
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
