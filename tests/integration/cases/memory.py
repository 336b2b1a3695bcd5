# SPDX-License-Identifier: Apache-2.0
"""Memory: all of --mem, more than that, and what the VMM itself takes."""
import contextlib
import os
import re
import subprocess

import vm
from cases.jail import child_of

MIB = 1 << 20


@vm.alone
def test_touch_most_of_it(t):
    t.run("--mem", "256M", t.program("touch"), 200 * MIB, limit=120).ended(
        0).said(f"mapped\ntouched {200 * MIB}\n").quiet()


@vm.alone
def test_touch_all_of_it(t):
    """More than there is: killed, and one line that says why."""
    result = t.run("--mem", "64M", t.program("touch"), 64 * MIB, limit=120)
    result.ended(137).said("mapped\n")
    result.noted("memory", "--mem")
    t.equal(len(result.notes), 1, f"lines of Ampoule\n{result}")


@vm.alone
def test_largest_process_is_ended(t):
    """A child takes all memory: it is ended with a line, its parent goes on
    and finds memory again."""
    shell = "/bin/busybox"
    t.need(shell)
    script = (f"/touch {80 * MIB}; echo status $?; /touch {8 * MIB};"
              " echo status $?")
    result = t.run("--mem", "64M", "--file", f"{t.program('touch')}:/touch",
                   shell, "sh", "-c", script, limit=120).ended(0)
    result.said("mapped\nstatus 137\nmapped\n"
                f"touched {8 * MIB}\nstatus 0\n")
    t.check("out of memory" in result.errors and "(touch)" in result.errors,
            f"a line of the kernel\n{result}")


def test_smallest(t):
    t.run("--mem", "8M", t.program("hello")).ended(0).said("hello, world\n")


def test_too_small(t):
    result = t.run("--mem", "1M", t.program("hello")).ended(125)
    result.noted("--mem")


@vm.alone
def test_big_is_lazy(t):
    """Memory that nobody touches costs nothing: 8 GiB start at once."""
    t.run("--mem", "8G", t.program("hello")).ended(0).said("hello, world\n")


@vm.alone
def test_above_the_device_gap(t):
    """Both sides of the hole below 4 GiB are used."""
    with open("/proc/meminfo", encoding="ascii") as text:
        free = int(re.search(r"MemAvailable: +(\d+)", text.read())[1]) * 1024
    if free < 6 << 30:
        t.skip("less than 6 GiB of memory are free")
    size = 3500 * MIB
    t.run("--mem", "4G", t.program("touch"), size, limit=900).ended(0).said(
        f"mapped\ntouched {size}\n").quiet()


def memory_group(t, limit_bytes):
    """A memory cgroup below our own, version 1 or 2, gone after the case."""
    groups = dict(line.split(":", 2)[1:] for line in
                  open("/proc/self/cgroup", encoding="utf-8").read().split("\n")
                  if line)
    if "memory" in groups:
        base = "/sys/fs/cgroup/memory" + groups["memory"]
        limits = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
    else:
        base = "/sys/fs/cgroup" + groups.get("", "")
        limits = ("memory.max", "memory.swap.max")
        with contextlib.suppress(OSError):  # it may be handed down already
            write(f"{base}/cgroup.subtree_control", "+memory")
    path = f"{base}/ampoule-test-{os.getpid()}"
    try:
        os.mkdir(path)
        t.stack.callback(remove_group, path)
        write(f"{path}/{limits[0]}", limit_bytes)
    except OSError as error:
        t.skip(f"no memory cgroup of our own: {error}")
    with contextlib.suppress(OSError):  # no swap, or not counted
        write(f"{path}/{limits[1]}",
              limit_bytes if "memsw" in limits[1] else 0)
    return path


def remove_group(path):
    """The kernel may still be about the end of the last process in it."""
    def removed():
        with contextlib.suppress(OSError):
            os.rmdir(path)
        return not os.path.exists(path)
    vm.wait_until(removed)


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(text))


@vm.alone
def test_host_runs_out(t):
    """The host has less than --mem: the VM ends with one line and 125."""
    group = memory_group(t, 64 * MIB)
    result = t.command(
        "/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs"; exec "$@"', group,
        t.ampoule, "run", "--mem", "512M", t.program("touch"), 400 * MIB)
    result.ended(125).said("mapped\n").noted("memory", "--mem", "SIGKILL")
    t.equal(len(result.notes), 1, f"lines of Ampoule\n{result}")
    with open(f"{group}/cgroup.procs", encoding="ascii") as left:
        t.equal(left.read(), "", "processes left")


# What a process has written. Its PSS depends on who shares its program, too.
WRITTEN = ("Anonymous:",)


def own_kib(pid, fields=("Pss:",)):
    """PSS of a VMM without its guest's pages and overlays, in KiB."""
    total, skip = 0, False
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as smaps:
        for line in smaps:
            head = re.match(r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)",
                            line)
            if head:
                name = head[3]
                skip = "memfd:" in name or name.endswith("/mote")
            elif line.startswith(fields) and not skip:
                total += int(line.split()[1])
    return total


@vm.alone
def test_vmm_does_not_grow(t):
    """Touching the guest's memory leaves the VMM's own as it was."""
    written = []
    for size in (1 * MIB, 96 * MIB):
        process = t.start_vm("--mem", "160M", t.program("touch"), size, "wait",
                             stdin=subprocess.PIPE)
        for want in (b"mapped\n", b"touched %d\n" % size):
            t.equal(process.stdout.readline(), want, "program")
        pid = child_of(process.pid)
        written.append(own_kib(pid, WRITTEN))
        all_of_it = own_kib(pid)
        process.stdin.close()
        t.equal(process.wait(timeout=20 * vm.SLOW), 0, "status")
    small, big = written
    # Page tables and the like of 95 MiB more guest memory are not in smaps;
    # whatever is there must not follow the guest.
    t.check(big - small < 256, f"it grew from {small} to {big} KiB")
    t.check(all_of_it <= 1024, f"own PSS is {all_of_it} KiB")
    t.note(f"own PSS {all_of_it} KiB, written {small} and {big} KiB")
