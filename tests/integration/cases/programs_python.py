# SPDX-License-Identifier: Apache-2.0
"""Debian's Python in a VM: its library, and CPython's own tests of it."""
import re

import vm

PYTHON = "/usr/bin/python3"
LIBRARY = "/usr/lib/python3.11"
TESTS = LIBRARY + "/test/test_json/__init__.py"


def python(t, *argv, mem="512M", **options):
    t.need(PYTHON, LIBRARY + "/os.py")
    return t.run("--mem", mem, "--file", LIBRARY, "--", PYTHON, *argv,
                 **options)


def test_one_line(t):
    python(t, "-c", "print(1 + 1)").ended(0).said("2\n").quiet()


def test_status_and_error(t):
    result = python(t, "-c", "import sys; sys.exit('no ' + 'good')").ended(1)
    t.equal(result.errors, "no good\n", "stderr")


SCRIPT = '''
import asyncio, ctypes, json, multiprocessing, os, signal, socket, sqlite3
import subprocess, sys, threading, time

def square(n):
    return n * n

def serve(listener):
    peer, _ = listener.accept()
    with peer:
        peer.sendall(b"hello " + peer.recv(10))

async def two():
    async def one(n):
        await asyncio.sleep(0.05)
        return n
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", "print(8)", stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    return await asyncio.gather(one(1), one(2)), out

def main():
    print("json", json.loads(json.dumps({"a": [1, None, "x"]})))
    with sqlite3.connect("a.db") as db:
        db.execute("pragma journal_mode=wal")
        db.execute("create table t(a)")
        db.executemany("insert into t values(?)", [(n,) for n in range(500)])
        print("sqlite3", db.execute("select sum(a) from t").fetchone())
    seen = []
    threads = [threading.Thread(target=lambda n=n: seen.append(n))
               for n in range(20)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    print("threading", sorted(seen) == list(range(20)))
    print("subprocess", subprocess.run([sys.executable, "-S", "-c",
          "import sys; print(sys.stdin.read()); sys.exit(3)"], input=b"in",
          capture_output=True))
    with multiprocessing.Pool(3) as pool:
        print("multiprocessing", pool.map(square, range(6)))
    queue = multiprocessing.Queue()
    child = multiprocessing.Process(target=queue.put, args=("queued",))
    child.start()
    print("queue", queue.get())
    child.join()
    print("asyncio", asyncio.run(two()))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=(listener,))
    thread.start()
    with socket.create_connection(listener.getsockname()) as peer:
        peer.sendall(b"guest")
        print("socket", peer.recv(20))
    thread.join()
    a, b = socket.socketpair()
    r, w = os.pipe()
    socket.send_fds(a, [b"fd"], [w])
    os.write(socket.recv_fds(b, 2, 1)[1][0], b"through")
    print("descriptors", os.read(r, 10))
    print("ctypes", ctypes.CDLL(None).abs(-3))
    signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.pause()

if __name__ == "__main__":
    main()
'''


def test_modules(t):
    """One script that uses many of them, outside and inside."""
    script = t.tmp / "modules.py"
    script.write_text(SCRIPT)
    host = t.command(PYTHON, script, cwd=t.tmp).ended(0)
    guest = t.run("--mem", "512M", "--cwd", "/tmp", "--file", LIBRARY,
                  "--file", f"{script}:/tmp/modules.py", "--", PYTHON,
                  "modules.py", limit=120)
    guest.ended(0).said(host.out)


def test_pseudo_terminal(t):
    python(t, "-c", "import pty, sys; sys.exit(pty.spawn(["
           f"'{PYTHON}', '-S', '-c', 'import os; "
           "print(os.ttyname(0), os.isatty(1))']))").ended(0).said(
               "/dev/pts/0 True\r\n")


# Which tests are left out, and why.
LEFT_OUT = {
    "test_subprocess": {
        "test_extra_groups": "a process has no supplementary groups",
        "test_pipesizes": "a pipe's size is fixed",
    },
}


# Programs that they start, and modules that gain from more than one CPU.
HELPERS = ("/bin/sh", "/bin/cat", "/bin/echo", "/bin/sleep", "/bin/stty")
CPUS = {"test_threading": 4, "test_signal": 4, "test_os": 4}
SLEEPERS = ("test_signal",)


def own_tests(t, name):
    """CPython's tests of one module, all but those in LEFT_OUT. -w: some
    measure time, and get a second try on a busy machine."""
    t.need(TESTS)
    ignored = [word for pattern in LEFT_OUT.get(name, {})
               for word in ("-i", pattern)]
    t.need(PYTHON, *HELPERS)
    files = [word for path in (LIBRARY, *HELPERS) for word in ("--file", path)]
    result = t.run("--mem", "1G", "--cpus", CPUS.get(name, 1), *files, "--",
                   PYTHON, "-m", "test", "-v", "-w", *ignored, name,
                   limit=900)
    ran = re.search(r"^Ran (\d+) tests? in", result.errors + result.text,
                    re.M)
    if result.status or not ran or int(ran[1]) < 5:
        bad = re.findall(r"^(?:FAIL|ERROR): .*", result.errors + result.text,
                         re.M)
        raise vm.Failed("\n".join(bad[:30] or [str(result)]) +
                        f"\nstatus {result.status}\n{result.errors[-3000:]}")
    if "re-run test" in result.text:
        t.note(f"{name}: a test was good at its second try only")
    skipped = re.findall(r"^(test\w+) .* skipped (.*)$",
                         result.errors + result.text, re.M)
    t.note(f"{ran[1]} tests of CPython's, {len(skipped)} skipped by "
           f"themselves, {len(LEFT_OUT.get(name, {}))} left out")


def make_case(name):
    def case(t):
        own_tests(t, name)
    return vm.sleeper(case) if name in SLEEPERS else case


for _name in ("json", "re", "dict", "math", "struct", "threading",
              "subprocess", "signal", "select", "mmap", "os", "tempfile"):
    globals()[f"test_own_{_name}"] = make_case(f"test_{_name}")
