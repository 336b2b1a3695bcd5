# SPDX-License-Identifier: Apache-2.0
"""What is told of named VMs: logs, ps, and the completion of their names."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import vm
from host import Host


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


@vm.alone
def test_a_damaged_record(t):
    """One line that names it, and a way out; the others are listed. Alone: who
    lists VMs meanwhile would hear of it."""
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
