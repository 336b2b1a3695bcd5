# SPDX-License-Identifier: Apache-2.0
"""Memory that a VM does not use goes back to the host: by itself when it was
freed, on request by the balloon; and the program never notices."""
import pathlib
import subprocess

import vm

MIB = 1024  # KiB, as smaps counts


class Hoard:
    """A VM whose program takes and frees memory as it is told."""

    def __init__(self, t, *options):
        self.t = t
        self.name = f"hoard-{vm.os.urandom(4).hex()}"
        self.process = t.start_vm("--name", self.name, *options, "--",
                                  t.program("hoard"), stdin=subprocess.PIPE)
        self.answer("ready")
        self.pid = next(
            pid for pid, path in vm.processes_of(t.build).items()
            if path.endswith("ampoule-vmm") and
            vm_name(pid) == f"vm:{self.name}"[:15])

    def answer(self, want=None):
        line = self.process.stdout.readline().decode().strip()
        if want:
            self.t.equal(line, want, "what the program says")
        return line

    def __call__(self, text, want=None):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        return self.answer(want)

    def pss(self):
        """In KiB: what the VM costs the host."""
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(text.partition("\nPss:")[2].split()[0])

    def shrinks_below(self, kib):
        vm.wait_until(lambda: self.pss() < kib, 20)
        self.t.note(f"{self.name}: {self.pss()} KiB")

    def end(self):
        self.process.stdin.close()
        self.t.equal(self.process.wait(timeout=20 * vm.SLOW), 0, "status")


def vm_name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@vm.alone
def test_freed_memory_goes_back(t):
    """PSS rises and falls with what the program has, more than once; what it
    gets the next time is zero."""
    hoard = Hoard(t, "--mem", "256M")
    for _ in range(2):
        hoard("take 160", "taken")
        t.check(hoard.pss() > 150 * MIB, hoard.pss())
        hoard("drop", "dropped")
        hoard.shrinks_below(60 * MIB)
    # All of it, of memory of either kind.
    hoard("take 120", "taken")
    hoard("take 100", "taken")
    hoard("drop", "dropped")
    hoard.end()


@vm.alone
def test_not_without_the_device(t):
    profile = t.tmp / "bare.profile"
    profile.write_text("devices = harness, console\n")
    hoard = Hoard(t, "--mem", "128M", "--profile", profile)
    hoard("take 64", "taken")
    hoard("drop", "dropped")
    hoard("take 64", "taken")
    hoard("drop", "dropped")
    hoard.end()
