# SPDX-License-Identifier: Apache-2.0
"""guests.py - kernels and modules of guests that a case wants and nobody has:
kernels of a few instructions, and a module with a mistake in it."""
import struct

LOAD = 0x1000000  # where a kernel of ours lies: 16 MiB
PAGE = 0x1000

SAY_UP = b"".join(b"\x66\xba\xf8\x03\xb0" + bytes([c]) + b"\xee"
                  for c in b"up\n")  # mov $0x3f8, %dx; mov $c, %al; out
HALTED = b"\xfa\xf4\xeb\xfd"  # cli; 1: hlt; jmp 1b
SPINNING = b"\xeb\xfe"        # 1: jmp 1b
FAULTING = b"\x0f\x0b"        # ud2, without an IDT

SIGNATURE_MARK = b"~Module signature appended~\n"
SHT_SYMTAB, SHT_RELA = 2, 4
FENTRY = 5  # bytes: a call that ftrace looks at, before anything runs


def tiny_kernel(code):
    """An ELF kernel that says "up" on the serial port and runs @code."""
    code = SAY_UP + code
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1,
                         LOAD, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, PAGE, LOAD, LOAD, len(code),
                          len(code), PAGE)
    return (header + segment).ljust(PAGE, b"\0") + code


class Module:
    """As much of an ELF object as finds a function in its file."""

    def __init__(self, data):
        self.data = data
        at, = struct.unpack_from("<Q", data, 40)
        size, count = struct.unpack_from("<HH", data, 58)
        # name, type, flags, addr, offset, bytes, link, info
        self.sections = [struct.unpack_from("<IIQQQQII", data, at + n * size)
                         for n in range(count)]

    def symbol(self, wanted):
        """Return: the index of its section, its offset there."""
        for _, kind, _, _, at, size, link, _ in self.sections:
            if kind != SHT_SYMTAB:
                continue
            names = self.sections[link][4]
            for n in range(at, at + size, 24):
                name, _, _, section, value = struct.unpack_from(
                    "<IBBHQ", self.data, n)
                end = self.data.index(b"\0", names + name)
                if self.data[names + name:end] == wanted:
                    return section, value
        raise ValueError(f"the module has no {wanted.decode()}")

    def relocations(self, section):
        """The offsets in @section that the kernel's loader writes to."""
        for _, kind, _, _, at, size, _, info in self.sections:
            if kind == SHT_RELA and info == section:
                for n in range(at, at + size, 24):
                    yield struct.unpack_from("<Q", self.data, n)[0]


def broken_module(data):
    """@data, a module, unsigned, whose first act is an invalid instruction;
    None where the loader would write over that."""
    module = Module(data)
    section, offset = module.symbol(b"init_module")
    place = offset + FENTRY
    if any(place - 4 < r < place + 2 for r in module.relocations(section)):
        return None
    out = bytearray(data.removesuffix(SIGNATURE_MARK))
    at = module.sections[section][4] + place
    out[at:at + 2] = FAULTING
    return bytes(out)
