# SPDX-License-Identifier: Apache-2.0
"""Profiles, and the options that go before them: what a VMM gets, read back
from the host."""
import ctypes
import json
import os
import pathlib
import re
import signal

import vm
from cases import jail

NAMES = ("default", "function", "fuzz", "strict")
PR_GET_SPECULATION_CTRL, PR_SPEC_PRCTL = 52, 1
PR_SCHED_CORE = 62


def waiting(t, *options, **more):
    return jail.Inmate(t, *options, t.program("ends"), "wait", **more)


def limit(inmate, name):
    """A soft limit of the VMM."""
    line = re.search(rf"^{name} +(\S+)", inmate.read("limits"), re.M)
    return int(line[1])


def group_value(t, inmate, *files):
    """What is in the first of these files of its cgroups; their versions name
    them differently."""
    jail.need_root(t)
    for path in inmate.cgroups():
        for name in files:
            if (path / name).exists():
                return (path / name).read_text().split()
    t.skip(f"no cgroup here has {' or '.join(files)}")
    return None


def has_weight(t, inmate, weight):
    """A niceness of the command scales it: sched(7)."""
    shares = weight * 1024 // 100
    nice = os.nice(0)
    wanted = [str(max(2, int(usual / 1.25 ** nice))) if nice else str(usual)
              for usual in (shares, weight)]
    found = group_value(t, inmate, "cpu.shares", "cpu.weight")
    t.check(found[0] in wanted, f"weight {found}, expected {wanted}")


def quota(t, inmate):
    return group_value(t, inmate, "cpu.cfs_quota_us", "cpu.max")[0]


def test_list_show_check(t):
    out = t.command(t.ampoule, "profile", "list").ended(0).quiet().text
    t.equal([line.split()[0] for line in out.splitlines()], list(NAMES), out)
    t.command(t.ampoule, "profile").ended(0).said(out)
    for name in NAMES:
        path = t.root / f"policies/profiles/{name}.profile"
        t.command(t.ampoule, "profile", "show", name).ended(0).said(
            path.read_text())
        t.command(t.ampoule, "profile", "check", path).ended(0).quiet()
    t.command(t.ampoule, "profile", "show", "stict").ended(125).noted("stict")
    t.command(t.ampoule, "profile", "shew").ended(125).noted("shew")
    t.command(t.ampoule, "profile", "check", "/nowhere").ended(125).noted(
        "/nowhere", "No such file")
    t.command(t.ampoule, "profile", "check", "/").ended(125).noted("directory")


def test_errors_have_line_and_column(t):
    path = t.tmp / "mine.profile"
    for text, place, words in (
            ("mem = 64M\ncpu = 2\n", "mine.profile:2:1: 'cpu'", "cpus"),
            ("  mem = lots\n", "mine.profile:1:9: 'lots'", "like 64M"),
            ("cpus = 2\ncpus = 3", "mine.profile:2:8:", "already"),
            ("\n\0", "mine.profile:2:1:", "no text"),
            ("#" * 300, "mine.profile:1:1:", "too long")):
        path.write_text(text)
        for argv in (("profile", "check", path),
                     ("run", "--profile", path, t.program("hello"))):
            result = t.command(t.ampoule, *argv).ended(125).noted(place, words)
            t.equal(len(result.errors.splitlines()), 1, result)
    path.write_text("# a long comment\n" * 1000)
    t.run("--profile", path, t.program("hello")).ended(125).noted("longer")
    t.run("--profile", "mine.profile", t.program("hello")).ended(125).noted(
        "mine.profile", "default, function, fuzz and strict")


def test_each_runs_a_program(t):
    for name in NAMES:
        t.run("--profile", name, "/bin/busybox", "sha256sum",
              "/dev/null").ended(0).quiet()


@vm.alone
def test_strict_is_enforced(t):
    inmate = waiting(t, "--profile", "strict")
    t.equal(limit(inmate, "Max open files"), 64, "open-files")
    if os.geteuid() == 0:
        t.equal(limit(inmate, "Max processes"), 6, "pids")
        t.equal(quota(t, inmate), "100000", "cpu-max")
        t.equal(group_value(t, inmate, "pids.max"), ["6"], "pids")
        has_weight(t, inmate, 50)
        memory = group_value(t, inmate, "memory.limit_in_bytes", "memory.max")
        t.equal(int(memory[0]) >> 20, 64 + 4 + 64, "memory")
    inmate.end(t)


@vm.alone
def test_an_option_goes_before_the_profile(t):
    path = t.tmp / "mine.profile"
    path.write_text("open-files = 100\nmem = 32M\ncpu-max = 70%\n")
    inmate = waiting(t, "--open-files", 90, "--profile", path, "--cpu-max",
                     "50%")
    t.equal(limit(inmate, "Max open files"), 90, "open-files")
    t.equal(limit(inmate, "Max file size") >> 20, 32, "mem")
    if os.geteuid() == 0:
        t.equal(quota(t, inmate), "50000", "cpu-max")
    inmate.end(t)


@vm.alone
def test_no_limit_on_the_cpu(t):
    inmate = waiting(t, "--cpu-max", "none", "--cpu-weight", 1)
    t.check(quota(t, inmate) in ("-1", "max"), quota(t, inmate))
    has_weight(t, inmate, 1)
    inmate.end(t)


def disk_of(t, path):
    """MAJOR:MINOR of the whole disk, by the kernel's own tree."""
    dev = os.stat(path).st_dev
    place = pathlib.Path(
        f"/sys/dev/block/{os.major(dev)}:{os.minor(dev)}")
    if not place.exists():
        t.skip(f"{path} lies on no disk")
    place = place.resolve()
    if (place / "partition").exists():
        place = place.parent
    return (place / "dev").read_text().strip()


@vm.alone
def test_limits_of_a_disk(t):
    jail.need_root(t)
    disk = disk_of(t, t.tmp)
    with open(t.tmp / "errors", "wb") as errors:
        inmate = waiting(t, "--io-read", "20M", "--io-write", "1M",
                         "--io-read-ops", 500, "--io-write-ops", 60,
                         stderr=errors)
    unified = [path / "io.max" for path in inmate.cgroups()
               if (path / "io.max").exists()]
    if unified:
        t.equal(unified[0].read_text().split(),
                [disk, "rbps=20971520", "wbps=1048576", "riops=500",
                 "wiops=60"], "io.max")
    else:
        for name, value in (("read_bps", "20971520"), ("write_bps", "1048576"),
                            ("read_iops", "500"), ("write_iops", "60")):
            found = group_value(t, inmate, f"blkio.throttle.{name}_device")
            t.equal(found, [disk, value], name)
    before = [str(path) for path in inmate.cgroups()]
    inmate.end(t)
    t.check(vm.wait_until(lambda: not any(map(os.path.exists, before))),
            before)


@vm.alone
def test_no_cgroup_for_disks_without_a_limit(t):
    jail.need_root(t)
    inmate = waiting(t)
    t.check(not [path for path in inmate.cgroups() if "blkio" in str(path)],
            inmate.cgroups())
    inmate.end(t)


def test_limits_that_cannot_be(t):
    hello = t.program("hello")
    t.run("--pids", 4, "--cpus", 2, hello).ended(125).noted("pids", "5 is")
    t.run("--open-files", 48, "--cpus", 9, hello).ended(125).noted(
        "open-files", "49 is")
    t.run("--cpu-max", "fast", hello).ended(125).noted("cpu-max", "'fast'")
    t.run("--io-read", "1", hello).ended(125).noted("io-read", "from 4K")


def test_the_least_that_is_allowed(t):
    t.run("--pids", 4, "--open-files", 48, t.program("hello")).ended(0).quiet()
    t.run("--pids", 11, "--cpus", 8, "--open-files", 48,
          t.program("hello")).ended(0).quiet()


def test_time_and_grace(t):
    path = t.tmp / "mine.profile"
    path.write_text("time = 300ms\n")
    t.run("--profile", path, t.program("ends"), "loop").ended(124)
    t.run("--profile", path, "--time", "none", t.program("hello")).ended(0)
    deaf = ("/bin/busybox", "sh", "-c",
            "trap '' TERM; echo deaf; while :; do :; done")
    for grace in ("0.2", "2.2"):
        process = t.start_vm("--grace", grace, *deaf)
        t.check(process.stdout.readline(), "the program did not start")
        process.send_signal(signal.SIGTERM)
        t.equal(process.wait(20 * vm.SLOW), 137, f"--grace {grace}")


def test_devices(t):
    path = t.tmp / "mine.profile"
    path.write_text("devices = harness\n")
    t.run("--profile", path, t.program("hello")).ended(0).said("")
    path.write_text("devices = harness console\n")
    t.run("--profile", path, "/bin/busybox", "echo", "hi").ended(0).said("hi\n")


def test_speculation_controls(t):
    libc = ctypes.CDLL(None, use_errno=True)
    # kind, line of status, words of a VMM that gave it up, words of ours
    kinds = ((0, "Speculation_Store_Bypass", "force mitigated"),
             (1, "SpeculationIndirectBranch", "force disabled"))
    seen = 0
    for number, line, words in kinds:
        now = libc.prctl(PR_GET_SPECULATION_CTRL, number, 0, 0, 0)
        if now < 0 or not now & PR_SPEC_PRCTL:
            continue
        seen += 1
        for profile, off in (("default", True), ("fuzz", False)):
            inmate = waiting(t, "--profile", profile)
            found = " ".join(inmate.status[line])
            t.equal(words in found, off, f"{profile}: {line}: {found}")
            inmate.end(t)
    if not seen:
        t.skip("this kernel leaves no speculation control to a process")


def cookie(t, pid):
    """The core scheduling cookie of a thread."""
    libc = ctypes.CDLL(None, use_errno=True)
    value = ctypes.c_ulong()
    if libc.prctl(PR_SCHED_CORE, 0, pid, 0, ctypes.byref(value)):
        t.skip("no core scheduling here: "
               f"{os.strerror(ctypes.get_errno())}")
    return value.value


def test_core_scheduling(t):
    cookie(t, 0)
    inmates = [waiting(t, "--profile", "strict") for _ in range(2)]
    cookies = set()
    for inmate in inmates:
        threads = map(int, os.listdir(f"/proc/{inmate.pid}/task"))
        mine = {cookie(t, thread) for thread in threads}
        t.equal(len(mine), 1, f"one cookie for all threads: {mine}")
        cookies |= mine
    t.check(len(cookies) == 2 and 0 not in cookies, cookies)
    plain = waiting(t)
    t.equal(cookie(t, plain.pid), 0, "without being asked")
    for inmate in inmates + [plain]:
        inmate.end(t)


def test_doctor_tells_what_the_kernel_keeps(t):
    out = t.command(t.ampoule, "doctor").text
    t.check(re.search(r"^\w+ +speculation +\S", out, re.M), out)
    t.check(re.search(r"^\w+ +core scheduling +\S", out, re.M), out)


def test_as_a_user(t):
    """A profile that only its owner can read, and no cgroups."""
    jail.nobody_can_run(t, t.ampoule)
    path = t.tmp / "mine.profile"
    path.write_text("open-files = 77\n")
    argv = jail.as_nobody(t, t.ampoule, "run", "--profile", path,
                          t.program("hello"))
    path.chmod(0o600)
    t.command(*argv).ended(125).noted("mine.profile", "Permission denied")
    os.chown(path, jail.NOBODY, jail.NOBODY)
    t.command(*argv).ended(0).quiet()
    t.command(*argv[:-1], "--cpu-max", "50%", argv[-1]).ended(0).noted(
        "--cpu-max has no effect", "root")


def test_what_only_root_can_read(t):
    jail.need_root(t)
    path = t.tmp / "mine.profile"
    path.write_text("mem = 32M\n")
    path.chmod(0o600)
    t.tmp.chmod(0o700)
    t.run("--profile", path, t.program("hello")).ended(0).quiet()


def test_in_the_background(t):
    """`start` takes profiles, too; `ps` shows the memory that a file gave."""
    path = t.tmp / "mine.profile"
    path.write_text("mem = 48M\n")
    name = f"profile-{os.getpid()}"
    t.command(t.ampoule, "start", "--name", name, "--profile", path,
              t.program("ends"), "wait").ended(0)
    t.stack.callback(lambda: t.command(t.ampoule, "rm", "-f", name))

    def mine():
        rows = json.loads(t.command(t.ampoule, "ps", "--json").ended(0).out)
        return [row for row in rows if row["name"] == name and
                row["memory_limit_bytes"] == 48 << 20]
    t.check(vm.wait_until(mine), t.command(t.ampoule, "ps", "--json"))
