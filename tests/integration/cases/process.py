# SPDX-License-Identifier: Apache-2.0
"""A VM is an ordinary process: what people do to processes, done to the VM's
pid, has the effect that it has on others."""
import contextlib
import ctypes
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

import vm
from cases import jail
from cases.memory import write

MIB = 1 << 20
HERE = pathlib.Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")


class Busy(jail.Inmate):
    """A VM whose program computes until it is ended."""

    def __init__(self, t, *prefix, name=None):
        argv = [*prefix, t.ampoule, "run", "--time", 60 * vm.SLOW,
                *(["--name", name] if name else []), t.program("ends"), "loop"]
        self.command = t.start(*argv)
        t.equal(self.command.stdout.readline(), b"looping\n", "program")
        self.pid = vm.wait_until(lambda: jail.child_of(self.command.pid))
        t.check(self.pid, "no VMM")

    def threads(self):
        return vm.threads_of(self.pid)

    def field(self, thread, number):
        """A field of /proc/TID/stat as proc(5) counts them."""
        text = pathlib.Path(f"/proc/{self.pid}/task/{thread}/stat").read_text()
        return int(text.rpartition(")")[2].split()[number - 3])

    def has(self, what, value):
        """Until all threads have it, or a while is over: the command looks
        at the VM's pid once a second."""
        def all_of_them():
            return {what(tid) for tid in self.threads().values()} == {value}
        return vm.wait_until(all_of_them)


def cpu_seconds(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def test_sigterm_to_the_pid(t):
    inmate = Busy(t)
    os.kill(inmate.pid, signal.SIGTERM)
    t.equal(inmate.command.wait(20 * vm.SLOW), 143, "status")


def test_sigterm_to_the_pid_is_heard(t):
    """The program may end as it likes."""
    t.need("/bin/busybox")
    inmate = jail.Inmate(t, "/bin/busybox", "sh", "-c",
                         "trap 'exit 9' TERM; echo up; while :; do :; done")
    os.kill(inmate.pid, signal.SIGTERM)
    t.equal(inmate.command.wait(20 * vm.SLOW), 9, "status")


def killed_at_any_moment(t, who, seed, *program):
    """50 of them, in a pid namespace where nobody else is."""
    jail.need_root(t)
    t.need("/usr/bin/unshare")
    result = t.command(
        "unshare", "-p", "-f", "-m", "--mount-proc", sys.executable,
        HERE.parent / "killer.py", t.ampoule, t.build, who, 50, seed,
        *program, limit=200)
    result.ended(0)
    lines = result.text.splitlines()
    t.check(lines[:-1] == [], f"left behind: {lines[:-1]}\n{result}")
    killed = int(lines[-1].split()[1])
    # A short program may have ended before its killer came.
    t.check(killed >= 30, f"{killed} of 50 killed\n{result}")


@vm.alone
def test_sigkill_of_the_vmm(t):
    killed_at_any_moment(t, "vmm", 1, t.program("ends"), "loop")


@vm.alone
def test_sigkill_of_the_command(t):
    killed_at_any_moment(t, "command", 2, t.program("ends"), "loop")


@vm.alone
def test_sigkill_of_the_command_of_a_short_program(t):
    killed_at_any_moment(t, "command", 3, t.program("ends"), "sleep", "0")


@vm.alone
def test_sigkill_of_the_monitor(t):
    killed_at_any_moment(t, "monitor", 4, t.program("ends"), "loop")


@vm.alone
def test_sigkill_of_all_of_it(t):
    killed_at_any_moment(t, "all", 5, t.program("ends"), "loop")


def beats(stream):
    """Rows of (our clock, the guest's three), as they come."""
    rows = []

    def read():
        for line in stream:
            with contextlib.suppress(ValueError):
                row = [int(word) for word in line.split()]
                if len(row) == 3:
                    rows.append((time.monotonic_ns(), *row))
    reader = threading.Thread(target=read)
    reader.start()
    return rows, reader


def frozen(t, argv, pid_of, seconds):
    """Stop it, let it go on; rows before and after."""
    process = t.start(*argv)
    rows, reader = beats(process.stdout)
    t.check(vm.wait_until(lambda: len(rows) > 20), "no beats")
    pid = pid_of(process)
    os.kill(pid, signal.SIGSTOP)

    def quiet():
        """What is in the pipe still comes."""
        seen = len(rows)
        time.sleep(0.3)
        return len(rows) == seen
    t.check(vm.wait_until(quiet), "it runs on")
    before = len(rows)
    time.sleep(seconds)
    t.equal(len(rows), before, "beats while stopped")
    os.kill(pid, signal.SIGCONT)
    t.check(vm.wait_until(lambda: len(rows) > before + 20), "no beats after")
    t.equal(process.poll(), None, "status")
    process.kill()
    reader.join(10 * vm.SLOW)  # or it reads on while the stream is closed
    return rows, before


def offset(rows, column):
    """How far a clock of the guest is behind ours; the least delayed row."""
    return min(row[0] - row[column] for row in rows)


def test_clocks_bear_sigstop(t):
    """The monotonic clock of a stopped process goes on, and so does that of a
    Linux guest: it never goes back, and is neither behind nor ahead of the
    host's afterwards."""
    pause = 1.5
    for how in ((), ("busy",)):
        rows, before = frozen(
            t, (t.ampoule, "run", t.program("beat"), *how),
            lambda p: vm.wait_until(lambda: jail.child_of(p.pid)), pause)
        host, host_before = frozen(t, (t.program("beat"), *how),
                                   lambda p: p.pid, pause)
        for name, some in (("guest", rows), ("host process", host)):
            for column in (1, 2, 3):
                values = [row[column] for row in some]
                t.check(values == sorted(values), f"{name}: a clock went back")
        for column in (1, 2, 3):
            moved = (offset(rows[before + 1:], column)
                     - offset(rows[:before], column)) / 1e9
            base = (offset(host[host_before + 1:], column)
                    - offset(host[:host_before], column)) / 1e9
            t.check(abs(moved - base) < pause / 3,
                    f"clock {column} moved {moved} s, outside {base} s")


def test_guest_is_told_of_sigstop(t):
    """KVM_KVMCLOCK_CTRL: the flag by which a Linux guest knows that it was
    stopped, and spares its watchdogs. Read where mote has its clock's page."""
    symbols = subprocess.run(["nm", t.kernel], text=True, capture_output=True,
                             check=True).stdout
    address = re.search(r"^(\w+) \w vvar\b", symbols, re.M)
    t.check(address, "no vvar in mote, where the clock's page begins")
    at = int(address[1], 16) & 0x3fffffff  # in the first GiB, at a GiB's start
    inmate = jail.Inmate(t, "--cmdline", "devmem", "--time", 20 * vm.SLOW,
                         t.program("clockflag"), at)
    time.sleep(0.3)
    t.equal(inmate.command.poll(), None, "told without a reason; status")
    os.kill(inmate.pid, signal.SIGSTOP)
    time.sleep(0.2)
    os.kill(inmate.pid, signal.SIGCONT)
    t.equal(inmate.command.wait(30 * vm.SLOW), 0, "status after SIGCONT")
    t.equal(inmate.command.stdout.read(), b"stopped\n", "program")


def test_top_shows_threads(t):
    t.need("/usr/bin/top")
    name = f"me{os.urandom(3).hex()}"
    inmate = Busy(t, name=name)
    vm.wait_until(lambda: {"loop", "vcpu0"} <= set(inmate.threads()))
    text = t.command("top", "-H", "-b", "-n1", "-w", "200", "-p",
                     inmate.pid).ended(0).text
    for name in (f"vm:{name}", "loop", "vcpu0"):
        t.check(re.search(rf"\s{name}\s*$", text, re.M), f"{name}:\n{text}")
    inmate.end(t)


def nice_of(tid):
    return os.getpriority(os.PRIO_PROCESS, tid)


def io_class_of(tid):
    return ctypes.CDLL(None).syscall(252, 1, tid) >> 13  # ioprio_get


def test_started_with_other_scheduling(t):
    """nice, taskset, chrt and ionice in front of the command: for each of the
    VM's threads, and so for the guest."""
    for path in ("nice", "taskset", "chrt", "ionice"):
        t.need(f"/usr/bin/{path}")
    niceness = min(os.nice(0) + 7, 19)
    inmate = Busy(t, "nice", "-n", "7", "taskset", "-c", "0", "ionice", "-c3",
                  "chrt", "-b", "0")
    for what, value in ((nice_of, niceness), (os.sched_getaffinity, {0}),
                        (os.sched_getscheduler, os.SCHED_BATCH),
                        (io_class_of, 3)):
        for name, tid in inmate.threads().items():
            t.equal(what(tid), value, f"{what.__name__} of {name}")
    t.equal(inmate.field(inmate.threads()["vcpu0"], 39), 0, "vcpu0's CPU")
    inmate.end(t)


def frozen_set(what):
    return lambda tid: frozenset(what(tid))


@vm.alone
def test_changed_by_its_pid(t):
    """renice, taskset, chrt and ionice on the VM's pid alone reach the vCPU."""
    for path in ("renice", "taskset", "chrt", "ionice"):
        t.need(f"/usr/bin/{path}")
    inmate = Busy(t)
    pid = inmate.pid
    t.command("renice", "-n", "5", "-p", pid).ended(0)
    t.check(inmate.has(nice_of, 5), "renice")
    cpu = max(os.sched_getaffinity(0))
    t.command("taskset", "-c", "-p", cpu, pid).ended(0)
    t.check(inmate.has(frozen_set(os.sched_getaffinity), frozenset({cpu})),
            "taskset")
    vcpu = inmate.threads()["vcpu0"]
    t.check(vm.wait_until(lambda: inmate.field(vcpu, 39) == cpu), "CPU")
    t.command("ionice", "-c", "3", "-p", pid).ended(0)
    t.check(inmate.has(io_class_of, 3), "ionice")
    t.command("chrt", "-i", "-p", "0", pid).ended(0)
    t.check(inmate.has(os.sched_getscheduler, os.SCHED_IDLE), "chrt")
    inmate.end(t)


def share(t, pids):
    """CPU time of the second of two, as a part of the next second of both."""
    before = [cpu_seconds(pid) for pid in pids]

    def used():
        return [cpu_seconds(pid) - b for pid, b in zip(pids, before)]
    if not vm.wait_until(lambda: sum(used()) > 1, 20):
        t.skip("others leave no time on this CPU")
    first, second = used()
    return second / (first + second)


def as_two_processes(t, first, second):
    """Two VMs on one CPU share it about as two processes would."""
    if os.nice(0) > 12:
        t.skip("this test is as nice itself")
    spin = ("/bin/sh", "-c", "while :; do :; done")
    outside = t.start("/bin/sh", "-c",
                      "taskset -c 0 \"$@\" & echo $!; "
                      "taskset -c 0 nice -n 19 \"$@\" & echo $!; wait",
                      "sh", *spin)
    pids = [int(outside.stdout.readline()) for _ in range(2)]
    want = share(t, pids)
    vm.end_session(outside)
    got = share(t, [first.pid, second.pid])
    # 15 of 1024 + 15 when they are alone; autogroups may make it more outside.
    t.check(want < 0.35, f"two processes: {want:.3f}; is this a test?")
    t.check(got < 0.25, f"nice 19 got {got:.3f} of two VMs,"
                        f" {want:.3f} of two processes")


@vm.alone
def test_nice_shares_a_cpu(t):
    first = Busy(t, "taskset", "-c", "0")
    second = Busy(t, "taskset", "-c", "0", "nice", "-n", "19")
    as_two_processes(t, first, second)


@vm.alone
def test_renice_shares_a_cpu(t):
    first = Busy(t, "taskset", "-c", "0")
    second = Busy(t, "taskset", "-c", "0")
    even = share(t, [first.pid, second.pid])
    t.check(0.2 < even < 0.8, f"nice 0 and 0: {even}")
    t.command("renice", "-n", "19", "-p", second.pid).ended(0)
    t.check(second.has(nice_of, 19), "renice")
    as_two_processes(t, first, second)


def own_file(t, inmate, *names):
    """The one of these files that a cgroup of the VM's own has."""
    for path in inmate.cgroups():
        for name in names:
            if (path / name).exists():
                return path / name
    return t.skip(f"no cgroup of its own with {' or '.join(names)}")


def cgroup_stat(path, *keys):
    for line in path.read_text().splitlines():
        if line.split()[0] in keys:
            return int(line.split()[1])
    return 0


@vm.alone
def test_cpu_limit_of_the_cgroup(t):
    jail.need_root(t)
    inmate = Busy(t)
    quota = own_file(t, inmate, "cpu.max", "cpu.cfs_quota_us")
    write(quota, "2000 100000" if quota.name == "cpu.max" else "2000")
    stat = quota.parent / "cpu.stat"
    first = cgroup_stat(stat, "nr_throttled")
    before, begin = cpu_seconds(inmate.pid), time.monotonic()
    time.sleep(2)
    used = cpu_seconds(inmate.pid) - before
    t.check(used / (time.monotonic() - begin) < 0.3, f"{used} s of CPU in 2 s")
    t.check(vm.wait_until(lambda: cgroup_stat(stat, "nr_throttled") > first),
            "never throttled")
    inmate.end(t)


@vm.alone
def test_memory_is_charged(t):
    """What the guest touches is counted in the cgroup of its VM."""
    jail.need_root(t)
    process = t.start_vm("--mem", "160M", t.program("touch"), 96 * MIB, "wait",
                         stdin=subprocess.PIPE)
    t.equal(process.stdout.readline(), b"mapped\n", "program")
    inmate = jail.Inmate.__new__(jail.Inmate)
    inmate.command, inmate.pid = process, jail.child_of(process.pid)
    used = own_file(t, inmate, "memory.current", "memory.usage_in_bytes")
    t.equal(process.stdout.readline(), b"touched %d\n" % (96 * MIB), "program")
    t.check(96 * MIB < int(used.read_text()) < 160 * MIB, used.read_text())
    process.stdin.close()
    t.equal(process.wait(timeout=20 * vm.SLOW), 0, "status")


@vm.alone
def test_oom_killer_takes_the_vm(t):
    """A limit set while the guest runs: the VM goes, with one line."""
    jail.need_root(t)
    t.need("/bin/busybox")
    process = t.start_vm("--mem", "512M", "/bin/busybox", "sh", "-c",
                         "echo up; read x; dd if=/dev/zero of=/tmp/x bs=1M "
                         "count=300", stdin=subprocess.PIPE)
    t.equal(process.stdout.readline(), b"up\n", "program")
    inmate = jail.Inmate.__new__(jail.Inmate)
    inmate.command, inmate.pid = process, jail.child_of(process.pid)
    limit = own_file(t, inmate, "memory.max", "memory.limit_in_bytes")
    for name in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
        with contextlib.suppress(OSError):
            write(limit.parent / name, 0 if "swap.max" in name else 64 * MIB)
    write(limit, 64 * MIB)
    out, err = process.communicate(b"\n", timeout=60 * vm.SLOW)
    t.equal(process.returncode, 125, f"status {out!r}\n{err!r}")
    lines = [x for x in err.decode().splitlines() if x.startswith("ampoule:")]
    t.check(len(lines) == 1 and "memory" in lines[0] and "SIGKILL" in lines[0],
            err)


MADV_PAGEOUT, PROCESS_MADVISE, PIDFD_OPEN = 21, 440, 434


def page_out(pid):
    """Ask the kernel to swap a VM's guest memory. Bytes it has taken on."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(PIDFD_OPEN, pid, 0)
    total = 0
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        span = re.match(r"(\w+)-(\w+) rw-s .* /memfd:", line)
        if span:
            start, end = (int(x, 16) for x in span.groups())
            vec = (ctypes.c_uint64 * 2)(start, end - start)
            total += max(0, libc.syscall(PROCESS_MADVISE, pidfd, vec,
                                         ctypes.c_ulong(1), MADV_PAGEOUT, 0))
    os.close(pidfd)
    return total


def swapped_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps").read_text()
    return sum(map(int, re.findall(r"^Swap: +(\d+)", text, re.M)))


@vm.alone
def test_guest_memory_can_be_swapped(t):
    jail.need_root(t)
    swaps = pathlib.Path("/proc/swaps").read_text().splitlines()[1:]
    if not swaps:
        t.skip("this host has no swap")
    process = t.start_vm("--mem", "160M", t.program("touch"), 64 * MIB, "wait",
                         stdin=subprocess.PIPE)
    for want in (b"mapped\n", b"touched %d\n" % (64 * MIB)):
        t.equal(process.stdout.readline(), want, "program")
    pid = jail.child_of(process.pid)
    t.check(page_out(pid) >= 64 * MIB, "nothing to page out")
    t.check(vm.wait_until(lambda: swapped_kib(pid) > 32 << 10),
            f"{swapped_kib(pid)} KiB are swapped")
    process.stdin.close()
    t.equal(process.wait(timeout=60 * vm.SLOW), 0, "status")
