# SPDX-License-Identifier: Apache-2.0
"""Many VMs at once, and nothing left behind by any of them."""
import os
import pathlib
import signal
import time

import vm
from cases import jail
from host import process_state


def places():
    return vm.left_directories() | vm.stale_places()


def mounts():
    return pathlib.Path("/proc/self/mountinfo").read_text().count("\n")


NOTHING = (set(), 0)


def added(before):
    """What is there now and was not; what was there may have been swept."""
    found, mounted = before
    return places() - found, max(mounts() - mounted, 0)


def nothing_added(before):
    """What others on this host have for a moment goes again."""
    if not vm.wait_until(lambda: added(before) == NOTHING):
        raise vm.Failed(f"files, cgroups, mounts left: {added(before)}")


def no_process(t):
    left = vm.wait_until(lambda: not vm.processes_of(t.build))
    t.check(left, f"processes left: {vm.processes_of(t.build)}")


@vm.alone
def test_32_at_once(t):
    running = [t.start_vm(t.program("ends"), "exit", n) for n in range(32)]
    for n, process in enumerate(running):
        out, err = process.communicate(timeout=60 * vm.SLOW)
        t.equal((process.returncode, out, err), (n, b"", b""), f"VM {n}")


@vm.alone
def test_32_alive_at_once(t):
    """All of them up at the same time, then all of them ended."""
    running = [t.start_vm("--mem", "32M", t.program("ends"), "wait")
               for _ in range(32)]
    for n, process in enumerate(running):
        t.equal(process.stdout.readline(), b"waiting\n", f"VM {n}")
    for process in running:
        process.send_signal(signal.SIGTERM)
    for n, process in enumerate(running):
        t.equal(process.wait(timeout=30 * vm.SLOW), 143, f"VM {n}")
    no_process(t)


@vm.alone
def test_nothing_left_behind(t):
    before = places(), mounts()
    for argv in (("hello",), ("ends", "segv"), ("ends", "abort")):
        t.run(t.program(argv[0]), *argv[1:])
    t.run("--time", "0.2", t.program("ends"), "loop").ended(124)
    no_process(t)
    nothing_added(before)


@vm.alone
def test_nothing_left_after_sigkill(t):
    """SIGKILL at many moments of a VM's life: start, middle, end."""
    before = places(), mounts()
    for n in range(40):
        process = t.start_vm(t.program("ends"), "loop")
        time.sleep(n * 0.001)
        process.kill()
        t.equal(process.wait(timeout=20 * vm.SLOW), -signal.SIGKILL, "status")
    no_process(t)

    def swept():  # a start removes what those before it left
        t.run(t.program("hello"))
        return added(before) == NOTHING
    t.check(vm.wait_until(swept), f"left: {added(before)}")


@vm.alone
def test_nothing_left_after_sigkill_of_the_vm(t):
    """The same for the child, jailer or VMM: one line, 125, nothing left."""
    before = places(), mounts()
    for n in range(20):
        process = t.start_vm(t.program("ends"), "loop")
        child = vm.wait_until(lambda p=process: [
            pid for pid, path in vm.processes_of(t.build).items()
            if vm.parent(pid) == p.pid and not path.endswith("cli/ampoule")])
        t.check(child, "no child")
        time.sleep(n * 0.002)
        os.kill(child[0], signal.SIGKILL)
        _, err = process.communicate(timeout=20 * vm.SLOW)
        t.equal(process.returncode, 125, f"status at {n} ({err!r})")
        t.equal(err.count(b"ampoule: "), 1, f"lines ({err!r})")
        t.check(b"SIGKILL" in err, err)
    no_process(t)
    nothing_added(before)


@vm.alone
def test_sigterm_at_any_moment(t):
    """Ends soon, with 143 (or by the signal itself before it listens)."""
    for n in range(40):
        process = t.start_vm(t.program("ends"), "loop")
        time.sleep(n * 0.001)
        process.terminate()
        status = process.wait(timeout=20 * vm.SLOW)
        t.check(status in (143, -signal.SIGTERM), f"status {status} at {n} ms")
    no_process(t)


@vm.alone
def test_no_fd_leaks_into_the_vm(t):
    """Files that the caller has open do not reach the VMM."""
    with open(t.tmp / "secret", "w", encoding="utf-8") as secret:
        fd = os.dup(secret.fileno())
        os.set_inheritable(fd, True)
        process = t.start_vm(t.program("ends"), "wait", close_fds=False)
        t.equal(process.stdout.readline(), b"waiting\n", "program")
        links = vm.links_of(jail.child_of(process.pid))
        t.check(len(links) > 3, links)
        t.check(str(t.tmp / "secret") not in links.values(), links)
        os.close(fd)
        process.terminate()
        process.wait(timeout=20 * vm.SLOW)


@vm.alone
def test_100_one_after_the_other(t):
    for n in range(100):
        t.run(t.program("hello")).ended(0).said("hello, world\n").quiet()


def test_under_limits(t):
    """Few fds are enough."""
    result = t.shell("ulimit -n 32; $A run $P/hello")
    result.ended(0).said("hello, world\n")
    for few in (10, 6):
        t.shell(f"ulimit -n {few}; $A run $P/hello").ended(125).noted(
            "ulimit -n")


def test_small_files_only(t):
    """The guest's memory is a file, too: a limit on those is named."""
    t.shell("ulimit -f 0; $A run $P/hello").ended(125).noted("ulimit -f")


def test_little_address_space(t):
    """When the host has no memory to give: a line and 125, no hang."""
    result = t.shell("ulimit -v 60000; $A run --mem 1G $P/hello", limit=20)
    t.check(result.status == 125 and result.notes, result)


def test_stopped_and_continued(t):
    """SIGSTOP and SIGCONT freeze and thaw the VM's process."""
    process = t.start_vm(t.program("ends"), "wait")
    t.equal(process.stdout.readline(), b"waiting\n", "program")
    pids = [pid for pid, path in vm.processes_of(t.build).items()
            if path.endswith("ampoule-vmm") and vm.parent(pid) == process.pid]
    t.equal(len(pids), 1, "VMMs")
    os.kill(pids[0], signal.SIGSTOP)
    t.check(vm.wait_until(lambda: process_state(pids[0]) == "T"), "state")
    os.kill(pids[0], signal.SIGTERM)
    time.sleep(0.3)
    t.equal(process.poll(), None, "status while frozen")
    os.kill(pids[0], signal.SIGCONT)
    t.equal(process.wait(timeout=20 * vm.SLOW), 143, "status")
