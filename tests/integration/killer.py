#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""killer.py - SIGKILL for a part of many VMs, at random moments, and a list of
what is left of them.

usage: unshare -p -f -m --mount-proc killer.py AMPOULE BUILD WHO COUNT SEED \\
           PROGRAM...

WHO is vmm (the command's child: the reader of files, jailer, VMM), command,
monitor (of ampoule run -d) or all (every process of the VM, in random order).
It runs as pid 1 of a pid namespace, so that every process it sees is its own
and every namespace belongs to one of them. Prints a line for each thing that is
there afterwards and was not before; then "killed N".
"""
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import vm

LIFE = 0.03  # seconds in which most of a short VM's life happens


def processes():
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


def children_of(pid):
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]
    return []


def namespaces():
    found = set()
    for pid in processes():
        for kind in os.listdir("/proc/self/ns"):
            with contextlib.suppress(OSError):
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
    return found


def everything(ampoule):
    mounts = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    listed = subprocess.run([ampoule, "ps", "-a", "-q"], capture_output=True,
                            text=True, check=False).stdout.split()
    return {
        "process": processes(), "namespace": namespaces(),
        "mount": set(mounts), "cgroup or cell": vm.stale_places(),
        "directory": vm.left_directories(), "VM in ps": set(listed),
        "fd": set(os.listdir("/proc/self/fd")),
    }


def reap():
    """All zombies: orphans come to us."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return 1
    return 0


def victims(who, command):
    if who == "command":
        return [command.pid]
    if who == "vmm":
        return children_of(command.pid)
    others = sorted(processes() - {1, command.pid})
    if who == "monitor":
        return [pid for pid in others if is_monitor(pid)]
    return [command.pid, *others]


def is_monitor(pid):
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe").endswith("/ampoule")
    return False


def one(ampoule, who, program, dice):
    detached = who == "monitor"
    command = subprocess.Popen(
        [ampoule, "run", *(["-d"] if detached else []), *program],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True)
    if detached:
        command.wait()
    time.sleep(dice.uniform(0, LIFE) * vm.SLOW)
    found = victims(who, command)
    dice.shuffle(found)
    killed = sum(map(kill, found))
    # What was killed first may have been a child that had done its work.
    while who == "vmm" and command.poll() is None:
        time.sleep(0.01)
        killed += sum(map(kill, children_of(command.pid)))
    command.wait(timeout=20 * vm.SLOW)
    return bool(killed)


def main():
    ampoule, build, who, count, seed, *program = sys.argv[1:]
    dice = random.Random(int(seed))
    for _ in range(2):  # directories that stay are made
        subprocess.run([ampoule, "run", f"{build}/tests/integration/hello"],
                       stdout=subprocess.DEVNULL, check=True)
    # Names of VMs that are not ours are out of our sight, too.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "none",
                    "/run/ampoule/vms"], check=True)
    reap()
    before = everything(ampoule)
    killed = sum(one(ampoule, who, program, dice) for _ in range(int(count)))

    def left():
        # A later command sweeps up; the kernel may need a moment.
        subprocess.run([ampoule, "run", f"{build}/tests/integration/hello"],
                       stdout=subprocess.DEVNULL, check=True)
        reap()
        after = everything(ampoule)
        return [f"{kind} {thing}" for kind, things in after.items()
                for thing in things - before[kind]]
    vm.wait_until(lambda: not left(), 10)
    for line in left():
        print(line)
    print(f"killed {killed}")


if __name__ == "__main__":
    main()
