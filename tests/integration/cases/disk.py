# SPDX-License-Identifier: Apache-2.0
"""Disks of a VM: files of the host behind /dev/vda and on. What is flushed is
there, whatever becomes of the VM; what is refused is refused in one line."""
import hashlib
import os
import random
import re
import signal
import subprocess
import time

import vm
from cases import jail

BUSYBOX = "/bin/busybox"
ENGINES = ("io_uring", "threads")
BLOCK = 4096
BLOCKS = 50
MIB = 1 << 20


def image(t, name="disk", size=MIB):
    """A file whose 4 KiB blocks are full of their number."""
    path = t.tmp / name
    path.write_bytes(b"".join(bytes([n % 256]) * BLOCK
                              for n in range(size // BLOCK)))
    return path


def shell(t, script, *options, **more):
    t.need(BUSYBOX)
    return t.run(*options, BUSYBOX, "sh", "-c", script, **more)


def need_engine(t, engine):
    path = image(t, f"try-{engine}")
    result = shell(t, ":", "--disk", f"{path},engine={engine}")
    if result.status == 125 and "no io_uring" in result.errors:
        t.skip("this host has no io_uring")
    result.ended(0).quiet()


def test_reads_and_writes(t):
    for engine in ENGINES:
        need_engine(t, engine)
        path = image(t, engine)
        shell(t, "head -c 8192 /dev/vda | tail -c 1 | od -An -tu1;"
              "printf abc | dd of=/dev/vda bs=3 seek=4096 conv=notrunc "
              "2>/dev/null; sync", "--disk", f"{path},engine={engine}"
              ).ended(0).said("   1\n").quiet()
        t.equal(path.read_bytes()[12288:12292], b"abc\3", engine)


def test_discards(t):
    """What is discarded takes no space on the host any more."""
    for engine in ENGINES:
        need_engine(t, engine)
        path = image(t, engine)
        shell(t, "blkdiscard -o 65536 -l 131072 /dev/vda", "--disk",
              f"{path},engine={engine}").ended(0).quiet()
        data = path.read_bytes()
        t.equal(data[65536:196608], bytes(131072), engine)
        t.equal((data[65535], data[196608]), (15, 48), engine)
        t.check(path.stat().st_blocks * 512 < MIB, "the space is back")


def test_several_disks_in_their_order(t):
    options = []
    for n in range(4):
        path = t.tmp / f"disk{n}"
        path.write_bytes(b"%d" % n * 512)
        options += ["--disk", f"{path},ro"]
    shell(t, "for d in a b c d; do head -c 1 /dev/vd$d; done",
          *options).ended(0).said("0123").quiet()


def test_read_only_is_read_only(t):
    path = image(t)
    before = path.read_bytes()
    result = shell(t, "echo x > /dev/vda", "--disk", f"{path},ro")
    t.check(result.status != 0, result)
    t.equal(path.read_bytes(), before, "the file")


def test_overlay_in_memory_ends_with_the_vm(t):
    path = image(t)
    before = path.read_bytes()
    script = "printf new > /dev/vda; sync; head -c 4 /dev/vda | od -An -c"
    for _ in range(2):
        shell(t, script, "--disk", f"{path},overlay=mem").ended(0).said(
            "   n   e   w  \\0\n").quiet()
    t.equal(path.read_bytes(), before, "the base")


def test_two_vms_share_a_base(t):
    path = image(t)
    command = ("--disk", f"{path},overlay=mem", BUSYBOX, "sh", "-c",
               "read x; echo $x > /dev/vda; head -c 2 /dev/vda; read x")
    vms = [t.start_vm(*command, stdin=subprocess.PIPE) for _ in range(3)]
    for n, process in enumerate(vms):
        process.stdin.write(b"%d\n" % n)
        process.stdin.flush()
    for n, process in enumerate(vms):
        out, err = process.communicate(b"\n", timeout=30 * vm.SLOW)
        t.equal((process.returncode, out, err), (0, b"%d\n" % n, b""), n)


def test_overlay_in_a_file_is_kept(t):
    path, over = image(t), t.tmp / "over"
    before = path.read_bytes()
    disk = ("--disk", f"{path},overlay={over}")
    shell(t, "printf kept > /dev/vda; sync", *disk).ended(0).quiet()
    shell(t, "head -c 5 /dev/vda | od -An -c", *disk).ended(0).said(
        "   k   e   p   t  \\0\n").quiet()
    t.equal(path.read_bytes(), before, "the base")
    t.check(over.stat().st_blocks * 512 < MIB // 4, "the overlay is sparse")


def test_a_name_with_a_comma(t):
    path = image(t, "a,b")
    shell(t, "head -c 1 /dev/vda", "--disk",
          str(path).replace(",", ",,") + ",ro").ended(0).said(b"\0").quiet()


def refused(t, value, *words):
    result = shell(t, "echo started", "--disk", value)
    result.ended(125).said("").noted("--disk", *words)
    t.equal(len(result.notes), 1, result)


def test_what_is_no_disk(t):
    path = image(t)
    (t.tmp / "odd").write_bytes(b"x" * 513)
    (t.tmp / "empty").touch()
    os.mkfifo(t.tmp / "fifo")
    refused(t, t.tmp, "directory")
    refused(t, f"{t.tmp},ro", "directory", "no disk")
    refused(t, t.tmp / "fifo", "no disk")
    refused(t, "/dev/null", "no disk")
    refused(t, t.tmp / "odd", "513 bytes", "512")
    refused(t, t.tmp / "empty", "0 bytes")
    refused(t, t.tmp / "none", "No such file")
    refused(t, f"{path},wr", "unknown option")
    refused(t, f"{path},ro,overlay=mem", "only read")
    refused(t, f"{path},burst=1M", "without a rate")
    refused(t, f"{path},rate=", "rate=")
    refused(t, f"{path},serial=123456789012345678901", "20 characters")
    refused(t, f"{path},overlay={t.tmp}", "overlay", "directory")
    refused(t, f"{path},overlay={path}", "used")
    refused(t, "", "no file")


def test_a_stranger_s_overlay(t):
    path, over = image(t), t.tmp / "over"
    shell(t, ":", "--disk", f"{path},overlay={over}").ended(0)
    good = over.read_bytes()
    other = image(t, "other", 2 * MIB)
    foreign = {"another base": (other, good),
               "noise": (path, random.Random(1).randbytes(9000)),
               "cut": (path, good[:5000]),
               "an image": (path, path.read_bytes())}
    for what, (base, data) in foreign.items():
        over.write_bytes(data)
        result = shell(t, "echo started", "--disk", f"{base},overlay={over}")
        result.ended(125).said("").noted("overlay")
        t.equal(over.read_bytes(), data, what)


def test_one_writer_at_a_time(t):
    path = image(t)
    hold = ("sh", "-c", "echo up; read x")
    writer = t.start_vm("--disk", path, BUSYBOX, *hold,
                        stdin=subprocess.PIPE)
    t.equal(writer.stdout.readline(), b"up\n", "the first")
    refused(t, path, "another VM")
    refused(t, f"{path},ro", "another VM", "writes")
    refused(t, f"{path},overlay=mem", "another VM", "writes")
    writer.communicate(b"\n", timeout=30 * vm.SLOW)
    # Its end is the end of that.
    shell(t, ":", "--disk", path).ended(0).quiet()
    reader = t.start_vm("--disk", f"{path},ro", BUSYBOX, *hold,
                        stdin=subprocess.PIPE)
    t.equal(reader.stdout.readline(), b"up\n", "a reader")
    shell(t, ":", "--disk", f"{path},ro").ended(0).quiet()
    refused(t, path, "another VM")
    reader.communicate(b"\n", timeout=30 * vm.SLOW)


def vmm_of(process):
    """The VMM is the command's child."""
    path = f"/proc/{process.pid}/task/{process.pid}/children"
    with open(path, encoding="ascii") as children:
        return [int(pid) for pid in children.read().split()]


def acknowledged(process, lines, rng):
    """Kill the VMM somewhere after so many lines; the last whole number."""
    for _ in range(lines):
        t_line = process.stdout.readline()
        if not t_line:
            break
    time.sleep(rng.random() * 0.01)
    for pid in vmm_of(process):
        os.kill(pid, signal.SIGKILL)
    rest = process.communicate(timeout=30 * vm.SLOW)[0]
    numbers = re.findall(rb"(\d+)\n", (t_line or b"") + rest)
    return int(numbers[-1]) if numbers else 0


def compare(t, rows, stable, start):
    """Every block that was acknowledged is there, or a later one in its place;
    every sector is one that was written whole."""
    for place, *sectors in rows:
        last = max((n for n in range(1, stable + 1)
                    if n * 7 % BLOCKS == place), default=start)
        for n in sectors:
            later = n > stable and n * 7 % BLOCKS == place
            t.check(n == last or later,
                    f"block {place}: {sectors}, acknowledged {last}")


def kill_in_the_middle(t, disk, moments, seed):
    rng = random.Random(seed)
    sectors = t.program("sectors")
    total = 0
    for _ in range(moments):
        base = t.tmp / "base"
        base.write_bytes(bytes(BLOCKS * BLOCK))
        (t.tmp / "over").unlink(missing_ok=True)
        process = t.start_vm("--disk", disk, sectors, "write", "/dev/vda",
                             BLOCKS, rng.choice((1, 3, 10)))
        stable = acknowledged(process, 1 + rng.randrange(12), rng)
        total += stable
        result = t.run("--disk", disk, sectors, "read", "/dev/vda",
                       BLOCKS).ended(0)
        rows = [[int(word) for word in line.split()]
                for line in result.text.splitlines()]
        t.equal(len(rows), BLOCKS, "blocks read")
        compare(t, rows, stable, 0)
    t.check(total > moments, f"{total} blocks were acknowledged")
    t.note(f"{moments} times killed, {total} blocks acknowledged")


@vm.alone
def test_what_was_flushed_survives_a_kill(t):
    kill_in_the_middle(t, t.tmp / "base", 12, 1)


@vm.alone
def test_what_was_flushed_to_an_overlay_survives_a_kill(t):
    for seed, engine in enumerate(ENGINES):
        need_engine(t, engine)
        kill_in_the_middle(
            t, f"{t.tmp / 'base'},overlay={t.tmp / 'over'},engine={engine}",
            12, 2 + seed)


def test_a_full_disk_is_an_error_of_the_guest(t):
    """The host's file system is full: EIO in the VM, one line outside, and the
    VM goes on."""
    jail.need_root(t)
    full = t.tmp / "full"
    full.mkdir()
    t.command("mount", "-t", "tmpfs", "-o", "size=256k", "none",
              full).ended(0)
    t.stack.callback(subprocess.run, ["umount", "-l", full], check=False)
    with open(full / "disk", "wb") as disk:
        disk.truncate(MIB)
    for engine in ENGINES:
        need_engine(t, engine)
        result = t.run("--disk", f"{full / 'disk'},engine={engine}",
                       t.program("sectors"), "write", "/dev/vda", 256, 1000)
        result.ended(1).said("write: EIO\n")
        result.noted("disk0", "cannot write", "No space left")
        t.equal(len(result.notes), 1, result)


def test_a_rate_limited_disk_works(t):
    """No kick reads or writes it: all of it is the ring's or the threads'."""
    for engine in ENGINES:
        need_engine(t, engine)
        path = image(t, engine)
        data = path.read_bytes()
        disk = f"{path},engine={engine},ops=400,ops-burst=20,rate=4M,burst=1M"
        shell(t, "dd if=/dev/vda of=/tmp/x bs=4k count=60 2>/dev/null &&"
              "dd if=/tmp/x of=/dev/vda bs=4k seek=60 conv=notrunc 2>/dev/null"
              "&& sync && echo done", "--disk", disk
              ).ended(0).said("done\n").quiet()
        end = 120 * BLOCK
        t.check(path.read_bytes() == data[:end // 2] * 2 + data[end:], engine)


def test_what_the_host_has_not_in_memory(t):
    """Reads that wait for the host's disk, then a part of a sector written."""
    data = random.Random(5).randbytes(4 * MIB)
    changed = data[:-512] + b"new" + data[-509:]
    for engine in ENGINES:
        need_engine(t, engine)
        path = t.tmp / engine
        path.write_bytes(data)
        with open(path, "rb+") as f:
            os.fsync(f)  # what is not on the disk yet stays in memory
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        shell(t, "sha256sum </dev/vda; printf new | dd of=/dev/vda bs=512 "
              "seek=8191 conv=notrunc 2>/dev/null; sha256sum </dev/vda; sync",
              "--disk", f"{path},engine={engine}").ended(0).said(
                  "".join(f"{hashlib.sha256(d).hexdigest()}  -\n"
                          for d in (data, changed))).quiet()
        t.check(path.read_bytes() == changed, engine)


def test_more_than_memory_has(t):
    """A disk larger than the VM's memory: the limit on files knows it."""
    path = t.tmp / "large"
    with open(path, "wb") as disk:
        disk.truncate(600 * MIB)
    for overlay in ("", f",overlay={t.tmp / 'over'}"):
        shell(t, "printf end | dd of=/dev/vda bs=512 seek=1228799 conv=notrunc"
              " 2>/dev/null; sync; tail -c 512 /dev/vda | head -c 3",
              "--mem", "64M", "--disk", f"{path}{overlay}"
              ).ended(0).said("end").quiet()


def test_a_program_that_ends_while_it_writes(t):
    """Requests that nobody waits for any more do not keep the next VM out."""
    path = image(t)
    for engine in ENGINES:
        need_engine(t, engine)
        for _ in range(5):
            shell(t, "dd if=/dev/zero of=/dev/vda bs=64k count=16 2>/dev/null "
                  "& exit 3", "--disk", f"{path},engine={engine}").ended(3)


def loop_device(t, path):
    """A block device of the host over a file."""
    jail.need_root(t)
    made = t.command("losetup", "--find", "--show", path)
    if made.status:
        t.skip("this host has no loop devices")
    device = made.text.strip()
    t.stack.callback(subprocess.run, ["losetup", "-d", device], check=False)
    return device


def test_a_block_device(t):
    """Read, written and flushed as a file is."""
    path = image(t)
    device = loop_device(t, path)
    for engine in ENGINES:
        need_engine(t, engine)
        shell(t, "head -c 8192 /dev/vda | tail -c 1 | od -An -tu1;"
              f"printf {engine} | dd of=/dev/vda bs=4k seek=9 conv=notrunc "
              "2>/dev/null; sync", "--disk", f"{device},engine={engine}"
              ).ended(0).said("   1\n").quiet()
        t.equal(path.read_bytes()[9 * BLOCK:][:len(engine)], engine.encode(),
                engine)


def test_a_block_device_that_vanishes(t):
    """Under a running VM the host's device ends: EIO in the VM, for what is
    read and what is written, one line outside, and the VM goes on."""
    for engine in ENGINES:
        need_engine(t, engine)
        path = image(t, f"gone-{engine}")
        device = loop_device(t, path)
        process = t.start_vm(
            "--disk", f"{device},engine={engine}", BUSYBOX, "sh", "-c",
            "head -c 4096 /dev/vda | wc -c; read x;"
            "dd if=/dev/vda of=/dev/null bs=4k skip=100 count=1 2>/dev/null ||"
            "echo unreadable; dd if=/dev/zero of=/dev/vda bs=4k seek=50 "
            "count=1 conv=notrunc,fsync 2>/dev/null || echo unwritable",
            stdin=subprocess.PIPE)
        t.equal(process.stdout.readline(), b"4096\n", "before")
        os.truncate(path, 0)
        t.command("losetup", "--set-capacity", device).ended(0)
        out, err = process.communicate(b"go\n", timeout=30 * vm.SLOW)
        t.equal((process.returncode, out), (0, b"unreadable\nunwritable\n"),
                err)
        t.check(b"disk0: cannot read at sector 800" in err, err)
        t.check(err.count(b"\n") <= 2, err)
