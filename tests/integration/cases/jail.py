# SPDX-License-Identifier: Apache-2.0
"""The walls around a VMM: looked at from outside, tried from inside, and taken
down without a trace."""
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import stat
import subprocess
import time

import vm

CELLS = pathlib.Path("/run/ampoule/cells")
SPACES = ("mnt", "pid", "net", "ipc", "uts", "cgroup", "time")
NOBODY = 65534
IDS = range(900000, 910000)


def need_root(t):
    if os.geteuid():
        t.skip("only root gives a VM an id and cgroups")


def child_of(pid):
    """The VMM that a command started."""
    with contextlib.suppress(OSError):
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        for child in children.read_text().split():
            with open(f"/proc/{child}/comm", encoding="utf-8") as comm:
                if comm.read().startswith("vm:"):
                    return int(child)
    return None


class Inmate:
    """A running VMM as seen from outside."""

    def __init__(self, t, *argv, **options):
        argv = argv or (t.program("ends"), "wait")
        self.command = t.start_vm(*argv, **options)
        t.check(self.command.stdout.readline(), "the program did not start")
        self.pid = vm.wait_until(lambda: child_of(self.command.pid))
        t.check(self.pid, "no VMM")

    def read(self, name):
        return pathlib.Path(f"/proc/{self.pid}/{name}").read_text("utf-8")

    @property
    def status(self):
        lines = (line.split(":", 1) for line in
                 self.read("status").splitlines())
        return {key: value.split() for key, value in lines}

    @property
    def uid(self):
        return int(self.status["Uid"][0])

    def space(self, name):
        return os.readlink(f"/proc/{self.pid}/ns/{name}")

    def cgroups(self):
        """The directories it is a member of that are its own."""
        found = []
        for line in self.read("cgroup").splitlines():
            _, kinds, path = line.split(":", 2)
            if "ampoule-" in path:
                found.append(pathlib.Path(f"/sys/fs/cgroup/{kinds}{path}"))
        return found

    def end(self, t):
        self.command.send_signal(signal.SIGTERM)
        t.equal(self.command.wait(timeout=20 * vm.SLOW), 143, "status")


def own_space(name):
    return os.readlink(f"/proc/self/ns/{name}")


def left_over(build):
    """What VMs have left: processes, cgroups, files."""
    found = {str(pid) for pid in vm.processes_of(build)}
    return sorted(found | vm.stale_places())


def nothing_left(t, before):
    """What was there before may go meanwhile: each start sweeps."""
    def added():
        return set(left_over(t.build)) - set(before)
    t.check(vm.wait_until(lambda: not added()), f"left behind: {added()}")


def sweep(t):
    """A start removes what killed commands left, unless a VMM is not quite gone
    yet: it is no process of ours any more, but the kernel still releases it."""
    def left():
        t.run(t.program("hello")).ended(0)
        return left_over(t.build)
    t.check(vm.wait_until(lambda: not left()), f"left: {left_over(t.build)}")


def no_privilege(t, inmate):
    status = inmate.status
    for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        t.equal(int(status[f"Cap{kind}"][0], 16), 0, f"Cap{kind}")
    t.equal(status["NoNewPrivs"], ["1"], "NoNewPrivs")
    t.equal(status["NSpid"][-1], "1", "pid in its namespace")
    t.equal(inmate.read("environ"), "", "environment")
    t.check(inmate.read("cmdline").startswith("vm:"), "command line")


def empty_root(t, inmate):
    t.equal(os.listdir(f"/proc/{inmate.pid}/root"), [], "root")
    # Its root is a directory below that of its one mount, which is not seen.
    t.equal(inmate.read("mountinfo"), "", "mounts")
    root = os.statvfs(f"/proc/{inmate.pid}/root")
    for flag in (os.ST_RDONLY, os.ST_NOSUID, os.ST_NODEV, os.ST_NOEXEC):
        t.check(root.f_flag & flag, f"flags of the root {root.f_flag:#x}")
    t.equal((root.f_files, root.f_ffree), (2, 0), "inodes")
    try:
        os.mkdir(f"/proc/{inmate.pid}/root/x")
        raise vm.Failed("root can make a directory there")
    except OSError as error:
        t.check(error.errno in (30, 13), error)


def empty_spaces(t, inmate):
    for name in SPACES:
        if os.path.exists(f"/proc/self/ns/{name}"):
            t.check(inmate.space(name) != own_space(name), f"{name} is shared")
    interfaces = inmate.read("net/dev").splitlines()[2:]
    t.equal([line.split(":")[0].strip() for line in interfaces], ["lo"], "net")


@vm.alone
def test_identity(t):
    need_root(t)
    one, two = Inmate(t), Inmate(t)
    for inmate in (one, two):
        status = inmate.status
        t.check(inmate.uid in IDS, status["Uid"])
        t.equal(status["Uid"], [str(inmate.uid)] * 4, "uids")
        t.equal(status["Gid"], [str(inmate.uid)] * 4, "gids")
        t.equal(status["Groups"], [], "groups")
        no_privilege(t, inmate)
        # Not dumpable: the files of the process are root's, not its user's.
        t.equal(os.stat(f"/proc/{inmate.pid}/environ").st_uid, 0, "owner")
    t.check(one.uid != two.uid, "two VMs have one id")
    for name in SPACES:
        if os.path.exists(f"/proc/self/ns/{name}"):
            t.check(one.space(name) != two.space(name), f"{name} is shared")
    one.end(t)
    two.end(t)


def test_nothing_in_sight(t):
    need_root(t)
    inmate = Inmate(t)
    empty_root(t, inmate)
    empty_spaces(t, inmate)
    inmate.end(t)


def test_limits(t):
    inmate = Inmate(t, "--cpus", "2", t.program("ends"), "wait")
    limits = {}
    for line in inmate.read("limits").splitlines()[1:]:
        words = re.split(r"  +", line)
        limits[words[0]] = words[1:3]
    for name, value in (("core file size", 0), ("open files", 256),
                        ("locked memory", 0), ("msgqueue size", 0),
                        ("nice priority", 0), ("realtime priority", 0),
                        ("file size", 128 << 20), ("processes", 10)):
        t.equal(limits[f"Max {name}"], [str(value)] * 2, name)
    inmate.end(t)


def test_output_file_may_grow(t):
    """A limit on files would cut the program's own output off."""
    with open(t.tmp / "out", "wb") as out:
        process = t.start_vm("--mem", "32M", t.program("writes"), "4500",
                             "8000", stdout=out, stderr=subprocess.DEVNULL)
        t.equal(process.wait(timeout=60 * vm.SLOW), 0, "status")
    t.check((t.tmp / "out").stat().st_size > 32 << 20, "size")


def test_fds(t):
    inmate = Inmate(t)
    seen = vm.links_of(inmate.pid)
    for fd in seen:
        path = f"/proc/{inmate.pid}/fd/{fd}"
        t.check(not stat.S_ISDIR(os.stat(path).st_mode), seen)
    for fd in range(3):
        t.equal(seen[fd], "/dev/null", f"fd {fd}")
    # The lock that says its id is in use: a file that it may not write.
    slots = [fd for fd, link in seen.items() if link.startswith(str(CELLS))]
    t.equal(len(slots), 0 if os.geteuid() else 1, seen)
    for fd in slots:
        flags = re.search(r"flags:\s*(\d+)", inmate.read(f"fdinfo/{fd}"))
        t.equal(int(flags[1], 8) & os.O_ACCMODE, os.O_RDONLY, "lock's mode")
    inmate.end(t)


def of_the_kernel(pid):
    """A thread of the kernel's own (PF_KTHREAD): KVM puts one that works for a
    VM into its cgroup."""
    try:
        stat_line = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return bool(int(stat_line.rpartition(")")[2].split()[6]) & 0x200000)


@vm.alone
def test_cgroups(t):
    need_root(t)
    before = left_over(t.build)
    inmate = Inmate(t, "--mem", "64M", t.program("ends"), "wait")
    paths = inmate.cgroups()
    if not paths:
        t.skip("no cgroup hierarchy that can be written")
    for path in paths:
        t.equal(path.name, f"ampoule-{inmate.uid}", "name")
        members = (path / "cgroup.procs").read_text().split()
        t.equal([pid for pid in members if not of_the_kernel(pid)],
                [str(inmate.pid)], f"members of {path}")
    limits = {}
    for path in paths:
        for name in ("memory.limit_in_bytes", "memory.max", "pids.max",
                     "cpu.cfs_quota_us"):
            if (path / name).exists():
                limits[name.split(".")[0]] = int((path / name).read_text())
    t.check(64 << 20 < limits["memory"] <= 160 << 20, limits)
    t.equal(limits["pids"], 9, limits)
    inmate.end(t)
    nothing_left(t, before)


def tree(t, vmm):
    """A copy of the installation with another program in the VMM's place."""
    os.chmod(t.tmp, 0o755)
    for part in ("runner/cli/ampoule", "jailer/ampoule-jailer",
                 "kernels/mote/mote"):
        (t.tmp / part).parent.mkdir(parents=True)
        shutil.copy(t.build / part, t.tmp / part)
    (t.tmp / "runner/vmm").mkdir()
    shutil.copy(vmm, t.tmp / "runner/vmm/ampoule-vmm")
    return t.tmp / "runner/cli/ampoule"


def attempts(result):
    return dict(line.split(" ", 1) for line in result.text.splitlines())


def all_refused(t, got):
    """The attempts that have one answer, with privilege or without."""
    for what in ("open:/etc/passwd", "open:/proc", "open:/proc/self/fd",
                 "open:/dev/kvm", "open:/dev/null", "open:/sys/fs/cgroup",
                 "open:/run/ampoule"):
        t.check(got[what] in ("ENOENT", "EACCES"), f"{what}: {got[what]}")
    for what in ("create", "mkdir", "mknod"):
        t.check(got[what] in ("EROFS", "EACCES", "EPERM"),
                f"{what}: {got[what]}")
    for what in ("chroot", "mount", "remount", "umount", "capset", "ambient",
                 "nofile", "core", "sethostname", "unshare:net", "unshare:mnt",
                 "raw", "setuid"):
        t.check(got[what] in ("EPERM", "EACCES", "EINVAL"),
                f"{what}: {got[what]}")
    for what in ("kill:2", "kill:all", "ptrace"):
        t.check(got[what] in ("ESRCH", "EPERM"), f"{what}: {got[what]}")
    t.check(got["connect"] in ("EACCES", "ENETUNREACH"), got["connect"])
    t.check(got["abstract"] in ("EPERM", "ECONNREFUSED"), got["abstract"])
    t.check(got["renice"] in ("EACCES", "EPERM"), got["renice"])
    for what, value in (("pid", "1"), ("ppid", "0"), ("environ", "0"),
                        ("host", "ampoule"), ("no_new_privs", "1"),
                        ("pdeathsig", str(int(signal.SIGKILL)))):
        t.equal(got[what], value, what)
    t.check(int(got["forks"]) <= 9, f"forks {got['forks']}")


def landlock_works(t, got):
    """With Landlock not even the empty root can be listed, nor TCP bound."""
    if got["open:/"] != "EACCES":
        probe = t.command(t.ampoule, "doctor").text
        line = [x for x in probe.splitlines() if "Landlock" in x]
        t.check("ABI" not in line[0], f"open:/ gave {got['open:/']}; {line}")
        return
    for what in ("open:/..", "open:../../..", "open:."):
        t.equal(got[what], "EACCES", what)
    t.check(got["bind"] in ("EACCES", "EPERM"), got["bind"])


@vm.alone
def test_from_inside(t):
    need_root(t)
    before = left_over(t.build)
    ampoule = tree(t, t.program("jailed"))
    result = t.command(ampoule, "run", t.program("hello")).ended(0).quiet()
    got = attempts(result)
    all_refused(t, got)
    landlock_works(t, got)
    t.check(int(got["uid"]) in IDS, got["uid"])
    t.equal(got["groups"], "0", "groups")
    t.equal(got["openat:slot"], "ENOTDIR", "from the lock's file")
    nothing_left(t, before)


def as_nobody(t, *argv):
    """A command as a user without rights, who may open /dev/kvm only in a mount
    namespace of his own."""
    need_root(t)
    t.need("/usr/bin/unshare", "/usr/bin/setpriv")
    os.chmod(t.tmp, 0o755)
    kvm = t.tmp / "kvm"
    if not kvm.exists():
        os.mknod(kvm, stat.S_IFCHR | 0o666, os.makedev(10, 232))
    os.chmod(kvm, 0o666)
    script = (f"mount --bind {kvm} /dev/kvm && exec setpriv --reuid {NOBODY} "
              f"--regid {NOBODY} --clear-groups -- \"$@\"")
    return ("unshare", "-m", "sh", "-c", script, "sh", *argv)


def nobody_can_run(t, path):
    probe = t.command("setpriv", "--reuid", NOBODY, "--regid", NOBODY,
                      "--clear-groups", "--", path, "--version")
    if probe.status:
        t.skip(f"{path} cannot be reached by another user")


@vm.alone
def test_without_root(t):
    need_root(t)
    nobody_can_run(t, t.ampoule)
    command = t.start(*as_nobody(t, t.ampoule, "run", t.program("ends"),
                                 "wait"))
    t.equal(command.stdout.readline(), b"waiting\n", "program")
    inmate = Inmate.__new__(Inmate)
    inmate.command = command
    inmate.pid = vm.wait_until(lambda: child_of(command.pid))
    t.check(inmate.pid, "no VMM")
    t.equal(inmate.uid, NOBODY, "uid outside")
    t.check(inmate.space("user") != own_space("user"), "user is shared")
    no_privilege(t, inmate)
    empty_root(t, inmate)
    empty_spaces(t, inmate)
    t.equal(inmate.cgroups(), [], "cgroups")
    inmate.end(t)


@vm.alone
def test_from_inside_without_root(t):
    need_root(t)
    ampoule = tree(t, t.program("jailed"))
    nobody_can_run(t, ampoule)
    result = t.command(*as_nobody(t, ampoule, "run", t.program("hello")))
    got = attempts(result.ended(0).quiet())
    all_refused(t, got)
    landlock_works(t, got)
    t.equal(got["uid"], "0", "uid inside")


@vm.alone
def test_doctor_tells_what_is_thinner(t):
    need_root(t)
    nobody_can_run(t, t.ampoule)
    text = t.command(t.ampoule, "doctor").text
    t.check("an id of its own" in text, text)
    user = as_nobody(t)
    text = t.command(*user, t.ampoule, "doctor").text
    t.check("your own id" in text and "as root" in text and
            "namespaces of its own" in text, text)
    # The same where users get no namespaces.
    script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    text = t.command(*user, "unshare", "-U", "-r", "sh", "-c", script, "sh",
                     "setpriv", "--bounding-set", "-all", "--inh-caps", "-all",
                     "--securebits=+noroot", t.ampoule, "doctor").text
    t.check("sysctl user.max_user_namespaces" in text and
            "no namespaces" in text, text)


@vm.alone
def test_without_user_namespaces(t):
    """Where users get no namespaces, the other walls stand."""
    need_root(t)
    script = ("echo 0 > /proc/sys/user/max_user_namespaces && "
              "exec \"$@\"")
    outer = ("unshare", "-U", "-r", "sh", "-c", script, "sh")
    command = t.start(*outer, t.ampoule, "run", t.program("ends"), "wait")
    if command.stdout.readline() != b"waiting\n":
        if t.command(*outer, "true").status:
            t.skip("no user namespace to try it in")
        raise vm.Failed(command.stderr.read())
    pid = vm.wait_until(lambda: child_of(command.pid))
    inmate = Inmate.__new__(Inmate)
    inmate.command, inmate.pid = command, pid
    status = inmate.status
    t.equal(status["NoNewPrivs"], ["1"], "NoNewPrivs")
    t.equal(int(status["CapEff"][0], 16), 0, "CapEff")
    t.equal(inmate.space("pid"), own_space("pid"), "pid namespace")
    inmate.end(t)


@vm.alone
def test_failed_step(t):
    """One line that names the step, and nothing left."""
    need_root(t)
    before = left_over(t.build)
    ampoule = tree(t, t.program("jailed"))
    os.chmod(t.tmp / "runner/vmm/ampoule-vmm", 0o700)
    result = t.command(ampoule, "run", t.program("hello")).ended(125)
    result.noted("cannot start ampoule-vmm", "permission")
    t.equal(len(result.notes), 1, result)
    nothing_left(t, before)


@vm.alone
def test_nothing_left_after_a_normal_end(t):
    sweep(t)
    before = left_over(t.build)
    for argv in (("hello",), ("ends", "segv"), ("ends", "exit", "3")):
        t.run(t.program(argv[0]), *argv[1:])
        nothing_left(t, before)


@vm.alone
def test_sigkill_of_the_command(t):
    """50 moments of start, run and end; the sweep removes the rest."""
    sweep(t)
    moments = random.Random(3)
    for _ in range(50):
        process = t.start_vm(t.program("hello"))
        time.sleep(moments.uniform(0, 0.06) * vm.SLOW)
        process.kill()
        process.wait()
    t.check(vm.wait_until(lambda: not vm.processes_of(t.build)),
            vm.processes_of(t.build))
    sweep(t)


@vm.alone
def test_sigkill_of_the_vmm(t):
    """At 50 moments: the command says so, and cleans up."""
    sweep(t)
    before = left_over(t.build)
    moments = random.Random(4)
    killed = 0
    for _ in range(50):
        process = t.start_vm(t.program("ends"), "loop")
        pid = vm.wait_until(lambda p=process: any_child(p.pid))
        time.sleep(moments.uniform(0, 0.03) * vm.SLOW)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
        out, err = process.communicate(timeout=20 * vm.SLOW)
        t.equal(process.returncode, 125, f"status; {out!r} {err!r}")
        t.check(b"SIGKILL" in err, err)
    t.equal(killed, 50, "VMMs killed")
    nothing_left(t, before)


def any_child(pid):
    """Jailer or VMM; not the child that read the files before."""
    with contextlib.suppress(OSError):
        path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        for child in path.read_text().split():
            comm = pathlib.Path(f"/proc/{child}/comm").read_text("utf-8")
            if comm != "ampoule\n":
                return int(child)
    return None


@vm.alone
def test_500_mounts(t):
    """A host with many mounts: they stay as they are."""
    need_root(t)
    t.need("/usr/bin/unshare")
    script = f"""
set -e
mount --make-rshared /
mkdir -p {t.tmp}/m
mount -t tmpfs none {t.tmp}/m
for i in $(seq 500); do
    mkdir {t.tmp}/m/$i
    mount -t tmpfs -o size=4k none {t.tmp}/m/$i
done
before=$(wc -l < /proc/self/mountinfo)
[ "$before" -gt 500 ]
{t.ampoule} run {t.program("hello")}
[ "$(wc -l < /proc/self/mountinfo)" = "$before" ]
"""
    result = t.command("unshare", "-m", "sh", "-c", script)
    result.ended(0).said("hello, world\n").quiet()


@vm.alone
def test_50_in_parallel(t):
    """All at once, each with an id of its own."""
    before = left_over(t.build)
    running = [t.start_vm("--mem", "32M", t.program("ends"), "wait")
               for _ in range(50)]
    for process in running:
        t.equal(process.stdout.readline(), b"waiting\n", "program")
    pids = [child_of(process.pid) for process in running]
    ids = set()
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="utf-8") as status:
            ids.add(re.search(r"Uid:\s+(\d+)", status.read())[1])
    t.equal(len(ids), 1 if os.geteuid() else 50, "ids")
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        t.equal(process.wait(timeout=30 * vm.SLOW), 143, "status")
    nothing_left(t, before)
