# SPDX-License-Identifier: Apache-2.0
"""Sockets between VM and host: --vsock, its helper, and AF_VSOCK in mote. The
guest's side is programs/vsocket.c."""
import contextlib
import os
import signal
import socket
import stat
import threading

import vm
from cases import jail
from host import exists

PERIOD = 65521
PATTERN = bytes((i * 7 + (i >> 8)) & 0xff for i in range(PERIOD))
LIMIT = 20  # seconds that any step may take


def pattern(count):
    return (PATTERN * (count // PERIOD + 1))[:count]


class Host:
    """A VM with --vsock, and the host's side of it."""

    def __init__(self, t, *guest, options=()):
        self.t = t
        self.path = t.tmp / "vm.sock"
        self.guest, self.options = guest, options

    def start(self):
        command = self.t.start_vm("--vsock", self.path, *self.options, "--",
                                  self.t.program("vsocket"), *self.guest)
        return command

    def run(self):
        return self.t.run("--vsock", self.path, *self.options, "--",
                          self.t.program("vsocket"), *self.guest)

    def listen(self, port, backlog=16):
        """Where connections of the guest to a port of the host arrive."""
        server = socket.socket(socket.AF_UNIX)
        self.t.stack.callback(server.close)
        server.settimeout(LIMIT * vm.SLOW)
        server.bind(f"{self.path}_{port}")
        server.listen(backlog)
        return server

    def dial(self, port, first=b""):
        """A client that says CONNECT, and what it is answered."""
        client = socket.socket(socket.AF_UNIX)
        self.t.stack.callback(client.close)
        client.settimeout(LIMIT * vm.SLOW)
        client.connect(str(self.path))
        client.sendall(b"CONNECT %d\n" % port + first)
        return client, self.answer(client)

    @staticmethod
    def answer(client):
        """The line, and not a byte beyond it."""
        line = b""
        with contextlib.suppress(ConnectionResetError):
            while not line.endswith(b"\n"):
                byte = client.recv(1)
                if not byte:
                    break
                line += byte
        return line


def whole(connection):
    parts = []
    while part := connection.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def exactly(connection, count):
    """That many bytes, or what there is before the end."""
    parts = []
    while count and (part := connection.recv(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def accept(server):
    connection, _ = server.accept()
    connection.settimeout(LIMIT * vm.SLOW)
    return connection


def ends(t, command, said):
    out, err = command.communicate(timeout=LIMIT * vm.SLOW)
    t.equal((command.returncode, out, err), (0, said, b""), "the guest")


def listening(t, *guest, options=()):
    host = Host(t, *guest, options=options)
    command = host.start()
    t.equal(command.stdout.readline(), b"listening\n", "program")
    return host, command


def test_host_to_guest(t):
    host, command = listening(t, "echo", "52", "2")
    t.equal(stat.S_IMODE(host.path.stat().st_mode), 0o600, "mode")
    for _ in range(2):
        client, answer = host.dial(52, b"at once")
        t.check(answer.startswith(b"OK ") and answer[3:-1].isdigit(), answer)
        t.equal(exactly(client, 7), b"at once", "echo")
        client.shutdown(socket.SHUT_WR)
        t.equal(whole(client), b"", "end")
        client.close()
    ends(t, command, b"done\n")
    t.check(not host.path.exists(), "the socket is left")


def test_calls(t):
    """Results of single calls, those of Linux."""
    result = Host(t, "calls", options=("--user", "1000")).run()
    result.ended(0).quiet()
    t.equal(result.text.splitlines(), """\
cid: 0
is 3
not here: Cannot assign requested address
bind: Permission denied
twice: Permission denied
in use: Permission denied
name: 0
is 4294967295:4294967295, 16 bytes
no peer: Transport endpoint is not connected
any port: 0
short: Invalid argument
send: Transport endpoint is not connected
recv: Transport endpoint is not connected
listen: Invalid argument
accept: Invalid argument
shutdown: Transport endpoint is not connected
pair: Operation not supported
datagrams: Socket type not supported
protocol: Protocol not supported
get: 0
262144
max: 0
set: 0
get: 0
1048576
timeout: 0
nodelay: Protocol not available
refused: Connection reset by peer
again: Connection reset by peer
no such machine: Connection reset by peer
not waiting: Connection reset by peer""".splitlines(), "calls")


def test_names(t):
    result = Host(t, "calls", options=("--user", "0"))
    result.path = f"{result.path},cid=4000000000"
    lines = result.run().ended(0).quiet().text.splitlines()
    t.equal(lines[:10], """\
cid: 0
is 4000000000
not here: Cannot assign requested address
bind: 0
twice: Invalid argument
in use: Address already in use
name: 0
is 4000000000:50, 16 bytes
no peer: Transport endpoint is not connected
any port: 0""".splitlines(), "names")


def test_without_a_device(t):
    lines = t.run(t.program("vsocket"), "calls").ended(0).text.splitlines()
    t.equal(lines[:3], [
        "/dev/vsock: No such file or directory", "is 4294967295",
        "not here: Cannot assign requested address"], "names")
    t.check("refused: No such device" in lines, lines)
    t.run(t.program("vsocket"), "local").ended(0)


def test_within_the_vm(t):
    result = Host(t, "local").run().ended(0).quiet()
    t.equal(result.text.splitlines(), [
        "from 1", "within", "write: Broken pipe",
        "nobody: Connection reset by peer"], "local")


def test_large_transfers(t):
    """More than all buffers together, each byte looked at."""
    size = 24 << 20
    host = Host(t, "flood", "1000", size)
    server = host.listen(1000)
    command = host.start()
    connection = accept(server)
    t.equal(whole(connection) == pattern(size), True, "what arrived")
    connection.close()
    ends(t, command, b"sent\n")
    host.guest = ("drain", "1000")
    command = host.start()
    with accept(server) as connection:
        connection.sendall(pattern(size))
    ends(t, command, b"got %d\n" % size)


def test_slow_reader_holds_up_nobody(t):
    """One connection is full both ways; another goes on."""
    host, command = listening(t, "echo", "52", "2")
    slow, _ = host.dial(52)
    other, _ = host.dial(52)
    slow.setblocking(False)
    sent = 0
    # The guest's echo blocks when it can send no more; what it is sent before
    # fits into the buffers on the way back.
    while sent < 200000:
        with contextlib.suppress(BlockingIOError):
            sent += slow.send(pattern(200000)[sent:])
    other.sendall(b"me")
    t.equal(exactly(other, 2), b"me", "the other's echo")
    slow.settimeout(LIMIT * vm.SLOW)
    t.equal(exactly(slow, sent), pattern(sent), "echo")
    slow.close()
    other.close()
    ends(t, command, b"done\n")


def test_200_connections_to_the_host(t):
    host = Host(t, "many", "7", "200")
    server = host.listen(7, backlog=8)
    command = host.start()
    found = []
    for _ in range(200):
        found.append(accept(server))
    for connection in found:
        connection.sendall(exactly(connection, 4))
    ends(t, command, b"200 at once\n")


def test_200_connections_to_the_guest(t):
    host, command = listening(t, "echo", "52", "200")
    clients = [host.dial(52)[0] for _ in range(200)]
    for number, client in enumerate(clients):
        client.sendall(b"%03d" % number)
    for number, client in enumerate(clients):
        t.equal(exactly(client, 3), b"%03d" % number, "echo")
        client.close()
    ends(t, command, b"done\n")


def test_half_closed(t):
    host = Host(t, "half", "1000")
    server = host.listen(1000)
    command = host.start()
    with accept(server) as connection:
        t.equal(whole(connection), b"question", "first half")
        connection.sendall(b"answer")
    with accept(server) as connection:
        connection.sendall(b"first")
        connection.shutdown(socket.SHUT_WR)
        t.equal(whole(connection), b"answer", "second half")
    ends(t, command, b"got 6 answer\ndone\n")


def test_closed_by_the_host(t):
    host = Host(t, "closed", "1000")
    server = host.listen(1000)
    command = host.start()
    accept(server).close()
    ends(t, command, b"read 0 write Broken pipe\n")


def test_guest_ends_at_once(t):
    """What it sent before is there, though nobody is any more."""
    host = Host(t, "flood", "1000", "0")
    server = host.listen(1000)
    command = host.start()
    connection = accept(server)
    os.kill(vmm_of(t, command), signal.SIGKILL)
    t.equal(whole(connection), b"", "end")
    command.wait(LIMIT * vm.SLOW)


def test_lines_that_are_none(t):
    """Each is turned away, and the next one is served."""
    host, command = listening(t, "echo", "52", "1")
    for line in (b"\n", b"CONNECT\n", b"CONNECT \n", b"CONNECT x\n",
                 b"CONNECT -1\n", b"CONNECT 4294967295\n", b"GET / HTTP\n",
                 b"CONNECT 99999999999\n", b"connect 52\n", b"x" * 4000,
                 b"CONNECT 52 \n", b"CONNECT 53\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(LIMIT * vm.SLOW)
            client.connect(str(host.path))
            with contextlib.suppress(BrokenPipeError):
                client.sendall(line)
            t.equal(host.answer(client), b"", line)
    idle = [socket.socket(socket.AF_UNIX) for _ in range(20)]
    for client in idle:  # they never say anything
        client.connect(str(host.path))
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(LIMIT * vm.SLOW)
    client.connect(str(host.path))
    for part in (b"CONN", b"ECT ", b"5", b"2", b"\n"):
        client.sendall(part)
    t.check(host.answer(client).startswith(b"OK "), "in pieces")
    client.close()
    ends(t, command, b"done\n")
    for client in idle:
        client.close()


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return list(map(int, f.read().split()))


def vmm_of(t, command):
    found = vm.wait_until(lambda: [p for p in children(command.pid)
                                   if vm.name_of(p).startswith("vm:")])
    t.check(found, "no VMM")
    return found[0]


def helper_of(t, command):
    found = vm.wait_until(lambda: [p for p in children(command.pid)
                                   if vm.name_of(p) == "ampoule-vsock"])
    t.check(found, "no helper")
    return found[0]


def gone(pid):
    """It has ended, whether or not somebody has reaped it."""
    return vm.wait_until(lambda: not exists(pid))


def test_helper_is_locked_in(t):
    host, command = listening(t, "echo", "52", "1")
    pid = helper_of(t, command)

    def status_of_it():
        """The VM does not wait until the helper is ready."""
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            found = dict(line.split(":", 1) for line in f)
        return found["Seccomp"].split() == ["2"] and found
    status = vm.wait_until(status_of_it)
    t.check(status, "no policy")
    t.equal(status["NoNewPrivs"].split(), ["1"], "NoNewPrivs")
    t.equal(int(status["CapEff"], 16) & ~(1 << 1), 0, "CapEff")
    if os.geteuid() == 0:
        fds = [link.split(":")[0] for link in vm.links_of(pid).values()]
        t.equal(fds, ["socket", "socket"], "open files")
    host.dial(52)[0].close()
    ends(t, command, b"done\n")


def test_sigkill_of_the_helper(t):
    """What is connected goes on; nobody new comes in or out."""
    host, command = listening(t, "echo", "52", "1")
    client, _ = host.dial(52)
    pid = helper_of(t, command)
    os.kill(pid, signal.SIGKILL)
    with socket.socket(socket.AF_UNIX) as other:
        t.check(vm.wait_until(lambda: other.connect_ex(str(host.path))),
                "somebody listens")
    client.sendall(pattern(100000))
    t.equal(exactly(client, 100000), pattern(100000), "echo")
    client.close()
    out, err = command.communicate(timeout=LIMIT * vm.SLOW)
    t.equal((command.returncode, out), (0, b"done\n"), "the guest")
    t.check(b"helper of --vsock was ended by signal 9" in err, err)
    t.check(not host.path.exists(), "the socket is left")


def test_sigkill_of_the_vmm(t):
    host, command = listening(t, "echo", "52", "1")
    client, _ = host.dial(52)
    helper = helper_of(t, command)
    os.kill(vmm_of(t, command), signal.SIGKILL)
    t.equal(client.recv(1), b"", "end")
    t.equal(command.wait(LIMIT * vm.SLOW), 125, "status")
    t.check(gone(helper), "the helper is left")
    t.check(not host.path.exists(), "the socket is left")


def test_sigkill_of_the_command(t):
    host, command = listening(t, "echo", "52", "1")
    client, _ = host.dial(52)
    helper, vmm = helper_of(t, command), vmm_of(t, command)
    command.kill()
    command.wait(LIMIT * vm.SLOW)
    t.equal(client.recv(1), b"", "end")
    t.check(gone(helper) and gone(vmm), "processes are left")
    t.check(not host.path.exists(), "the socket is left")


def test_a_path_that_was_left(t):
    """Both are killed that would remove it: the next VM takes it over."""
    host, command = listening(t, "echo", "52", "1")
    helper = helper_of(t, command)
    os.kill(helper, signal.SIGKILL)
    command.kill()
    command.wait(LIMIT * vm.SLOW)
    t.check(gone(helper), "the helper listens on")
    t.check(host.path.exists(), "it was removed: by whom?")
    again = host.start()
    t.equal(again.stdout.readline(), b"listening\n", "program")
    host.dial(52)[0].close()
    ends(t, again, b"done\n")


def test_a_path_that_is_in_use(t):
    host, command = listening(t, "echo", "52", "1")
    host.run().ended(125).noted("vsock", "listens", str(host.path))
    t.check(host.path.exists(), "it was taken away")
    host.dial(52)[0].close()
    ends(t, command, b"done\n")


def test_bad_options(t):
    file = t.tmp / "file"
    file.touch()
    for spec, words in ((str(file), ("is no socket",)),
                        (str(t.tmp / "none/s"), ("directory",)),
                        (f"{t.tmp}/s,cid=2", ("cid",)),
                        (f"{t.tmp}/s,cid=4294967295", ("cid",)),
                        (f"{t.tmp}/s,cid=x", ("cid",)),
                        (f"{t.tmp}/s,x", ("cid",)),
                        (f"{t.tmp}/", ("names no socket",)),
                        (f"{t.tmp}/{'x' * 97}", ("longer",)),
                        ("", ("vsock",))):
        t.run("--vsock", spec, "/bin/busybox", "true").ended(125) \
            .noted("vsock", *words)
    t.run("--vsock", t.tmp / "a", "--vsock", t.tmp / "b", "/bin/busybox",
          "true").ended(125).noted("vsock", "twice")
    t.equal(os.listdir(t.tmp), ["file"], "files")


def test_as_a_user(t):
    if os.geteuid() == 0:
        jail.nobody_can_run(t, t.ampoule)
    host = Host(t, "echo", "52", "1")
    host.path = t.tmp / "own" / "vm.sock"
    host.path.parent.mkdir()
    host.path.parent.chmod(0o777)
    argv = [t.ampoule, "run", "--vsock", host.path, "--",
            t.program("vsocket"), *host.guest]
    if os.geteuid() == 0:
        argv = jail.as_nobody(t, *argv)
    command = t.start(*argv)
    t.equal(command.stdout.readline(), b"listening\n", "program")
    host.dial(52)[0].close()
    ends(t, command, b"done\n")


def test_in_the_background(t):
    host = Host(t, "echo", "52", "1")
    name = f"vsock-{os.urandom(4).hex()}"
    t.command(t.ampoule, "start", "--name", name, "--vsock", host.path, "--",
              t.program("vsocket"), *host.guest).ended(0)
    t.stack.callback(t.command, t.ampoule, "rm", "-f", name)
    t.check(vm.wait_until(lambda: "listening" in t.command(
        t.ampoule, "logs", name).text), "the program")
    host.dial(52)[0].close()
    t.command(t.ampoule, "wait", name).ended(0)
    t.check(vm.wait_until(lambda: not host.path.exists()),
            "the socket is left")


def test_many_threads_of_the_host(t):
    """Connections come and go from all sides at once."""
    host, command = listening(t, "echo", "52", "160", options=("--cpus", "2"))
    wrong = []

    def client(number):
        for turn in range(20):
            connection, answer = host.dial(52)
            text = b"%d/%d" % (number, turn) * 1000
            connection.sendall(text)
            got = exactly(connection, len(text))
            if not answer.startswith(b"OK ") or got != text:
                wrong.append((number, turn, answer, len(got)))
            connection.close()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.equal(wrong, [], "what came back")
    ends(t, command, b"done\n")


def test_many_threads_of_the_guest(t):
    """On two CPUs, each connection full both ways, written to and read from by
    threads of their own."""
    count = 6
    host = Host(t, "talks", "1000", count, options=("--cpus", "2"))
    server = host.listen(1000)
    command = host.start()

    def echo(connection):
        with connection:
            while data := connection.recv(1 << 16):
                connection.sendall(data)

    threads = [threading.Thread(target=echo, args=(accept(server),))
               for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ends(t, command, b"all came back\n")
