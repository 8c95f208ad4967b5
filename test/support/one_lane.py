"""The params of a mobile base with one lane, which the Python rigs share."""

import json


def params(state_dir, port=None, *, kind="geometry_msgs/msg/Twist", settle_s=0.0, stalled="warn", rate_hz=50.0,
           acceleration=1.0, lane=None, more=None):  # fmt: skip
    """A params file: a lane `base` of that type from the topic `agent` to `cmd_vel`. `lane` and `more` are keys
    besides. JSON, which is YAML."""
    base = {
        "type": kind,
        "output": "cmd_vel",
        "feedback": "none",
        "because": "a test has no robot",
        "required": False,
        "limits": {"linear": {"x": {"max_velocity": 0.5, "max_acceleration": acceleration}}},
        "safe": {"command": "zero_velocity"},
        "sources": {"agent": {"topic": "agent", "priority": 10, "timeout_s": 1.0, "max_rate_hz": rate_hz}},
        **(lane or {}),
    }
    keys = {
        "schema": 1,
        "release_over_ros": True,
        "state_dir": str(state_dir),
        "arm": {"settle_s": settle_s},
        "http": {"listen": f"127.0.0.1:{port}"} if port else {"enabled": False},
        "causes": {"gate_stalled": {"action": stalled}},
        "lanes": {"base": base},
    }
    for name, value in (more or {}).items():
        keys[name] = {**keys[name], **value} if isinstance(keys.get(name), dict) else value
    return json.dumps({"/**": {"ros__parameters": keys}}, indent=1)
