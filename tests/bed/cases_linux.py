# SPDX-License-Identifier: Apache-2.0
"""Linux guests on hardware KVM: Debian's kernel, and the one of ./dev kernel
where it is built."""
import pathlib
import shutil

from bedlib import BUILD, Failed, HERE, bed, program, verdicts


def has_linux(name):
    """Was there a ./dev kernel?"""
    if (BUILD / "kernels/linux/vmlinux").exists():
        return True
    print(f"skip {name} # no Linux kernel: ./dev kernel")
    return False


LINUX = "ampoule run --time 90 --kernel linux"


def test_linux_program():
    """Exit codes, streams, CPUs and memory as with mote."""
    if not has_linux("linux_program"):
        return
    result = bed(f"""
        {LINUX} busybox sh -c 'exit 42'; echo $?
        {LINUX} busybox sh -c 'kill -9 $$'; echo $?
        seq 20000 | {LINUX} busybox sha256sum; seq 20000 | sha256sum
        {LINUX} busybox sh -c 'echo out; echo err >&2'
        : | {LINUX} busybox wc -c
        {LINUX} busybox yes | head -n 1
        {LINUX} --cpus 2 --mem 64M --user 7:8 --cwd /tmp --env A=b busybox sh \
            -c 'id -u; id -g; pwd; echo $A; grep -c ^processor /proc/cpuinfo'
        {LINUX} --cpus 4 --mem 3500M busybox sh -c \
            'grep -c ^processor /proc/cpuinfo; free -m | head -2 | tail -1'
        """)
    first, second = result.out.splitlines()[2:4]
    result.want("sum", first, second)
    total = int(result.out.splitlines()[-1].split()[1])
    if not 3300 < total < 3500:
        raise Failed(f"{total} MiB of memory above and below 4 GiB")
    result.expect(out=f"42\n137\n{first}\n{first}\nout\n0\ny\n7\n8\n/tmp\n"
                  "b\n2\n4\n" + result.out.splitlines()[-1] + "\n",
                  err="err\n")


def test_linux_pci():
    """The same devices on PCI: MSI-X, no window of virtio-mmio."""
    if not has_linux("linux_pci"):
        return
    result = bed(f"echo in | {LINUX} --transport pci --cpus 2 busybox sh -c "
                 "'cat; ls /sys/bus/pci/devices | wc -l; "
                 "ls /sys/bus/platform/drivers/virtio-mmio | grep -c LNRO'")
    lines = result.out.split()
    result.want("input", lines[0], "in")
    if int(lines[1]) < 3 or lines[2] != "0":
        raise Failed(f"devices on PCI and on mmio: {lines[1:]}")


def test_linux_ends(say):
    """Power-off, reboot, panic, signals: linux_ends.sh."""
    if not has_linux("linux_ends"):
        return
    result = bed("sh ./linux_ends.sh # --kernel linux", HERE / "linux_ends.sh")
    verdict, details = verdicts(result)
    ended = verdict.pop("end", False)
    for name, good in verdict.items():
        say(good, f"linux_ends {name}", details[name])
    say(ended, "linux_ends came to its end",
        [f"status {result.status}", *result.err.splitlines()[-10:]])


def test_linux_of_debian():
    """Debian's cloud kernel: a bzImage, its drivers in modules."""
    run = "ampoule run --time 200 --mem 256M --kernel guest/boot/vmlinuz"
    result = bed(f"echo in | {run} busybox sh -c 'cat; uname -r; exit 7'; "
                 f"echo $?; ls guest/lib/modules; "
                 f"head -c 100000 guest/boot/vmlinuz >cut; "
                 f"ampoule run --kernel ./cut busybox true; echo $?",
                 bring="-g")
    release = result.out.splitlines()[-2]
    result.expect(out=f"in\n{release}\n7\n{release}\n125\n")
    result.want("lines about the cut kernel", result.err.count("\n"), 1)


def test_linux_devices(say):
    """Linux's own drivers of the small devices: linux_devices.sh."""
    kernel = BUILD / "kernels/linux/vmlinux"
    if not kernel.exists():
        print("skip linux_devices # no Linux kernel: ./dev kernel")
        return
    result = bed("sh ./linux_devices.sh", HERE / "linux_devices.sh", kernel)
    verdict, details = verdicts(result)
    for name, good in verdict.items():
        say(good, f"linux_devices {name}", details[name])
    say(len(verdict) == 12, "linux_devices came to its end",
        [f"status {result.status}", *result.err.splitlines()[-10:]])


def linux_drivers(say, transport):
    """Debian's kernel drives disk, pmem and sockets: linux_drivers.sh."""
    name = f"linux_drivers {transport}"
    tools = [shutil.which(tool, path="/usr/sbin:/sbin")
             for tool in ("mke2fs", "e2fsck", "debugfs")]
    if not all(tools):
        print(f"skip {name} # no mke2fs: apt-get install e2fsprogs")
        return
    result = bed(f"sh ./linux_drivers.sh {transport}",
                 HERE / "linux_drivers.sh", *tools, program("vsocket"),
                 program("hostsock"), bring="-g")
    verdict, details = verdicts(result)
    ended = verdict.pop(f"{transport}-end", False)
    for case, good in verdict.items():
        say(good, f"linux_drivers {case}", details[case])
    say(ended, f"{name} came to its end",
        [f"status {result.status}", *result.err.splitlines()[-10:]])


def test_linux_drivers_mmio(say):
    """By the windows that the DSDT names."""
    linux_drivers(say, "mmio")


def test_linux_drivers_pci(say):
    """By MSI-X; a disk is let go and taken again."""
    linux_drivers(say, "pci")


def test_linux_queues(say):
    """Queues and offloads of a tap, on mmio and on PCI: linux_queues.sh."""
    result = bed("sh ./linux_queues.sh", HERE / "linux_queues.sh", bring="-g")
    verdict, details = verdicts(result)
    ended = verdict.pop("end", False)
    for name, good in verdict.items():
        say(good, f"linux_queues {name}", details[name])
    say(ended, "linux_queues came to its end",
        [f"status {result.status}", *result.err.splitlines()[-10:]])


def test_linux_net(say):
    """Linux's own driver of the network device: linux_net.sh."""
    kernel = BUILD / "kernels/linux/vmlinux"
    passt = pathlib.Path("/usr/bin/passt")
    for needed, how in ((kernel, "./dev kernel"), (passt, "apt-get install passt")):
        if not needed.exists():
            print(f"skip linux_net # {needed} is not here: {how}")
            return
    result = bed("sh ./linux_net.sh", HERE / "linux_net.sh", kernel, passt)
    verdict, details = verdicts(result)
    for name, good in verdict.items():
        say(good, f"linux_net {name}", details[name])
    say(len(verdict) == 8, "linux_net came to its end",
        [f"status {result.status}", *result.err.splitlines()[-10:]])
