# SPDX-License-Identifier: Apache-2.0
"""VMs as named processes: start, wait, kill, pause, resume, rm."""
import os
import pathlib
import re
import signal
import time

import vm
from host import Host, exists, process_state


# ------------------------------------------------------------ one VM's life

def test_start_prints_the_name(t):
    host = Host(t)
    name = host.program("ends", "wait", name="web")
    row = host.ps()[name]
    t.equal((row["state"], row["exit_code"]), ("running", None), row)
    t.equal(row["command"], [str(t.program("ends")), "wait"], "command")
    t.check(row["detached"] and row["memory_limit_bytes"] == 128 << 20, row)
    t.check(exists(row["pid"]) and row["memory_bytes"] > 0, row)


def test_the_pid_is_the_vmm(t):
    """What ps shows is the process, with named threads: top -H shows them."""
    host = Host(t)
    name = host.program("ends", "wait", options=("--cpus", "2"))
    pid = host.ps()[name]["pid"]
    t.check(os.readlink(f"/proc/{pid}/exe").endswith("ampoule-vmm"), pid)
    want = {f"vm:{name}"[:15], "loop", "vcpu0", "vcpu1"}
    vm.wait_until(lambda: set(vm.threads_of(pid)) == want)
    t.equal(set(vm.threads_of(pid)), want, "threads")
    os.kill(pid, signal.SIGTERM)
    host("wait", name).ended(143).said("143\n")


def test_run_d_is_start(t):
    host = Host(t)
    name = host.name("d")
    host("run", "-d", "--name", name, t.program("hello")).ended(0).said(
        f"{name}\n").quiet()
    host("wait", name).ended(0).said("0\n").quiet()
    host("logs", name).ended(0).said("hello, world\n").quiet()


def test_a_name_is_made_up(t):
    """The program's, with a few random characters: unique."""
    host = Host(t)
    names = [host("start", "--", t.program("ends"), "wait").ended(0).text
             for _ in range(2)]
    for name in names:
        t.check(re.fullmatch(r"ends-[a-z0-9]{4}\n", name), name)
        host("rm", "-f", name.strip()).ended(0).quiet()
    t.check(names[0] != names[1], names)


def test_the_exit_status(t):
    host = Host(t)
    for how, status in ((("exit", "42"), 42), (("segv",), 139), (("exit", "0"),
                                                                0)):
        name = host.program("ends", *how, name=f"x{status}")
        host("wait", name).ended(status).said(f"{status}\n").quiet()
        row = host.ps()[name]
        t.equal((row["state"], row["exit_code"], row["pid"]),
                ("exited", status, None), row)
    result = host("ps", "-a").ended(0)
    t.check(re.search(rf"{host.name('x42')} +- +exited 42 ", result.text),
            result)
    host("wait", host.name("x42"), host.name("x0")).ended(42).said("42\n0\n")


def test_the_line_about_the_end_is_kept(t):
    host = Host(t)
    name = host.program("ends", "segv", "64")
    host("wait", name).ended(139)
    t.check("SIGSEGV at address 0x40" in host.ps()[name]["error"], host.ps())
    host("logs", name).ended(0).said("").noted("SIGSEGV", "0x40")


def test_time_limit(t):
    host = Host(t)
    name = host.program("ends", "loop", options=("--time", "0.3"))
    host("wait", name).ended(124).said("124\n")


def waits(host, command, name):
    """Has the command found the VM, which it would not once it has ended?"""
    return process_state(command.pid) == "S" and any(
        link.startswith(str(host.vms / name))
        for link in vm.links_of(command.pid).values())


def test_a_foreground_vm_is_listed_while_it_runs(t):
    host = Host(t)
    name = host.name("fore")
    process = host.begin("run", "--name", name, t.program("ends"), "wait")
    t.equal(process.stdout.readline(), b"waiting\n", "program")
    row = host.ps()[name]
    t.equal((row["state"], row["detached"]), ("running", False), row)
    host("logs", name).ended(125).noted("foreground", name)
    waiting = host.begin("wait", name)
    t.check(vm.wait_until(lambda: waits(host, waiting, name)), "it waits")
    host("kill", name).ended(0).quiet()
    t.equal(process.wait(timeout=20 * vm.SLOW), 143, "status")
    t.equal(waiting.communicate(timeout=20 * vm.SLOW)[0], b"143\n", "wait")
    t.equal(waiting.returncode, 143, "status of wait")
    t.check(not (host.vms / name).exists(), "an entry is left")


def test_rm_option_leaves_nothing(t):
    host = Host(t)
    name = host.program("ends", "exit", "3", options=("--rm",))
    gone = vm.wait_until(lambda: not (host.vms / name).exists())
    t.check(gone, "an entry is left")


# ---------------------------------------------------------- errors at start

def test_what_cannot_start_is_told_at_once(t):
    host = Host(t)
    name = host.name("no")
    for argv, status, words in (
            (("/nonexistent",), 127, ("nonexistent",)),
            ((t.root / "meson.build",), 126, ("meson.build",)),
            (("--kernel", "/dev/null", t.program("hello")), 125, ("kernel",)),
            (("--mem", "1M", t.program("hello")), 125, ("--mem",)),
            (("--log-size", "1K", t.program("hello")), 125, ("8K",))):
        result = host("start", "--name", name, *argv).ended(status).said("")
        result.noted(*words)
        t.equal(len(result.notes), 1, result)
        t.equal(host.ps(), {}, "an entry is left")


@vm.alone
def test_no_kvm_is_told_at_once(t):
    """What only the jailer finds out."""
    t.need("/usr/bin/unshare")
    host = Host(t, wrap=("unshare", "-m", "sh", "-c",
                         "mount --bind /dev/null /dev/kvm && exec \"$@\"",
                         "sh"))
    host.vms = pathlib.Path("/run/ampoule/vms")
    result = host("start", "--name", host.name("k"), t.program("hello"))
    result.ended(125).said("").noted("/dev/kvm")
    t.equal(len(result.notes), 1, result)
    t.equal(host.ps(), {}, "an entry is left")


def test_the_same_name_twice(t):
    host = Host(t)
    name = host.program("ends", "wait")
    for command in (("run",), ("start",), ("run", "-d")):
        result = host(*command, "--name", name, t.program("hello"))
        result.ended(125).said("").noted(f"'{name}'", "kill")
    t.equal(host.ps()[name]["state"], "running", "the first one")
    host("kill", name).ended(0)
    host("wait", name).ended(143)
    host("start", "--name", name, t.program("hello")).ended(125).noted(
        "ended", f"ampoule rm {name}")
    host("rm", name).ended(0).quiet()
    host("run", "--name", name, t.program("hello")).ended(0).said(
        "hello, world\n").quiet()


@vm.alone
def test_many_at_once_with_one_name(t):
    """One of them gets it."""
    host = Host(t)
    name = host.name("one")
    all_ = [host.begin("start", "--name", name, t.program("ends"), "wait")
            for _ in range(8)]
    codes = []
    for process in all_:
        process.communicate(timeout=60 * vm.SLOW)
        codes.append(process.returncode)
    t.equal(sorted(codes), [0] + [125] * 7, "exit codes")
    t.equal(host.ps()[name]["state"], "running", "the one")


def test_bad_names(t):
    host = Host(t)
    for name in (".x", "-x", "..", "a/b", "", "a" * 64, "a b", ".lock"):
        host("start", "--name", name, t.program("hello")).ended(125).noted(
            "--name")
    for command in ("kill", "wait", "logs", "pause", "resume", "rm"):
        for name in ("../cells", "", ".", ".lock", "/", host.name("none")):
            result = host(command, "--", name).ended(125)
            t.equal(len(result.notes), 1, result)
        host(command).ended(125).noted("no VM given")
        host(command, "--nosuch", "x").ended(125).noted("--nosuch")
        host(command, "--help").ended(0).quiet()


def test_prefixes(t):
    host = Host(t)
    one = host.program("ends", "wait", name="alpha-1")
    two = host.program("ends", "wait", name="alpha-2")
    short = host.program("ends", "wait", name="alpha")
    for command in ("kill", "pause", "resume", "wait", "logs", "rm"):
        host(command, host.name("alp")).ended(125).noted(
            "several", one, two, short)
    t.equal({row["state"] for row in host.ps().values()}, {"running"}, "all")
    # A whole name is meant, also where others begin with it.
    host("kill", short).ended(0).quiet()
    host("wait", short).ended(143)
    host("pause", host.name("alpha-2")[:-1] + "2").ended(0).quiet()
    t.equal(host.ps()[two]["state"], "paused", "two")
    host("rm", "-f", two, short).ended(0)
    host("kill", host.name("a")).ended(0).quiet()
    host("wait", host.name("a")).ended(143).said("143\n")


# ------------------------------------------------------------------ signals

def test_kill(t):
    """TERM goes to the program; a status of its own is kept."""
    host = Host(t)
    name = host.program("ends", "wait")
    host("kill", name).ended(0).quiet()
    host("wait", name).ended(143).said("143\n")
    result = host("kill", name).ended(125).noted(name, "exited 143")
    t.equal(len(result.notes), 1, result)


def test_kill_with_a_status_of_its_own(t):
    t.need("/bin/busybox")
    host = Host(t)
    name = host.name("trap")
    host("start", "--name", name, "/bin/busybox", "sh", "-c",
         "trap 'echo bye; exit 7' TERM; echo up; while :; do :; done").ended(0)
    t.check(vm.wait_until(lambda: host("logs", name).out == b"up\n"), "up")
    host("kill", "-s", "TERM", name).ended(0).quiet()
    host("wait", name).ended(7).said("7\n")
    host("logs", name).said("up\nbye\n").quiet()


def test_kill_by_signal(t):
    host = Host(t)
    for words, status in ((("-9",), 137), (("-KILL",), 137),
                          (("-s", "SIGKILL"), 137), (("--signal=int",), 130),
                          (("-s", "1"), 129)):
        name = host.program("ends", "wait", name="".join(c for c in "".join(words) if c.isalnum()))
        host("kill", *words, name).ended(0).quiet()
        host("wait", name).ended(status).said(f"{status}\n")
        t.check(not host.ps()[name]["error"], host.ps()[name])
    name = host.program("ends", "wait")
    for word in ("USR1", "99", "SEGV", "nonsense", ""):
        host("kill", "-s", word, name).ended(125).noted("TERM", "KILL")
    host("kill", "-99", name).ended(125).noted("'99'")
    t.equal(host.ps()[name]["state"], "running", "state")


def test_sigkill_from_a_stranger_is_told(t):
    host = Host(t)
    name = host.program("ends", "wait")
    os.kill(host.ps()[name]["pid"], signal.SIGKILL)
    host("wait", name).ended(125).said("125\n")
    t.check("SIGKILL" in host.ps()[name]["error"], host.ps()[name])


def test_pause_and_resume(t):
    host = Host(t)
    name = host.program("ends", "loop")
    pid = host.ps()[name]["pid"]
    host("pause", name).ended(0).quiet()
    t.equal(process_state(pid), "T", "state of the process")
    t.equal(host.ps()[name]["state"], "paused", "state")

    def stands_still():
        """A thread that did not run when it was stopped takes a moment."""
        before = host.ps()[name]
        time.sleep(0.3)
        now = host.ps()[name]
        return before["cpu_seconds"] == now["cpu_seconds"] and now
    paused = vm.wait_until(stands_still)
    t.check(paused, "it runs on")
    host("pause", name).ended(0).quiet()
    host("resume", name).ended(0).quiet()
    t.equal(host.ps()[name]["state"], "running", "state")
    ran = vm.wait_until(lambda: host.ps()[name]["cpu_seconds"] >
                        paused["cpu_seconds"])
    t.check(ran, "no processor time after resume")


def test_kill_of_a_paused_vm(t):
    host = Host(t)
    name = host.program("ends", "wait")
    host("pause", name).ended(0)
    host("kill", name).ended(0).quiet()
    host("wait", "--timeout", "0.3", name).ended(124).noted(name, "time")
    host("resume", name).ended(0)
    host("wait", name).ended(143)
    name = host.program("ends", "wait", name="two")
    host("pause", name).ended(0)
    host("kill", "-9", name).ended(0).quiet()
    host("wait", name).ended(137)


@vm.alone
def test_a_recycled_pid_is_never_signalled(t):
    """A record that names the pid of another process, a stranger to us."""
    host = Host(t)
    name = host.program("ends", "wait")
    time.sleep(0.05)  # start times are known to 10 ms
    stranger = t.start("/bin/sleep", "60")
    path = host.vms / name / "vm"
    start = host.record(name)["vm"].split()[1]
    with open(path, "a", encoding="utf-8") as record:
        record.write(f"vm {stranger.pid} {start}\n")
    t.equal(host.ps()[name]["pid"], None, "pid of the stranger")
    for argv in (("kill", name), ("kill", "-9", name), ("pause", name),
                 ("resume", name)):
        host(*argv).ended(125).noted(name)
    t.equal(stranger.poll(), None, "the stranger")
    t.check(vm.wait_until(lambda: process_state(stranger.pid) == "S"),
            "the stranger")
    # rm -f cannot find the VMM either: it must not remove what still runs.
    os.kill(host.monitor(name), signal.SIGKILL)
    t.check(vm.wait_until(lambda: name not in host.ps()), "not swept")
    t.equal(stranger.poll(), None, "the stranger after the sweep")


def test_wait_with_a_timeout(t):
    host = Host(t)
    name = host.program("ends", "wait")
    host("wait", "--timeout", "200ms", name).ended(124).said("").noted(name)
    for bad in ("0", "x", "-1"):
        host("wait", "--timeout", bad, name).ended(125).noted("--timeout")
    waiting = host.begin("wait", "-t", "50", name)
    host("kill", name).ended(0)
    t.equal(waiting.communicate(timeout=30 * vm.SLOW)[0], b"143\n", "wait")


def test_rm(t):
    host = Host(t)
    name = host.program("ends", "wait")
    host("rm", name).ended(125).noted(name, "with -f")
    host("rm", "-f", name).ended(0).quiet()
    t.check(not (host.vms / name).exists(), "left")
    host("rm", name).ended(125).noted(name)


@vm.alone
def test_rm_all(t):
    """In a registry of its own: it is not to touch what others keep."""
    wrap = ()
    if not os.geteuid():
        t.need("/usr/bin/unshare")
        (t.tmp / "run").mkdir(mode=0o700)
        pathlib.Path("/run/ampoule").mkdir(mode=0o700, exist_ok=True)
        wrap = ("unshare", "-m", "sh", "-c", f"mount --bind {t.tmp}/run "
                "/run/ampoule && exec \"$@\"", "sh")
    host = Host(t, wrap=wrap)
    ended = host.program("ends", "exit", "1", name="ended")
    runs = host.program("ends", "wait", name="runs")
    host("wait", ended).ended(1)
    host("rm", "--all").ended(0).quiet()
    t.equal(list(host.ps()), [runs], "left")
    host("rm").ended(125).noted("no VM given")
