# SPDX-License-Identifier: Apache-2.0
"""Who of a named VM may be killed, when, and what is left of it: nothing."""
import contextlib
import os
import pathlib
import random
import signal
import subprocess
import time

import vm
from host import Host, exists, kill_all, nothing_left


def test_the_monitor(t):
    """A session of its own, no terminal, no directory of its caller, small."""
    host = Host(t)
    name = host.program("ends", "wait")
    pid = host.monitor(name)
    t.equal(pathlib.Path(f"/proc/{pid}/comm").read_text(),
            "ampoule-monitor\n", "name")
    t.equal(os.getsid(pid), pid, "session")
    t.equal(os.readlink(f"/proc/{pid}/cwd"), "/", "directory")
    t.equal(vm.links_of(pid)[0], "/dev/null", "stdin")
    links = vm.links_of(pid)
    t.equal([x for x in links.values() if "pts" in x or "tty" in x], [],
            "terminals")
    with open(f"/proc/{host.ps()[name]['pid']}/status",
              encoding="utf-8") as status:
        t.check(f"PPid:\t{pid}\n" in status.read(), "the VMM's parent")


def test_the_monitor_keeps_nothing_of_its_caller(t):
    """A pipe that the caller waits for, a lock, its directory."""
    host = Host(t)
    name = host.name("keeps")
    (t.tmp / "here").mkdir()
    script = ("exec 7>&1 8>lock; cd here && exec \"$@\"")
    t.command("/bin/bash", "-c", script, "bash", t.ampoule, "start", "--name",
              name, t.program("ends"), "wait", env=host.env,
              cwd=t.tmp).ended(0).said(f"{name}\n")
    pid = host.monitor(name)
    for link in vm.links_of(pid).values():
        t.check(not link.startswith(str(t.tmp)) or "ampoule/vms" in link, link)
    t.equal(os.readlink(f"/proc/{pid}/cwd"), "/", "directory")


def test_sigterm_of_the_monitor_reaches_the_program(t):
    host = Host(t)
    name = host.program("ends", "wait")
    os.kill(host.monitor(name), signal.SIGTERM)
    host("wait", name).ended(143).said("143\n")


def test_the_caller_goes_and_the_vm_stays(t):
    """The shell's end, with SIGHUP to all of its session."""
    host = Host(t)
    name = host.name("stays")
    shell = t.start("/bin/sh", "-c",
                    "\"$@\" && read wait", "sh", t.ampoule, "start", "--name",
                    name, t.program("ends"), "wait", env=host.env,
                    stdin=subprocess.PIPE)
    t.equal(shell.stdout.readline(), f"{name}\n".encode(), "name")
    os.killpg(shell.pid, signal.SIGHUP)
    shell.wait(timeout=10 * vm.SLOW)
    time.sleep(0.2)
    t.equal(host.ps()[name]["state"], "running", "state")
    t.equal(vm.wait_until(lambda: host("logs", name).text), "waiting\n", "log")


@vm.alone
def test_sigkill_of_the_monitor(t):
    """The VM ends with it; the next command removes what is left."""
    host = Host(t)
    moments = random.Random(11)
    for _ in range(15):
        name = host.program("ends", "loop")
        monitor, pid = host.monitor(name), host.ps()[name]["pid"]
        waiting = host.begin("wait", name)
        time.sleep(moments.uniform(0, 0.05))
        os.kill(monitor, signal.SIGKILL)
        t.check(vm.wait_until(lambda p=pid: not exists(p)), "the VM lives")
        t.check(vm.wait_until(lambda: name not in host.ps()), "not swept")
        _, err = waiting.communicate(timeout=20 * vm.SLOW)
        t.equal(waiting.returncode, 125, err)
        t.check(b"monitor was killed" in err or b"no VM" in err, err)
    nothing_left(t, host)


@vm.alone
def test_sigkill_of_the_command(t):
    """At 40 moments of a start: the VM is there, whole, or nothing is. More of
    them where a busy machine has not shown both."""
    host = Host(t)
    moments = random.Random(12)
    states = set()
    span = 0.05 * vm.SLOW
    for n in range(200):
        if n >= 40 and len(states) == 2:
            break
        name = host.name(f"c{n}")
        process = host.begin("start", "--name", name, t.program("ends"),
                             "wait")
        time.sleep(moments.uniform(0, span))
        process.kill()
        process.wait()

        def settled(name=name):
            """The same for a while: a monitor that nobody heard ends it."""
            before = host.ps().get(name, {}).get("state")
            time.sleep(0.1)
            after = host.ps().get(name, {}).get("state")
            return before == after and after in (None, "running") and [after]
        state = vm.wait_until(settled)
        t.check(state, host.ps())
        states.update(state)
        if n >= 40:
            span *= 0.9 if state == ["running"] else 1.2
        if state == ["running"]:
            # Its monitor may take its time to end it, on a busy machine.
            removed = host("rm", "-f", name)
            if removed.status:
                removed.ended(125).noted(f"no VM named '{name}'")
    t.equal(states, {None, "running"}, "states seen")
    nothing_left(t, host)


@vm.alone
def test_sigkill_of_the_vmm(t):
    """At 30 moments: the monitor writes it down and cleans up."""
    host = Host(t)
    moments = random.Random(13)
    for n in range(30):
        name = host.program("ends", "loop", name=f"v{n}")
        time.sleep(moments.uniform(0, 0.03))
        os.kill(host.ps()[name]["pid"], signal.SIGKILL)
        host("wait", name).ended(125).said("125\n")
        host("rm", name).ended(0).quiet()
    nothing_left(t, host)


@vm.alone
def test_sigkill_of_anybody(t):
    """Any process of ours, at any moment, several at once."""
    host = Host(t)
    dice = random.Random(14)
    for n in range(40):
        process = host.begin("start", "--name", host.name(f"a{n}"),
                             t.program("ends"), "loop")
        time.sleep(dice.uniform(0, 0.06) * vm.SLOW)
        pids = list(vm.processes_of(t.build))
        for pid in dice.sample(pids, min(len(pids), dice.randint(1, 2))):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20 * vm.SLOW)
    kill_all(t, host)
    nothing_left(t, host)


def test_a_run_without_descriptors_leaves_nothing(t):
    """It cannot even remove its entry: the next command does."""
    host = Host(t)
    for few in range(5, 24):
        name = host.name(f"few{few}")
        t.command("/bin/sh", "-c", f"ulimit -n {few}; exec \"$@\"", "sh",
                  t.ampoule, "run", "--name", name, t.program("hello"),
                  env=host.env)
        t.check(name not in host.ps(), host.ps())
        t.check(not (host.vms / name).exists(), f"{few}: left")


@vm.alone
def test_sigkill_of_a_run(t):
    """In the foreground, at 40 moments: the next command leaves nothing."""
    host = Host(t)
    moments = random.Random(16)
    for n in range(40):
        process = host.begin("run", "--name", host.name(f"f{n}"),
                             t.program("hello"))
        time.sleep(moments.uniform(0, 0.03) * vm.SLOW)
        process.kill()
        process.wait()
    nothing_left(t, host)


@vm.alone
def test_sigkill_of_rm(t):
    """What it began, the next one ends."""
    host = Host(t)
    moments = random.Random(15)
    for n in range(20):
        name = host.program("ends", "exit", "1", name=f"r{n}")
        host("wait", name).ended(1)
        process = host.begin("rm", name)
        time.sleep(moments.uniform(0, 0.004) * vm.SLOW)
        process.kill()
        process.wait()
        if name in host.ps():
            host("rm", name).ended(0).quiet()
        t.check(not (host.vms / name).exists(), "left")
    nothing_left(t, host)


@vm.alone
def test_nothing_left_of_a_whole_life(t):
    host = Host(t)
    name = host.program("hello")
    host("wait", name).ended(0)
    host("rm", name).ended(0)
    nothing_left(t, host)


def test_no_mount_is_left_of_a_whole_life(t):
    """Among mounts that nobody else changes meanwhile."""
    if os.geteuid():
        t.skip("only root has mounts of its own")
    host = Host(t)
    name = host.name("mounts")
    script = ("cat /proc/self/mountinfo > \"$1\"; shift; \"$1\" start --name "
              "\"$2\" \"$3\" && \"$1\" wait \"$2\" && \"$1\" rm \"$2\" && "
              "cat /proc/self/mountinfo")
    result = t.command("unshare", "-m", "/bin/sh", "-c", script, "sh",
                       t.tmp / "before", t.ampoule, name, t.program("hello"),
                       env=host.env).ended(0).quiet()
    before = (t.tmp / "before").read_text()
    t.check(before, "mounts before")
    result.said(f"{name}\n0\n{before}")
