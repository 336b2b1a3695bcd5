# SPDX-License-Identifier: Apache-2.0
"""Standard streams: order, loss, end of file, broken pipes, backpressure."""
import os
import select
import signal
import subprocess
import time

import vm


def lines_of(stream, count, pad):
    return b"".join(b"%d %d %s\n" % (stream, n, bytes([97 + n % 26]) * pad)
                    for n in range(count))


def test_100000_small_writes(t):
    """Half of them to stdout and half to stderr, in turn."""
    result = t.run(t.program("writes"), 50000, limit=240).ended(0)
    t.check(result.out == lines_of(1, 50000, 0), "stdout lost or swapped")
    t.check(result.err == lines_of(2, 50000, 0), "stderr lost or swapped")


def test_bigger_writes(t):
    result = t.run(t.program("writes"), 1500, 8000, limit=120).ended(0)
    t.check(result.out == lines_of(1, 1500, 8000), "stdout lost or swapped")
    t.check(result.err == lines_of(2, 1500, 8000), "stderr lost or swapped")


def test_to_files(t):
    """Files keep their offset: what was there before and after stays."""
    path = t.tmp / "out"
    t.shell(f"{{ echo before; $A run $P/writes 200 5; echo after; }}"
            f" > {path} 2>{path}.err").ended(0)
    t.equal(path.read_bytes(), b"before\n" + lines_of(1, 200, 5) + b"after\n",
            "file")
    t.equal((t.tmp / "out.err").read_bytes(), lines_of(2, 200, 5), "errors")


def test_both_streams_into_one_file(t):
    path = t.tmp / "both"
    t.shell(f"$A run $P/writes 500 > {path} 2>&1").ended(0)
    want = b"".join(b"1 %d \n2 %d \n" % (n, n) for n in range(500))
    t.equal(path.read_bytes(), want, "the order of both streams")


def test_append_to_a_file(t):
    path = t.tmp / "log"
    path.write_text("old\n")
    t.shell(f"$A run $P/hello >> {path}").ended(0)
    t.equal(path.read_text(), "old\nhello, world\n", "file")


def test_file_as_stdin(t):
    path = t.tmp / "in"
    path.write_bytes(b"z" * 100001)
    with open(path, "rb") as stdin:
        t.run(t.program("streams"), "eof", stdin=stdin).ended(0).said(
            "100001 0 0\n")


def test_sigpipe_as_on_linux(t):
    """The reader leaves: the writer dies of SIGPIPE, 128 + 13."""
    t.need("/bin/busybox")
    result = t.shell("set -o pipefail; $A run /bin/busybox yes | head -n 1",
                     limit=30)
    result.ended(141).said("y\n")


def test_epipe_as_on_linux(t):
    result = t.shell("set -o pipefail; $A run $P/streams epipe | head -n 1",
                     limit=30)
    t.equal(result.errors.splitlines()[:1], ["errno 32"], "stderr")
    result.ended(7)


def test_stdout_closed_from_the_start(t):
    result = t.shell("$A run $P/writes 10 >&-", limit=20)
    host = t.shell("$P/writes 10 >&-", limit=20)
    t.equal(result.status, host.status, "status with stdout closed")


def test_stdin_closed_from_the_start(t):
    t.shell("$A run $P/hello <&-").ended(0).said("hello, world\n")


def test_full_device(t):
    """/dev/full on the host: an error of the write, not of Ampoule."""
    result = t.shell("$A run $P/writes 10 > /dev/full", limit=20)
    t.check(result.status not in (0, 125, None), result)


def test_stdin_at_end_of_file(t):
    t.run(t.program("streams"), "eof", stdin=None).ended(0).said("0 0 0\n")


def test_stdin_empty_pipe(t):
    t.run(t.program("streams"), "eof", stdin=b"").ended(0).said("0 0 0\n")


def test_stdin_huge_is_streamed(t):
    """256 MiB through a VM of 32 MiB."""
    result = t.shell("head -c 256M /dev/zero | $A run --mem 32M $P/streams eof",
                     limit=240)
    result.ended(0).said(f"{256 << 20} 0 0\n")


def test_relay_64_mib(t):
    data = os.urandom(1 << 20) * 64
    result = t.run(t.program("streams"), "relay", stdin=data, limit=120)
    result.ended(0)
    t.check(result.out == data, f"{len(result.out)} bytes, or changed")


def test_stdin_slow(t):
    """What arrives is there at once, although the end is far away."""
    process = t.start_vm(t.program("streams"), "relay", bufsize=0,
                         stdin=subprocess.PIPE)
    for n in range(5):
        word = b"word %d\n" % n
        process.stdin.write(word)
        ready, _, _ = select.select([process.stdout], [], [], 10 * vm.SLOW)
        t.check(ready, f"no answer to word {n}")
        t.equal(process.stdout.read(100), word, "answer")
        time.sleep(0.2)
    process.stdin.close()
    t.equal(process.wait(timeout=10 * vm.SLOW), 0, "status")


def test_stdout_slow(t):
    """A reader that sleeps holds the program up and loses nothing."""
    process = t.start_vm(t.program("writes"), 2000, 200)
    time.sleep(1)
    t.equal(process.poll(), None, "status while nobody reads")
    out, err = process.communicate(timeout=60 * vm.SLOW)
    t.equal(process.returncode, 0, "status")
    t.check(out == lines_of(1, 2000, 200), "stdout lost or swapped")
    t.check(err == lines_of(2, 2000, 200), "stderr lost or swapped")


def test_stdout_never_read(t):
    """Blocked for ever on its output, a program can still be ended."""
    process = t.start_vm(t.program("writes"), 1000000, 50)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    t.equal(process.wait(timeout=10 * vm.SLOW), 143, "status")


def test_unread_stdin_stays(t):
    """What the program did not read is there for the next one."""
    path = t.tmp / "in"
    path.write_bytes(b"12345the rest\n")
    with open(path, "rb") as stdin:
        t.shell("$A run $P/streams five; cat", stdin=stdin).ended(0).said(
            "12345the rest\n")


def test_unread_pipe_stays(t):
    result = t.shell("printf '12345the rest\\n' |"
                     " { $A run $P/streams five; cat; }")
    result.ended(0).said("12345the rest\n")


def test_socket_streams(t):
    """A socketpair as stdin and stdout, as socket activation would give."""
    import socket
    ours, theirs = socket.socketpair()
    process = t.start_vm(t.program("streams"), "relay", stdin=theirs,
                         stdout=theirs)
    theirs.close()
    with ours:
        ours.settimeout(10 * vm.SLOW)
        ours.sendall(b"over a socket\n")
        t.equal(ours.recv(100), b"over a socket\n", "answer")
        ours.shutdown(socket.SHUT_WR)
        t.equal(process.wait(timeout=10 * vm.SLOW), 0, "status")


def test_shared_pipe_stays_blocking(t):
    """Our O_NONBLOCK must not leak into a pipe that others use, too."""
    result = t.shell("{ $A run $P/hello; head -c 300000 /dev/zero; echo $? >&2;"
                     " } | { sleep 0.5; wc -c; }")
    result.ended(0)
    t.equal(result.errors.strip(), "0", "status of the writer after us")
    t.equal(result.text.strip(), str(300000 + 13), "bytes")


def test_kinds_of_streams(t):
    result = t.shell("$A run $P/streams kinds </dev/null | cat").ended(0)
    t.equal(result.text.splitlines()[:2], ["0 char tty=0", "1 fifo tty=0"],
            "kinds")


def test_pipeline_of_vms(t):
    t.need("/bin/busybox")
    result = t.shell("$A run $P/writes 2000 10 2>/dev/null"
                     " | $A run /bin/busybox sort -r"
                     " | $A run /bin/busybox wc -l")
    result.ended(0).said("2000\n")
