# SPDX-License-Identifier: Apache-2.0
"""A terminal on the standard streams works as one."""
import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

import vm


class Terminal:
    """A pseudo terminal with a command in its foreground."""

    def __init__(self, t, *argv, rows=24, cols=80):
        self.t = t
        self.text = b""
        self.host, self.guest = pty.openpty()
        self.resize(rows, cols)
        self.modes = termios.tcgetattr(self.guest)
        self.process = t.start(*argv, stdin=self.guest, stdout=self.guest,
                               stderr=self.guest, preexec_fn=self.adopt)
        t.stack.callback(self.close)

    def adopt(self):
        """In the child, leader of its session: make it the controlling
        terminal, as a shell's job control would find it."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def close(self):
        for fd in (self.host, self.guest):
            with contextlib.suppress(OSError):
                os.close(fd)

    def resize(self, rows, cols):
        fcntl.ioctl(self.guest, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, cols, 0, 0))

    def type(self, text):
        os.write(self.host, text)

    def expect(self, want, seconds=30):
        """Read until the text has come; what came before is dropped."""
        end = time.monotonic() + seconds * vm.SLOW
        while want not in self.text:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.host], [], [], left)[0]:
                raise vm.Failed(f"no {want!r} on the terminal, only"
                                f" {self.text!r}")
            self.text += os.read(self.host, 65536)
        before, _, self.text = self.text.partition(want)
        return before

    def ended(self, status, seconds=30):
        got = self.process.wait(timeout=seconds * vm.SLOW)
        if select.select([self.host], [], [], 0.05)[0]:
            self.text += os.read(self.host, 65536)
        self.t.equal(got, status, f"status (terminal: {self.text!r})")
        self.t.equal(termios.tcgetattr(self.guest), self.modes,
                     "modes of the terminal afterwards")


def vm_on(t, *argv, **options):
    return Terminal(t, t.ampoule, "run", *argv, **options)


def test_isatty_lines_and_end(t):
    """Ctrl-D on an empty line is the end of file."""
    term = vm_on(t, t.program("streams"), "tty")
    term.expect(b"tty 1 1\r\n")
    term.type(b"first\r")
    term.expect(b"first\r\n")  # the echo
    term.expect(b"line [first]\r\n")
    term.type(b"\x04")
    term.expect(b"end\r\n")
    term.ended(0)


def test_line_editing(t):
    """Erase, erase a word, kill the line."""
    term = vm_on(t, t.program("streams"), "tty")
    term.expect(b"tty 1 1\r\n")
    term.type(b"abx\x7fc\r")
    term.expect(b"line [abc]\r\n")
    term.type(b"one two\x17three\r")
    term.expect(b"line [one three]\r\n")
    term.type(b"gone\x15here\r")
    term.expect(b"line [here]\r\n")
    term.type(b"no newline\x04\x04")
    term.expect(b"line [no newline]\r\n")
    term.type(b"\x04")
    term.expect(b"end\r\n")
    term.ended(0)


def test_ctrl_c_kills_a_loop(t):
    term = vm_on(t, t.program("ends"), "loop")
    term.expect(b"looping\r\n")
    term.type(b"\x03")
    term.ended(130)


def test_ctrl_c_kills_a_reader(t):
    term = vm_on(t, t.program("streams"), "tty")
    term.expect(b"tty 1 1\r\n")
    term.type(b"half a line\x03")
    term.ended(130)


def test_ctrl_backslash_quits(t):
    term = vm_on(t, t.program("ends"), "loop")
    term.expect(b"looping\r\n")
    term.type(b"\x1c")
    term.ended(131)


def test_raw_key(t):
    term = vm_on(t, t.program("streams"), "raw")
    term.expect(b"ready\r\n")
    term.type(b"\x03")
    term.expect(b"key 3\r\n")
    term.ended(0)


def test_window_size(t):
    term = vm_on(t, t.program("streams"), "size", rows=31, cols=117)
    term.expect(b"size 31x117\r\n")
    term.resize(40, 132)
    with contextlib.suppress(ProcessLookupError):
        term.process.send_signal(signal.SIGWINCH)
    term.expect(b"size 40x132\r\n")
    term.ended(0)


def test_modes_restored_after_sigterm(t):
    term = vm_on(t, t.program("ends"), "wait")
    term.expect(b"waiting\r\n")
    term.process.send_signal(signal.SIGTERM)
    term.ended(143)


def test_frozen_and_thawed(t):
    """SIGTSTP stops the VM with the command and gives the terminal back;
    SIGCONT goes on with both."""
    term = vm_on(t, t.program("streams"), "tty")
    term.expect(b"tty 1 1\r\n")
    for word in (b"one", b"two"):
        term.process.send_signal(signal.SIGTSTP)
        os.waitid(os.P_PID, term.process.pid, os.WSTOPPED)
        t.equal(termios.tcgetattr(term.guest), term.modes,
                "modes of the terminal while frozen")
        term.process.send_signal(signal.SIGCONT)
        os.waitid(os.P_PID, term.process.pid, os.WCONTINUED)
        vm.wait_until(lambda: termios.tcgetattr(term.guest) != term.modes)
        term.type(word + b"\r")
        term.expect(b"line [" + word + b"]\r\n")
    term.type(b"\x04")
    term.expect(b"end\r\n")
    term.ended(0)


def test_modes_restored_after_the_vmm_is_killed(t):
    term = vm_on(t, t.program("ends"), "loop")
    term.expect(b"looping\r\n")
    for pid, path in vm.processes_of(t.build).items():
        if vm.parent(pid) == term.process.pid and \
                path.endswith("ampoule-vmm"):
            os.kill(pid, signal.SIGKILL)
    term.ended(125)


def test_modes_restored_after_a_crash(t):
    term = vm_on(t, t.program("ends"), "segv")
    term.expect(b"SIGSEGV")
    term.ended(139)


def test_shell_session(t):
    t.need("/bin/busybox")
    term = vm_on(t, "/bin/busybox", "sh", rows=24, cols=100)
    term.expect(b"# ")
    term.type(b"x=$((6*7)); echo got-$x\r")
    term.expect(b"got-42\r\n")
    term.expect(b"# ")
    term.type(b"echo lo''op; while :; do :; done\r")
    term.expect(b"loop\r\n")
    term.type(b"\x03")
    term.expect(b"# ")
    term.type(b"exit 5\r")
    term.ended(5)


def test_only_stdin_is_a_terminal(t):
    """With piped output the host's terminal keeps its own line discipline,
    as before any pipe: the program reads lines."""
    term = Terminal(t, "/bin/sh", "-c",
                    f"{t.ampoule} run {t.program('streams')} tty | cat")
    term.type(b"word\r")
    time.sleep(0.5)  # what goes into a pipe is seen at the end, as on Linux
    term.type(b"\x04")
    term.expect(b"line [word]\r\n")
    term.expect(b"end\r\n")
    term.ended(0)
