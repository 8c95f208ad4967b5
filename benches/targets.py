"""The performance targets, beside what was found: met, not met, or not decided. Nothing passes or fails by this."""

NOT_MET = "**not met**"
QUICK, BUSY = "not decided (a quick look)", "not decided (a busy machine)"


def verdict(met, decided=True):
    if not decided:
        return "not decided"
    return "met" if met else NOT_MET


def of_a_count(met):
    """Of instructions, bytes and ratios of one run: no load of the machine changes them."""
    return "met" if met else "**not met** (a count)"


# What no bench measures, because a test that fails shows it.
TESTED = [
    ("heap allocations of ours, take → publish", "0", "0 for every verdict and type, by `./dev test node --test hot_path`", "met"),
    ("locks and system calls of ours, take → publish", "0", "none in the code between them, by construction", "met"),
]  # fmt: skip


def judged(kept):
    """(what, target, measured, verdict) of each, for as much as was measured. `kept`: the JSON by name."""
    out = list(TESTED)
    for name, judge in JUDGES.items():
        if name in kept:
            one = kept[name]
            # What others do makes every figure worse, none better.
            busy = one["about"]["load_before"] > one["about"]["cpus"] / 2
            for what, wanted, measured, met in judge(one["found"]):
                if one["quick"]:
                    met = QUICK
                elif busy and met == NOT_MET:
                    met = BUSY
                out.append((what, wanted, measured, met))
    return out


def ratio_of(run, pair, level="p50"):
    low, middle, high = run["ratios"][level][pair]
    return middle, f"{middle:.3f} ({low:.3f}–{high:.3f})"


def round_trip(runs):
    run = next(r for r in runs if (r["kind"], r["rate_hz"]) == ("joints", 500))
    what = "round trip, 29 joints, 500 Hz, full gating, ÷ "
    out = []
    for route, title, limit in (
        ("rcl", "bare rcl wait-set relay", 1.0), ("r2r", "bare r2r relay", 0.95), ("rclpy", "bare rclpy relay", 0.6),
    ):  # fmt: skip
        middle, text = ratio_of(run, f"interlock ÷ {route}")
        _, tail = ratio_of(run, f"interlock ÷ {route}", "p99")
        out.append((what + title, f"≤ {limit:.2f} at p50", f"{text}; p99 {tail}", verdict(middle <= limit, run["decidable"])))
    edge = run["residence"]["p99_below_s"]
    shown = f"p99 ≤ {1e6 * edge:.0f} µs" if edge != float("inf") else "p99 above 10 ms"
    return [*out, ("residence (take returned → publish called), same run", "p99 ≤ 50 µs", shown, verdict(edge <= 5e-5))]


def decide(found):
    out = []
    at_29 = {name: sizes["29"] for name, sizes in found["verdicts"].items() if "29" in sizes}
    worst = max(at_29, key=lambda name: at_29[name]["median_ns"][1])
    slowest = at_29[worst]["median_ns"][1]
    out.append(("decide, limit, encode at 29 joints", "≤ 1 µs median", f"{slowest:,.0f} ns ({worst})", verdict(slowest <= 1000)))
    counted = [
        (one["instructions"] / (2_000 + 150 * int(joints)), name, joints, one["instructions"])
        for name, sizes in found["verdicts"].items() for joints, one in sizes.items() if "instructions" in one
    ]  # fmt: skip
    if counted:
        share, name, joints, number = max(counted)
        shown = f"at worst {number:,.0f}, {share:.2f} of it ({name}, {joints} joints)"
        out.append(("instructions of a command", "≤ 2,000 + 150 a joint", shown, of_a_count(share <= 1.0)))
    ranges = []
    for name, sizes in found["verdicts"].items():
        few, many = sizes["29"]["median_ns"][1], sizes["256"]["median_ns"][1]
        ranges.append((many / 256 / (few / 29), name))
    grown, name = max(ranges)
    out.append(("cost a joint, 256 joints ÷ 29", "linear: ≤ 1.1", f"at worst {grown:.2f} ({name})", verdict(grown <= 1.1)))
    return out


def kill_latency(found):
    out = []
    for scenario, one in found.items():
        for stops, title in (("tries", "from motion"), ("again", "killed already")):
            inside = one["inside"][stops]
            share, count = inside["within_500_us"], inside["count"]
            what = f"kill: gate woken → safe command handed to rcl, {scenario}, {title}"
            out.append((what, "≤ 0.5 ms at p99", f"{100 * share:.2f} % of {count:.0f} within it", verdict(share >= 0.99)))
    for scenario, one in found.items():
        for client in ("rcl", "rclpy"):
            if one[client]["ratios"]:
                low, middle, high = one[client]["ratios"]["p50"]["safe ÷ bare"]
                what = f"kill: {client} client's request → safe command ÷ bare service's request → answer, {scenario}"
                shown = f"{middle:.2f} ({low:.2f}–{high:.2f})"
                # An interval that contains the target decides nothing.
                out.append((what, "≤ 1.1 at p50", shown, verdict(middle <= 1.1, not low <= 1.1 <= high)))
    return out


def topics(found):
    out = []
    for one in found["scales"]:
        if (one["topics"], one["rate_hz"]) == (100, 10_000):
            low, middle, high = one["ratios"]["interlock ÷ drop"]
            decided = one["decidable"] or not low <= 0.9 <= high
            shown = f"{middle:.2f} ({low:.2f}–{high:.2f}), the whole process {one['whole_ratio']:.2f}"
            out.append(("monitoring 100 topics × 100 Hz ÷ bare take-and-drop loop, CPU", "≤ 0.9", shown, verdict(middle <= 0.9, decided)))
    worst = max(found["scales"], key=lambda one: one["cpu_us_a_line"])
    shown = f"at worst {worst['cpu_us_a_line']:.2f} µs of CPU, {worst['wall_us_a_line']:.2f} µs at the client ({worst['topics']} topics)"
    out.append(("scrape, a line", "≤ 0.6 µs", shown, verdict(worst["cpu_us_a_line"] <= 0.6)))
    for one in {one["topics"]: one for one in found["scales"]}.values():
        mib, limit = one["resident_kib"] / 1024, 48 + one["topics"] * 100 / 1024
        what = f"resident memory with {one['topics']} monitored topics"
        out.append((what, "≤ 48 MiB + 100 KiB a topic", f"{mib:.1f} MiB of {limit:.1f}", of_a_count(mib <= limit)))
    counts = [one["topics"] for one in found["scales"]]
    if len(counts) > 1:
        shown = f"{found['linear']:.2f} of the cost a message, at the same rate"
        what = f"monitored topics, {max(counts)} beside {min(counts)}"
        out.append((what, "linear: ≤ 1.1", shown, verdict(found["linear"] <= 1.1)))
    return out


def isolation(found):
    out = []
    for name, one in found["conditions"].items():
        if "p50_ratio" not in one or name == "quiet_control":
            continue
        low, middle, high = one["p50_ratio"]
        decided = found["decidable"] and not low <= 1.05 <= high
        what = f"residence under {name.replace('_', ' ')} ÷ quiet"
        out.append((what, "≤ 1.05", f"{middle:.3f} ({low:.3f}–{high:.3f})", verdict(middle <= 1.05, decided)))
    return out


def start_up(found):
    took, resident = found["seconds"]["p50"], found["resident_kib"]["p50"] / 1024
    shown = f"{took:.3f} s at p50; a bare node {found['bare_seconds']['p50']:.3f} s"
    return [
        ("exec → first `~/state`", "≤ 0.3 s", shown, verdict(took <= 0.3)),
        ("resident memory, nothing monitored, real-time off", "≤ 48 MiB", f"{resident:.1f} MiB", verdict(resident <= 48)),
    ]


JUDGES = {
    "round_trip": round_trip,
    "decide": decide,
    "kill_latency": kill_latency,
    "topics": topics,
    "isolation": isolation,
    "start_up": start_up,
}
