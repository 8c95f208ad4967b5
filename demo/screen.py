"""What the operator sees: one line as each step ends, and a table at the end."""

import os
import shutil
import sys
import textwrap
import time

PLAIN = str.maketrans({"✓": "+", "✗": "x", "…": ".", "→": ">", "·": "-", "─": "-", "µ": "u"})
COLOURS = {"green": "32", "red": "31", "yellow": "33", "dim": "2", "bold": "1"}
NAME = 28  # columns of a step's name
MARGIN = 15  # what stands before a step's name
INDENT = 10  # before a detail


class Screen:
    def __init__(self, out):
        self.out = out
        self.is_terminal = out.isatty()
        self.has_colour = self.is_terminal and "NO_COLOR" not in os.environ
        self.is_utf8 = (out.encoding or "").lower().replace("-", "") == "utf8"
        columns = shutil.get_terminal_size((100, 24)).columns if self.is_terminal else 100
        self.width = max(72, min(columns, 110)) - 1
        if not self.is_utf8:
            out.reconfigure(errors="replace")
        self.began = time.monotonic()

    def colour(self, name, text):
        return f"\033[{COLOURS[name]}m{text}\033[0m" if self.has_colour else text

    def write(self, text="", end="\n"):
        self.out.write((text if self.is_utf8 else text.translate(PLAIN)) + end)
        self.out.flush()

    def title(self, title, facts):
        self.write(self.colour("bold", title))
        for name, fact in facts:
            self.write(f"  {name:<9}{fact}")
        self.write()

    def _head(self, number, mark, name):
        seconds = time.monotonic() - self.began
        return f"{seconds:5.1f} s  {mark} {number:>2}  {name:<{NAME}}"

    def begin(self, number, name):
        if self.is_terminal:
            self.write(self._head(number, "…", name), end="")

    def _end(self, number, mark, name, says, details):
        if self.is_terminal:
            self.write("\r\033[K", end="")
        first, *rest = textwrap.wrap(says, self.width - MARGIN - NAME) or [""]
        self.write(self._head(number, mark, name) + first)
        for line in rest:
            self.write(" " * (MARGIN + NAME) + line)
        for detail in details:
            lines = textwrap.wrap(detail, self.width - INDENT - 2, break_on_hyphens=False, break_long_words=False)
            for index, line in enumerate(lines):
                self.write(" " * INDENT + self.colour("dim", ("· " if index == 0 else "  ") + line))

    def passed(self, number, name, says, details=()):
        self._end(number, self.colour("green", "✓"), name, says, details)

    def failed(self, number, name, failure):
        self._end(number, self.colour("red", "✗"), name, "did not happen", ())
        for word, text in (("expected", failure.expected), ("found", failure.found)):
            lines = textwrap.wrap(str(text), self.width - INDENT - 10)
            for index, line in enumerate(lines or [""]):
                self.write(" " * INDENT + f"{word if index == 0 else '':<10}{line}")

    def note(self, text):
        if self.is_terminal:
            self.write("\r\033[K", end="")
        for line in textwrap.wrap(text, self.width - INDENT):
            self.write(" " * INDENT + self.colour("yellow", line))

    def log(self, title, lines):
        self.write(f"\n{title}")
        for line in lines:
            self.write(f"  | {line}")

    def table(self, rows):
        """Rows of number, name, value, unit, meaning, passed."""
        rule = self.colour("dim", "─" * self.width)
        self.write()
        self.write(self.colour("bold", f" #  {'step':<{NAME}}{'measured':>9}      what that is"))
        self.write(rule)
        for number, name, value, unit, meaning, passed in rows:
            mark = self.colour("green", "✓") if passed else self.colour("red", "✗") if meaning else "·"
            meaning = meaning or "not reached"
            shown = "" if value is None else number_text(value, unit)
            left = f"{number:>2}  {name:<{NAME}}{shown:>9} {unit:<4} "
            self.write(f"{left}{meaning:<{self.width - len(left) - 2}} {mark}")
        self.write(rule)


def number_text(value, unit):
    """As many digits as mean something, no exponent."""
    if isinstance(value, int):
        return f"{value}"
    if unit == "rad":
        return f"{value:.4f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def of_stdout_or_stderr(json_on_stdout):
    return Screen(sys.stderr if json_on_stdout else sys.stdout)
