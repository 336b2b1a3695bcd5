# SPDX-License-Identifier: Apache-2.0
"""VMs as named processes: start, ps, logs, wait, kill, pause, resume, rm, the
monitor, and what is left of them when anybody is killed."""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import random
import re
import signal
import stat
import struct
import subprocess
import termios
import time

import vm

NOBODY = 65534


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
    names = sorted(pathlib.Path(f"/proc/{pid}/task/{task}/comm").read_text()
                   for task in os.listdir(f"/proc/{pid}/task"))
    # KVM itself may have added one that it names kvm-...
    names = [n.strip() for n in names if not n.startswith("kvm-")]
    t.equal(names, sorted([f"vm:{name}"[:15], "loop", "vcpu0", "vcpu1"]),
            "threads")
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


def test_a_foreground_vm_is_listed_while_it_runs(t):
    host = Host(t)
    name = host.name("fore")
    process = host.begin("run", "--name", name, t.program("ends"), "wait")
    t.equal(process.stdout.readline(), b"waiting\n", "program")
    row = host.ps()[name]
    t.equal((row["state"], row["detached"]), ("running", False), row)
    host("logs", name).ended(125).noted("foreground", name)
    waiting = host.begin("wait", name)
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
    paused = host.ps()[name]
    t.equal(paused["state"], "paused", "state")
    time.sleep(0.3)
    t.equal(host.ps()[name]["cpu_seconds"], paused["cpu_seconds"], "cpu time")
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
    t.equal(process_state(stranger.pid), "S", "the stranger")
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


# --------------------------------------------------------------------- logs

def test_logs_keep_streams_apart_and_in_order(t):
    host = Host(t)
    name = host.name("log")
    host("start", "--name", name, "/bin/busybox", "sh", "-c",
         "echo one; echo two >&2; echo three").ended(0)
    host("wait", name).ended(0)
    result = host("logs", name).ended(0).said("one\nthree\n")
    t.equal(result.err, b"two\n", "stderr")
    both = t.command("/bin/sh", "-c", "exec \"$@\" 2>&1", "sh", t.ampoule,
                     "logs", name, env=host.env)
    t.equal(len(both.text.split()), 3, both)


def test_any_bytes(t):
    """The log is a copy, byte for byte."""
    host = Host(t)
    data = os.urandom(200000)
    (t.tmp / "data").write_bytes(data)
    name = host.name("bytes")
    host("start", "--name", name, "--file", f"{t.tmp}/data:/data", "--",
         "/bin/busybox", "cat", "/data").ended(0)
    host("wait", name).ended(0)
    host("logs", name).ended(0).said(data)


def test_logs_follow(t):
    host = Host(t)
    name = host.program("ends", "wait")
    follow = host.begin("logs", "-f", name)
    t.equal(follow.stdout.readline(), b"waiting\n", "first line")
    t.equal(follow.poll(), None, "follows")
    host("kill", name).ended(0)
    out, err = follow.communicate(timeout=20 * vm.SLOW)
    t.equal((out, err, follow.returncode), (b"", b"", 0), "the end")
    host("logs", "-f", name).ended(0).said("waiting\n")


def test_logs_are_bounded(t):
    """Of much output the end is kept, within the bound, and nobody waits."""
    host = Host(t)
    name = host.name("much")
    host("start", "--name", name, "--log-size", "64K", "--", "/bin/busybox",
         "seq", "1", "100000").ended(0)
    follow = host.begin("logs", "-f", name, stdout=subprocess.DEVNULL)
    host("wait", name).ended(0)
    kept = sum(f.stat().st_size for f in (host.vms / name).glob("log*"))
    t.check(16 << 10 <= kept <= 64 << 10, f"{kept} bytes kept")
    out = host("logs", name).ended(0).quiet().text
    t.check(out.endswith("\n99999\n100000\n"), out[-200:])
    t.equal(follow.wait(timeout=20 * vm.SLOW), 0, "follow")


# ----------------------------------------------------------------------- ps

def test_ps(t):
    host = Host(t)
    runs = host.program("ends", "wait", name="runs")
    ended = host.program("ends", "exit", "3", name="ended")
    host("wait", ended).ended(3)
    plain = host("ps").ended(0).quiet().text
    t.check(re.match(r"NAME +PID +STATE +AGE +MEMORY +CPU +COMMAND\n", plain),
            plain)
    pid = host.ps()[runs]["pid"]
    t.check(re.search(rf"^{runs} +{pid} running +\d+[smhd] +[\d.]+[KMG] +"
                      rf"[\d.]+s {t.program('ends')} wait$", plain, re.M),
            plain)
    t.check(ended not in plain, plain)
    t.check(runs in host("ps", "-q").text.split(), "-q")
    t.check({runs, ended} <= set(host("ps", "-aq").text.split()), "-aq")
    names = [row["name"] for row in json.loads(host("ps", "--json").out)]
    t.check(runs in names and ended not in names, names)
    host("ps", "x").ended(125).noted("'x'")


def test_ps_of_odd_commands(t):
    """Any bytes in arguments: a table stays a table, JSON stays JSON."""
    host = Host(t)
    name = host.name("odd")
    odd = [b"\x1b[31mred\x07", b"new\nline", b"\xff\xfe", b"back\\slash", b"",
           "ü".encode()]
    host("start", "--name", name, "--", t.program("ends"), "wait",
         *map(os.fsdecode, odd), stdin=None).ended(0)
    text = host("ps").ended(0)
    t.check(b"\x1b" not in text.out, text)
    lines = [line for line in text.out.splitlines() if name.encode() in line]
    t.check(len(lines) == 1 and b"new?line" in lines[0], lines)
    command = host.ps()[name]["command"]
    t.equal(command[2:4] + command[5:], [odd[0].decode(), "new\nline",
                                         "back\\slash", "", "ü"], "command")


def test_ps_at_a_terminal(t):
    """A line is as long as the terminal is wide, and not longer."""
    host = Host(t)
    name = host.name("wide")
    host("start", "--name", name, "--", t.program("ends"), "wait",
         "x" * 200).ended(0)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = host.begin("ps", stdout=theirs)
    os.close(theirs)
    process.wait(timeout=20 * vm.SLOW)
    text = os.read(ours, 65536).decode()
    os.close(ours)
    lines = [line for line in text.splitlines() if line.startswith(name)]
    t.equal([len(line) for line in lines], [100], text)


def test_a_damaged_record(t):
    """One line that names it, and a way out; the others are listed."""
    host = Host(t)
    good = host.program("ends", "wait", name="good")
    bad = host.program("ends", "wait", name="bad")
    monitor = host.monitor(bad)
    with open(host.vms / bad / "vm", "a", encoding="utf-8") as record:
        record.write("exit 1\n")
    result = host("ps").ended(125).noted(f"{bad}/vm:", "damaged", "rm")
    t.check(good in host.ps(), "JSON without the others")
    t.check(good in result.text and bad not in result.text, result)
    host("kill", bad).ended(125).noted("damaged")
    os.kill(monitor, signal.SIGKILL)
    t.check(vm.wait_until(lambda: host("rm", bad).status in (0, 125) and
                          not (host.vms / bad).exists()), "left")


# --------------------------------------------- who is killed, what is left

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
    left = vm.wait_until(lambda: left_over(t, host) == NOTHING, 10)
    t.check(left, f"left: {left_over(t, host)}")


def test_the_monitor(t):
    """A session of its own, no terminal, no directory of its caller, small."""
    host = Host(t)
    name = host.program("ends", "wait")
    pid = host.monitor(name)
    t.equal(pathlib.Path(f"/proc/{pid}/comm").read_text(),
            "ampoule-monitor\n", "name")
    t.equal(os.getsid(pid), pid, "session")
    t.equal(os.readlink(f"/proc/{pid}/cwd"), "/", "directory")
    t.equal(os.readlink(f"/proc/{pid}/fd/0"), "/dev/null", "stdin")
    links = [os.readlink(f"/proc/{pid}/fd/{fd}")
             for fd in os.listdir(f"/proc/{pid}/fd")]
    t.check(not [x for x in links if "pts" in x or "tty" in x], links)
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
    for fd in os.listdir(f"/proc/{pid}/fd"):
        link = os.readlink(f"/proc/{pid}/fd/{fd}")
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
    host("logs", name).said("waiting\n")


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
    """At 40 moments of a start: the VM is there, whole, or nothing is."""
    host = Host(t)
    moments = random.Random(12)
    states = set()
    for n in range(40):
        name = host.name(f"c{n}")
        process = host.begin("start", "--name", name, t.program("ends"),
                             "wait")
        time.sleep(moments.uniform(0, 0.05) * vm.SLOW)
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
    mounts = pathlib.Path("/proc/self/mountinfo").read_text()
    name = host.program("hello")
    host("wait", name).ended(0)
    host("rm", name).ended(0)
    nothing_left(t, host)
    t.equal(pathlib.Path("/proc/self/mountinfo").read_text(), mounts, "mounts")


# ---------------------------------------------------------- another user

def as_nobody(t):
    """A user without rights, who may open /dev/kvm only in a mount namespace
    of his own; his registry is below the case's directory."""
    if os.geteuid():
        t.skip("only root becomes another user")
    t.need("/usr/bin/unshare", "/usr/bin/setpriv")
    probe = t.command("setpriv", "--reuid", NOBODY, "--regid", NOBODY,
                      "--clear-groups", "--", t.ampoule, "--version")
    if probe.status:
        t.skip(f"{t.ampoule} cannot be reached by another user")
    os.chmod(t.tmp, 0o755)
    kvm = t.tmp / "kvm"
    os.mknod(kvm, stat.S_IFCHR | 0o666, os.makedev(10, 232))
    os.chmod(kvm, 0o666)
    script = (f"mount --bind {kvm} /dev/kvm && exec setpriv --reuid {NOBODY} "
              f"--regid {NOBODY} --clear-groups -- \"$@\"")
    host = Host(t, wrap=("unshare", "-m", "sh", "-c", script, "sh"))
    os.chown(t.tmp / "xdg", NOBODY, NOBODY)
    return host


@vm.alone
def test_as_a_user(t):
    """The whole life without privilege; the registry is the user's."""
    host = as_nobody(t)
    name = host.program("ends", "wait")
    where = os.stat(host.vms / name)
    t.equal((where.st_uid, stat.S_IMODE(where.st_mode)), (NOBODY, 0o700),
            "owner and mode")
    t.check(host.ps()[name]["pid"], host.ps())
    t.check(name not in t.command(t.ampoule, "ps", "-aq").text,
            "root's list has it")
    host("pause", name).ended(0).quiet()
    t.equal(host.ps()[name]["state"], "paused", "state")
    host("resume", name).ended(0).quiet()
    host("kill", name).ended(0).quiet()
    host("wait", name).ended(143).said("143\n")
    host("logs", name).said("waiting\n")
    host("rm", name).ended(0).quiet()
    os.kill(host.monitor(host.program("ends", "loop", name="m")),
            signal.SIGKILL)
    nothing_left(t, host)


@vm.alone
def test_a_registry_of_others_is_refused(t):
    """/tmp is everybody's: a directory or link there that is not ours."""
    host = as_nobody(t)
    host.env.pop("XDG_RUNTIME_DIR")
    place = pathlib.Path(f"/tmp/ampoule-{NOBODY}")
    if place.exists():
        t.skip(f"{place} is there")
    (t.tmp / "aim").mkdir()
    os.chown(t.tmp / "aim", NOBODY, NOBODY)

    def root_owns():
        place.mkdir(mode=0o777)
        os.chmod(place, 0o777)

    def others_write():
        place.mkdir()
        os.chown(place, NOBODY, NOBODY)
        os.chmod(place, 0o777)

    for make, clear in ((root_owns, place.rmdir), (others_write, place.rmdir),
                        (lambda: place.symlink_to(t.tmp / "aim"),
                         place.unlink)):
        make()
        try:
            host("start", t.program("hello")).ended(125).said("").noted(
                str(place), "XDG_RUNTIME_DIR")
            host("ps").ended(125).noted(str(place))
            # In the foreground, without a name, it is only not listed.
            host("run", t.program("hello")).ended(0).said("hello, world\n")
        finally:
            clear()
    t.equal(os.listdir(t.tmp / "aim"), [], "behind the link")


@vm.alone
def test_a_registry_in_tmp(t):
    """Without XDG_RUNTIME_DIR, or with one of somebody else."""
    host = as_nobody(t)
    place = pathlib.Path(f"/tmp/ampoule-{NOBODY}")
    if place.exists():
        t.skip(f"{place} is there")
    t.stack.callback(t.command, "rm", "-rf", place)
    host.vms = place / "vms"
    for runtime in (None, "/root", "relative", "/nonexistent"):
        host.env.pop("XDG_RUNTIME_DIR", None)
        if runtime:
            host.env["XDG_RUNTIME_DIR"] = runtime
        name = host.program("ends", "exit", "5")
        t.equal(stat.S_IMODE(place.stat().st_mode), 0o700, "mode")
        host("wait", name).ended(5)
        host("rm", name).ended(0)
        t.check(not place.exists(), "an empty directory is left in /tmp")
    # It comes and goes under the feet of others.
    all_ = [host.begin("run", t.program("hello")) for _ in range(12)]
    for process in all_:
        out, err = process.communicate(timeout=60 * vm.SLOW)
        t.equal((process.returncode, out, err), (0, b"hello, world\n", b""),
                "run")
    t.check(not place.exists(), "an empty directory is left in /tmp")


# -------------------------------------------------------------- completion

def test_completion_knows_names(t):
    host = Host(t)
    name = host.program("ends", "wait", name="compl")
    script = (f"source {t.root}/runner/cli/ampoule.bash; "
              "COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _ampoule; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")

    def complete(*words):
        return t.command("/bin/bash", "-c", script, "bash", t.ampoule, *words,
                         env=host.env).text.split()
    for command in ("kill", "pause", "resume", "logs", "wait", "rm"):
        t.equal(complete(command, host.tag), [name], command)
        t.check("--help" in complete(command, "--h") or
                command, "options")
    t.check("KILL" in complete("kill", "-s", ""), "signals")
    t.check({"start", "ps", "logs", "wait", "kill", "pause", "resume", "rm"} <=
            set(complete("")), "commands")
