# SPDX-License-Identifier: Apache-2.0
"""vm.py - what a test case gets: run the command, look at the result.

Nothing in here waits without a limit, and everything that is started is ended
by its own pid.
"""
import contextlib
import fcntl
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A slow or crowded machine stretches every limit: AMPOULE_TEST_SLOW=4.
SLOW = float(os.environ.get("AMPOULE_TEST_SLOW", "1"))


class Failed(Exception):
    """A case does not hold."""


class Skipped(Exception):
    """A case cannot be tried here; the reason is counted and shown."""


def alone(function):
    """Mark a case that loads the machine or counts processes."""
    function.alone = True
    return function


def sleeper(function):
    """Mark a long case that waits for the clock most of the time: it runs
    beside the others, from the beginning on."""
    function.sleeper = True
    return function


class Result:
    """How a command ended, and what it wrote."""

    def __init__(self, argv, status, out, err, seconds):
        self.argv, self.status = argv, status
        self.out, self.err, self.seconds = out, err, seconds

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    @property
    def errors(self):
        return self.err.decode("utf-8", "replace")

    @property
    def notes(self):
        """The lines that Ampoule itself wrote."""
        return [line for line in self.errors.splitlines()
                if line.startswith("ampoule: ")]

    def __str__(self):
        return (f"{' '.join(map(str, self.argv))}\n"
                f"status {self.status} after {self.seconds:.2f} s\n"
                f"stdout ({len(self.out)}): {self.out[:600]!r}\n"
                f"stderr ({len(self.err)}): {self.errors[:1500]}")

    def ended(self, status):
        """Fails unless the command ended with this status."""
        if self.status != status:
            raise Failed(f"status {self.status}, expected {status}\n{self}")
        return self

    def said(self, out):
        """Fails unless stdout is exactly this."""
        want = out.encode() if isinstance(out, str) else out
        if self.out != want:
            raise Failed(f"stdout is not {want[:300]!r}\n{self}")
        return self

    def quiet(self):
        """Fails if anything is on stderr."""
        if self.err:
            raise Failed(f"stderr is not empty\n{self}")
        return self

    def noted(self, *words):
        """Fails unless one line of Ampoule's own has all the words."""
        for line in self.notes:
            if all(word.lower() in line.lower() for word in words):
                return self
        raise Failed(f"no line 'ampoule: ...' has {words}\n{self}")


class Context:
    """Given to each case."""

    def __init__(self, build):
        self.build = pathlib.Path(build)
        self.root = ROOT
        self.ampoule = self.build / "runner/cli/ampoule"
        self.kernel = self.build / "kernels/mote/mote"
        self.stack = contextlib.ExitStack()
        self.notes = []  # lines to print below the result

    @functools.cached_property
    def tmp(self):
        """A directory of the case's own, removed afterwards."""
        path = tempfile.mkdtemp(prefix="ampoule-test-")
        self.stack.callback(shutil.rmtree, path, ignore_errors=True)
        return pathlib.Path(path)

    def note(self, text):
        self.notes.append(text)

    def close(self):
        self.stack.close()

    def program(self, name):
        """The path of a test program."""
        folder = self.build / "tests/integration"
        for path in (folder / name, folder / "programs/syscalls" / name,
                     folder / "programs/conform" / name):
            if path.exists():
                return path
        raise Failed(f"no test program {name} in {self.build}")

    def need(self, *paths):
        for path in paths:
            if not os.path.exists(path):
                raise Skipped(f"{path} is not here")

    def skip(self, reason):
        raise Skipped(reason)

    def check(self, condition, what):
        if not condition:
            raise Failed(str(what))

    def equal(self, got, want, what):
        if got != want:
            raise Failed(f"{what}: {got!r}, expected {want!r}")

    def start(self, *argv, **options):
        """Popen in a session of its own, killed when the case ends."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen([str(a) for a in argv],
                                   start_new_session=True, **options)
        self.stack.callback(end_session, process)
        return process

    def start_vm(self, *argv, **options):
        return self.start(self.ampoule, "run", *argv, **options)

    def command(self, *argv, stdin=b"", limit=60, **options):
        """Run a command to its end; stdin is bytes, a file or None (closed
        end of file)."""
        begin = time.monotonic()
        given = {}
        if isinstance(stdin, bytes):
            options["stdin"] = subprocess.PIPE
            given["input"] = stdin
        elif stdin is not None:
            options["stdin"] = stdin
        process = self.start(*argv, **options)
        try:
            out, err = process.communicate(timeout=limit * SLOW, **given)
        except subprocess.TimeoutExpired as late:
            end_session(process)
            result = Result(argv, None, late.stdout or b"", late.stderr or b"",
                            time.monotonic() - begin)
            raise Failed(f"no end after {limit * SLOW} s\n{result}") from None
        return Result(argv, process.returncode, out or b"", err or b"",
                      time.monotonic() - begin)

    def run(self, *argv, **options):
        """ampoule run ARGV."""
        return self.command(self.ampoule, "run", *argv, **options)

    def shell(self, script, **options):
        """A shell script, with the command as $A and the programs in $P."""
        env = dict(os.environ, A=str(self.ampoule),
                   P=str(self.build / "tests/integration"))
        return self.command("/bin/bash", "-c", script, env=env, **options)


def end_session(process):
    """Kill what a command left behind in its session, and reap it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            with contextlib.suppress(OSError, ValueError):
                stream.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)


def identity(path):
    """What tells a file from all others, by whatever path it is seen."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


def processes_of(build):
    """pid -> executable of all living processes started from a build."""
    ours = {}
    for part in ("runner/cli/ampoule", "jailer/ampoule-jailer",
                 "runner/vmm/ampoule-vmm"):
        with contextlib.suppress(OSError):
            ours[identity(f"{build}/{part}")] = f"{build}/{part}"
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            path = ours.get(identity(f"/proc/{entry}/exe"))
            if path:
                found[int(entry)] = path
    return found


def parent(pid):
    """None: it has ended meanwhile."""
    with contextlib.suppress(OSError, IndexError):
        text = pathlib.Path(f"/proc/{pid}/stat").read_bytes()
        return int(text.rpartition(b")")[2].split()[1])
    return None


def name_of(task):
    """The name of PID or PID/task/TID; "": it has ended meanwhile."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{task}/comm").read_text("utf-8").strip()
    return ""


def threads_of(pid):
    """name -> thread id. The kernel's own helpers come and go as it likes:
    they are left out."""
    found = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        name = name_of(f"{pid}/task/{tid}")
        if name and not name.startswith("kvm-"):
            found[name] = int(tid)
    return found


def links_of(pid):
    """fd -> what is open there; one that is closed meanwhile is left out."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return found


def stale_places():
    """Files and cgroups of ids that no VM on this host uses any more; those of
    living ones are locked, and may be anybody's."""
    groups = [pathlib.Path(root, name)
              for root, names, _ in os.walk("/sys/fs/cgroup")
              for name in names if re.fullmatch(r"ampoule-(vms-)?\d+", name)
              and not any(pathlib.Path(root, name).glob("ampoule-*"))]
    found, used = set(), set()
    cells = pathlib.Path("/run/ampoule/cells")
    for path in cells.iterdir() if cells.is_dir() else ():
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as cell:
            try:
                fcntl.flock(cell, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.add(str(path))
            except BlockingIOError:
                used.add(f"ampoule-{path.name}")
    # Listed first and looked up last: what starts or ends meanwhile is left out.
    return found | {str(path) for path in groups
                    if path.name not in used and path.exists()}


def left_directories():
    """Where a careless program would leave something; tests have names of
    their own there."""
    found = set()
    for base in ("/tmp", "/run", "/dev/shm", "/var/tmp"):
        for name in os.listdir(base) if os.path.isdir(base) else ():
            if "ampoule" in name and not name.startswith(
                    ("ampoule-test-", "ampoule-bed")):
                found.add(f"{base}/{name}")
    found.discard("/run/ampoule")  # stays; nothing of a VM's in it does
    return found


def wait_until(condition, seconds=20.0):
    """Poll a condition; its last value. Only what fails waits that long."""
    end = time.monotonic() + seconds * SLOW
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return value
