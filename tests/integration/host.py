# SPDX-License-Identifier: Apache-2.0
"""host.py - the commands of one user as a case sees them: VMs by name, their
entries, their processes, and what is left of them."""
import contextlib
import json
import os
import pathlib

import vm


class Host:
    """The commands of one user with a registry that no other case has."""

    def __init__(self, t, wrap=()):
        self.t, self.wrap = t, wrap
        if os.geteuid() or wrap:
            self.vms = t.tmp / "xdg/ampoule/vms"
        else:
            self.vms = pathlib.Path("/run/ampoule/vms")
        (t.tmp / "xdg").mkdir(exist_ok=True)
        self.env = dict(os.environ, XDG_RUNTIME_DIR=str(t.tmp / "xdg"))
        self.tag = f"t{os.urandom(4).hex()}"
        t.stack.callback(self.clean)

    def name(self, name):
        """A name that no other case uses."""
        return f"{self.tag}-{name}"

    def __call__(self, *argv, **options):
        return self.t.command(*self.wrap, self.t.ampoule, *argv, env=self.env,
                              **options)

    def begin(self, *argv, **options):
        """The command, not waited for."""
        return self.t.start(*self.wrap, self.t.ampoule, *argv, env=self.env,
                            **options)

    def program(self, *argv, name="vm", options=()):
        """Start a test program in the background; its name."""
        name = self.name(name)
        self("start", "--name", name, *options, "--",
             self.t.program(argv[0]), *argv[1:]).ended(0).quiet().said(
                 f"{name}\n")
        return name

    def ps(self):
        """name -> what ps knows of it, of the VMs of this case."""
        # A record that another case has damaged is no matter here.
        rows = json.loads(self("ps", "-a", "--json").out)
        return {row["name"]: row for row in rows
                if row["name"].startswith(self.tag)}

    def record(self, name):
        """The lines of a VM's record, word -> rest of the last such line."""
        lines = (self.vms / name / "vm").read_text().splitlines()
        return dict(line.partition(" ")[::2] for line in lines)

    def monitor(self, name):
        return int(self.record(name)["monitor"].split()[0])

    def clean(self):
        with contextlib.suppress(vm.Failed, ValueError):
            for name in self.ps():
                self("rm", "-f", name)


def process_state(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()[0]


def exists(pid):
    with contextlib.suppress(OSError):
        return process_state(pid) not in "ZX"
    return False


def kill_all(t, host):
    """SIGKILL of everything this case has started."""
    for name in list(host.ps()):
        host("rm", "-f", name)


def left_over(t, host):
    """Entries, processes, cgroups of the case, after a command's sweep."""
    rows = host.ps()
    entries = [p.name for p in host.vms.iterdir()
               if p.name.startswith(host.tag)] if host.vms.is_dir() else []
    return rows, entries, vm.processes_of(t.build), vm.stale_places()


NOTHING = ({}, [], {}, set())


def nothing_left(t, host):
    left = vm.wait_until(lambda: left_over(t, host) == NOTHING)
    t.check(left, f"left: {left_over(t, host)}")
