# SPDX-License-Identifier: Apache-2.0
"""Job control: a shell on a terminal, its jobs, and the keys that stop them."""
import cases.tty as tty
import vm

BUSYBOX = "/bin/busybox"
BASH = "/bin/bash"
PROMPT = b"$ "


def shell_on(t, *argv):
    t.need(BUSYBOX, argv[0])
    term = tty.vm_on(t, "--env", "PS1=$ ", "--file", BUSYBOX, "--", *argv,
                     cols=200)
    term.expect(PROMPT)
    return term


def command(term, line):
    """Type @line, see its echo; what it says until the prompt comes back."""
    term.type(line + b"\r")
    term.expect(line + b"\r\n")
    return term.expect(PROMPT)


def answers(term, word):
    """The job in the foreground is a cat that reads."""
    term.type(word + b"\r")
    term.expect(word + b"\r\n" + word + b"\r\n")


def start_cat(term):
    line = b"busybox sh -c 'echo u\"\"p; exec busybox cat'"
    term.type(line + b"\r")
    term.expect(line + b"\r\n")
    term.expect(b"up\r\n")


def foreground(term):
    term.type(b"fg\r")
    term.expect(b"fg\r\n")
    term.expect(b"cat")
    term.expect(b"\n")


def session(t, *argv):
    term = shell_on(t, *argv)
    # Stopped by a key, in the foreground again, ended by another key.
    start_cat(term)
    answers(term, b"one")
    term.type(b"\x1a")
    term.expect(b"Stopped")
    term.expect(PROMPT)
    t.check(b"Stopped" in command(term, b"jobs"), "it stands still")
    foreground(term)
    answers(term, b"two")
    term.type(b"\x03")
    term.expect(PROMPT)
    t.check(b"130" in command(term, b"echo $?"), "Ctrl-C ended it")
    # In the background it runs, but may not read.
    command(term, b"busybox sleep 1000 &")
    t.check(b"Running" in command(term, b"jobs"), "it is listed")
    command(term, b"kill %1; wait")
    command(term, b"busybox cat &")
    t.check(vm.wait_until(lambda: b"Stopped" in command(term, b"jobs")),
            "a reader in the background stands still")
    foreground(term)
    answers(term, b"three")
    term.type(b"\x04")
    term.expect(PROMPT)
    start_cat(term)
    answers(term, b"four")
    term.type(b"\x1c")
    term.expect(PROMPT)
    t.check(b"131" in command(term, b"echo $?"), "the other key, too")
    # A pipeline is one job: the key ends all of it.
    line = b"busybox sh -c 'echo u\"\"p; exec busybox sleep 1000'"
    line += b" | busybox cat"
    term.type(line + b"\r")
    term.expect(line + b"\r\n")
    term.expect(b"up\r\n")
    term.type(b"\x03")
    term.expect(PROMPT)
    t.check(b"130" in command(term, b"echo $?"), "the key ended both")
    term.type(b"exit 7\r")
    term.ended(7)


def test_busybox_session(t):
    session(t, BUSYBOX, "sh", "-i")


def test_bash_session(t):
    session(t, BASH, "--norc", "--noprofile", "-i")
