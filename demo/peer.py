"""How demo.py and its peers talk: JSON lines, orders on stdin, reports on stdout.

The first line is the peer's set-up. A peer ends when its stdin does, so none outlives the demo.
"""

import json
import os
import sys
import threading


class Pipe:
    """The peer's end."""

    def __init__(self):
        # Whatever else writes to standard output, the middleware's errors, would be taken for a report.
        self._reports = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        self.setup = json.loads(sys.stdin.readline())
        self._lock = threading.Lock()

    def report(self, **what):
        line = json.dumps(what) + "\n"
        with self._lock:
            try:
                self._reports.write(line)
                self._reports.flush()
            except BrokenPipeError:
                os._exit(1)  # the demo is gone, and with it everybody who could care

    def orders(self):
        """Each order as it comes, until the demo closes the pipe."""
        for line in sys.stdin:
            yield json.loads(line)
