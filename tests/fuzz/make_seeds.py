#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_seeds.py - write the seed corpora: well-formed beginnings from which a
fuzzer finds its way. The formats are those that fuzz_*.c read."""
import gzip
import io
import os
import struct
import tarfile

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
NEXT, WRITE, INDIRECT = 1, 2, 4


def save(name, seed, data):
    where = os.path.join(HERE, name)
    os.makedirs(where, exist_ok=True)
    with open(os.path.join(where, seed), "wb") as f:
        f.write(data)


def poke(at, data):
    assert 1 <= len(data) <= 64
    return struct.pack("<HB", at, len(data) - 1) + data


def desc(addr, length, flags=0, nxt=0):
    return struct.pack("<QIHH", addr, length, flags, nxt)


def queue_seeds():
    def seed(flags, descs, heads, table=b""):
        head = struct.pack("<BHHHB", flags | 3 << 3, 0, 0x200, 0x400, 40)
        ops = []
        for i, d in enumerate(descs):
            ops.append(poke(16 * i, d))
        if table:
            ops.append(poke(0x600, table))
        for i, h in enumerate(heads):
            ops.append(poke(0x204 + 2 * i, struct.pack("<H", h)))
        ops.append(poke(0x202, struct.pack("<H", len(heads))))
        # between pop and push, then the number of bytes written
        ops.append(poke(0x500, b"\0") + struct.pack("<I", 7))
        return head + b"".join(ops) + 30 * poke(0x500, b"\1")

    save("queue", "direct", seed(0, [desc(0x1000, 64)], [0]))
    save("queue", "chain", seed(1, [
        desc(0x1000, 64, NEXT, 1), desc(0x2000, 16, NEXT | WRITE, 2),
        desc(0x3000, 16, WRITE)], [0]))
    save("queue", "indirect", seed(2, [desc(0x600, 32, INDIRECT)], [0],
         desc(0x1000, 8, NEXT, 1) + desc(0x2000, 8, WRITE)))
    save("queue", "loop", seed(3, [
        desc(0x1000, 1, NEXT, 1), desc(0x1000, 1, NEXT, 0)], [0]))
    save("queue", "head", seed(0, [desc(0x1000, 1)], [8]))
    save("queue", "many", seed(1, [desc(0x1000, 1, WRITE)] * 3, [0, 1, 2, 0]))


def request(queue, head, addr, length, flags=0, nxt=0):
    return struct.pack("<BBIHBB", queue, head, addr, length, flags, nxt)


def access(write, reg, value, width=2):
    return struct.pack("<BHQ", width | 4 | (0 if write else 8), reg, value)


def mmio_seeds():
    start = b"\0" + struct.pack("<I", 1 << 29 | 1 << 28)
    save("mmio", "start", start)
    save("mmio", "request", start + b"\2" + request(0, 0, 0x8000, 32, WRITE))
    save("mmio", "readable", start + b"\2" + request(0, 0, 0x8000, 32))
    save("mmio", "byhand", b"".join(b"\7" + access(True, r, v) for r, v in (
        (0x70, 0), (0x70, 1), (0x70, 3), (0x24, 1), (0x20, 1), (0x70, 11),
        (0x30, 0), (0x38, 8), (0x80, 0), (0x90, 0x200), (0xa0, 0x400),
        (0x44, 1), (0x70, 15), (0x50, 0), (0x44, 0), (0x70, 0))))
    save("mmio", "reads", b"".join(
        b"\7" + access(False, r, 0) for r in range(0, 0x110, 4)))


def pci_seeds():
    """The entropy device: decoding on, its identity, all of the table."""
    def config(write, at, value, width=2):
        op, data = (6, value.to_bytes(1 << width, "little")) if write \
            else (7, b"")
        return struct.pack("<BBH", op, width, 1 << 15 | at) + data

    on = config(True, 4, 6, 1)
    ones = b"".join(config(True, at, 0xffffffff) + config(False, at, 0)
                    for at in range(0x10, 0x28, 4))
    save("pci", "reads", b"\4SES1" + on + b"".join(
        config(False, at, 0) for at in range(0, 256, 4)))
    save("pci", "sizes", b"\4SES1" + on + ones)


def console_seeds():
    features = struct.pack("<I", 1 << 29 | 1 << 28 | 3)
    say = bytes([170]) + poke(0x8000, struct.pack("<IHH", 0, 0, 1))
    buffers = b"".join(
        b"\0" + request(2, i, 0x9000 + 64 * i, 64, WRITE) for i in range(8))
    hello = buffers + say + b"\0" + request(3, 0, 0x8000, 8)
    for port in range(3):
        hello += bytes([170]) + poke(0x8000, struct.pack("<IHH", port, 3, 1))
        hello += b"\0" + request(3, 0, 0x8000, 8)
    save("console", "hello", features + hello)
    save("console", "stdin", features + hello +
         b"\0" + request(0, 0, 0xa000, 100, WRITE))
    save("console", "stdout", features + b"\0" + request(5, 0, 0xa000, 100))
    save("console", "stderr", features + 40 * (
        b"\0" + request(7, 0, 0xa000, 0x4000)))
    save("console", "resize", features + hello + bytes([203, 80]))
    save("console", "plain", struct.pack("<I", 0) +
         b"\0" + request(1, 0, 0xa000, 5) +
         b"\0" + request(0, 0, 0xa000, 5, WRITE))


def balloon_seeds():
    start = struct.pack("<I", 1 << 29 | 1 << 28 | 1 << 5 | 1 << 4 | 1 << 1)
    visit, ask = bytes([190]), bytes([215])

    def fill(at, data):
        return bytes([150]) + poke(at, data)

    def say(*what):
        return b"\0" + request(*what)

    pfns = fill(0x8000, struct.pack("<6I", 9, 3, 4, 5, 0xffffffff, 15))
    stats = fill(0x8000, struct.pack("<HQHQ", 4, 1 << 20, 5, 1 << 21))
    save("balloon", "inflate", start + pfns + say(0, 0, 0x8000, 24) + visit)
    save("balloon", "deflate", start + pfns + say(1, 0, 0x8000, 24))
    save("balloon", "stats", start + stats + say(2, 0, 0x8000, 20) + ask +
         say(2, 1, 0x8000, 20))
    save("balloon", "report", start + say(4, 0, 0x8000, 0x2000, WRITE) + visit)
    save("balloon", "report3", start + say(3, 0, 0x8100, 0x4000, WRITE) + visit)
    save("balloon", "fails", start + bytes([221]) + pfns +
         say(0, 0, 0x8000, 24) + say(4, 0, 0x8000, 0x1000, WRITE) + visit)
    save("balloon", "poison", start + bytes([230]) + access(True, 0x10c, 1) +
         say(4, 0, 0x8000, 0x1000, WRITE) + visit)
    save("balloon", "target", start + bytes([205]) + struct.pack("<I", 256) +
         bytes([230]) + access(True, 0x104, 256))


def harness_seeds():
    def ring(reg, value):
        return bytes([0x40 | reg]) + struct.pack("<Q", value)

    def fill(data, at=0x1000):
        out = b""
        for i in range(0, len(data), 64):
            # the 16-bit word after the op is not used by a poke
            out += b"\0\0\0" + poke(at + i, data[i:i + 64])
        return out

    save("harness", "life", ring(0x10, 1000) + ring(0x08, 42 << 8))
    save("harness", "missing", fill(struct.pack(
        "<IIIIII", 1, 16, 1, 2, 3, 4)) + ring(0x18, 0x1000))
    save("harness", "crash", fill(struct.pack(
        "<IIIiQQ16s", 2, 40, 11, 1, 2, 3, b"prog")) + ring(0x18, 0x1000))
    save("harness", "panic", fill(struct.pack("<II", 3, 4) + b"help") +
         ring(0x18, 0x1000))
    save("harness", "oom", fill(struct.pack("<IIQQ16s", 4, 32, 9, 8, b"x")) +
         ring(0x18, 0x1000))
    save("harness", "pending", bytes([0xf1]) + 8 * b"\0")


def plan_seeds():
    """Mirrors struct plan of base/plan.h."""
    def plan(**kw):
        f = dict(magic=0x4e414c5045504d41, version=4, total=0, flags=17,
                 log=1, name=b"vm", mem=128 << 20, cpus=1,
                 uid=900000, gid=900000, segments=None,
                 pids=9, files=256,
                 limit=0, grace=0, entry=0x200000, initrd=0x4000000,
                 ibytes=0x1000,
                 devices=(1, 2, 3), kinds=(1, 2, 3), cmdline=b"quiet")
        f.update(kw)
        segs = f["segments"] or [(0x200000, 0, 0x1000, 0x2000, 2, 0),
                                 (0x4000000, 0, 0x1000, 0x1000, 3, 0)]
        body = struct.pack("<II64sQIIIIIIQQQQQ", f["flags"], f["log"],
                           f["name"], f["mem"], f["cpus"], f["uid"], f["gid"],
                           len(segs), f["pids"], f["files"], f["limit"],
                           f["grace"], f["entry"], f["initrd"], f["ibytes"])
        for i in range(16):
            s = segs[i] if i < len(segs) else (0,) * 6
            body += struct.pack("<QQQQII", *s)
        body += struct.pack("<II", len(f["devices"]), 0)
        for i in range(16):
            d = f["devices"][i] if i < len(f["devices"]) else 0
            body += struct.pack("<IIII240x", d, 0, 0, 0)
        body += struct.pack("<3I2H", *f["kinds"], 24, 80)
        body += struct.pack("<46i", *range(4, 50))
        body += struct.pack("<I2048s", len(f["cmdline"]), f["cmdline"])
        total = 16 + len(body)
        total += -total % 8
        return struct.pack("<QII", f["magic"], f["version"], total) + \
            body + b"\0" * (total - 16 - len(body))

    save("plan", "good", plan())
    save("plan", "large", plan(
        mem=8 << 30, cpus=64, pids=72, segments=[
        (0x100000000, 0, 0x1000, 1 << 30, 2, 0)], entry=0x100000000))
    save("plan", "overlap", plan(segments=[
        (0x200000, 0, 1, 0x2000, 2, 0), (0x201000, 0, 1, 1, 3, 0)]))
    save("plan", "wrap", plan(segments=[
        (0x200000, 0, 1, 0xffffffffffffffff, 2, 0)]))


def cpio_entry(name, mode=0o100644, data=b"", namesize=None):
    name += b"\0"
    fields = [1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0,
              len(name) if namesize is None else namesize, 0]
    head = b"070701" + b"".join(b"%08x" % f for f in fields) + name
    head += b"\0" * (-len(head) % 4)
    return head + data + b"\0" * (-len(data) % 4)


def cpio_seeds():
    end = cpio_entry(b"TRAILER!!!") + b"\0" * 16
    save("cpio", "files", cpio_entry(b"usr", 0o40755)
         + cpio_entry(b"usr/bin/x", 0o100755, b"body") + end)
    save("cpio", "link", cpio_entry(b"bin", 0o120777, b"usr/bin") + end)
    save("cpio", "long", cpio_entry(b"x", namesize=0xffffffff) + end)
    save("cpio", "cut", cpio_entry(b"y", data=b"12345678")[:-4])


def elf_file(kind, segments, interp=b""):
    at = 64 + 56 * len(segments)
    head = b"\x7fELF\2\1\1" + b"\0" * 9 + struct.pack(
        "<HHIQQQIHHHHHH", kind, 62, 1, 0x401000, 64, 0, 0, 64, 56,
        len(segments), 0, 0, 0)
    for typ, flags, vaddr, filesz, memsz, offset in segments:
        head += struct.pack("<IIQQQQQQ", typ, flags, offset, vaddr, vaddr,
                            filesz, memsz, 4096)
    assert len(head) == at
    return head + interp


def elf_seeds():
    load = (1, 5, 0x400000, 200, 200, 0)
    save("elf", "static", elf_file(2, [
        load, (1, 6, 0x402010, 0x10, 0x3000, 0x10), (0x6474e551, 6, 0, 0, 0, 0)]))
    save("elf", "interp", elf_file(3, [
        (3, 4, 0, 8, 8, 64 + 112), (1, 5, 0, 200, 200, 0)], b"/lib/ld\0"))
    save("elf", "wrap", elf_file(2, [
        load, (1, 6, 0x500000, 16, 0xffffffffffffffff, 0)]))


def host_elf(phdrs, entry=0x100040, kind=2, tail=b""):
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", kind, 62, 1, entry, 64, 0, 0, 64, 56,
        len(phdrs), 0, 0, 0)
    return head + b"".join(struct.pack("<IIQQQQQQ", *p) for p in phdrs) + tail


def host_elf_seeds():
    high, low = 0xffffffff80000000, 0x100000
    load = (1, 5, 0, high, low, 0x200, 0x2000, 0x1000)
    rest = (1, 6, 0x100, high + 0x2000, low + 0x2000, 0x80, 0x1000, 0x1000)
    pad = bytes(0x200)
    save("kernel_elf", "high", host_elf([load], entry=high + 64, tail=pad))
    save("kernel_elf", "two", host_elf([load, rest], entry=low + 64, tail=pad))
    save("kernel_elf", "overlap", host_elf([load, load], tail=pad))
    save("kernel_elf", "short", host_elf([load]))

    # Notes: a foreign one, then Xen's with the entry of PVH. The byte of the
    # identification that fuzz_kernel_elf.c looks at asks for it.
    note = struct.pack("<III4s4s", 4, 3, 1, b"GNU", b"abc") + struct.pack(
        "<III4sQ", 4, 8, 18, b"Xen", low + 0x60)
    where = (4, 4, 64 + 2 * 56, 0, 0, len(note), len(note), 4)
    noted = host_elf([load, where], tail=note.ljust(0x200, b"\0"))
    save("kernel_elf", "pvh", noted[:9] + b"\2" + noted[10:])
    save("kernel_elf", "pvh_alone", noted[:24] + bytes(8) + noted[32:])

    # One segment at 0; interpreter at 300, dynamic section at 400, strings
    # at 600.
    whole = (1, 5, 0, 0, 0, 700, 700, 0x1000)
    interp = (3, 4, 300, 300, 300, 11, 11, 1)
    dynamic = (2, 4, 400, 400, 400, 112, 112, 8)
    tags = [(5, 600), (10, 60), (1, 1), (1, 9), (15, 17), (29, 25), (0, 0)]
    text = b"\0liba.so\0libb.so\0$ORIGIN\0/opt:${ORIGIN}/../lib\0"
    body = host_elf([whole, interp, dynamic], kind=3, entry=64)
    body = body.ljust(300, b"\0") + b"/lib/ld.so\0"
    body = body.ljust(400, b"\0") + b"".join(
        struct.pack("<QQ", *tag) for tag in tags)
    body = body.ljust(600, b"\0") + text
    save("elf_needs", "dynamic", body.ljust(700, b"\0"))
    save("elf_needs", "static", host_elf([load], tail=pad))
    save("elf_needs", "cut", body[:620])


def reloc_seeds():
    """A kernel at 16 MiB with its table of relocations behind it."""
    start = 0xffffffff81000000
    load = (1, 7, 120, start, 0x1000000, 64, 0x4000, 0x200000)
    text = struct.pack("<QQQ", 0, start + 16, start + 24).ljust(64, b"\0")
    plain = host_elf([load], entry=0x1000000, tail=text)

    def table(*groups):
        return b"".join(struct.pack("<I", 0) + b"".join(
            struct.pack("<I", start + at & 0xffffffff) for at in group)
            for group in groups)

    save("kernel_reloc", "three", plain + table((8, 16), (32,), (40, 60)))
    save("kernel_reloc", "two", plain + table((8, 16), (40, 60)))
    save("kernel_reloc", "empty", plain + table((), (), ()))
    save("kernel_reloc", "none", plain)
    save("kernel_reloc", "outside", plain + table((57,), (), (64,)))
    head = bytearray(plain + struct.pack("<IIQQQQIIQQ", 0, 1, 0, 0, 120, 64,
                                         0, 0, 0, 0))
    struct.pack_into("<Q", head, 40, 184)       # e_shoff
    struct.pack_into("<HH", head, 58, 64, 1)    # e_shentsize, e_shnum
    save("kernel_reloc", "sections", bytes(head) + table((8,), (), (40,)))


def cmsg(data, level=1, kind=1, length=None):
    length = 16 + len(data) if length is None else length
    return struct.pack("<Qii", length, level, kind) + data


def cmsg_seeds():
    files = cmsg(struct.pack("<ii", 3, 4))
    save("cmsg", "rights", files)
    save("cmsg", "two", files + cmsg(struct.pack("<iii", 1, 0, 0), kind=2))
    save("cmsg", "odd", cmsg(b"abc") + bytes(5) + files)
    save("cmsg", "short", cmsg(b"abc", length=15))
    save("cmsg", "long", cmsg(b"abc", length=1 << 32 | 19))


ME, RESOLVER, THERE = b"\x0a\0\2\x0f", b"\x0a\0\2\3", b"\xc0\0\2\1"
MAC, PEER = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"


def ip4(source, to, protocol, data):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64,
                       protocol, 0) + source + to + data


def udp(source, to, data):
    return struct.pack(">HHHH", source, to, 8 + len(data), 0) + data


def tcp(source, to, flags):
    return struct.pack(">HHIIBBHHH", source, to, 1, 1, 0x50, flags, 9, 0, 0)


def dns(reply, name, answers=b"", count=0):
    labels = b"".join(bytes([len(n)]) + n for n in name.split(b".")) + b"\0"
    return struct.pack(">HHHHHH", 7, 0x8180 if reply else 0x100, 1, count, 0,
                       0) + labels + b"\0\1\0\1" + answers


def net_filter_seeds():
    out, back = PEER + MAC, MAC + PEER

    def seed(name, *frames):
        save("net_filter", name, b"\4" + b"".join(
            struct.pack("<BH", direction, len(f)) + f
            for direction, f in frames))

    arp = struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + MAC + ME + bytes(6)
    seed("arp", (0, out + b"\x08\x06" + arp + RESOLVER))
    seed("tcp", (0, out + b"\x08\0" + ip4(ME, THERE, 6, tcp(9, 80, 2))))
    seed("visit", (1, back + b"\x08\0" + ip4(THERE, ME, 6, tcp(9, 4, 2))),
         (0, out + b"\x08\0" + ip4(ME, THERE, 6, tcp(4, 9, 18))))
    answer = b"\xc0\x0c\0\5\0\1\0\0\1\0\0\4\1a\xc0\x14" \
        b"\1a\xc0\x14\0\1\0\1\0\0\1\0\0\4" + THERE
    seed("name",
         (0, out + b"\x08\0" + ip4(ME, RESOLVER, 17, udp(
             99, 53, dns(False, b"example.org")))),
         (1, back + b"\x08\0" + ip4(RESOLVER, ME, 17, udp(
             53, 99, dns(True, b"example.org", answer, 2)))),
         (0, out + b"\x08\0" + ip4(ME, THERE, 6, tcp(9, 443, 2))))
    local = b"\xfe\x80" + bytes(13) + b"\1"
    nd = b"\x88\0\0\0\x20\0\0\0" + local + b"\2\1" + MAC
    seed("nd", (0, out + b"\x86\xdd" + struct.pack(
        ">IHBB", 6 << 28, len(nd), 58, 255) + local + local + nd))


def layer(*entries, kind=tarfile.PAX_FORMAT):
    """An archive; entries: name, and data, a link's target or None."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as tar:
        for name, what in entries:
            info = tarfile.TarInfo(name)
            info.mode, info.mtime = 0o755, 10 ** 9
            if isinstance(what, bytes):
                info.size = len(what)
                tar.addfile(info, io.BytesIO(what))
                continue
            info.type = tarfile.DIRTYPE
            if what:
                info.type = {"-": tarfile.SYMTYPE, "=": tarfile.LNKTYPE,
                             "c": tarfile.CHRTYPE}[what[0]]
                info.linkname = what[1:]
            tar.addfile(info)
    data = out.getvalue()
    return data[:len(data.rstrip(b"\0")) + 1023 & ~511]


def tar_seeds():
    def seed(name, first, second=b""):
        save("tar", name, struct.pack("<H", len(first)) + first + second)

    lower = layer(("d/a", b"a"), ("d/b", b"b" * 3000), ("l", "-d"),
                  ("h", "=d/a"), ("dev", "c"))
    seed("files", lower)
    seed("whiteouts", lower, layer(("d/.wh.a", b""), ("l/c", b"c"),
                                   ("d/.wh..wh..opq", b""), (".wh.h", b"")))
    seed("names", layer(("n" * 120 + "\u00e9/" + "m" * 100, b"x"),
                        ("s", "-" + "t" * 200)))
    seed("gnu", layer(("n" * 150, b"x"), ("s", "-" + "t" * 200),
                      kind=tarfile.GNU_FORMAT))
    seed("over", layer(("a/b", b"1"), ("c", b"2")),
         layer(("a", b"3"), ("c/d", b"4")))
    seed("loop", layer(("a", "-b"), ("b", "-a"), ("a/x", b"")))
    seed("gzip", gzip.compress(lower, mtime=0))


def label_seeds():
    save("label", "label", b'{"command": ["/bin/sh", "-c"], "env": ["A=b"],'
         b' "cwd": "/w", "uid": 7, "gid": 8}')
    save("label", "user", b"app:staff\nroot:x:0:0::/:\napp:x:7:8::/:\n"
         b"staff:x:50:\n")
    save("label", "pax", b"12 path=a/b\n21 mtime=123456.789\n11 size=12\n"
         b"15 linkpath=a\n")


def vsock_seeds():
    """Steps of fuzz_vsock.c: a byte that says what, then its numbers."""
    request, response, reset, shutdown, data, credit = 1, 2, 3, 4, 5, 6

    def packet(op, count=0, port=1, to=2, flags=0, room=0x4000, odd=0):
        return struct.pack("<BBBBBBHH", 0, odd, op, port, to, flags, room,
                           count)

    def host(kind, *rest):  # 0 a message, 1 a peer, 2 the loop, 3 a tick
        return bytes([150, (0, 100, 200, 250)[kind], *rest])

    def write(slot, count):
        return host(1, slot, 0) + struct.pack("<H", count)

    def read(slot, count):
        return host(1, slot, 150) + struct.pack("<H", count)

    buffers, turn = bytes([100, 12, 40]), host(2)
    start = bytes(4) + buffers
    opened = start + packet(request) + turn + host(0, 2, 0, 1, 0, 0) + turn
    # A client of the host's: the numbers of its ports begin at 2^30.
    client = start + host(0, 4, 0, 0, 1, 0) + turn + packet(
        response, to=0, odd=128)
    save("vsock", "connect", opened)
    save("vsock", "refused", start + packet(request) + host(0, 3, 0, 1, 0, 0))
    save("vsock", "client", client + turn + write(0, 100) + turn)
    save("vsock", "echo", opened + packet(data, 100) + read(0, 100) +
         write(0, 500) + turn + packet(credit) + packet(shutdown, flags=3))
    save("vsock", "full", opened + packet(data, 0x3fff) * 30 + turn +
         read(0, 65535) * 3 + turn + packet(shutdown, flags=2) + turn)
    save("vsock", "halves", opened + host(1, 0, 201, 0, 0) + turn +
         packet(data, 10) + packet(shutdown, flags=1) + turn +
         packet(shutdown, flags=2) + turn)
    save("vsock", "closed", opened + write(0, 90) + host(1, 0, 250, 0, 0) +
         turn + host(3) * 9 + packet(reset))
    save("vsock", "credit", opened + packet(credit, room=3) + write(0, 900) +
         turn + packet(credit, room=20) + packet(7))
    save("vsock", "strays", start + packet(data, 5) * 70 + buffers + turn)


cpio_seeds()
tar_seeds()
label_seeds()
cmsg_seeds()
net_filter_seeds()
elf_seeds()
host_elf_seeds()
reloc_seeds()
queue_seeds()
mmio_seeds()
pci_seeds()
balloon_seeds()
console_seeds()
vsock_seeds()
harness_seeds()
plan_seeds()
