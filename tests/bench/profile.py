#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""profile.py - count what the guest kernel executes, instruction by
instruction.

Where a host emulates kernel mode every instruction costs the same 0.4 us, so
a count is a cost: exact, the same on every run and on a busy machine. mote
and the program run under QEMU alone (TCG, PVH), which logs each instruction.
There is no harness device and devices are polled: the start of devices and
the end of the program count differently in a VM of ours.

Usage: AMPOULE_BUILD=DIR profile.py [-n ROWS] PROGRAM [ARG...]
"""
import argparse
import bisect
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("AMPOULE_BUILD", ROOT / "build/release"))
MOTE = BUILD / "kernels/mote/mote"
KERNEL = 0x7f8000000000
LIMIT_SECONDS = 120
LINE = re.compile(r"Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/")


class Symbols:
    """Names of kernel addresses."""

    def __init__(self, path):
        text = subprocess.run(["nm", "-n", path], capture_output=True,
                              text=True, check=True).stdout
        rows = [line.split() for line in text.splitlines()]
        rows = [(int(r[0], 16), r[2]) for r in rows
                if len(r) == 3 and r[1] in "tT"]
        self.starts = [r[0] for r in rows]
        self.names = [r[1] for r in rows]
        self.known = {}

    def of(self, address):
        name = self.known.get(address)
        if name is None:
            at = bisect.bisect_right(self.starts, address) - 1
            name = self.names[at] if at >= 0 else "?"
            self.known[address] = name
        return name


class Profile:
    """Instructions by function, before the program and for it, and by what
    the kernel was entered for."""

    def __init__(self, symbols):
        self.symbols = symbols
        self.boot, self.run = collections.Counter(), collections.Counter()
        self.user = 0
        self.entries = []  # (kind, instructions)
        self._kind, self._count, self._started = None, 0, False

    def _leave_kernel(self):
        if self._count:
            self.entries.append((self._kind or "?", self._count))
        self._kind, self._count = None, 0

    def take(self, address):
        if address >= KERNEL:
            name = self.symbols.of(address)
            (self.run if self.user else self.boot)[name] += 1
            self._started = True
            if self.user:
                self._count += 1
                if name.startswith("sys_"):
                    if not (self._kind or "").startswith("sys_"):
                        self._kind = name
                elif not self._kind:
                    self._kind = name
                elif name == "vm_fault" and self._kind[:4] != "sys_":
                    self._kind = "page fault"
        # Firmware and the kernel's first, low instructions come before.
        elif self._started:
            self.user += 1
            self._leave_kernel()

    def end(self):
        self._leave_kernel()


def machine(initrd, fifo):
    return ["qemu-system-x86_64",
            "-M", "microvm,x-option-roms=off,rtc=off,acpi=off",
            "-accel", "tcg", "-cpu", "max", "-m", "128", "-kernel", str(MOTE),
            "-initrd", initrd, "-nodefaults", "-no-user-config",
            "-display", "none", "-no-reboot",
            "-global", "virtio-mmio.force-legacy=false",
            "-device", "virtio-serial-device",
            "-chardev", "null,id=none", "-device",
            "virtconsole,chardev=none,nr=0",
            "-chardev", "null,id=out", "-device",
            "virtserialport,chardev=out,nr=1",
            "-chardev", "null,id=err", "-device",
            "virtserialport,chardev=err,nr=2",
            "-device", "virtio-rng-device",
            # A clock of instructions: writing them down takes longer than
            # what mote takes for emulation.
            "-icount", "shift=0,sleep=off",
            "-singlestep", "-d", "exec,nochain", "-D", fifo]


def measure(program):
    profile = Profile(Symbols(MOTE))
    with tempfile.TemporaryDirectory(prefix="ampoule-profile.") as scratch:
        initrd, fifo = f"{scratch}/initrd", f"{scratch}/log"
        subprocess.run([BUILD / "runner/cli/ampoule", "pack", "-o", initrd,
                        "--", *program], check=True)
        os.mkfifo(fifo)
        child = subprocess.Popen(
            ["timeout", str(LIMIT_SECONDS), *machine(initrd, fifo)],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(fifo, encoding="ascii", errors="replace") as log:
            for line in log:
                found = LINE.match(line)
                if found:
                    profile.take(int(found[1], 16))
        if child.wait() == 124:
            sys.exit(f"profile.py: not done after {LIMIT_SECONDS} s")
    profile.end()
    return profile


def print_functions(title, counter, rows):
    total = sum(counter.values())
    print(f"\n### {title}: {total} instructions\n\n| function | count | % |\n"
          "|---|---:|---:|")
    for name, count in counter.most_common(rows):
        print(f"| {name} | {count} | {100 * count / total:.1f} |")


def print_entries(profile):
    kinds = collections.defaultdict(list)
    for kind, count in profile.entries:
        kinds[kind].append(count)
    print(f"\n### {len(profile.entries)} entries to the kernel\n\n"
          "| entry | times | instructions | least | most |\n"
          "|---|---:|---:|---:|---:|")
    for kind, counts in sorted(kinds.items(), key=lambda k: -sum(k[1])):
        print(f"| {kind} | {len(counts)} | {sum(counts)} | {min(counts)} |"
              f" {max(counts)} |")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=20, metavar="ROWS",
                        help="functions to list (20)")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.program:
        parser.error("which program?")
    profile = measure(options.program)
    print(f"Guest kernel: {sum(profile.boot.values())} instructions before "
          f"the program's first, {sum(profile.run.values())} for it; "
          f"the program itself {profile.user}.")
    print_functions("Before the program", profile.boot, options.n)
    print_entries(profile)
    print_functions("For the program", profile.run, options.n)
    return 0


if __name__ == "__main__":
    sys.exit(main())
