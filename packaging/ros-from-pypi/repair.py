"""Repairs a freshly installed ROS prefix, and prepares it for its final path.

usage: repair.py PREFIX FINAL

The wheels are made for a Python process on the machine that built them. For C and Rust programs, and
for CMake, three things have to be put right; the fourth lets the folder be renamed to FINAL.
"""

import os
import pathlib
import re
import subprocess
import sys
import sysconfig


def link_rmw(lib: pathlib.Path) -> None:
    """Gives `librmw_implementation.so`, which programs link, to the one rmw there is.

    In a distribution it is a loader that picks an rmw at run time; the wheels have none.
    """
    link = lib / "librmw_implementation.so"
    if not link.exists():
        link.symlink_to("librmw_fastrtps_cpp.so")


def drop_python_needs(prefix: pathlib.Path) -> int:
    """Removes needless `*__rosidl_generator_py.so` dependencies from C libraries.

    Those pull in symbols of the Python interpreter, so a program that is not Python would not start.
    """
    patchelf = prefix / "bin" / "patchelf"
    changed = 0
    for library in sorted((prefix / "lib").glob("*.so")):
        if library.name.endswith("_generator_py.so") or library.is_symlink():
            continue
        shown = subprocess.run([patchelf, "--print-needed", library], capture_output=True, text=True)
        needless = [n for n in shown.stdout.split() if n.endswith("__rosidl_generator_py.so")]
        for name in needless:
            subprocess.run([patchelf, "--remove-needed", name, library], check=True)
        changed += bool(needless)
    return changed


def name_this_python(prefix: pathlib.Path) -> int:
    """Replaces the build machine's Python in exported CMake files by this one."""
    include = sysconfig.get_path("include")
    packages = f"{prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    changed = 0
    for file in sorted((prefix / "share").rglob("*.cmake")):
        before = file.read_text()
        after = re.sub(r"/opt/python/[^/;\"]+/include/python3\.\d+", lambda _: include, before)
        after = re.sub(r"/opt/python/[^/;\"]+/lib/python3\.\d+/site-packages", lambda _: packages, after)
        if after != before:
            file.write_text(after)
            changed += 1
    return changed


def move_paths(prefix: pathlib.Path, final: str) -> int:
    """Writes FINAL for PREFIX in every text file: the scripts' first lines, pyvenv.cfg, CMake files."""
    here = os.fsencode(prefix)
    there = os.fsencode(final)
    changed = 0
    for folder, _, names in os.walk(prefix):
        for name in names:
            file = pathlib.Path(folder, name)
            if file.is_symlink() or file.suffix in (".so", ".a", ".h", ".hpp", ".idl", ".msg", ".pyc"):
                continue
            content = file.read_bytes()
            if here in content and b"\0" not in content:
                file.write_bytes(content.replace(here, there))
                changed += 1
    return changed


def main() -> None:
    prefix, final = pathlib.Path(sys.argv[1]), sys.argv[2]
    link_rmw(prefix / "lib")
    libraries = drop_python_needs(prefix)
    cmake_files = name_this_python(prefix)
    moved = move_paths(prefix, final)
    print(f"{libraries} libraries, {cmake_files} CMake files, {moved} files with the folder's name")


if __name__ == "__main__":
    main()
