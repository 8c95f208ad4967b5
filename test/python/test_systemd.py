"""The unit file: as systemd reads it, and against the program that it starts."""

import configparser
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ROOT / "packaging" / "systemd" / "interlock.service"


@pytest.fixture(scope="module")
def unit():
    parser = configparser.ConfigParser(interpolation=None, strict=True, delimiters=["="])
    parser.optionxform = str
    parser.read(UNIT)
    return parser


def test_systemd_finds_nothing_wrong_with_it():
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed (./dev setup --ci): the unit is not verified")
    done = subprocess.run(["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # An unknown or misspelt line is only a warning.
    assert UNIT.name not in done.stderr, done.stderr


def test_a_misspelt_line_would_be_found(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed (./dev setup --ci): the unit is not verified")
    wrong = tmp_path / UNIT.name
    wrong.write_text(UNIT.read_text().replace("WatchdogSec=", "WatchdogSecs="))
    done = subprocess.run(["systemd-analyze", "verify", str(wrong)], capture_output=True, text=True)
    assert "WatchdogSecs" in done.stderr


def test_it_ends_in_the_node_with_its_arguments(unit, tmp_path):
    # As systemd does it: words by quotes, $$ is one $.
    shell, flag, script, *arguments = shlex.split(unit["Service"]["ExecStart"].replace("$$", "$"))
    assert (shell, flag) == ("/bin/bash", "-c")
    setup, node = tmp_path / "setup.bash", tmp_path / "interlock"
    setup.write_text("export SOURCED=$SOURCED.\n")
    node.write_text('#!/bin/sh\nprintf "%s\\n" "$SOURCED" "$$" "$@"\n')
    node.chmod(0o755)
    script, sources = re.subn(r"source \S+", f"source {setup}", script)
    script, programs = re.subn(r"exec \S+/lib/interlock/interlock", f"exec {node}", script)
    assert (sources, programs) == (2, 1), "two setups, then the node as the package installs it"
    started = subprocess.Popen([shell, flag, script, *arguments], stdout=subprocess.PIPE, text=True)
    sourced, process, *given = started.communicate()[0].splitlines()
    assert sourced == ".."
    assert int(process) == started.pid, "the main process is the node, not a shell around it"
    assert given == ["--ros-args", "--params-file", "/etc/interlock/interlock.yaml"]


def test_what_will_be_refused_again_is_not_started_again(unit):
    main = (ROOT / "src" / "main.rs").read_text()
    usage = re.search(r"EXIT_USAGE: u8 = (\d+)", main).group(1)
    config = re.search(r"EXIT_CONFIG: u8 = (\d+)", (ROOT / "src" / "config" / "check.rs").read_text()).group(1)
    assert unit["Service"]["RestartPreventExitStatus"].split() == [usage, config]
    assert unit["Service"]["Restart"] == "on-failure"


def test_its_times_leave_room_for_what_the_node_does(unit):
    service = unit["Service"]
    # shutdown_stop_s is at most 3 s, a ramp 5 s, the end 3 s; the node ends a stalled gate by itself after 0.5 s.
    assert float(service["TimeoutStopSec"]) > 3.0 + 5.0 + 3.0
    assert float(service["WatchdogSec"]) > 2 * 0.5


def test_it_allows_what_real_time_and_shared_memory_need(unit):
    service = unit["Service"]
    # The default priority, and one more for those who watch.
    assert int(service["LimitRTPRIO"]) >= 41
    assert service["LimitMEMLOCK"] == "infinity"
    for name in ("PrivateIPC", "RemoveIPC", "RestrictRealtime", "DynamicUser", "PrivateNetwork", "PrivateUsers"):
        assert name not in service, f"{name} would break it"
    assert "AF_NETLINK" in service["RestrictAddressFamilies"].split()
    assert service["StateDirectory"] == service["RuntimeDirectory"] == "interlock"
    assert service["SupplementaryGroups"] == "interlock"
