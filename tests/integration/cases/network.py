# SPDX-License-Identifier: Apache-2.0
"""A network of a VM: a tap and passt, in network namespaces made here; the
guest's driver is a small program (programs/netdrive.c). What a policy must stop
is stopped, counted and told; bad words are one line; nothing stays behind."""
import contextlib
import json
import os
import signal
import subprocess

import vm
from cases.bad import one_line

UNSHARE, IP, PASST = "/usr/bin/unshare", "/usr/sbin/ip", "/usr/bin/passt"
NSENTER = "/usr/bin/nsenter"
TAP = "tap,address=10.78.0.2/24,gateway=10.78.0.1"
# A host with one way out, which leads nowhere, and a service on it.
HOST = """ip link set lo up
ip tuntap add d0 mode tap
ip address add 10.99.0.1/24 dev d0
ip link set d0 up
ip route add default via 10.99.0.2
"""
SERVICE = """import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7000))
data, peer = s.recvfrom(100)
s.sendto(b"answer to " + data, peer)
"""


def in_namespace(t, script, after="exec"):
    """From here on t runs the command in a network namespace of its own."""
    t.need(UNSHARE, IP)
    if os.geteuid() or t.command(UNSHARE, "-n", "true").status:
        t.skip("needs root and a network namespace")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        t.skip("needs /dev/net/tun")
    inside = t.tmp / "inside"
    inside.write_text(f"#!/bin/sh\n{script}{after} {t.ampoule} \"$@\"\n")
    wrapper = t.tmp / "in-namespace"
    wrapper.write_text(f"#!/bin/sh\nexec {UNSHARE} -n {inside} \"$@\"\n")
    inside.chmod(0o755)
    wrapper.chmod(0o755)
    t.ampoule = wrapper


def driven(t, *options):
    """A run of netdrive. Return: it, and what --json says of the network."""
    report = t.tmp / "report"
    run = t.run(f"--json={report}", "--cmdline", "devmem", "--mem", "128M",
                *options)
    return run, json.loads(report.read_text()).get("network")


def test_tap(t):
    in_namespace(t, "ip link set lo up\n")
    run, network = driven(t, "--net", TAP, "--allow", "10.78.0.0/24", "--",
                          t.program("netdrive"), "ping", "10.78.0.2",
                          "10.78.0.1")
    run.ended(0).said("pong\n")
    t.equal(network["dropped"], {"spoofed": 1, "denied": 1}, "dropped")


# A tap that whoever calls ampoule has opened, in a namespace of its own; a
# pipe as 8, and nothing as 900.
OPENER = """import fcntl, os, struct, subprocess, sys
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH22x", b"mine", 0x5002))
for words in (["addr", "add", "10.78.0.1/24", "dev", "mine"],
              ["link", "set", "mine", "up"]):
    subprocess.run(["/usr/sbin/ip", *words], check=True)
os.dup2(tap, 7)
os.dup2(os.pipe()[0], 8)
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_tap_that_is_handed_over(t):
    opener = t.tmp / "opener.py"
    opener.write_text(OPENER)
    in_namespace(t, "", f"exec python3 {opener}")
    options = ("--allow", "10.78.0.0/24", "--", t.program("netdrive"), "ping",
               "10.78.0.2", "10.78.0.1")
    run, network = driven(t, "--net", "tap=fd:7,address=10.78.0.2/24",
                          *options)
    run.ended(0).said("pong\n")
    t.equal(network["dropped"], {"spoofed": 1, "denied": 1}, "dropped")
    for words, wanted in (("fd:8,address=any", "Inappropriate ioctl"),
                          ("fd:900,address=any", "Bad file descriptor"),
                          ("fd:7,address=any,queues=2", "without queues="),
                          ("fd:7", "which address"), ("fd:2", "fd:3"),
                          ("fd:7x", "fd:3")):
        one_line(t, t.run("--net", f"tap={words}", "/bin/busybox", "true"),
                 125, wanted)


def test_user(t):
    t.need(PASST)
    service = t.tmp / "service.py"
    service.write_text(SERVICE)
    in_namespace(t, HOST + f"python3 {service} >/dev/null 2>&1 &\n")
    run, network = driven(t, "--net", "user", "--allow", "10.99.0.1:7000/udp",
                          "--", t.program("netdrive"), "udp", "10.0.2.15",
                          "10.0.2.2", "10.99.0.1")
    run.ended(0).said("answer to question\n")
    t.equal(network["dropped"], {"spoofed": 1, "denied": 1}, "dropped")


def test_nothing_is_allowed_by_default(t):
    in_namespace(t, "ip link set lo up\n")
    # Before netdrive gives up, which it does after 20 s or more.
    run, network = driven(t, "--time", min(6 * vm.SLOW, 18), "--net", TAP,
                          "--", t.program("netdrive"), "ping", "10.78.0.2",
                          "10.78.0.1")
    run.ended(124)
    t.equal(network["packets_out"], 1, "ARP")
    t.check(network["dropped"]["denied"] >= 2, "dropped")


class User:
    """A network in user mode with addresses that no other case has, now or on
    this host: they tell whose a passt is."""

    def __init__(self):
        base = "10.{}.{}".format(*os.urandom(2))
        self.me, self.host = f"{base}.15", f"{base}.2"
        self.net = f"user,address={self.me}/24,gateway={self.host}"

    def passts(self):
        """The processes that serve it."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
                if words[0] == b"passt" and self.me.encode() in words:
                    found.append(int(pid))
        return found


def left_behind(t, signal_to):
    t.need(PASST)
    in_namespace(t, HOST)
    user = User()
    process = t.start_vm("--net", user.net, "/bin/busybox", "sh", "-c",
                         "echo up; sleep 100")
    t.equal(process.stdout.readline(), b"up\n", "the program's first words")
    t.equal(len(user.passts()), 1, "one passt serves the VM")
    signal_to(process)
    process.wait(timeout=20 * vm.SLOW)
    t.check(vm.wait_until(lambda: not user.passts()),
            "passt went with the VM")


def test_passt_ends_with_the_command(t):
    def kill(process):
        process.send_signal(signal.SIGKILL)
    left_behind(t, kill)


def test_passt_ends_with_the_program(t):
    def end(process):
        process.send_signal(signal.SIGTERM)
    left_behind(t, end)


def outlives(t, net, me, host, end_link):
    """The link ends under a driver that uses it: one line, and the VM goes on.
    """
    process = t.start_vm("--cmdline", "devmem", "--mem", "128M", "--net", net,
                         "--", t.program("netdrive"), "link", me, host,
                         stderr=subprocess.PIPE)
    t.equal(process.stdout.readline(), b"up\n", "the program's first words")
    end_link(process)
    out, err = process.communicate(timeout=30 * vm.SLOW)
    t.equal(out, b"down\n", "the VM went on")
    t.equal(process.returncode, 0, "status")
    t.equal(err.count(b"\n"), 1, "lines about it")
    t.check(b"the link is down" in err, f"the line says it: {err!r}")


def test_a_vm_outlives_its_passt(t):
    user = User()

    def end_passt(_):
        for pid in user.passts():
            os.kill(pid, signal.SIGKILL)
    t.need(PASST)
    in_namespace(t, HOST)
    outlives(t, user.net, user.me, user.host, end_passt)


def test_a_vm_outlives_its_tap(t):
    def end_tap(process):
        subprocess.run([NSENTER, "-t", str(process.pid), "-n", IP, "link",
                        "delete", "ampoule0"], check=True, timeout=20 * vm.SLOW)
    t.need(NSENTER)
    in_namespace(t, "ip link set lo up\n")
    outlives(t, TAP, "10.78.0.2", "10.78.0.1", end_tap)


def test_bad_words(t):
    t.need("/bin/busybox")
    for option, value, *words in (
            ("--net", "bridge", "none, user, tap"),
            ("--net", "tap=0123456789abcdef", "15 characters"),
            ("--net", "tap,speed=1", "mac=, address="),
            ("--net", "tap,mac=01:00:00:00:00:00", "group"),
            ("--net", "tap,mac=02:00", "mac"),
            ("--net", "tap,address=10.0.0.0.1", "address="),
            ("--net", "tap,address=127.0.0.1/8", "address="),
            ("--net", "tap,mtu=10", "576"),
            ("--net", "tap,queues=8", "1 to 7"),
            ("--net", "user,in=fast", "10M"),
            ("--allow", "10.0.0.0/33", "neither an address"),
            ("--allow", "10.0.0.0/8:0", "1 to 65535"),
            ("--allow", "10.0.0.0/8:90-80", "1 to 65535"),
            ("--allow", "[fd00::/8:80", "1 to 65535"),
            ("--allow", "example.org", "needs a port"),
            ("--allow", "-a..b:80", "neither an address"),
            ("--allow", "", "neither an address"),
            ("--publish", "80", "HOSTPORT:GUESTPORT"),
            ("--publish", "1.2.3:80:80", "HOSTPORT:GUESTPORT"),
            ("--publish", "70000:80", "HOSTPORT:GUESTPORT")):
        one_line(t, t.run(option, value, "/bin/busybox", "true"), 125, option,
                 *words)
    for words in (["--allow", "any"], ["--publish", "80:80"]):
        one_line(t, t.run(*words, "/bin/busybox", "true"), 125, "--net")
    one_line(t, t.run("--net", "tap=no-such-tap,address=any", "/bin/busybox",
                      "true"), 125, "no-such-tap", "ip tuntap add")
