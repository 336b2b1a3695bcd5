# SPDX-License-Identifier: Apache-2.0
"""A guest that does to its devices whatever comes to mind: random registers,
rings and requests, from inside (programs/devfuzz.c). The VM may go on or end
with a line; the VMM must neither crash nor hang nor grow, nor make a system
call that it may not."""
import os
import re
import socket
import subprocess
import threading

import vm
from cases.jail import child_of
from cases.memory import WRITTEN, own_kib

SECONDS = 2
# What the command says when a VMM did not come to an end of its own.
BROKEN = (b"the VMM was ended", b"the VMM ended with", b"the VM was killed",
          b"the VM was ended", b"policy", b"did not answer", b"runtime error",
          b"AddressSanitizer")


def drain(stream):
    """Read to the end, keep the last bytes: a thread and its result."""
    tail = bytearray()

    def work():
        while data := stream.read(65536):
            tail.extend(data)
            del tail[:-65536]
    thread = threading.Thread(target=work)
    thread.start()
    return thread, tail


def streams(t, seed):
    """Standard input and output of each kind the VMM serves in its own way."""
    if seed % 3 == 0:
        ours, theirs = socket.socketpair()
        ours.sendall(bytes(range(256)) * 64)
        t.stack.callback(ours.close)
        return theirs, subprocess.PIPE
    if seed % 3 == 1:
        with open("/dev/urandom", "rb") as random:
            return os.dup(random.fileno()), subprocess.PIPE
    with open(t.tmp / f"out{seed}", "wb") as out:
        return subprocess.PIPE, os.dup(out.fileno())


def survives(t, seed):
    stdin, stdout = streams(t, seed)
    process = t.start_vm("--cmdline", "devmem", "--time", 20 * vm.SLOW,
                         "--mem", "128M", t.program("devfuzz"), seed,
                         SECONDS, stdin=stdin, stdout=stdout)
    for end in (stdin, stdout):
        if isinstance(end, socket.socket):
            end.close()
        elif end != subprocess.PIPE:
            os.close(end)
    if stdin == subprocess.PIPE:
        process.stdin.write(b"x" * 5000)
        process.stdin.flush()
    readers = [drain(s) for s in (process.stdout, process.stderr) if s]
    pid = vm.wait_until(lambda: child_of(process.pid))
    t.check(pid, f"seed {seed}: no VMM")
    sizes = []
    while process.poll() is None:
        vm.time.sleep(0.2)
        try:
            sizes.append(own_kib(pid, WRITTEN))
        except OSError:
            break
    status = process.wait(timeout=40 * vm.SLOW)
    for thread, _ in readers:
        thread.join(10)
    errors = bytes(readers[-1][1])
    what = f"seed {seed}, status {status}: {errors[-400:]!r}"
    # 0: to the end. 124: it hangs, and that has an end. 125: one line. A guest
    # may also have shot its own program.
    t.check(status in (0, 124, 125) or 128 < status < 192, what)
    t.check(not any(word in errors for word in BROKEN), what)
    t.check(status in (0, 3) or b"ampoule: " in errors, what)
    sizes = [size for size in sizes if size]
    if sizes:
        t.check(max(sizes) < 4096 and max(sizes) - sizes[0] < 512,
                f"seed {seed}: written {sizes} KiB")
    return status


def test_seeds_1_to_3(t):
    statuses = [survives(t, seed) for seed in range(1, 4)]
    # Random use that ends each VM before its time would prove little.
    t.check(0 in statuses, f"statuses {statuses}")


def test_seeds_4_to_6(t):
    statuses = [survives(t, seed) for seed in range(4, 7)]
    t.check(0 in statuses, f"statuses {statuses}")


def test_seeds_of_today(t):
    """Others each time; a failure names the seed."""
    first = int.from_bytes(os.urandom(4), "little")
    for seed in range(first, first + 3):
        survives(t, seed)


def test_data_gets_through(t):
    """It is not all refused at the first check: bytes move both ways. A busy
    machine needs longer for it."""
    for seconds in (SECONDS, 5 * SECONDS, 25 * SECONDS):
        with open("/dev/urandom", "rb") as stdin:
            result = t.run("-v", "--cmdline", "devmem", "--time",
                           (seconds + 20) * vm.SLOW, t.program("devfuzz"), 1,
                           seconds, stdin=stdin, limit=seconds + 60)
        found = re.search(rb"(\d+) mmio.*; (\d+) bytes in, (\d+) out",
                          result.err)
        if found and all(int(n) > 1000 for n in found.groups()):
            return
    raise vm.Failed(result.errors[-600:])


def test_no_memory_device_unless_asked(t):
    t.run(t.program("devfuzz"), 1, 1).ended(3).said(
        "/dev/mem: No such file or directory\n")
