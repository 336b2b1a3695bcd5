# SPDX-License-Identifier: Apache-2.0
"""Wrong input, damaged files, broken kernels: one clear line, the right
status, never a hang."""
import os
import random
import struct

import vm

HELLO = "hello, world\n"


def one_line(t, result, status, *words):
    result.ended(status).noted(*words)
    t.equal(len(result.errors.splitlines()), 1, f"lines\n{result}")
    t.equal(result.out, b"", "stdout")
    return result


def test_no_program(t):
    t.run().ended(125).noted("program")


def test_program_not_found(t):
    one_line(t, t.run("/no/such/program"), 127, "/no/such/program")


def test_program_not_in_path(t):
    one_line(t, t.run("no-such-program-anywhere"), 127,
             "no-such-program-anywhere")


def test_program_is_a_directory(t):
    one_line(t, t.run("/etc"), 126, "/etc", "directory")


def test_program_not_executable(t):
    path = t.tmp / "plain"
    path.write_bytes(t.program("hello").read_bytes())
    path.chmod(0o644)
    one_line(t, t.run(path), 126, "plain")


def test_program_is_text_without_interpreter(t):
    path = t.tmp / "text"
    path.write_text("just words\n")
    path.chmod(0o755)
    t.run(path).ended(126).noted("text")


def test_program_is_empty(t):
    path = t.tmp / "empty"
    path.touch(0o755)
    t.run(path).ended(126).noted("empty")


def test_script_with_missing_interpreter(t):
    path = t.tmp / "script"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    result = t.run(path)
    t.check(result.status in (126, 127), result)
    result.noted("/no/such/interpreter")


def test_program_for_another_machine(t):
    data = bytearray(t.program("hello").read_bytes())
    struct.pack_into("<H", data, 18, 183)  # EM_AARCH64
    path = t.tmp / "arm"
    path.write_bytes(data)
    path.chmod(0o755)
    t.run(path).ended(126).noted("arm")


def test_program_truncated(t):
    data = t.program("hello-dynamic").read_bytes()
    for size in (1, 4, 40, 64, 100, 300):
        path = t.tmp / f"cut{size}"
        path.write_bytes(data[:size])
        path.chmod(0o755)
        result = t.run(path, limit=20)
        t.check(result.status in (126, 127), result)
        t.check(result.notes or result.err, result)


def damaged(t, data, seed):
    """A program with a few bytes of its headers changed."""
    rng = random.Random(seed)
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        data[rng.randrange(16, 900)] = rng.choice((0, 1, 0x7f, 0xff,
                                                   rng.randrange(256)))
    path = t.tmp / f"damaged{seed}"
    path.write_bytes(data)
    path.chmod(0o755)
    return path


def test_damaged_programs(t):
    """Whatever comes out of it, it comes out, and Ampoule survives."""
    for name in ("hello", "hello-dynamic", "hello-static-pie"):
        data = t.program(name).read_bytes()
        for seed in range(25):
            result = t.run("--time", "3", damaged(t, data, seed), limit=20)
            t.check(result.status is not None and 0 <= result.status < 160,
                    f"seed {seed}\n{result}")
            if result.status == 125:
                t.check(result.notes, f"seed {seed}\n{result}")


def test_option_values(t):
    hello = t.program("hello")
    for argv, word in ((("--mem", "lots"), "lots"), (("--mem", "-1"), "--mem"),
                       (("--mem", ""), "--mem"), (("--mem", "3X"), "3X"),
                       (("--mem", "99999999999G"), "--mem"),
                       (("--time", "soon"), "soon"), (("--time", "-3"), "-3"),
                       (("--cpus", "0"), "--cpus"),
                       (("--cpus", "1000000"), "--cpus"),
                       (("--env", "=x"), "--env"),
                       (("--name", "../up"), "--name"),
                       (("--transport", "isa"), "isa"),
                       (("--kernel", "/no/such/kernel"), "/no/such/kernel"),
                       (("--initrd", "/no/such/initrd"), "/no/such/initrd"),
                       (("--trace", "/no/such/dir/t"), "/no/such/dir/t"),
                       (("--log", "/no/such/dir/l"), "/no/such/dir/l"),
                       (("--cmdline", "x" * 5000), "--cmdline")):
        one_line(t, t.run(*argv, hello), 125, word)


def test_unknown_option(t):
    result = one_line(t, t.run("--mmem", "1M", "x"), 125, "--mmem")
    t.check("--mem" in result.errors.replace("--mmem", ""), result)


def test_option_without_value(t):
    one_line(t, t.run("--mem"), 125, "--mem")


def test_unknown_command(t):
    result = t.command(t.ampoule, "rnu", "x").ended(125)
    result.noted("rnu", "run")


# ------------------------------------------------------------ guest kernels

LOAD = 0x1000000


def kernel(code, **change):
    """A guest kernel: an ELF64 of one segment that starts with code."""
    field = dict(machine=62, kind=2, entry=LOAD, paddr=LOAD, offset=0x1000,
                 filesz=len(code), memsz=len(code), phentsize=56, phnum=1)
    field.update(change)
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", field["kind"], field["machine"], 1, field["entry"],
        64, 0, 0, 64, field["phentsize"], field["phnum"], 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 7, field["offset"], field["paddr"],
                          field["paddr"], field["filesz"], field["memsz"],
                          0x1000)
    return (head + segment).ljust(0x1000, b"\0") + code


def run_kernel(t, data, *options, limit=20):
    path = t.tmp / "kernel"
    path.write_bytes(data)
    return t.run("--kernel", path, *options, t.program("hello"), limit=limit)


def test_kernel_truncated(t):
    data = t.kernel.read_bytes()
    for size in (0, 3, 63, 64, 100, len(data) // 2):
        one_line(t, run_kernel(t, data[:size]), 125, "kernel")


def test_kernel_of_text(t):
    one_line(t, run_kernel(t, b"#!/bin/sh\n" * 100), 125, "kernel")


def test_kernel_for_another_machine(t):
    one_line(t, run_kernel(t, kernel(b"\xf4", machine=183)), 125, "kernel")


def test_kernel_is_a_directory(t):
    t.run("--kernel", "/etc", t.program("hello")).ended(125).noted("/etc")


def test_kernel_fields_out_of_range(t):
    for change in ({"paddr": 1 << 40}, {"paddr": 0xfffffffffffff000},
                   {"paddr": 0xd0000000}, {"offset": 1 << 60},
                   {"filesz": 1 << 50, "memsz": 1 << 50},
                   {"filesz": 100, "memsz": 1}, {"memsz": 1 << 63},
                   {"phnum": 0}, {"phnum": 65535}, {"phentsize": 1},
                   {"entry": 1 << 45}):
        result = run_kernel(t, kernel(b"\xf4" * 200, **change))
        result.ended(125).noted("kernel")


def test_kernel_triple_fault(t):
    """lidt of an empty table, then an exception."""
    code = bytes.fromhex("0f011c2500100000" "0f0b")
    result = run_kernel(t, kernel(code)).ended(125)
    result.noted("triple fault")


def test_kernel_jumps_to_nowhere(t):
    code = bytes.fromhex("48b80000000000800000" "ffe0")  # mov rax, 2^47; jmp
    result = run_kernel(t, kernel(code), "--time", "5").ended(125)
    t.check(result.notes, result)


def test_kernel_reads_a_hole(t):
    """Memory that is no memory: reads all ones; then it halts for ever."""
    code = bytes.fromhex("a100000000d0000000" "f4ebfd")
    result = run_kernel(t, kernel(code), "--time", "1")
    t.check(result.status in (124, 125) and result.notes, result)


def test_kernel_emulation_failure(t):
    """An instruction on device memory that no emulator knows. It may also
    fault (and with no table, triple fault): either is one line."""
    code = bytes.fromhex("48bb00e000d000000000" "c5fd6f03" "f4ebfd")
    result = run_kernel(t, kernel(code), "--time", "3")
    t.check(result.status == 125 and len(result.notes) == 1, result)


def test_kernel_hangs_halted(t):
    result = run_kernel(t, kernel(b"\xf4\xeb\xfd"), "--time", "1")
    result.ended(124).noted("time")


def test_kernel_hangs_spinning(t):
    result = run_kernel(t, kernel(b"\xeb\xfe"), "--time", "1")
    result.ended(124).noted("time")


def test_kernel_hangs_on_ports(t):
    """out 0x80 for ever: every instruction is an exit."""
    result = run_kernel(t, kernel(b"\xe6\x80\xeb\xfc"), "--time", "1")
    result.ended(124).noted("time")


def test_kernel_resets_by_keyboard_port(t):
    """mov al, 0xfe; out 0x64, al; hlt - the old way to reboot."""
    result = run_kernel(t, kernel(b"\xb0\xfe\xe6\x64\xf4\xeb\xfd"), "--time",
                        "3")
    t.check(result.status == 125 and result.notes, result)


def test_kernel_fuzzed(t):
    """mote with damaged headers and code: ends, with a line, in time."""
    data = t.kernel.read_bytes()
    for seed in range(20):
        rng = random.Random(seed)
        bad = bytearray(data)
        area = 400 if seed % 2 else len(bad)
        for _ in range(3 if seed % 2 else 60):
            bad[rng.randrange(16, area)] = rng.randrange(256)
        result = run_kernel(t, bytes(bad), "--time", "2")
        fine = result.status == 0 and result.text == HELLO
        t.check(fine or result.status in (124, 125, 126, 127) and result.err
                or result.status in range(128, 160),
                f"seed {seed}\n{result}")


def test_initrd_of_noise(t):
    path = t.tmp / "initrd"
    path.write_bytes(random.Random(1).randbytes(100000))
    result = t.run("--time", "5", "--initrd", path, t.program("hello"))
    t.check(result.status not in (0, None) and result.err, result)


# --------------------------------------------------------------- the host

def hidden(t, mount):
    """A run in a mount namespace where /dev/kvm is something else."""
    t.need("/usr/bin/unshare")
    if os.geteuid():
        t.skip("needs root for a mount namespace")
    return t.shell(f"exec unshare -m bash -c '{mount} && exec \"$A\" run"
                   " \"$P\"/hello'")


def test_kvm_is_not_kvm(t):
    one_line(t, hidden(t, "mount --bind /dev/null /dev/kvm"), 125, "/dev/kvm")


def test_kvm_missing(t):
    one_line(t, hidden(t, "mount -t tmpfs none /dev"), 125, "/dev/kvm")


def test_kvm_forbidden(t):
    t.need("/usr/bin/setpriv")
    if os.geteuid():
        t.skip("needs root to become somebody else")
    import shutil
    import tempfile
    with tempfile.TemporaryDirectory(prefix="ampoule-test-", dir="/tmp") as name:
        os.chmod(name, 0o755)
        for path in ("runner/cli/ampoule", "jailer/ampoule-jailer",
                     "runner/vmm/ampoule-vmm", "kernels/mote/mote",
                     "tests/integration/hello"):
            target = vm.pathlib.Path(name) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(t.build / path, target)
        mode = os.stat("/dev/kvm").st_mode
        if mode & 0o006 == 0o006:
            t.skip("/dev/kvm is open to everybody here")
        result = t.command("/usr/bin/setpriv", "--reuid=65534",
                           "--regid=65534", "--clear-groups",
                           f"{name}/runner/cli/ampoule", "run",
                           f"{name}/tests/integration/hello")
    one_line(t, result, 125, "/dev/kvm")
