# SPDX-License-Identifier: Apache-2.0
"""What the integration tests prove on this machine's KVM, with mote on hardware
KVM: its code runs natively, system calls enter by `syscall`."""
import difflib
import pathlib
import subprocess
import tempfile

from bedlib import (BUILD, Failed, HERE, LIMIT, QEMU, bed, program,
                    say_verdicts, verdicts)


def test_is_hardware_kvm():
    """Nested paging is on: what runs in L2 runs natively."""
    result = bed("cat /sys/module/kvm_amd/parameters/npt; ampoule doctor")
    result.want("npt", result.out.split("\n")[0], "Y")
    result.want("doctor's status", result.status, 0)


def test_hello():
    names = ["hello", "hello-static-pie", "hello-dynamic"]
    result = bed("".join(f"ampoule run ./{n}; " for n in names),
                 *map(program, names))
    result.expect(out="hello, world\n" * 3, err="")


def test_throw():
    result = bed("./throw >out; echo $?; ampoule run ./throw >in; echo $?; "
                 "cmp out in", program("throw"))
    first, second = result.out.splitlines()[:2]
    result.want("status inside as in L1", second, first)
    result.expect(out=f"{first}\n{second}\n")


ENDS = {
    "exit 0": 0, "exit 42": 42, "_exit 255": 255, "segv 0": 139,
    "abort": 134, "fpe": 136, "ill": 132, "trap": 133, "hlt": 139,
    "noexec": 139, "signal 15": 143, "stack": 139,
}


def test_exit_codes():
    script = "".join(f"ampoule run ./ends {how} >out 2>err; echo {how}: $?; "
                     f"grep -c SIG err; " for how in ENDS)
    result = bed(script, program("ends"))
    crashes = ("SEGV", "segv", "abort", "fpe", "ill", "trap", "hlt",
               "noexec", "stack")
    wanted = ""
    for how, status in ENDS.items():
        said = 1 if how.startswith(crashes) else 0
        wanted += f"{how}: {status}\n{said}\n"
    result.expect(out=wanted)


def test_time_limit():
    result = bed("ampoule run --time 6 ./ends loop; echo $?",
                 program("ends"))
    result.want("output", result.out, "looping\n124\n")
    result.want("one line about it", result.err.count("\n"), 1)


def test_devices_bear_random_use():
    """devfuzz.c with a kernel that runs natively. The VM may end with a line;
    that the VMM crashes, hangs or is ended by its policy is said in others."""
    for seed in (1, 2):
        result = bed("ampoule run --mem 128M --time 60 --cmdline devmem "
                     f"./devfuzz {seed} 5 </dev/zero >out; echo $?",
                     program("devfuzz"))
        said = f"seed {seed}, status {result.out}: {result.err[-600:]}"
        if int(result.out) not in (0, 124, 125, *range(129, 192)):
            raise Failed(said)
        if any(word in result.err for word in
               ("the VMM", "was killed", "was ended", "policy")):
            raise Failed(said)


def test_streams():
    result = bed("seq 20000 | ampoule run busybox sha256sum; "
                 "seq 20000 | sha256sum; "
                 "ampoule run busybox sh -c 'echo out; echo err >&2' 2>err; "
                 "cat err; : | ampoule run busybox wc -c")
    first, second = result.out.splitlines()[:2]
    result.want("sum", first, second)
    result.expect(out=f"{first}\n{second}\nout\nerr\n0\n")


def test_sleep_and_clock():
    """The guest's clock keeps time with L1's."""
    result = bed("a=$(date +%s); b=$(ampoule run busybox date +%s); "
                 "c=$(date +%s); [ $a -le $b ] && [ $b -le $c ] && "
                 "ampoule run busybox sleep 1 && d=$(date +%s) && "
                 "[ $d -gt $c ] || echo $a $b $c $d")
    result.expect(out="")


def test_several_at_once():
    result = bed("for i in 1 2 3 4; do "
                 "(seq $i 3000 | ampoule run busybox wc -l >out.$i) & done; "
                 "wait; cat out.?")
    result.expect(out="3000\n2999\n2998\n2997\n")


def test_image():
    """An image is the root, by pmem and by a disk: its own command, files of
    a size that takes many pages, changes that go with the VM."""
    result = bed("mkdir -p r/bin r/etc; cp /bin/busybox r/bin/; "
                 "for a in sh cat sha256sum; do ln -s busybox r/bin/$a; done; "
                 "seq 200000 >r/etc/many; sha256sum <r/etc/many; "
                 "ampoule image build r -o i.erofs -- "
                 "/bin/sha256sum /etc/many >&2 || exit; "
                 "for on in pmem disk; do "
                 "ampoule run --image i.erofs --image-on $on; "
                 "ampoule run --image i.erofs --image-on $on --rw -- /bin/sh "
                 "-c 'cat /etc/new; echo mine >/etc/new; cat /etc/new'; done")
    digest = result.out.split()[0]
    result.expect(out=f"{digest}  -\n" + 2 * f"{digest}  /etc/many\nmine\n")


def test_nothing_is_left():
    result = bed("ampoule run busybox true; ampoule run --time 1 ./ends loop "
                 ">/dev/null 2>&1; ps | grep -v grep | grep -c 'ampoule\\|vm:'",
                 program("ends"))
    result.want("processes left", result.out, "0\n")


def syscall_groups():
    done = subprocess.run([program("syscalls"), "-l"], text=True,
                          capture_output=True, check=True, timeout=20)
    return done.stdout.split()


PVH_MACHINE = [
    QEMU, "-M", "microvm,x-option-roms=off,rtc=off,acpi=off", "-accel", "tcg",
    "-cpu", "EPYC-v3", "-m", "128", "-nodefaults", "-no-user-config",
    "-display", "none", "-no-reboot",
    "-global", "virtio-mmio.force-legacy=false",
    "-device", "virtio-serial-device", "-chardev", "null,id=in",
    "-device", "virtconsole,chardev=in,nr=0",
    "-device", "virtserialport,chardev=out,nr=1",
    "-chardev", "null,id=err", "-device", "virtserialport,chardev=err,nr=2",
    "-device", "virtio-rng-device",
]


def pvh(*argv):
    """What a program says in mote that QEMU alone runs: started by PVH, CPL 0
    native with all of XSAVE, devices polled, no harness."""
    with tempfile.TemporaryDirectory(prefix="ampoule-bed-pvh.") as scratch:
        initrd, out = f"{scratch}/initrd", f"{scratch}/out"
        subprocess.run([BUILD / "runner/cli/ampoule", "pack", "--cwd", "/tmp",
                        "-o", initrd, *argv], check=True, timeout=60)
        subprocess.run([*PVH_MACHINE, "-chardev", f"file,id=out,path={out}",
                        "-kernel", BUILD / "kernels/mote/mote",
                        "-initrd", initrd], check=True, timeout=LIMIT,
                       stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return pathlib.Path(out).read_text(errors="replace")


def test_pvh_hello():
    for name in ("hello", "hello-static-pie", "hello-dynamic"):
        said = pvh(program(name))
        if said != "hello, world\n":
            raise Failed(f"{name} said {said!r}")


def test_pvh_signals(say):
    """Signal frames hold the vector registers, as on the host."""
    for group in syscall_groups():
        if not group.startswith(("signal", "exec", "malloc")):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            host = subprocess.run(
                [program("syscalls"), group], cwd=scratch, text=True,
                stdin=subprocess.DEVNULL, capture_output=True, check=False,
                start_new_session=True, timeout=60).stdout.splitlines()
        guest = pvh(program("syscalls"), group).splitlines()
        say(host == guest, f"pvh_signals {group}",
            list(difflib.unified_diff(host, guest, "outside", "inside", n=1,
                                      lineterm=""))[:40])


# Both alike: a fresh tmpfs directory, a session of their own, output to a pipe.
# What the shell and ampoule say about an end by a signal is not compared.
TABLE_GROUPS = 50  # at a time, far within LIMIT
# What Linux puts behind an FXSAVE area is chance without XSAVE, and emulation
# loads reserved bits of MXCSR where hardware faults. In how many pieces Linux
# hands over what a terminal echoes is chance where it is slow.
NOT_IN_L1 = {"fpu_frame", "fpu_damaged", "pty_bytes", "pty_session"}
TABLE_SCRIPT = """
for g in {groups}; do
	mkdir /tmp/$g; cd /tmp/$g
	{{ setsid /w/syscalls $g 2>&1; echo "status $?"; }} |
		grep -v '^Segmentation fault$' >/w/out
	cd /w
	{{ ampoule run --time 90 --cwd /tmp ./syscalls $g 2>&1
	echo "status $?"; }} | grep -v '^ampoule: ' >in
	if cmp -s out in; then echo "=ok $g"
	else echo "=not $g"; diff -U 1 out in | head -n 60; fi
done
"""


def test_syscall_table(say):
    """A group is a case: the same program in L1 and inside, the same output.
    """
    groups = [g for g in syscall_groups() if g not in NOT_IN_L1]
    for at in range(0, len(groups), TABLE_GROUPS):
        some_groups(say, groups[at:at + TABLE_GROUPS])


def some_groups(say, groups):
    result = bed(TABLE_SCRIPT.format(groups=" ".join(groups)),
                 program("syscalls"))
    verdict, details = verdicts(result)
    for group in groups:
        if group in verdict:
            say(verdict[group], f"syscall_table {group}", details[group])
        else:
            say(False, f"syscall_table {group}",
                [f"L1 did not come to it: status {result.status}",
                 *result.err.splitlines()[-10:]])


def test_cgroup2(say):
    """The VM's cgroup with version 2 alone: cgroup2.sh."""
    result = bed("sh ./cgroup2.sh", HERE / "cgroup2.sh",
                 *map(program, ("ends", "hello", "touch", "jailed")))
    say_verdicts(say, "cgroup2", result)
