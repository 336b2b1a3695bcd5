# SPDX-License-Identifier: Apache-2.0
"""Sockets in everyday programs: Python's, redis, and CPython's own tests. The
single calls are compared in syscalls.py."""
import re

import vm

PYTHON = "/usr/bin/python3"
LIBRARY = "/usr/lib/python3.11"
HOSTS = ["--file", "/etc/hosts", "--file", "/etc/services",
         "--file", "/etc/protocols"]

SERVER = """
import socket, threading
def serve(listener):
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(4096):
            connection.sendall(data.upper())
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    listener = socket.create_server((host, 0), family=family)
    thread = threading.Thread(target=serve, args=(listener,))
    thread.start()
    with socket.create_connection(listener.getsockname()[:2]) as client:
        client.sendall(b"hello")
        print(client.recv(100))
    thread.join()
print("127.0.0.1" in {a[4][0] for a in socket.getaddrinfo("localhost", 80)})
print(socket.if_nameindex())
try:
    socket.create_connection(("203.0.113.1", 80))
except OSError as error:
    print(error)
"""

ASYNCIO = """
import asyncio, os
async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def client(port, count):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = os.urandom(count)
    writer.write(data)
    writer.write_eof()
    got = await reader.read(-1)
    writer.close()
    return got == data
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    done = await asyncio.gather(*[client(port, 100000 + n) for n in range(20)])
    print(done.count(True), "of", len(done))
asyncio.run(main())
"""

PROCESSES = """
import multiprocessing, multiprocessing.connection as c
def child(address):
    with c.Client(address, authkey=b"key") as link:
        link.send(["from", "child"])
        print(link.recv(), flush=True)
if __name__ == "__main__":
    for address in (("localhost", 0), None):
        family = "AF_INET" if address else "AF_UNIX"
        with c.Listener(address, family, authkey=b"key") as listener:
            process = multiprocessing.Process(target=child,
                                              args=(listener.address,))
            process.start()
            with listener.accept() as link:
                print(link.recv(), flush=True)
                link.send({"to": family})
            process.join()
            print(process.exitcode, flush=True)
"""

REDIS = """
redis-server --port 7000 --unixsocket /tmp/redis --save '' >/tmp/log 2>&1 &
tries=0
until redis-cli -p 7000 ping >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { cat /tmp/log; exit 1; }
    sleep 0.1
done
redis-cli -p 7000 set key 41
redis-cli -p 7000 incr key
redis-cli -s /tmp/redis get key
redis-benchmark -p 7000 -n 400 -c 20 -t set,get,lpush --csv
redis-benchmark -s /tmp/redis -n 400 -c 20 -t get --csv
redis-cli -p 7000 shutdown nosave
wait
"""


def python(t, *argv, **options):
    t.need(PYTHON, LIBRARY)
    return t.run("--mem", "512M", "--file", f"{LIBRARY}:{LIBRARY}", *HOSTS,
                 "--cwd", "/tmp", *options.pop("files", ()), "--", PYTHON,
                 *argv, limit=options.pop("limit", 120), **options)


def script(t, text):
    path = t.tmp / "script.py"
    path.write_text(text)
    return python(t, "/tmp/script.py", files=["--file", f"{path}:/tmp/script.py"])


def test_python_threads(t):
    script(t, SERVER).ended(0).said(
        "b'HELLO'\nb'HELLO'\nTrue\n[(1, 'lo')]\n"
        "[Errno 101] Network is unreachable\n")


def test_python_asyncio(t):
    script(t, ASYNCIO).ended(0).said("20 of 20\n")


def test_python_multiprocessing(t):
    script(t, PROCESSES).ended(0).said(
        "['from', 'child']\n{'to': 'AF_INET'}\n0\n"
        "['from', 'child']\n{'to': 'AF_UNIX'}\n0\n")


def test_redis(t):
    tools = ["redis-server", "redis-cli", "redis-benchmark", "sleep", "cat"]
    paths = [f"/bin/{tool}" if tool in ("sleep", "cat") else f"/usr/bin/{tool}"
             for tool in tools]
    t.need(*paths)
    files = [word for path in paths for word in ("--file", path)]
    got = t.run("--mem", "256M", *files, "--", "/bin/sh", "-c", REDIS,
                limit=180).ended(0)
    t.equal(got.text.split("\n")[:3], ["OK", "42", "42"], "redis-cli")
    rates = re.findall(r'^"(SET|GET|LPUSH)[^"]*","([\d.]+)"', got.text, re.M)
    t.equal([name for name, _ in rates], ["SET", "GET", "LPUSH", "GET"],
            f"benchmarks in\n{got}")


def cpython(t, module, *more):
    """CPython's own tests. UDPLITE is a protocol that mote does not have and
    whose tests do not look whether it is there. -w: some measure time, and get
    a second try on a busy machine."""
    t.need(f"{LIBRARY}/test/{module}.py")
    got = python(t, "-m", "test", "-v", "-w", "-i", "*UDPLITE*", *more, module,
                 limit=600)
    tests = got.text.count("... ok\n")
    got.ended(0)
    t.check(tests > 10, f"only {tests} tests of {module} ran\n{got}")
    if "re-run test" in got.text:
        t.note(f"{module}: a test was good at its second try only")


@vm.sleeper
def test_cpython_test_socket(t):
    cpython(t, "test_socket")


def test_cpython_test_selectors(t):
    cpython(t, "test_selectors")


def test_cpython_test_httpservers(t):
    cpython(t, "test_httpservers")




def test_cpython_test_ftplib(t):
    cpython(t, "test_ftplib")


def test_cpython_test_asyncore(t):
    cpython(t, "test_asyncore")


def test_cpython_test_ssl(t):
    cpython(t, "test_ssl")
