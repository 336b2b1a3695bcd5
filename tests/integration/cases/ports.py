# SPDX-License-Identifier: Apache-2.0
"""Further ports of the console (--port) in mote. The guest's side is
programs/vport.c."""
import array
import contextlib
import fcntl
import os
import pty
import select
import signal
import termios
import tty

import vm

LIMIT = 20  # seconds that any step may take
PIPE = 65536  # what a FIFO holds
PAGE = 4096  # what the guest kernel takes ahead of a reader
COPY = 65536  # and keeps of a writer that does not wait


def pattern(count):
    return bytes((i * 7 + (i >> 8) + (i >> 16) * 13) & 0xff
                 for i in range(count))


def fifo(t, name):
    """Its path and an end of ours, which waits for nobody."""
    path = t.tmp / name
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    t.stack.callback(os.close, fd)
    fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE)
    return path, fd


def held(fd):
    """How many bytes are in a FIFO."""
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]


def take(t, fd, count):
    parts = []
    while count:
        t.check(select.select([fd], [], [], LIMIT * vm.SLOW)[0],
                f"{count} bytes are missing")
        parts.append(os.read(fd, count))
        count -= len(parts[-1])
    return b"".join(parts)


def guest(t, *argv, ports):
    """A VM with the test program, which has its stdin."""
    options = [word for port in ports for word in ("--port", port)]
    return t.start_vm(*options, "--", t.program("vport"), *argv,
                      stdin=-1, bufsize=0)


def line(command, want):
    got = command.stdout.readline()
    if got != want:
        rest = command.communicate(timeout=LIMIT * vm.SLOW)
        raise vm.Failed(f"guest: {got!r}, expected {want!r}; then {rest}")


def ends(t, command):
    _, err = command.communicate(timeout=LIMIT * vm.SLOW)
    t.equal((command.returncode, err), (0, b""), "the guest")


def test_four_ports(t):
    """Names, both directions, a file that is read and one appended to."""
    t.need("/bin/busybox")
    (t.tmp / "in").write_bytes(pattern(300001))
    (t.tmp / "log").write_text("old\n")
    path, fd = fifo(t, "fifo")
    back, back_fd = fifo(t, "back")
    os.write(fd, b"from the host\n")
    t.run("--port", f"data,in={t.tmp}/in", "--port", f"log,out={t.tmp}/log",
          "--port", f"org.example.0,in={path}", "--port", f"x-y_z,out={back}",
          "--", "/bin/busybox", "sh", "-c",
          "cd /dev/virtio-ports; for i in *; do echo $i $(readlink $i); done;"
          "ls /dev | grep vport; cat data | sha256sum; echo new >log;"
          "head -n 1 org.example.0 >x-y_z; cat /dev/vport0p3 | wc -c"
          ).ended(0).said(
        "data ../vport0p3\nlog ../vport0p4\norg.example.0 ../vport0p5\n"
        "x-y_z ../vport0p6\nvport0p3\nvport0p4\nvport0p5\nvport0p6\n"
        + t.command("/usr/bin/sha256sum", stdin=pattern(300001)).text + "0\n")
    t.equal((t.tmp / "log").read_text(), "old\nnew\n", "log")
    t.equal(os.read(back_fd, 100), b"from the host\n", "fifo")


def test_none(t):
    """Without --port there are no such names."""
    t.need("/bin/busybox")
    t.run("/bin/busybox", "sh", "-c", "ls /dev | grep -e vport -e virtio;"
          "cat /dev/vport0p3").ended(1).said("")


def test_calls(t):
    """Results of single calls, those of Linux."""
    (t.tmp / "data").write_bytes(b"12345")
    path, _ = fifo(t, "fifo")
    t.run("--port", f"data,in={t.tmp}/data", "--port", f"fifo,in={path}",
          "--", t.program("vport"), "calls").ended(0).said(
        "second open: Device or resource busy\n"
        "to name it only: 0\n"
        "no such port: No such file or directory\n"
        "type: 0\n"
        "seek: Illegal seek\n"
        "file: in out\n"
        "none: 0\n"
        "two: 2\n"
        "still open: Device or resource busy\n"
        "bad address: Bad address\n"
        "the rest: 3\n"
        "end: 0\n"
        "at the end: in hup\n"
        "for reading only: Bad file descriptor\n"
        "nothing there: Resource temporarily unavailable\n"
        "quiet: out\n")


def test_copy(t):
    (t.tmp / "from").write_bytes(pattern(1000003))
    t.run("--port", f"from,in={t.tmp}/from", "--port", f"to,out={t.tmp}/to",
          "--", t.program("vport"), "copy", "from", "to").ended(0).quiet()
    t.check((t.tmp / "to").read_bytes() == pattern(1000003), "bytes")


def test_slow_reader_blocks_the_writer(t):
    """Nothing but the FIFO holds what nobody reads, and nothing is lost."""
    path, fd = fifo(t, "fifo")
    count = 16 * 65536
    command = guest(t, "block", "out", count, ports=[f"out,out={path}"])
    t.check(vm.wait_until(lambda: held(fd) == PIPE, LIMIT * vm.SLOW),
            f"the FIFO has {held(fd)} bytes")
    command.stdin.write(b"?")
    line(command, b"blocked\n")
    t.check(take(t, fd, count) == pattern(count), "bytes")
    line(command, b"done\n")
    ends(t, command)


def test_full_port_says_eagain(t):
    path, fd = fifo(t, "fifo")
    count = 16 * 65536
    command = guest(t, "full", "out", count, ports=[f"out,out={path}"])
    line(command, b"full:\n")
    taken = int(command.stdout.readline())
    t.check(PIPE <= taken <= PIPE + COPY, f"it took {taken} bytes")
    got = take(t, fd, count)
    more = b""
    line(command, b"done\n")
    ends(t, command)
    with contextlib.suppress(BlockingIOError):
        more = os.read(fd, PIPE)
    t.check(got + more == pattern(len(got + more)), "bytes")
    t.check(len(got) >= count, "bytes are missing")


def test_slow_program_blocks_the_host(t):
    """What the program does not ask for stays in the FIFO."""
    path, fd = fifo(t, "fifo")
    count = 16 * 65536
    data, at = pattern(count), 1
    command = guest(t, "slow", "in", count, ports=[f"in,in={path}"])
    os.write(fd, data[:1])
    line(command, b"one\n")
    with contextlib.suppress(BlockingIOError):
        while at < count:
            at += os.write(fd, data[at:at + 4096])
    t.check(at <= 1 + PIPE + PAGE, f"{at} bytes went in")
    command.stdin.write(b"?")
    while at < count:
        t.check(select.select([], [fd], [], LIMIT * vm.SLOW)[1], "full")
        at += os.write(fd, data[at:at + 4096])
    line(command, b"done\n")
    ends(t, command)


def test_ways_to_wait(t):
    """poll, select, epoll; a read that a signal interrupted loses nothing."""
    a, a_fd = fifo(t, "a")
    b, b_fd = fifo(t, "b")
    command = guest(t, "waits", ports=[f"a,in={a}", f"b,in={b}"])
    for way, fd in ((b"poll", b_fd), (b"select", a_fd), (b"epoll", b_fd),
                    (b"read", a_fd)):
        line(command, way + b"\n")
        os.write(fd, b"!")
    line(command, b"done\n")
    ends(t, command)


def shell(t, script, *ports):
    """A VM with busybox's shell, which has its stdin."""
    t.need("/bin/busybox")
    options = [word for port in ports for word in ("--port", port)]
    return t.start_vm(*options, "--", "/bin/busybox", "sh", "-c",
                      f"trap '' PIPE; cd /dev/virtio-ports; {script}",
                      stdin=-1, bufsize=0)


def failed(t, command, *words):
    """It ended, and the host has one line about a port."""
    out, err = command.communicate(timeout=LIMIT * vm.SLOW)
    lines = [text for text in err.decode().splitlines()
             if text.startswith("ampoule: ")]
    t.check(len(lines) == 1 and all(word in lines[0] for word in words), err)
    t.equal(command.returncode, 0, "status")
    return out


def test_full_device(t):
    """ENOSPC: the guest hears of the first byte on, the host once."""
    command = shell(t, "for i in 1 2 3; do echo $i >full || echo $?; done",
                    "full,out=/dev/full")
    out = failed(t, command, "port 'full'", "cannot write", "No space left")
    t.equal(out, b"1\n1\n1\n", "the shell")


@vm.alone
def test_full_disk(t):
    """What fits is there to the last byte, and no more was acknowledged."""
    if os.geteuid():
        t.skip("only root mounts a file system")
    where = t.tmp / "disk"
    where.mkdir()
    t.command("mount", "-t", "tmpfs", "-o", "size=128K", "none",
              where).ended(0)
    t.stack.callback(t.command, "umount", "-l", where)
    command = guest(t, "until", "log", ports=[f"log,out={where}/log"])
    said = failed(t, command, "port 'log'", "cannot write", "No space left")
    acknowledged, reason = said.decode().strip().split(" ", 1)
    t.equal(reason, "Broken pipe", "the write that failed")
    data = (where / "log").read_bytes()
    t.check(data == pattern(len(data)), "bytes")
    t.check(int(acknowledged) <= len(data) <= 128 << 10,
            f"{acknowledged} acknowledged, {len(data)} there")


def test_read_error(t):
    """EIO: the guest has an end, the host a line."""
    command = shell(t, "cat in | wc -c", "in,in=/proc/self/mem")
    out = failed(t, command, "port 'in'", "cannot read", "Input/output error")
    t.equal(out, b"0\n", "the shell")


def test_terminal_that_hangs_up(t):
    """A character device whose other end is closed."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    path = os.ttyname(theirs)
    command = shell(t, "echo one >out; echo said; read x;"
                    "echo two >out || echo failed", f"out,out={path}")
    os.close(theirs)
    line(command, b"said\n")
    t.equal(os.read(ours, 100), b"one\n", "the terminal")
    os.close(ours)
    command.stdin.write(b"go\n")
    out = failed(t, command, "port 'out'", "cannot write", "Input/output")
    t.equal(out, b"failed\n", "the shell")


def test_peers_come_and_go(t):
    """Whoever has a FIFO open: nothing ends, nothing is lost."""
    for name in ("out", "in"):
        os.mkfifo(t.tmp / name)
    command = shell(t, "echo up; for i in 1 2 3; do read x; echo $x >out;"
                    "done <in", f"out,out={t.tmp}/out", f"in,in={t.tmp}/in")
    line(command, b"up\n")
    for word in (b"one\n", b"two\n", b"three\n"):
        with open(t.tmp / "in", "wb", buffering=0) as writer:
            writer.write(word)
        with open(t.tmp / "out", "rb", buffering=0) as reader:
            t.equal(reader.read(len(word)), word, "echo")
    ends(t, command)


def test_nobody_reads(t):
    """A program that waits for a reader for ever can be ended."""
    os.mkfifo(t.tmp / "fifo")
    command = shell(t, "echo up; cat /dev/zero >out",
                    f"out,out={t.tmp}/fifo")
    line(command, b"up\n")
    command.send_signal(signal.SIGTERM)
    t.equal(command.wait(timeout=LIMIT * vm.SLOW), 143, "status")
    t.run("--time", "0.3", "--port", f"out,out={t.tmp}/fifo", "--",
          "/bin/busybox", "sh", "-c",
          "cat /dev/zero >/dev/virtio-ports/out").ended(124)
