# SPDX-License-Identifier: Apache-2.0
"""The child of the command that reads what strangers wrote: who it is, what it
may ask of the host, and what a hostile file gets from it."""
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal

import vm
from cases import jail, policy

READ_ALL = 1 << 2  # CAP_DAC_READ_SEARCH
CORPUS = vm.ROOT / "tests/fuzz/corpus"
MADE = {"openat.read", "write.1", "write.1+4G", "sendfile.1", "mmap.rw"}


def many_files(t, count=3000):
    """What takes a child a while to read."""
    path = t.tmp / "many"
    path.mkdir()
    for i in range(count):
        (path / str(i)).write_bytes(b"x" * 100)
    return path


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text("utf-8")
    return {key: value.split() for key, value in
            (line.split(":", 1) for line in text.splitlines())}


def stopped_parser(t, command):
    """The parser of a running command, stopped under its policy; or None."""
    while command.poll() is None:
        with contextlib.suppress(OSError):
            children = pathlib.Path(
                f"/proc/{command.pid}/task/{command.pid}/children")
            for child in map(int, children.read_text().split()):
                if status_of(child)["Seccomp"] != ["2"]:
                    continue
                if pathlib.Path(f"/proc/{child}/comm").read_text() != \
                        "ampoule\n":
                    return None
                os.kill(child, signal.SIGSTOP)
                if vm.wait_until(lambda: status_of(child)["State"][0] == "T"):
                    return child
    return None


def watch(t, *argv):
    """Start a command with much to read until its parser is caught."""
    path = many_files(t)
    for _ in range(50):  # it may be over before a busy machine lets us look
        command = t.start(*argv, "--file", f"{path}:/many", t.program("hello"))
        child = stopped_parser(t, command)
        if child:
            return command, child
        command.wait(30 * vm.SLOW)
    raise vm.Failed("the parser was never seen under its policy")


def locked_in(t, child, caps):
    status = status_of(child)
    for kind, want in (("Inh", 0), ("Prm", caps), ("Eff", caps), ("Amb", 0)):
        t.equal(int(status[f"Cap{kind}"][0], 16), want, f"Cap{kind}")
    t.equal(status["NoNewPrivs"], ["1"], "NoNewPrivs")
    t.equal(status["Seccomp_filters"], ["1"], "filters")
    t.equal(status["Threads"], ["1"], "threads")
    fds = {int(fd): os.readlink(f"/proc/{child}/fd/{fd}")
           for fd in os.listdir(f"/proc/{child}/fd")}
    t.check("memfd:initrd" in fds[1] and fds[2].endswith("/mote"), fds)
    # What it reads at this moment: one of those files, or the program.
    t.check(all("many" in path or path.endswith("/hello")
                for fd, path in fds.items() if fd > 2), fds)
    return status


def test_root_reads_as_an_id_of_its_own(t):
    jail.need_root(t)
    command, child = watch(t, t.ampoule, "run")
    status = locked_in(t, child, READ_ALL)
    ids = set(map(int, status["Uid"] + status["Gid"]))
    t.equal(len(ids), 1, f"ids {ids}")
    t.check(ids.pop() in jail.IDS, status["Uid"])
    t.equal(status["Groups"], [], "groups")
    os.kill(child, signal.SIGCONT)
    t.equal(command.wait(60 * vm.SLOW), 0, "status")


def test_pack_reads_as_an_id_of_its_own(t):
    jail.need_root(t)
    path = many_files(t, 1)
    image = t.tmp / "image"
    shutil.rmtree(path)
    command, child = watch(t, t.ampoule, "pack", "-o", image)
    status = status_of(child)
    t.check(int(status["Uid"][0]) in jail.IDS, status["Uid"])
    t.equal(int(status["CapEff"][0], 16), READ_ALL, "CapEff")
    os.kill(child, signal.SIGCONT)
    t.equal(command.wait(60 * vm.SLOW), 0, "status")
    t.run("--initrd", image).ended(0)


def test_a_user_has_no_capability_to_give(t):
    argv = [t.ampoule, "run"]
    if os.geteuid() == 0:
        jail.nobody_can_run(t, t.ampoule)
        argv = jail.as_nobody(t, *argv)
        t.tmp.chmod(0o755)
    command, child = watch(t, *argv)
    status = locked_in(t, child, 0)
    t.equal(len(set(status["Uid"])), 1, status["Uid"])
    os.kill(child, signal.SIGCONT)
    t.equal(command.wait(60 * vm.SLOW), 0, "status")


def test_what_only_root_can_read(t):
    """A file, a directory, a program, below a directory of root's."""
    jail.need_root(t)
    private = t.tmp / "private"
    private.mkdir()
    (private / "secret").write_text("mine\n")
    (private / "secret").chmod(0o600)
    shutil.copy("/bin/busybox", private / "busybox")
    (private / "busybox").chmod(0o700)
    (private / "script").write_text(f"#!{private}/busybox sh\necho ran\n")
    (private / "script").chmod(0o700)
    private.chmod(0o700)
    t.run("--file", f"{private}/secret", private / "busybox", "cat",
          private / "secret").ended(0).said("mine\n")
    t.run("--file", f"{private}:/all", "/bin/busybox", "cat",
          "/all/secret").ended(0).said("mine\n")
    t.run(private / "script").ended(0).said("ran\n")
    (private / "busybox").chmod(0o600)
    t.run(private / "busybox", "true").ended(126).noted("not executable")


def test_the_callers_own_standard_input(t):
    """/dev/stdin names a file of the caller's, and the program reads the
    same one."""
    path = t.tmp / "input"
    path.write_text("words\n")
    with open(path, "rb") as given:
        t.run("--file", "/dev/stdin:/copy", "/bin/busybox", "cat", "/copy",
              "-", stdin=given).ended(0).said("words\nwords\n")


def outcomes(t):
    result = t.command(t.build / "tests/hostile/parser_probe",
                       "calls").ended(0)
    return dict(line.split(" ", 1) for line in result.text.splitlines())


def test_it_makes_no_other_call(t):
    found = outcomes(t)
    rules = policy.rules(t, "parse")
    t.check(len(rules) <= 25, rules)
    names = policy.numbers()
    numbers = {k: v for k, v in found.items() if k.isdigit()}
    t.equal(len(numbers), 597, "numbers tried")
    t.check(set(numbers.values()) <= {"made", "refused", "trapped"}, found)
    made = {names.get(k, k) for k, v in numbers.items() if v != "trapped"}
    plain = {name for name, terms in rules.items() if not terms}
    t.equal(made, plain - {"exit_group"}, "made with arguments of all ones")
    let = {k for k, v in found.items() if not k.isdigit() and v == "made"}
    t.equal(let, MADE, "calls with arguments")


def test_a_forbidden_call_is_named(t):
    probe = t.build / "tests/hostile/parser_probe"
    for number, name in policy.numbers().items():
        if name in ("socket", "execve", "ptrace", "clone", "kill", "bpf"):
            t.command(probe, "call", number).ended(125).noted(
                "role parse", f"system call {name},", "ampoule+0x", "not made")


def test_how_a_captured_parser_ends(t):
    probe = t.build / "tests/hostile/parser_probe"
    t.command(probe, "crash").ended(125).noted("signal 11", "report")
    t.command(probe, "no_stack").ended(125).noted("signal 11", "report")
    result = t.command(probe, "lie").ended(125)
    t.equal(result.errors.count("\n"), 1, result)
    t.check("\033" not in result.errors, result)


def spoiled(data, chance):
    """A program with a few bytes of its tables changed."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(0x400)
        data[at] = chance.choice((0, 1, 0x7f, 0xff, chance.randrange(256)))
    return bytes(data[:chance.choice((len(data), chance.randrange(0x600)))])


def one_clear_line(t, result):
    t.check(result.status in (0, 124, 125, 126, 132, 135, 139), result)
    if result.status in (125, 126):
        t.equal(len(result.notes), 1, result)
        t.check("parser of files" not in result.errors, result)


def test_hostile_programs(t):
    """Each is packed, or refused with one line."""
    chance = random.Random(20260)
    good = pathlib.Path(shutil.which("ls")).read_bytes()
    path = t.tmp / "program"
    files = [p.read_bytes() for kind in ("elf", "elf_needs")
             for p in sorted((CORPUS / kind).iterdir())]
    t.check(len(files) >= 5, "the corpus is gone")
    for data in files + [spoiled(good, chance) for _ in range(80)]:
        path.write_bytes(data)
        path.chmod(0o755)
        one_clear_line(t, t.command(t.ampoule, "pack", "-o", t.tmp / "image",
                                    path))


def test_hostile_kernels(t):
    path = t.tmp / "kernel"
    good = t.kernel.read_bytes()
    cut = [good[:n] for n in (0, 3, 63, 64, 100, 200, 4096)]
    files = [p.read_bytes() for p in sorted((CORPUS / "kernel_elf").iterdir())]
    for data in cut + files:
        path.write_bytes(data)
        one_clear_line(t, t.run("--kernel", path, "--time", "0.2",
                                t.program("hello")))


def test_hostile_library_cache(t):
    """A private copy of the machine's directories, with a cache of noise."""
    jail.need_root(t)
    t.need("/usr/bin/unshare", "/etc/ld.so.cache")
    chance = random.Random(7)
    noise = t.tmp / "cache"
    for head in (b"", b"glibc-ld.so.cache1.1"):
        noise.write_bytes(head + chance.randbytes(4096))
        t.command("/usr/bin/unshare", "-m", "/bin/sh", "-c",
                  f"mount --bind {noise} /etc/ld.so.cache && exec "
                  f"{t.ampoule} run {t.program('hello-dynamic')}").ended(0)


def test_hostile_configuration(t):
    jail.need_root(t)
    t.need("/usr/bin/unshare")
    conf = t.tmp / "ampoule.conf"
    script = ("mkdir -p /run/ampoule && mount -t tmpfs none /etc/ampoule && "
              f"cp {conf} /etc/ampoule/ && exec {t.ampoule} run "
              f"{t.program('hello')}")
    made = pathlib.Path("/etc/ampoule")
    if not made.exists():
        made.mkdir()
        t.stack.callback(made.rmdir)
    for text, status, words in (
            (b"uids = 910000-910099\n", 0, ()),
            (b"uids = 9-1\n", 125, ("ampoule.conf:1:8:", "before it begins")),
            (b"\0" * 100, 125, ("ampoule.conf:1:1:",)),
            (b"x" * 9000, 125, ("too long",))):
        conf.write_bytes(text)
        result = t.command("/usr/bin/unshare", "-m", "/bin/sh", "-c", script)
        result.ended(status)
        if words:
            result.noted(*words)


@vm.alone
def test_a_signal_ends_the_reading(t):
    jail.need_root(t)
    before = jail.left_over(t.build)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        command, child = watch(t, t.ampoule, "run")
        command.send_signal(number)
        status = command.wait(30 * vm.SLOW)
        t.equal(status, -9 if number == signal.SIGKILL else 128 + number,
                "status")
        t.check(vm.wait_until(
            lambda: not os.path.exists(f"/proc/{child}")), "still there")
        shutil.rmtree(t.tmp / "many")
    jail.sweep(t)
    jail.nothing_left(t, before)


def test_its_policy_is_explained(t):
    text = t.command(t.ampoule, "policy", "show", "parse").ended(0).text
    t.check(re.search(r"^role parse$", text, re.M), text)
    out = t.command(t.ampoule, "policy", "explain", "openat").ended(0).text
    t.check("parse: allowed with these arguments" in out, out)
    t.command(t.ampoule, "policy", "check",
              t.root / "policies/parse.policy").ended(0)
