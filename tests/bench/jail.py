# SPDX-License-Identifier: Apache-2.0
"""jail.py - what isolation costs: the jailer beside bubblewrap and runc, each
with one static program that tells the time of its first instruction and ends.

Alone, many at once, and on a host with many mounts (in a mount namespace made
for that); as root, and as a user who may open /dev/kvm.
"""
import contextlib
import json
import os
import pathlib
import shutil
import stat
import tempfile

from process import Failed, Run, Sample

NOBODY = 65534
MOUNTS = 500
AT_ONCE = 50
# (what a row says, how many at once, how many mounts)
SITUATIONS = [("alone", 1, 0), (f"{AT_ONCE} at once", AT_ONCE, 0),
              (f"{MOUNTS} mounts", 1, MOUNTS)]
COLUMNS = ("clone", "main", "first", "ended", "clean", "cpu")
PEERS = {"bwrap": "bubblewrap", "runc": "runc"}

# A host of its own for what follows: $1 mounts, and /dev/kvm for everybody.
# Shared, as systemd leaves them.
HOST = """
set -e
mount --make-rshared /
mount --bind "$DIR/kvm" /dev/kvm
if [ "$1" -gt 0 ]; then
    mount -t tmpfs none "$DIR/mounts"
    for i in $(seq "$1"); do
        mkdir "$DIR/mounts/$i"
        mount -t tmpfs -o size=4k none "$DIR/mounts/$i"
    done
fi
shift
exec "$@"
"""


class Place:
    """A directory that every user can reach, with all that is started."""

    def __init__(self, build):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="ampoule-jail."))
        os.chmod(self.path, 0o755)
        for part in ("jailer/ampoule-jailer", "tests/bench/jail",
                     "tests/bench/bench-stamp"):
            shutil.copy(build / part, self.path)
        self.stamp = self.path / "bench-stamp"
        (self.path / "mounts").mkdir()

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return str(self.path / name)

    def make_kvm(self):
        """A /dev/kvm for everybody; it is mounted where it is used."""
        os.mknod(self.file("kvm"), stat.S_IFCHR | 0o666, os.makedev(10, 232))
        os.chmod(self.file("kvm"), 0o666)

    def bundle(self, user):
        """An OCI bundle with this one program, and runc's own directory."""
        top = self.path / f"runc-{'user' if user else 'root'}"
        (top / "rootfs/proc").mkdir(parents=True)
        (top / "rootfs/dev").mkdir()
        (top / "state").mkdir()
        shutil.copy(self.stamp, top / "rootfs/stamp")
        with open(top / "config.json", "w", encoding="utf-8") as out:
            json.dump(oci_config(user), out)
        if user:
            for path in (top, top / "state"):
                os.chown(path, NOBODY, NOBODY)
        return top


def oci_config(user):
    spaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"]
    linux = {"namespaces": [{"type": s} for s in spaces]}
    if user:
        linux["namespaces"].append({"type": "user"})
        for kind in ("uidMappings", "gidMappings"):
            linux[kind] = [{"containerID": 0, "hostID": NOBODY, "size": 1}]
    else:
        linux["resources"] = {"memory": {"limit": 200 << 20},
                              "pids": {"limit": 9},
                              "cpu": {"quota": 200000, "period": 100000}}
    none = {kind: [] for kind in ("bounding", "effective", "permitted",
                                  "inheritable", "ambient")}
    return {
        "ociVersion": "1.0.2",
        "process": {"terminal": False, "user": {"uid": 0, "gid": 0},
                    "args": ["/stamp"], "cwd": "/", "capabilities": none,
                    "noNewPrivileges": True},
        "root": {"path": "rootfs", "readonly": True}, "hostname": "bench",
        # runc does not do without: it looks into the one, and makes devices
        # in the other.
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                    "options": ["nosuid", "mode=755", "size=64k"]}],
        "linux": linux,
    }


def commands(place, user):
    """name -> arguments of the program `jail`, COUNT left out."""
    found = {"ampoule": ("ours", place.file("ampoule-jailer"),
                         str(place.stamp))}
    if shutil.which("bwrap"):
        found["bwrap"] = ("peer", "bwrap", "--unshare-all", "--cap-drop",
                          "ALL", "--die-with-parent", "--new-session",
                          "--clearenv", "--ro-bind", str(place.stamp),
                          "/stamp", "--", "/stamp")
    if shutil.which("runc"):
        top = place.bundle(user)
        found["runc"] = ("peer", "runc", "--root", str(top / "state"), "run",
                         "--bundle", str(top), "bench-@")
    return found


def measure(place, user, count, mounts, kind, *argv):
    """One batch: a list of dictionaries in ms, one for each that ran."""
    who = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
           "--clear-groups", "--") if user else ()
    run = Run(["env", f"DIR={place.path}", "unshare", "-m", "sh", "-c", HOST,
               "sh", str(mounts), *who, place.file("jail"), kind, str(count),
               *argv])
    figures = [dict(zip(COLUMNS, (int(word) / 1e6 for word in line.split())))
               for line in run.out.splitlines()]
    if len(figures) != count or not all(f["first"] for f in figures):
        raise Failed(f"{argv[0]}: not every program ran; {run.err.strip()}")
    return figures


def situation(b, place, user, count, mounts, programs):
    """All programs in turns. Returns name -> list of figures."""
    got = {name: [] for name in programs}
    rounds = b.rounds(3, 1) if count > 1 else b.rounds(21, 5)
    for _ in range(rounds):
        for name, argv in programs.items():
            got[name] += measure(place, user, count, mounts, argv[0],
                                 *argv[1:])
    return got


def cell(figures, key):
    return f"{Sample(f[key] for f in figures).median:.2f}"


def jailer_row(what, figures):
    total = Sample(f["first"] - f["clone"] for f in figures)
    steps = [Sample(f["main"] - f["clone"] for f in figures),
             Sample(f["first"] - f["main"] for f in figures)]
    return [what, *(f"{s.median:.2f}" for s in steps),
            *(f"{total.summary()[k]:.2f}" for k in ("median", "min", "max"))]


def peer_row(what, key, got):
    ours = Sample(f[key] for f in got["ampoule"]).median
    row = [what, f"{ours:.2f}"]
    for name in PEERS:
        row.append(cell(got[name], key) if name in got else "-")
    for name in PEERS:
        row.append(f"{Sample(f[key] for f in got[name]).median / ours:.1f}"
                   if name in got else "-")
    return row


def bench_jail(b):
    if os.geteuid():
        raise Failed("only root can be both root and a user, and make mounts")
    for name, package in PEERS.items():
        if not shutil.which(name):
            b.problems.append(f"jail: {name} (package {package}) is not here")
    jailer, whole, cpu, figures = [], [], [], {}
    with contextlib.closing(Place(b.build)) as place:
        place.make_kvm()
        for user in (False, True):
            programs = commands(place, user)
            for name, count, mounts in SITUATIONS:
                what = f"{'user' if user else 'root'}, {name}"
                got = situation(b, place, user, count, mounts, programs)
                jailer.append(jailer_row(what, got["ampoule"]))
                whole.append(peer_row(f"{what}: to the first instruction",
                                      "first", got))
                whole.append(peer_row(f"{what}: all, clean-up included",
                                      "clean", got))
                cpu.append(peer_row(what, "cpu", got))
                figures[what] = got
    head = ["who and where", "clone to main()", "main() to the program",
            "sum", "min", "max"]
    b.table("The jailer, from its clone to the first instruction of what it "
            "starts, ms", head, jailer, figures)
    head = ["who and where", "Ampoule", "bwrap", "runc", "bwrap / Ampoule",
            "runc / Ampoule"]
    b.table("The same program isolated by others, ms", head, whole, {})
    b.table("Processor time for it, ms", head, cpu, {})
