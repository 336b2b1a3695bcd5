# SPDX-License-Identifier: Apache-2.0
"""Devices on PCI, as a guest kernel of a few instructions finds them. Linux's
own driver has its turn in the bed."""
import struct

from cases import bad

ECAM, WINDOW = 0xe0000000, 0xe1000000
HARNESS_EXIT = 0xd0000108
COMMAND, BAR0 = 0x04, 0x10
NUM_QUEUES = 0x12
CONSOLE = 1 << 15  # its slot is the first
QUEUES = 16  # of a console with seven ports


def at(address):
    return b"\x48\xbb" + struct.pack("<Q", address)  # mov rbx, address


def leave(status):
    return (at(HARNESS_EXIT) + b"\x48\xc7\xc0" + struct.pack("<I", status << 8)
            + b"\x48\x89\x03" + b"\xf4\xeb\xfd")  # mov [rbx], rax; hlt


class Code:
    """Instructions; what does not read as expected ends the VM with the number
    of the step, what does goes on."""

    def __init__(self):
        self.code = b""
        self.step = 0

    def expect(self, address, value, width=4):
        self.step += 1
        compare = (b"\x81\x3b" + struct.pack("<I", value) if width == 4 else
                   b"\x66\x81\x3b" + struct.pack("<H", value))
        wrong = leave(self.step)
        self.code += at(address) + compare + b"\x74" + bytes([len(wrong)])
        self.code += wrong  # je over it

    def write(self, address, value, width=4):
        self.code += at(address) + (
            b"\xc7\x03" + struct.pack("<I", value) if width == 4 else
            b"\x66\xc7\x03" + struct.pack("<H", value))

    def end(self):
        return bad.kernel(self.code + leave(42))


def test_devices_are_found_and_answer(t):
    code = Code()
    code.expect(ECAM, 0x00081b36)
    code.expect(ECAM + CONSOLE, 0x10431af4)
    code.expect(ECAM + (31 << 15), 0xffffffff)
    code.expect(WINDOW + NUM_QUEUES, 0xffff, 2)  # decoding is off
    code.write(ECAM + CONSOLE + COMMAND, 6, 2)
    code.expect(WINDOW + NUM_QUEUES, QUEUES, 2)
    code.write(ECAM + CONSOLE + BAR0, 0xffffffff)
    code.expect(ECAM + CONSOLE + BAR0, 0xffffc004)
    code.expect(WINDOW + NUM_QUEUES, 0xffff, 2)
    code.write(ECAM + CONSOLE + BAR0, WINDOW + 0x800000)
    code.expect(WINDOW + 0x800000 + NUM_QUEUES, QUEUES, 2)
    bad.run_kernel(t, code.end(), "--transport", "pci").ended(42)


def test_a_bar_over_ram_or_other_devices_takes_nothing(t):
    """A BAR that the guest moves out of the window hides nothing there."""
    code = Code()
    code.write(ECAM + CONSOLE + COMMAND, 6, 2)
    code.write(0x2000000, 0x12345678)
    for place in (0x2000000, 0xd0000000, ECAM, 0xfee00000):
        code.write(ECAM + CONSOLE + BAR0, place)
        code.expect(ECAM + CONSOLE, 0x10431af4)
        code.expect(0x2000000, 0x12345678)
        code.expect(0xd0000000, 0x74726976)  # the harness: "virt"
    bad.run_kernel(t, code.end(), "--transport", "pci").ended(42)


def test_mote_has_no_pci(t):
    result = t.run("--transport", "pci", t.program("hello"))
    bad.one_line(t, result, 125, "--transport", "mote", "--kernel")
