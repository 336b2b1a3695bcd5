# SPDX-License-Identifier: Apache-2.0
"""Bugs of the guest kernel, made to order: one of its functions is written over
by a program that may (/dev/mem, --cmdline devmem), and called. The VM has to end
with 125 and a line that names where."""
import re
import subprocess


CALL, NUMBER = "sys_personality", 135
IMAGE = 0x1fffff  # the kernel lies in the first 2 MiB, wherever it is mapped

UD2 = "0f0b"
PUSH_FOR_EVER = "50ebfd"     # 1: push %rax; jmp 1b
WRITE_TEXT = "8805f4ffffff"  # mov %al, -12(%rip): 6 bytes before itself
JUMP_TO_STACK = "ffe4"       # jmp *%rsp


def function(t):
    names = subprocess.run(["nm", t.kernel], capture_output=True, text=True,
                           check=True).stdout
    return int(re.search(rf"^(\w+) \w {CALL}$", names, re.M)[1], 16)


def panic(t, code, *how, cpus=1):
    """Return: (rip, the line)."""
    rip = function(t)
    result = t.run("--cpus", cpus, "--cmdline", "devmem", "--time", 20,
                   t.program("kernelbug"), hex(rip & IMAGE), code, NUMBER,
                   *how).ended(125).said("")
    t.equal(len(result.notes), 1, f"lines of Ampoule\n{result}")
    result.noted("the guest kernel stopped", "panic")
    return rip, result.notes[0]


def test_panic_names_the_instruction(t):
    for cpus in (1, 4):
        rip, line = panic(t, UD2, cpus=cpus)
        t.check("fault 6 " in line and f"rip {rip:x}" in line, line)


def test_panic_in_a_thread(t):
    rip, line = panic(t, UD2, "thread", cpus=4)
    t.check("fault 6 " in line and f"rip {rip:x}" in line, line)


def overflow(t, *how):
    """A page fault below the stack's end; where the CPU needs that stack to
    report it, a double fault."""
    rip, line = panic(t, PUSH_FOR_EVER, *how)
    found = re.search(r"fault (?:8|14) \(error \w+\) of the kernel: rip "
                      rf"{rip:x}, cr2 (\w+), rsp (\w+)", line)
    t.check(found, line)
    cr2, rsp = (int(n, 16) for n in found.groups())
    t.equal((rsp - cr2, rsp % 0x8000), (8, 0x4000), f"below the stack: {line}")


def test_guard_below_the_first_stack(t):
    overflow(t)


def test_guard_below_the_stack_of_a_thread(t):
    overflow(t, "thread")


def test_text_is_not_writable(t):
    rip, line = panic(t, WRITE_TEXT)
    found = re.search(r"fault 14 \(error (\w+)\).*rip (\w+), cr2 (\w+)", line)
    t.check(found, line)
    t.equal(int(found[1], 16) & 3, 3, f"a write to what is there: {line}")
    t.equal((int(found[2], 16), int(found[3], 16)), (rip, rip - 6), line)


def test_stack_is_not_executable(t):
    _, line = panic(t, JUMP_TO_STACK)
    found = re.search(r"fault 14 \(error (\w+)\).*rip (\w+), cr2 (\w+), "
                      r"rsp (\w+)", line)
    t.check(found, line)
    t.equal(int(found[1], 16) & 0x11, 0x11, f"a fetch of what is there: {line}")
    t.equal(found[2], found[4], line)
