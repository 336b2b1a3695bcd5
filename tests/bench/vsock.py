# SPDX-License-Identifier: Apache-2.0
"""vsock.py - sockets between guest and host: bytes a second each way, and how
long a byte takes there and back. Beside it the same within the VM, what a VM
has anyway, its standard streams, and what the host has without a VM, a Unix
socket. QEMU's own vsock needs vhost in the host's kernel, which many hosts do
not have."""
import os
import re
import socket
import subprocess
import time

from process import Failed, Run, Sample

MIB = 1 << 20
PORT = 1000


def start(b, path, *argv):
    return subprocess.Popen(
        [b.ampoule, "run", "--vsock", str(path), "--",
         str(b.program("vsocket")), *map(str, argv)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def drained(connection):
    """Seconds from the first byte to the end, and how many there were."""
    room = bytearray(MIB)
    count = connection.recv_into(room)
    begin = time.monotonic()
    while got := connection.recv_into(room):
        count += got
    return time.monotonic() - begin, count


def flooded(connection, size):
    """Seconds until the other side has read it all and closed."""
    chunk = bytes(MIB)
    begin = time.monotonic()
    for _ in range(size // MIB):
        connection.sendall(chunk)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(1):
        pass
    return time.monotonic() - begin


def accept(server):
    connection, _ = server.accept()
    return connection


def guest(b, what, amount, host):
    """Run the guest's side; @host does the other with its connection."""
    path = b.scratch / "vsock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{path}_{PORT}")
        server.listen(1)
        server.settimeout(60)
        running = start(b, path, what, PORT, amount)
        try:
            with accept(server) as connection:
                result = host(connection)
            out, _ = running.communicate(timeout=60)
        finally:
            running.kill()
            os.unlink(f"{path}_{PORT}")
    if running.returncode:
        raise Failed(f"the guest's {what}: {out}")
    return result, out


def to_host(b, size):
    (seconds, count), _ = guest(b, "flood", size, drained)
    if count != size:
        raise Failed(f"{count} bytes of {size}")
    return size / MIB / seconds


def to_guest(b, size):
    seconds, _ = guest(b, "sink", 0, lambda c: flooded(c, size))
    return size / MIB / seconds


def echo(connection):
    while data := connection.recv(64):
        connection.sendall(data)


def round_trip(b, count):
    _, out = guest(b, "ping", count, echo)
    return float(re.fullmatch(r"([0-9.]+) us\n", out)[1])


def within(b, what, amount):
    """Between two processes of the VM: mote's sockets without the device."""
    run = Run(b.inside("vsocket", what, "0", str(amount),
                       options=("--vsock", str(b.scratch / "loop"))))
    return float(run.out.split()[0])


def within_trip(b, count):
    return within(b, "loop-ping", count)


def within_stream(b, size):
    return within(b, "loop-flood", size)


def stream_to_host(b, size):
    """The same from the program's standard output."""
    ours, theirs = socket.socketpair()
    with ours:
        running = subprocess.Popen(
            [b.ampoule, "run", "--", "/bin/busybox", "dd", "if=/dev/zero",
             "bs=64k", f"count={size >> 16}", "status=none"],
            stdin=subprocess.DEVNULL, stdout=theirs)
        theirs.close()
        seconds, count = drained(ours)
        running.wait(60)
    if count != size:
        raise Failed(f"{count} bytes of {size}")
    return size / MIB / seconds


def outside_stream(_, size):
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        ours.close()
        flooded(theirs, size)
        os._exit(0)
    theirs.close()
    seconds, count = drained(ours)
    ours.close()
    os.waitpid(child, 0)
    return count / MIB / seconds


def outside_trip(_, count):
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        ours.close()
        echo(theirs)
        os._exit(0)
    theirs.close()
    begin = time.monotonic()
    for _ in range(count):
        ours.sendall(b"x")
        ours.recv(1)
    seconds = time.monotonic() - begin
    ours.close()
    os.waitpid(child, 0)
    return seconds * 1e6 / count


def bench_vsock(b):
    size = (64 if b.quick else 256) * MIB
    trips = 2000 if b.quick else 10000
    rows, figures = [], {}
    jobs = (
        ("guest to host, 64 KiB a write", "MiB/s", to_host, size),
        ("host to guest", "MiB/s", to_guest, size),
        ("a byte there and back", "us", round_trip, trips),
        ("within the VM (CID 1), 64 KiB a write", "MiB/s", within_stream,
         size),
        ("a byte there and back within the VM", "us", within_trip, trips),
        ("standard output of a VM, 64 KiB a write", "MiB/s", stream_to_host,
         size),
        ("Unix socket without a VM", "MiB/s", outside_stream, size),
        ("a byte there and back without a VM", "us", outside_trip, trips),
    )
    for name, unit, run, amount in jobs:
        s = Sample(run(b, amount) for _ in range(b.rounds(5, 3))).summary()
        rows.append([name, *(f"{s[key]:.0f} {unit}"
                             for key in ("median", "min", "max"))])
        figures[name] = s
    b.table("Sockets between guest and host (--vsock)",
            ["what", "median", "min", "max"], rows, figures)
