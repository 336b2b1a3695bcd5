# SPDX-License-Identifier: Apache-2.0
"""System calls of the VMM: what its policies allow, and what becomes of the
rest. The probe (tests/hostile/probe.c) takes the VMM's place."""
import contextlib
import pathlib
import re
import shutil
import signal
import socket

import vm

HEADER = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
ROLES = ("start", "vcpu", "loop", "wait", "io")
NOT_TRIED = {"exit_group", "pause"}  # they would end or stop the probe

# Which of tests/hostile/probe_calls.c a role may make; all others trap.
MADE = {
    "vcpu": {"ioctl.KVM_RUN", "ioctl.KVM_RUN+4G", "ioctl.KVM_SIGNAL_MSI",
             "ioctl.KVM_GET_REGS", "futex.WAKE", "getrandom.now",
             "ring.enter", "ring.wait", "preadv2.stream",
             "preadv2.nowait", "pwritev2.stream"},
    "loop": {"ioctl.KVM_SIGNAL_MSI", "futex.WAKE", "sendmsg.now",
             "recvmsg.now", "poll.now",
             "getrandom.now", "ring.enter", "ring.wait", "preadv2.stream",
             "pwritev2.stream"},
    "wait": {"futex.WAKE", "pwritev2.stream"},
    "io": {"ioctl.KVM_SIGNAL_MSI", "futex.WAKE", "fallocate.punch",
           "preadv2.stream", "pwritev2.stream"},
}
MADE["start"] = MADE["vcpu"] | MADE["loop"] | MADE["io"] | {
    "ring.enable",
    "ioctl.KVM_SET_REGS", "ioctl.KVM_CREATE_VM",
    "ioctl.SET_USER_MEMORY_REGION", "mmap.rw", "mprotect.rw",
    "madvise.DONTDUMP", "fcntl.F_GET_SEALS", "prctl.PR_SET_NAME",
    "rt_sigaction.SIGSYS", "getrandom.block", "seccomp.filter",
    "newfstatat.fd"}


def probe_tree(t):
    """A build tree with the probe where the VMM belongs."""
    for path in ("runner/cli/ampoule", "jailer/ampoule-jailer",
                 "kernels/mote/mote"):
        (t.tmp / path).parent.mkdir(parents=True)
        shutil.copy(t.build / path, t.tmp / path)
    (t.tmp / "runner/vmm").mkdir()
    shutil.copy(t.build / "tests/hostile/probe",
                t.tmp / "runner/vmm/ampoule-vmm")
    t.tmp.chmod(0o755)
    return t.tmp / "runner/cli/ampoule"


def probe(t, command, name):
    return t.command(command, "run", "--name", name, "--time", 60 * vm.SLOW,
                     t.program("hello"), limit=90)


def rules(t, role):
    """name -> has every line of it conditions? From the text in force."""
    text = t.command(t.ampoule, "policy", "show", role).ended(0).text
    found = {}
    for line in text.splitlines():
        rule = re.match(r"([a-z]\w*)(:| *$| +#)", line)
        if rule and rule[1] not in ("role", "limit"):
            found[rule[1]] = rule[2] == ":"
    return found


def numbers():
    text = pathlib.Path(HEADER).read_text(encoding="ascii")
    return {number: name for name, number in
            re.findall(r"#define __NR_(\w+) (\d+)", text)}


def tried(t, role):
    command = probe_tree(t)
    result = probe(t, command, f"{role}.calls").ended(0).quiet()
    lines = dict(line.split() for line in result.text.splitlines())
    by_number = {k: v for k, v in lines.items() if k.isdigit()}
    by_name = {k: v for k, v in lines.items() if not k.isdigit()}
    t.equal(len(by_number), 596, "numbers tried")
    names = numbers()
    made = {names.get(k, k) for k, v in by_number.items() if v != "trapped"}
    # With arguments of all ones only calls without conditions get through;
    # memory that is not there is no condition.
    plain = {name for name, terms in rules(t, role).items() if not terms}
    if role == "start":
        plain |= {"clone3", "signalfd4"}  # its fd is to be -1
        t.equal(by_name["clone3"], "refused", "clone3")
    t.equal(made - plain, set(), f"{role}: made, without a rule")
    t.equal(plain - made - NOT_TRIED, set(), f"{role}: trapped, with a rule")
    let = {what for what, outcome in by_name.items() if outcome == "made"}
    t.equal(let, MADE[role], f"{role}: calls with arguments")
    return by_number


def test_start_makes_no_other_call(t):
    tried(t, "start")


def test_vcpu_makes_no_other_call(t):
    tried(t, "vcpu")


def test_loop_makes_no_other_call(t):
    tried(t, "loop")


def test_wait_makes_no_other_call(t):
    tried(t, "wait")


def test_io_makes_no_other_call(t):
    tried(t, "io")


def test_limits_on_the_number_of_calls(t):
    t.check(len(rules(t, "vcpu")) <= 8, rules(t, "vcpu"))
    t.check(len(rules(t, "loop")) <= 25, rules(t, "loop"))


def test_a_forbidden_call_is_named(t):
    """Thread, call and place; the code is 125."""
    command = probe_tree(t)
    for role in ROLES:
        thread = "probe" if role != "start" else "main"
        for call in ("openat", "socket", "execve", "ptrace", "unshare"):
            result = probe(t, command, f"{role}.guard.{call}").ended(125)
            result.noted(f"thread {thread}", f"system call {call},",
                         "ampoule-vmm+0x", "not made")


def test_a_second_forbidden_call_kills(t):
    """A captured VMM that escapes from the handler has used it up."""
    result = probe(t, probe_tree(t), "vcpu.once").ended(125)
    result.said("still here\n").noted("policy forbids", "did not report")


def test_other_tables_of_calls(t):
    command = probe_tree(t)
    for name in ("vcpu.x32.getpid", "vcpu.int80", "start.int80",
                 "loop.x32.openat"):
        probe(t, command, name).ended(125).noted("policy forbids")


def threads_of(build):
    """(name, mode of seccomp, filters) of each thread of each VMM."""
    found = []
    for pid, path in vm.processes_of(build).items():
        if not path.endswith("ampoule-vmm"):
            continue
        for name, tid in vm.threads_of(pid).items():
            text = vm.pathlib.Path(f"/proc/{pid}/task/{tid}/status").read_text()
            status = dict(line.split(":\t", 1) for line in text.splitlines()
                          if ":\t" in line)
            found.append((name, status["Seccomp"],
                          status.get("Seccomp_filters", "2")))
    return found


@vm.alone
def test_every_thread_has_its_policy(t):
    t.start_vm("--cpus", 2, "--name", "walls", t.program("ends"), "loop")
    want = {("vm:walls", "2", "2"), ("loop", "2", "2"), ("vcpu0", "2", "2"),
            ("vcpu1", "2", "2")}
    def found():
        with contextlib.suppress(OSError):  # of a VM that ends meanwhile
            return set(threads_of(t.build))
        return set()
    vm.wait_until(lambda: found() == want)
    t.equal(found(), want, "threads")


def test_sockets_as_streams(t):
    """Served by the loop's policy: sendmsg and recvmsg."""
    t.need("/bin/busybox")
    ours, theirs = socket.socketpair()
    process = t.start_vm("/bin/busybox", "cat", stdin=theirs, stdout=theirs)
    theirs.close()
    ours.settimeout(20 * vm.SLOW)
    data = bytes(range(256)) * 1024
    got = b""
    for start in range(0, len(data), 65536):
        ours.sendall(data[start:start + 65536])
        while len(got) < start + 65536:
            got += ours.recv(65536)
    ours.shutdown(socket.SHUT_WR)
    t.equal(process.wait(20 * vm.SLOW), 0, "status")
    t.check(got == data, "bytes through sockets")
    t.equal(process.stderr.read(), b"", "stderr")


def test_learn_finds_nothing_missing(t):
    """All kinds of streams, a signal, a stop, the memory moves."""
    t.need("/bin/busybox")
    learn = (t.ampoule, "policy", "learn")
    path = t.tmp / "in"
    path.write_bytes(b"x" * 200000)
    for argv, stdin in (
            ((t.program("hello"),), b""),
            (("/bin/busybox", "sha256sum"), b"y" * 3000000),
            ((t.program("touch"), 50 << 20), b""),
            (("/bin/busybox", "dd", "if=/dev/zero", "of=/a", "bs=1M",
              "count=20"), b""),
            (("/bin/busybox", "dd", "if=/dev/urandom", "of=/b", "bs=64k",
              "count=4"), b"")):
        t.command(*learn, *argv, stdin=stdin).ended(0).noted("no call was")
    with open(path, "rb") as stdin, open(t.tmp / "out", "wb") as stdout:
        process = t.start(*learn, "/bin/busybox", "cat", stdin=stdin,
                          stdout=stdout)
        t.equal(process.wait(20 * vm.SLOW), 0, "status")
        t.check(b"no call was" in process.stderr.read(), "files")
    t.command(*learn, "--time", "0.5", t.program("ends"), "loop").ended(
        124).noted("no call was")
    process = t.start(*learn, t.program("ends"), "loop")
    t.equal(process.stdout.readline(), b"looping\n", "program")
    process.send_signal(signal.SIGTERM)
    t.equal(process.wait(20 * vm.SLOW), 143, "SIGTERM")
    t.check(b"no call was" in process.stderr.read(), "signals")


def test_learn_names_what_is_missing(t):
    result = t.command(probe_tree(t), "policy", "learn", "--name",
                       "vcpu.guard.getpid", t.program("hello")).ended(0)
    result.noted("1 calls that no policy allows")
    t.check(re.search(r"probe +getpid +1 x +ampoule-vmm\+0x", result.errors),
            result)


def test_check_names_line_and_column(t):
    path = t.tmp / "mine.policy"
    path.write_text("role mine\nread  # why\nioctl: requests == 1  # why\n")
    t.command(t.ampoule, "policy", "check", path).ended(125).noted(
        "mine.policy:3:8:", "no argument 'requests'")
    path.write_text("role mine\nread  # why\nlseek  # not in start\n")
    t.command(t.ampoule, "policy", "check", path).ended(125).noted(
        "mine.policy:3:1:", "lseek has no effect")
    path.write_text("role mine\nread  # why\n")
    t.command(t.ampoule, "policy", "check", path).ended(0).said(
        f"{path}: role mine, 1 system calls\n")
    t.command(t.ampoule, "policy", "check", "/nowhere").ended(125).noted(
        "/nowhere")


def test_own_policies_are_good(t):
    for role in ROLES:
        t.command(t.ampoule, "policy", "check",
                  t.root / f"policies/{role}.policy").ended(0)
        text = (t.root / f"policies/{role}.policy").read_text()
        t.command(t.ampoule, "policy", "show", role).ended(0).said(text)


def test_explain(t):
    out = t.command(t.ampoule, "policy", "explain", "mmap").ended(0).text
    t.check("not prot & PROT_EXEC" in out and "vcpu: ends the VM" in out, out)
    out = t.command(t.ampoule, "policy", "explain", "openat").ended(0).text
    t.check("never allowed" in out, out)
    t.command(t.ampoule, "policy", "explain", "reed").ended(125).noted("reed")
    t.command(t.ampoule, "policy", "explain").ended(125)
    t.command(t.ampoule, "policy", "shew").ended(125).noted("shew")
    t.command(t.ampoule, "policy", "show", "cpu").ended(125).noted("cpu")
