"""From what was found to the tables of docs/performance.md, and what of the targets is met.

A table stands between two markers, `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`; everything else of the page is
written by people and left alone.
"""

import json
import re

import targets
from rig import ROOT

PAGE = ROOT / "docs" / "performance.md"
ROUTES = {
    "rcl": "bare rcl, wait set",
    "rcl_control": "the same again (control)",
    "r2r": "bare r2r",
    "rclpy": "bare rclpy",
    "interlock": "**interlock**",
}
TRANSPORTS = {
    "rcl": "bare rcl, wait set: Fast DDS's choice",
    "rcl_control": "the same again (control)",
    "rcl_udp": "bare rcl, UDP only",
    "interlock": "**interlock**: Fast DDS's choice",
    "interlock_udp": "**interlock**, UDP only",
}
KINDS = {"joints": "29 joints (`Float64MultiArray`, 252 bytes)", "twist": "`Twist` (52 bytes)"}
PARTS = {
    "publish": "the sender's publish call",
    "to_relay": "from then to the relay's publish: middleware, wake-up, the relay's own work",
    "back": "from the relay's publish to the receiver's middleware having it",
    "wake": "from there to the end of the receiver's take",
}
CONDITIONS = {
    "quiet": "quiet",
    "quiet_control": "quiet again (control)",
    "scrape": "a scrape at 50 Hz",
    "slow_reader": "8 slow-reading HTTP clients",
    "log_flood": "a flood of the log",
    "full_disk": "the disk of latch and log full, and a flood of the log",
}


def us(nanoseconds):
    return "–" if nanoseconds is None else f"{nanoseconds / 1000:,.0f}"


def seconds(value):
    """An edge of a bucket, for people."""
    if value is None:
        return "–"
    return "more" if value == float("inf") else f"{value * 1e6:,.3g} µs" if value < 1e-3 else f"{value * 1e3:,.3g} ms"


def interval(found, digits=3):
    low, middle, high = found
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def rows(head, lines):
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(line)} |" for line in lines), ""]


def round_trip(found):
    out = []
    for run in found:
        out += [f"**{KINDS[run['kind']]}, {run['rate_hz']} Hz to each relay** ({run['reached_hz']:.0f} Hz reached)", ""]
        out += [*times(ROUTES, run), counts(run["decidable"]), ""]
        inside = run["residence"]
        out += [
            f"Inside of the node: residence {1e6 * inside['mean_s']:.1f} µs on average, p99 below "
            f"{seconds(inside['p99_below_s'])}; its publish call {1e6 * inside['publish_mean_s']:.0f} µs on average.",
            "",
        ]
    return out


def times(titles, run):
    """Of each route, and their ratios."""
    lines = []
    for name, title in titles.items():
        one, sent = run["routes"][name], max(1, run["routes"][name]["sent"])
        lost = f"{one['lost']} of {one['sent']}" + (f", {one['late']} late" if one["late"] else "")
        lines.append(
            [title, *(us(one.get(q)) for q in ("p50", "p90", "p99", "p99.9")), lost]
            + [f"{one['cpu_s']:.2f}", f"{1e6 * one['cpu_s'] / sent:.0f}"]
            + [f"{one['voluntary'] / sent:.1f}", f"{one['forced'] / sent:.2f}"]
        )
    head = ["µs", "p50", "p90", "p99", "p99.9", "lost", "CPU s", "CPU µs a message"]
    out = rows([*head, "waits a message", "pre-emptions a message"], lines)
    ratios = run["ratios"]
    if not ratios:
        return out
    lines = [
        [pair.replace("rcl_control", "control").replace("_udp", ", UDP only"), interval(ratios["p50"][pair])]
        + [interval(ratios["p99"][pair])]
        for pair in ratios["p50"]
    ]
    return out + rows(["ratio (95 % interval)", "p50", "p99"], lines)


def transports(found):
    return [*times(TRANSPORTS, found), counts(found["decidable"]), ""]


def counts(decidable):
    if decidable:
        return "The control's interval contains 1 within ±0.02: the comparison counts."
    return "The control's interval does not contain 1 within ±0.02: **the comparison does not count**."


def parts(found):
    """Where the time of the first run's round trip goes."""
    run = next(r for r in found if (r["kind"], r["rate_hz"]) == ("joints", 500))
    lines = [
        [title, *(us(run["routes"][name]["parts_p50"][part]) for name in ROUTES)] for part, title in PARTS.items()
    ]
    return rows(["p50, µs", *(title for title in ROUTES.values())], lines)


def kill_latency(found):
    lines = []
    for scenario, one in found.items():
        for client in ("rcl", "rclpy"):
            both = one[client]
            for what, title in (("safe", "kill → safe command"), ("bare", "bare service → answer")):
                times = both[what]
                ratio = interval(both["ratios"]["p50"]["safe ÷ bare"], 2) if what == "safe" and both["ratios"] else ""
                lines.append(
                    [scenario, client, title, *(us(times.get(q)) for q in ("p50", "p99", "max")), str(times["count"]), ratio]
                )
    out = rows(["", "client", "µs", "p50", "p99", "max", "tries", "ratio at p50"], lines)
    lines = []
    for scenario, one in found.items():
        for what, title in (("tries", "from motion"), ("again", "of a node that is killed already")):
            inside = one["inside"][what]
            lines.append(
                [scenario, title, f"{1e6 * inside['mean_s']:.0f} µs", f"{100 * inside['within_500_us']:.2f} %"]
                + [seconds(inside[key]) for key in ("p50_below_s", "p99_below_s", "max_below_s")]
                + [f"{inside['count']:.0f}"]
            )
    head = ["gate woken → safe command handed to rcl", "kill", "mean", "within 500 µs", "p50 ≤", "p99 ≤", "max ≤", "stops"]
    out += rows(head, lines)
    loaded = found["loaded"]
    not_permitted = found["loaded, real-time"]["realtime_missing"]
    realtime = "; ".join(not_permitted) if not_permitted else "all of it permitted"
    return [
        *out,
        f"Real-time: `realtime.enabled`, which by default is off; here {realtime}.",
        f"Loaded: {loaded['flood_hz']:,.0f} commands a second of another source ({loaded['judged_of_flood']:,.0f} of them "
        f"judged, {loaded['lost_of_flood']:,.0f} overwritten before that and counted), a scrape at 50 Hz, and three answers to "
        f"kills that cannot be delivered outstanding at each try: the honest client's own answer came after "
        f"{us(loaded['reply'].get('p50'))} µs (p50).",
        "",
    ]


def topics(found):
    lines = []
    for one in found["scales"]:
        ours, bare = one["readers"]["interlock"], one["readers"]["drop"]
        lines.append(
            [str(one["topics"]), f"{one['reached_hz']:,.0f}"]
            + [f"{ours['us_a_message_less_idle']:.1f} ({ours['us_a_message']:.1f})", f"{bare['us_a_message_less_idle']:.1f}"]
            + [interval(one["ratios"][pair], 2) for pair in ("interlock ÷ drop", "drop_control ÷ drop")]
            + [f"{100 * reader['received_ratio']:.2f} %" for reader in (ours, bare)]
        )
    head = ["topics", "messages a second", "CPU µs a message, less idle (all)", "bare loop", "ratio", "control ÷ bare loop"]
    out = rows([*head, "received", "by the loop"], lines)
    lines = []
    for one in found["scales"]:
        scrape = one["scrape"]
        lines.append(
            [str(one["topics"]), f"{one['resident_kib'] / 1024:.1f}", f"{one['kib_a_topic']:.0f}"]
            + [f"{one['drop_resident_kib'] / 1024:.1f}", f"{scrape['lines']:,}"]
            + [f"{1000 * scrape['cpu_s']:.2f}", f"{1000 * scrape['wall_s']['p50']:.2f}"]
            + [f"{one['cpu_us_a_line']:.2f}", f"{one['wall_us_a_line']:.2f}"]
        )
    head = ["topics", "resident MiB", "KiB a topic more than none", "the loop's MiB", "lines of a scrape", "its CPU ms"]
    return out + rows([*head, "its time ms (p50, client)", "CPU µs a line", "time µs a line"], lines)


def isolation(found):
    lines = []
    for name, one in found["conditions"].items():
        resided, trip = one["residence_ns"], one["round_trip_ns"]
        lines.append(
            [CONDITIONS[name], f"{resided.get('p50', 0) / 1000:.1f}", f"{resided.get('p99', 0) / 1000:.1f}"]
            + [f"{one['residence_mean_ns'] / 1000:.1f}", seconds(one["residence_p99_below_s"])]
            + [interval(one["p50_ratio"]) if "p50_ratio" in one else "", interval(one["mean_ratio"]) if "mean_ratio" in one else ""]
            + [us(trip.get("p50")), us(trip.get("p99")), str(one["lost"]), f"{one['log_lines']:,.0f}"]
        )
    head = ["residence, µs", "p50", "p99", "mean", "p99 of all ≤", "p50 ÷ quiet", "mean ÷ quiet"]
    out = rows([*head, "round trip p50", "p99", "lost", "lines of log"], lines)
    refused = {name: one["refused"] for name, one in found["conditions"].items() if one["refused"]}
    for name, reasons in refused.items():
        said = ", ".join(f"{count:.0f} {reason}" for reason, count in reasons.items())
        out += [f"Not forwarded under {CONDITIONS[name]}: {said}.", ""]
    return out + [counts(found["decidable"]), *(f"Skipped: {text}" for text in found["skipped"]), ""]


def start_up(found):
    took, bare, resident = found["seconds"], found["bare_seconds"], found["resident_kib"]
    head = ["", "p50", "p90", "max", "starts"]
    lines = [
        ["exec → first `~/state`, ms", *(f"{1000 * took[q]:.0f}" for q in ("p50", "p90", "max")), str(took["count"])],
        ["a bare node: exec → its first message, ms", *(f"{1000 * bare[q]:.0f}" for q in ("p50", "p90", "max")), str(bare["count"])],
        ["resident, MiB", *(f"{resident[q] / 1024:.1f}" for q in ("p50", "p90", "max")), str(resident["count"])],
    ]
    return rows(head, lines)


def decide(found):
    lines = []
    for verdict, sizes in found["verdicts"].items():
        for joints, one in sizes.items():
            low, middle, high = one["median_ns"]
            counted = one.get("instructions")
            allowed = 2_000 + 150 * int(joints)
            lines.append(
                [verdict, joints, f"{middle:,.0f} ({low:,.0f}–{high:,.0f})"]
                + ([f"{counted:,.0f}", f"{allowed:,}"] if counted else ["–", f"{allowed:,}"])
            )
    return rows(["command", "joints", "ns, median (95 %)", "instructions", "target"], lines)


def tables(name, found):
    return globals()[name](found)


def described(about, quick):
    return (
        f"{'**A quick look, on a busy machine: decides nothing.** ' if quick else ''}{about['date']}, {about['processor']}, {about['cpus']} CPUs, {about['memory_gib']} GiB, Linux {about['kernel']}; "
        f"commit {about['commit']}, {about['rustc']}, ROS 2 {about['ros']}, {about['rmw']}, Python {about['python']}; "
        f"load before it {about['load_before']:.2f}, took {about['took_s']:.0f} s."
    )


def write(kept, names):
    """Puts what is kept into the page; a benchmark that was never run keeps its table."""
    page, read = PAGE.read_text(), {}
    for name in names:
        file = kept / f"{name}.json"
        if not file.exists():
            continue
        one = json.loads(file.read_text())
        read[name] = one
        page = put(page, name, [described(one["about"], one["quick"]), "", *tables(name, one["found"])])
        if name == "round_trip":
            page = put(page, "parts", parts(one["found"]))
    lines = [[what, wanted, found, met] for what, wanted, found, met in targets.judged(read)]
    page = put(page, "targets", rows(["what", "target", "measured", ""], lines))
    PAGE.write_text(page)
    print(f"written: {PAGE.relative_to(ROOT)}")


def put(page, name, lines):
    pattern = re.compile(f"(<!-- bench:{name} -->\n).*?(<!-- /bench:{name} -->)", re.DOTALL)
    if not pattern.search(page):
        raise LookupError(f"{PAGE} has no markers for {name}")
    return pattern.sub(lambda match: match[1] + "\n" + "\n".join(lines).rstrip() + "\n\n" + match[2], page)
