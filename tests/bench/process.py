# SPDX-License-Identifier: Apache-2.0
"""process.py - start programs, time them, look at their memory.

Nothing waits without a limit; only processes started here are ended, by their
own numbers.
"""
import os
import pathlib
import re
import signal
import statistics
import subprocess
import threading
import time

LIMIT_SECONDS = 120


class Failed(Exception):
    """Something that was to be measured did not run."""


class Sample:
    """Figures of one kind: what the tables show of them."""

    def __init__(self, values):
        self.values = list(values)
        if not self.values:
            raise Failed("no figures")

    @property
    def median(self):
        return statistics.median(self.values)

    def summary(self):
        return {"median": self.median, "min": min(self.values),
                "max": max(self.values), "count": len(self.values)}


class Run:
    """A program run to its end, its output collected."""

    def __init__(self, argv, stdout=None, expect=0, limit=LIMIT_SECONDS):
        start = time.monotonic_ns()
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE, close_fds=False)
        guard = threading.Timer(limit, child.kill)
        guard.start()
        try:
            out, err = child.communicate()
        finally:
            guard.cancel()
        self.ms = (time.monotonic_ns() - start) / 1e6
        self.out = (out or b"").decode(errors="replace")
        self.err = err.decode(errors="replace")
        if expect is not None and child.returncode != expect:
            raise Failed(f"{argv[0]} ended with {child.returncode}: "
                         f"{self.err.strip()[-300:]}")


class Running:
    """A program that is looked at while it runs; it says "ready" first."""

    def __init__(self, argv, pass_fds=(), output=None):
        self.child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, pass_fds=pass_fds)
        self.output = output or self.child.stdout

    def __enter__(self):
        guard = threading.Timer(LIMIT_SECONDS / 4, self.child.kill)
        guard.start()
        line = self.output.readline()
        guard.cancel()
        if line.strip() != b"ready":
            self.__exit__()
            raise Failed(f"{self.child.args[0]} did not start the program")
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        try:
            self.child.wait(1)
        except subprocess.TimeoutExpired:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(2)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.child.stdout.close()

    def pids(self):
        """The process and all below it."""
        found, todo = [], [self.child.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                todo += map(int, path.read_text().split())
        return found


def name_of(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def high_water_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1))


def mappings(pid):
    """Yields (start, end, name, pss in KiB) of a process's memory."""
    head = None
    for line in pathlib.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+\s*(.*)",
                         line)
        if match:
            head = (int(match[1], 16), int(match[2], 16), match[3])
        elif line.startswith("Pss:"):
            yield (*head, int(line.split()[1]))


def pss_kib(pid):
    return sum(m[3] for m in mappings(pid))


def pss_beyond_guest_kib(pid):
    """Without guest memory: the mapping of its memfd, and what the VMM laid
    over it (kernel and initrd, between its first and last page)."""
    maps = list(mappings(pid))
    ram = [m for m in maps if "guest-ram" in m[2]]
    if not ram:
        raise Failed("the VMM maps no guest memory")
    low, high = min(m[0] for m in ram), max(m[1] for m in ram)
    # An image at the very end of memory has no page of the memfd behind it.
    for start, end, name, _ in sorted(maps):
        if start == high and name and not name.startswith("["):
            high = end
    return sum(m[3] for m in maps if m[1] <= low or m[0] >= high)


def cpus():
    return len(os.sched_getaffinity(0))
