# SPDX-License-Identifier: Apache-2.0
"""Named VMs of a user without privilege; places that belong to somebody else."""
import os
import pathlib
import signal
import stat

import vm
from host import Host, nothing_left

NOBODY = 65534


def as_nobody(t):
    """A user without rights, who may open /dev/kvm only in a mount namespace
    of his own; his registry is below the case's directory."""
    if os.geteuid():
        t.skip("only root becomes another user")
    t.need("/usr/bin/unshare", "/usr/bin/setpriv")
    probe = t.command("setpriv", "--reuid", NOBODY, "--regid", NOBODY,
                      "--clear-groups", "--", t.ampoule, "--version")
    if probe.status:
        t.skip(f"{t.ampoule} cannot be reached by another user")
    os.chmod(t.tmp, 0o755)
    kvm = t.tmp / "kvm"
    os.mknod(kvm, stat.S_IFCHR | 0o666, os.makedev(10, 232))
    os.chmod(kvm, 0o666)
    script = (f"mount --bind {kvm} /dev/kvm && exec setpriv --reuid {NOBODY} "
              f"--regid {NOBODY} --clear-groups -- \"$@\"")
    host = Host(t, wrap=("unshare", "-m", "sh", "-c", script, "sh"))
    os.chown(t.tmp / "xdg", NOBODY, NOBODY)
    return host


@vm.alone
def test_as_a_user(t):
    """The whole life without privilege; the registry is the user's."""
    host = as_nobody(t)
    name = host.program("ends", "wait")
    where = os.stat(host.vms / name)
    t.equal((where.st_uid, stat.S_IMODE(where.st_mode)), (NOBODY, 0o700),
            "owner and mode")
    t.check(host.ps()[name]["pid"], host.ps())
    t.check(name not in t.command(t.ampoule, "ps", "-aq").text,
            "root's list has it")
    host("pause", name).ended(0).quiet()
    t.equal(host.ps()[name]["state"], "paused", "state")
    host("resume", name).ended(0).quiet()
    host("kill", name).ended(0).quiet()
    host("wait", name).ended(143).said("143\n")
    host("logs", name).said("waiting\n")
    host("rm", name).ended(0).quiet()
    os.kill(host.monitor(host.program("ends", "loop", name="m")),
            signal.SIGKILL)
    nothing_left(t, host)


@vm.alone
def test_a_registry_of_others_is_refused(t):
    """/tmp is everybody's: a directory or link there that is not ours."""
    host = as_nobody(t)
    host.env.pop("XDG_RUNTIME_DIR")
    place = pathlib.Path(f"/tmp/ampoule-{NOBODY}")
    if place.exists():
        t.skip(f"{place} is there")
    (t.tmp / "aim").mkdir()
    os.chown(t.tmp / "aim", NOBODY, NOBODY)

    def root_owns():
        place.mkdir(mode=0o777)
        os.chmod(place, 0o777)

    def others_write():
        place.mkdir()
        os.chown(place, NOBODY, NOBODY)
        os.chmod(place, 0o777)

    for make, clear in ((root_owns, place.rmdir), (others_write, place.rmdir),
                        (lambda: place.symlink_to(t.tmp / "aim"),
                         place.unlink)):
        make()
        try:
            host("start", t.program("hello")).ended(125).said("").noted(
                str(place), "XDG_RUNTIME_DIR")
            host("ps").ended(125).noted(str(place))
            # In the foreground, without a name, it is only not listed.
            host("run", t.program("hello")).ended(0).said("hello, world\n")
        finally:
            clear()
    t.equal(os.listdir(t.tmp / "aim"), [], "behind the link")


@vm.alone
def test_a_registry_in_tmp(t):
    """Without XDG_RUNTIME_DIR, or with one of somebody else."""
    host = as_nobody(t)
    place = pathlib.Path(f"/tmp/ampoule-{NOBODY}")
    if place.exists():
        t.skip(f"{place} is there")
    t.stack.callback(t.command, "rm", "-rf", place)
    host.vms = place / "vms"
    for runtime in (None, "/root", "relative", "/nonexistent"):
        host.env.pop("XDG_RUNTIME_DIR", None)
        if runtime:
            host.env["XDG_RUNTIME_DIR"] = runtime
        name = host.program("ends", "exit", "5")
        t.equal(stat.S_IMODE(place.stat().st_mode), 0o700, "mode")
        host("wait", name).ended(5)
        host("rm", name).ended(0)
        t.check(not place.exists(), "an empty directory is left in /tmp")
    # It comes and goes under the feet of others.
    all_ = [host.begin("run", t.program("hello")) for _ in range(12)]
    for process in all_:
        out, err = process.communicate(timeout=60 * vm.SLOW)
        t.equal((process.returncode, out, err), (0, b"hello, world\n", b""),
                "run")
    t.check(not place.exists(), "an empty directory is left in /tmp")
