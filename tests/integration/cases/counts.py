# SPDX-License-Identifier: Apache-2.0
"""How many instructions the guest kernel needs for what programs do most. mote
and programs/counts.c run under QEMU alone (TCG), which logs every instruction
with its CPL. Such a count is the same on every machine; it is printed, not
compared. What is compared: each path was seen, as often as it was walked. A
string instruction counts once, however long the string."""
import os
import re
import subprocess

ROUNDS = 3  # marked ones of programs/counts.c
LINE = re.compile(r"Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/([0-9a-f]+)/")
KERNEL = 0x7f8000000000
QEMU = "/usr/bin/qemu-system-x86_64"


def symbols(path):
    text = subprocess.run(["nm", "-n", path], capture_output=True, text=True,
                          check=True).stdout
    return [(int(row[0], 16), row[2]) for row in
            (line.split() for line in text.splitlines()) if len(row) == 3]


def place(table, name):
    """(start, end) of a function."""
    for (start, found), (end, _) in zip(table, table[1:]):
        if found == name:
            return start, end
    raise KeyError(name)


def machine(t, initrd, fifo, program):
    """Its clock counts instructions, so that no timer comes in between."""
    main = symbols(program)
    ranges = [(KERNEL, KERNEL + (1 << 21)),
              *[(start, end - 1) for start, end in
                (place(main, "mark_begin"), place(main, "mark_end"))]]
    return [QEMU, "-M", "microvm,x-option-roms=off,rtc=off,acpi=off",
            "-accel", "tcg", "-icount", "shift=0,sleep=off",
            "-cpu", "max", "-m", "128",
            "-kernel", str(t.kernel), "-initrd", str(initrd),
            "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-global", "virtio-mmio.force-legacy=false",
            "-device", "virtio-serial-device",
            "-chardev", "null,id=none",
            "-device", "virtconsole,chardev=none,nr=0",
            "-chardev", "null,id=out",
            "-device", "virtserialport,chardev=out,nr=1",
            "-chardev", "null,id=err",
            "-device", "virtserialport,chardev=err,nr=2",
            "-device", "virtio-rng-device", "-singlestep",
            "-d", "exec,nochain", "-D", str(fifo),
            "-dfilter", ",".join(f"{a:#x}..{b:#x}" for a, b in ranges)]


def read_log(log, begin, end):
    """Instructions at CPL 0 between the marks, one number a pair."""
    counts, inside, last = [], None, 0
    for line in log:
        found = LINE.match(line)
        if not found:
            continue
        at = int(found[1], 16)
        if at == begin:
            inside = 0
        elif at == end and inside is not None:
            counts.append(inside)
            inside = None
        elif inside is not None and at >= KERNEL:
            inside += at != last and not int(found[2], 16) & 3
        last = at
    return counts


def test_instructions_of_the_kernel(t):
    t.need(QEMU)
    program = t.program("counts")
    names = t.command(program, "-l").ended(0).text.splitlines()
    initrd, fifo = t.tmp / "initrd", t.tmp / "log"
    t.command(t.ampoule, "pack", "-o", initrd, "--", program).ended(0)
    os.mkfifo(fifo)
    table = symbols(program)
    marks = [place(table, f"mark_{what}")[0] for what in ("begin", "end")]
    child = t.start("/usr/bin/timeout", "100",
                    *machine(t, initrd, fifo, program))
    with open(fifo, encoding="ascii", errors="replace") as log:
        counts = read_log(log, *marks)
    t.equal(child.wait(), 0, f"QEMU: {child.stderr.read()[-500:]}")
    t.equal(len(counts), len(names) * ROUNDS, "walks seen")
    for i, name in enumerate(names):
        walks = counts[i * ROUNDS:(i + 1) * ROUNDS]
        t.check(min(walks) > 10, f"{name}: {walks}")
        t.note(f"{name}: {min(walks)} instructions")
