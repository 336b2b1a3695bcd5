# SPDX-License-Identifier: Apache-2.0
"""A captured VMM attacks the host (tests/hostile/attacker.c), from a thread of
each role: once behind its policies, once without, so that every other wall is
tried, too. Each attempt has to fail, and in the expected way."""
import collections
import contextlib
import ctypes
import os
import pathlib
import signal
import socket

import vm
from cases import jail

ROLES = ("start", "vcpu", "loop", "wait", "io")
ATTEMPTS_MIN = 180
NO_WALL = "-"
PORT = 47110
SHM_KEY = 0x616d70

Attempt = collections.namedtuple("Attempt", "role topic name expected got")


def tree(t):
    if not (t.tmp / "runner").exists():
        jail.tree(t, t.build / "tests/hostile/attacker")
    return t.tmp / "runner/cli/ampoule"


def bound(tcp):
    with contextlib.suppress(OSError):
        tcp.bind(("", PORT))
        return True
    return False


@contextlib.contextmanager
def bait(t):
    """What an attacker could find on the host: a listening port, an abstract
    socket, shared memory, another VM."""
    libc = ctypes.CDLL(None, use_errno=True)
    segment = libc.shmget(SHM_KEY, 4096, 0o1666)
    victim = t.start_vm(t.program("ends"), "wait")
    t.equal(victim.stdout.readline(), b"waiting\n", "the other VM")
    with socket.socket(socket.AF_INET) as tcp, \
            socket.socket(socket.AF_UNIX) as abstract:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            # Another program may have it for a while, as its own end.
            t.check(vm.wait_until(lambda: bound(tcp), 60),
                    f"port {PORT} is in use")
            tcp.listen()
            abstract.bind("\0ampoule-attack")
            abstract.listen()
            yield
        finally:
            libc.shmctl(segment, 0, None)
    t.equal(victim.poll(), None, "the other VM's status")
    victim.send_signal(signal.SIGTERM)
    t.equal(victim.wait(timeout=10 * vm.SLOW), 143, "the other VM's status")


def attack(t, name, *outer, options=()):
    command = [tree(t), "run", "--name", name, "--time", 60, "--mem", "32M",
               *options, t.program("hello")]
    return t.command(*(jail.as_nobody(t, *command) if outer else command),
                     limit=90)


def table(result):
    return [Attempt(*line.split("\t"))
            for line in result.text.splitlines() if line.count("\t") == 4]


def show(attempts):
    wide = max(len(a.name) for a in attempts)
    return "\n".join(f"{a.role:5} {a.topic:6} {a.name:{wide}} "
                     f"{a.expected.strip():24} {a.got}" for a in attempts)


def failed_as_expected(attempt):
    return attempt.expected == NO_WALL or (
        f" {attempt.got} " in attempt.expected and attempt.got != "made")


def judge(t, attempts, name):
    """Every attempt failed as it should. All of them go to a file, and their
    numbers below the result."""
    path = t.build / f"attacks-{name}.txt"
    path.write_text(show(attempts) + "\n")
    wrong = [a for a in attempts if not failed_as_expected(a)]
    tried = [a for a in attempts if a.expected != NO_WALL]
    by_topic = collections.Counter(a.topic for a in tried)
    t.note(f"{len(tried)} attempts, {len(tried) - len(wrong)} failed as "
           f"expected ({', '.join(f'{k} {n}' for k, n in by_topic.items())});"
           f" {len(attempts) - len(tried)} not tried: no other wall")
    t.note(f"the table: {path}")
    t.check(not wrong, "\n".join(("attempts that did not:", show(wrong)))
            if wrong else "")


def attack_all(t, mode, roles, *outer):
    attempts = []
    with bait(t):
        for role in roles:
            result = attack(t, f"{role}.{mode}", *outer).ended(0).quiet()
            found = table(result)
            t.check(len(found) >= ATTEMPTS_MIN, f"{role}: {len(found)} tries")
            attempts += found
    judge(t, attempts, "-".join((mode, *outer)))


@vm.alone
def test_every_role_behind_its_policy(t):
    jail.need_root(t)
    attack_all(t, "policy", ROLES)


@vm.alone
def test_every_role_without_policies(t):
    """The walls behind: namespaces, ids, capabilities, Landlock, limits."""
    jail.need_root(t)
    jail.sweep(t)
    before = jail.left_over(t.build)
    attack_all(t, "walls", ROLES)
    jail.nothing_left(t, before)


@vm.alone
def test_without_root(t):
    jail.need_root(t)
    jail.nobody_can_run(t, tree(t))
    attack_all(t, "policy", ("vcpu",), "nobody")
    attack_all(t, "walls", ("vcpu",), "nobody")


@vm.alone
def test_the_ring_of_a_disk(t):
    """A policy does not see what a ring is asked: the ring refuses it."""
    jail.need_root(t)
    disk = t.tmp / "disk"
    disk.write_bytes(b"x" * 4096)
    attempts = []
    for role in ROLES:
        result = attack(t, f"{role}.ring", options=("--disk", f"{disk},ro"))
        if result.status == 91:
            t.skip("this host has no io_uring")
        attempts += table(result.ended(0).quiet())
        worked = any(a.got == "EALREADY" for a in attempts if a.role == role)
        t.equal(worked, role in ("start", "vcpu", "loop"), f"{role}: I/O")
    judge(t, attempts, "ring")


def processes_of_attacker(t):
    """Whoever runs our file, whatever it calls itself."""
    ours = vm.identity(t.tmp / "runner/vmm/ampoule-vmm")
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if vm.identity(entry / "exe") == ours:
                found.append(int(entry.name))
    return found


@vm.alone
def test_no_process_outlives_its_vm(t):
    jail.need_root(t)
    jail.sweep(t)
    before = jail.left_over(t.build)
    for role in ROLES:
        attack(t, f"{role}.linger").ended(0).said("child 1\n").quiet()
        left = vm.wait_until(lambda: not processes_of_attacker(t))
        t.check(left, f"{role}: {processes_of_attacker(t)} are left")
    jail.nothing_left(t, before)


@vm.alone
def test_memory_has_an_end(t):
    """More than the cgroup has: the kernel ends the VM, and the command says
    why."""
    jail.need_root(t)
    jail.sweep(t)
    before = jail.left_over(t.build)
    inmate = jail.Inmate(t)
    limited = any("memory" in str(path) or (path / "memory.max").exists()
                  for path in inmate.cgroups())
    inmate.end(t)
    if not limited:
        t.skip("no memory cgroup that can be written")
    for role in ROLES:
        result = attack(t, f"{role}.hog").ended(125).noted("memory", "SIGKILL")
        t.equal(len(result.notes), 1, result)
    jail.nothing_left(t, before)
