# SPDX-License-Identifier: Apache-2.0
"""Memory that a VM does not use goes back to the host: by itself when it was
freed, on request by the balloon; and the program never notices."""
import json
import os
import pathlib
import socket
import struct
import subprocess

import vm

MIB = 1024  # KiB, as smaps counts


class Hoard:
    """A VM whose program takes and frees memory as it is told."""

    def __init__(self, t, *options):
        self.t = t
        self.name = f"hoard-{os.urandom(4).hex()}"
        self.process = t.start_vm("--name", self.name, *options, "--",
                                  t.program("hoard"), stdin=subprocess.PIPE)
        self.answer("ready")
        self.pid = next(
            pid for pid, path in vm.processes_of(t.build).items()
            if path.endswith("ampoule-vmm") and
            vm.name_of(pid) == f"vm:{self.name}"[:15])

    def answer(self, want=None):
        line = self.process.stdout.readline().decode().strip()
        if want:
            self.t.equal(line, want, "what the program says")
        return line

    def __call__(self, text, want=None):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        return self.answer(want)

    def pss(self):
        """In KiB: what the VM costs the host."""
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(text.partition("\nPss:")[2].split()[0])

    def balloon(self, *options):
        """What `ampoule balloon` knows after doing as it is told."""
        done = self.t.command(self.t.ampoule, "balloon", "--json", *options,
                              self.name).ended(0).quiet()
        return json.loads(done.out)

    def becomes(self, bytes_):
        got = vm.wait_until(
            lambda: self.balloon()["actual_bytes"] == bytes_, 60)
        self.t.check(got, f"never {bytes_} bytes: {self.balloon()}")

    def shrinks_below(self, kib):
        got = vm.wait_until(lambda: self.pss() < kib, 60)
        self.t.check(got, f"it keeps {self.pss()} KiB")

    def end(self):
        self.process.stdin.close()
        self.t.equal(self.process.wait(timeout=20 * vm.SLOW), 0, "status")


@vm.alone
def test_freed_memory_goes_back(t):
    """PSS rises and falls with what the program has, more than once; what it
    gets the next time is zero."""
    hoard = Hoard(t, "--mem", "256M")
    for _ in range(2):
        hoard("take 160", "taken")
        t.check(hoard.pss() > 150 * MIB, hoard.pss())
        hoard("drop", "dropped")
        hoard.shrinks_below(60 * MIB)
    # All of it, of memory of either kind.
    hoard("take 120", "taken")
    hoard("take 100", "taken")
    hoard("drop", "dropped")
    hoard.end()


@vm.alone
def test_not_without_the_device(t):
    profile = t.tmp / "bare.profile"
    profile.write_text("devices = harness, console\n")
    hoard = Hoard(t, "--mem", "128M", "--profile", profile)
    hoard("take 64", "taken")
    hoard("drop", "dropped")
    hoard("take 64", "taken")
    hoard("drop", "dropped")
    hoard.end()


@vm.alone
def test_target(t):
    """The balloon grows to what was asked for, its memory is the host's then,
    and shrinks again."""
    hoard = Hoard(t, "--mem", "256M")
    t.equal(hoard.balloon()["actual_bytes"], 0, "at first")
    hoard("take 100", "taken")
    now = hoard.balloon("--target", "64M")
    t.equal(now["target_bytes"], 64 << 20, "target")
    hoard.becomes(64 << 20)
    t.check(int(hoard("free")) < 256 - 64 - 100, "free with a balloon")
    hoard("drop", "dropped")
    hoard.balloon("--target", "200M")
    hoard.becomes(200 << 20)
    hoard.shrinks_below(40 * MIB)
    hoard.balloon("--target", "0")
    hoard.becomes(0)
    t.check(int(hoard("free")) > 240, "free without one")
    hoard("take 200", "taken")
    hoard("drop", "dropped")
    t.equal(hoard.balloon()["failures"], 0, "failures")
    hoard.end()


@vm.alone
def test_gives_way_before_anything_is_ended(t):
    hoard = Hoard(t, "--mem", "256M")
    hoard.balloon("--target", "200M")
    hoard.becomes(200 << 20)
    hoard("take 180", "taken")
    now = hoard.balloon()
    t.check(now["actual_bytes"] < 70 << 20, now)
    t.equal(now["target_bytes"], 200 << 20, "what the host wants")
    hoard("drop", "dropped")
    hoard.end()


def test_more_than_there_is(t):
    """It comes near to a target that it cannot reach, and the program lives."""
    hoard = Hoard(t, "--mem", "64M")
    hoard.balloon("--target", "63M")
    t.check(vm.wait_until(
        lambda: hoard.balloon()["actual_bytes"] > 40 << 20, 60),
        hoard.balloon())
    hoard("take 8", "taken")
    hoard("drop", "dropped")
    hoard.end()


def test_statistics(t):
    hoard = Hoard(t, "--mem", "128M")
    before = hoard.balloon()["guest"]
    t.check(100 << 20 < before["total_bytes"] <= 128 << 20, before)
    hoard("take 32", "taken")
    after = hoard.balloon()["guest"]
    t.check(before["free_bytes"] - after["free_bytes"] >= 32 << 20,
            (before, after))
    hoard.end()


def test_bad_requests(t):
    """One line that says what to do."""
    hoard = Hoard(t, "--mem", "64M")
    for target in ("64M", "1G", "-1", "much"):
        t.command(t.ampoule, "balloon", f"--target={target}",
                  hoard.name).ended(125).noted("--target")
    t.command(t.ampoule, "balloon", "no-such-vm").ended(125).noted(
        "no-such-vm")
    t.command(t.ampoule, "balloon").ended(125).noted("no VM")
    hoard.end()
    profile = t.tmp / "bare.profile"
    profile.write_text("devices = harness, console\n")
    hoard = Hoard(t, "--profile", profile)
    t.command(t.ampoule, "balloon", hoard.name).ended(125).noted(
        "devices", hoard.name)
    hoard.end()


def test_paused(t):
    hoard = Hoard(t)
    t.command(t.ampoule, "pause", hoard.name).ended(0)
    t.command(t.ampoule, "balloon", hoard.name).ended(125).noted("paused")
    t.command(t.ampoule, "resume", hoard.name).ended(0)
    hoard.balloon()
    hoard.end()


MESSAGE = 24 + 28 * 8  # struct control_msg


def question(version=1, kind=1, number=7):
    return struct.pack("<IIQ", version, kind, number).ljust(MESSAGE, b"\0")


def test_control_socket(t):
    """Whatever is said to the socket of a VM, the next one is answered."""
    hoard = Hoard(t)
    path = vms() / hoard.name / "control"
    t.equal(oct(path.stat().st_mode & 0o777), "0o600", "whose it is")

    def connect():
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        t.stack.enter_context(client)
        client.settimeout(20 * vm.SLOW)
        client.connect(str(path))
        return client

    def ask(client, text):
        client.send(text)
        return client.recv(4096)

    for text in (b"x", question()[:-1], question() + b"x", bytes(8192)):
        t.equal(ask(connect(), text), b"", "a message of another length")
    one = connect()
    for kind, error in ((0, 95), (99, 95), (2**32 - 1, 95), (1, 0)):
        answer = ask(one, question(kind=kind))
        t.equal(len(answer), MESSAGE, "length")
        t.equal(struct.unpack_from("<IIQi", answer), (1, kind, 7, -error),
                "version, type, id, error")
    answer = ask(one, question(version=2))
    t.equal(struct.unpack_from("<i", answer, 16), (-71,), "another version")
    wild = struct.pack("<Q", 2**64 - 1)
    answer = ask(one, question(kind=2)[:24] + wild + question()[32:])
    t.equal(struct.unpack_from("<i", answer, 16), (-22,), "a wild target")
    many = [connect() for _ in range(7)]
    t.equal([len(ask(c, question())) for c in many], [MESSAGE] * 7, "eight")
    t.equal(connect().recv(1), b"", "the ninth is let go")
    for client in many:
        client.close()
    hoard.balloon()
    hoard.end()
    t.check(not path.exists(), "the socket is left")


def vms():
    if os.geteuid() == 0:
        return pathlib.Path("/run/ampoule/vms")
    home = os.environ.get("XDG_RUNTIME_DIR", f"/tmp/ampoule-{os.getuid()}")
    return pathlib.Path(home) / "ampoule/vms"
