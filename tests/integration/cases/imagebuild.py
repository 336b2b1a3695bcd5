# SPDX-License-Identifier: Apache-2.0
"""`ampoule image`: what goes in comes out, as erofs-utils and the guest see it;
layers as OCI says; damaged and forged input is named. pmem: files that lock,
that are too much, that become shorter."""
import fcntl
import gzip
import hashlib
import io
import json
import os
import pathlib
import subprocess
import tarfile

import vm
from cases.jail import child_of

FSCK = "/usr/bin/fsck.erofs"
BUSYBOX = "/bin/busybox"


def build(t, source, *options, name="out.erofs"):
    """Build an image. Returns its path and what --json said."""
    path = t.tmp / name
    result = t.command(t.ampoule, "image", "build", source, "-o", path,
                       "--json", *options).ended(0).quiet()
    return path, json.loads(result.out)


def refused(t, source, *words, options=()):
    path = t.tmp / "refused.erofs"
    result = t.command(t.ampoule, "image", "build", source, "-o", path,
                       *options).ended(125).noted(*words)
    t.equal(len(result.errors.splitlines()), 1, result)
    t.check(not path.exists(), "a failed build leaves no image")
    left = [p.name for p in t.tmp.iterdir() if "refused.erofs" in p.name]
    t.equal(left, [], "leftovers")


def extracted(t, image):
    """The image's files, as erofs-utils read them."""
    t.need(FSCK)
    out = t.tmp / f"x-{image.name}"
    t.command(FSCK, image).ended(0)
    t.command(FSCK, f"--extract={out}", image).ended(0)
    return out


def listing(root):
    """path -> type, mode, owner, size and content of all below."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = pathlib.Path(folder, name)
            st = path.lstat()
            # erofs-utils lose set-id bits: they change the owner last.
            what = [oct(st.st_mode & ~0o6000), st.st_uid, st.st_gid,
                    int(st.st_mtime)]
            if path.is_symlink():
                what = [os.readlink(path)]
            elif path.is_file():
                what += [hashlib.sha256(path.read_bytes()).hexdigest()]
            elif not path.is_dir():
                what += [st.st_rdev]
            found[str(path.relative_to(root))] = what
    return found


def set_ids(t, image, path):
    """A file's mode as the guest sees it."""
    t.need(BUSYBOX)
    return t.run("--image", image, "--file", BUSYBOX, "--", BUSYBOX, "stat",
                 "-c", "%a", path).ended(0).text.strip()


def odd_tree(t):
    """Names, sizes, modes, links and devices that need care."""
    root = t.tmp / "tree"
    (root / "many").mkdir(parents=True)
    for i in range(700):  # several blocks of names
        (root / "many" / f"{i:04}-{'n' * (i % 90)}").write_bytes(b"x" * i)
    for size in (0, 1, 2047, 2048, 2049, 4095, 4096, 4097, 300001):
        (root / f"size-{size}").write_bytes(os.urandom(size))
    (root / "deep/a/b/c").mkdir(parents=True)
    (root / "+before dots").write_text("sorts before '.'")
    (root / os.fsdecode(b"\xff\xfe")).write_text("no UTF-8")
    (root / ("l" * 255)).write_text("long")
    (root / "link").symlink_to("t" * 4000)
    (root / "longest").symlink_to("t" * 4094)
    (root / "short").symlink_to("size-1")
    (root / "size-4097").chmod(0o4711)
    os.link(root / "size-2049", root / "deep/hard")
    os.mkfifo(root / "pipe")
    if os.geteuid() == 0:
        os.mknod(root / "dev", 0o20620, os.makedev(300, 70000))
        os.chown(root / "size-1", 70000, 80000)
    # Not by pathlib: it follows links, and one leads to too long a name.
    for where, folders, files in os.walk(root):
        for name in (".", *folders, *files):
            os.utime(os.path.join(where, name), (10 ** 9, 10 ** 9),
                     follow_symlinks=False)
    return root


def test_directory(t):
    """All of an odd tree, read back by erofs-utils."""
    root = odd_tree(t)
    image, told = build(t, root)
    t.equal(told["kind"], "directory", told)
    t.equal(told["bytes"], image.stat().st_size, told)
    t.equal(told["inodes"], 1 + len(listing(root)) - 1, "one is a hard link")
    out = extracted(t, image)
    t.equal(set_ids(t, image, "/size-4097"), "4711", "set-id bits")
    want, got = listing(root), listing(out)
    t.equal(sorted(got), sorted(want), "names")
    for name, what in want.items():
        t.equal(got[name], what, name)


def test_same_bytes(t):
    """The same tree, by whatever way, is the same image."""
    root = odd_tree(t)
    first, _ = build(t, root, name="1")
    again, _ = build(t, root, name="2")
    t.check(first.read_bytes() == again.read_bytes(), "two builds differ")
    images = []
    for number, options in enumerate((
            ["--format=gnu", "-cf"], ["--format=pax", "-czf"],
            ["--format=posix", "-I", "zstd -q", "-cf"],
            ["--format=gnu", "--sort=name", "-cf"])):
        path = t.tmp / f"tree-{number}.tar"
        t.command("tar", *options, path, "-C", root, ".").ended(0)
        images.append(build(t, path, name=f"t{number}")[0].read_bytes())
    t.check(all(image == first.read_bytes() for image in images),
            "tar and directory differ")


def test_given_time_and_owner(t):
    root = t.tmp / "r"
    root.mkdir()
    (root / "a").write_text("a")
    first, _ = build(t, root, "--mtime", "5", "--all-root", name="1")
    os.utime(root / "a", (7, 7))
    if os.geteuid() == 0:
        os.chown(root / "a", 5, 5)
    again, _ = build(t, root, "--mtime", "5", "--all-root", name="2")
    t.check(first.read_bytes() == again.read_bytes(), "they differ")


class Layout:
    """An OCI image layout."""

    def __init__(self, t, name="oci"):
        self.path = t.tmp / name
        (self.path / "blobs/sha256").mkdir(parents=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.manifests = []

    def blob(self, data):
        digest = hashlib.sha256(data).hexdigest()
        (self.path / "blobs/sha256" / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def layer(self, *entries, pack=gzip.compress):
        """Entries: name, and bytes, ('->', target), ('=', target) or None."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name, what in entries:
                info = tarfile.TarInfo(name)
                info.mode, info.mtime = 0o755, 10 ** 9
                data = None
                if what is None:
                    info.type = tarfile.DIRTYPE
                elif isinstance(what, bytes):
                    info.size, data = len(what), io.BytesIO(what)
                else:
                    info.type = (tarfile.SYMTYPE if what[0] == "->"
                                 else tarfile.LNKTYPE)
                    info.linkname = what[1]
                tar.addfile(info, data)
        return self.blob(pack(out.getvalue()))

    def image(self, layers, config=None, ref=None, **platform):
        config = self.blob(json.dumps({
            "architecture": "amd64", "os": "linux",
            "config": config or {}}).encode())
        manifest = self.blob(json.dumps({
            "schemaVersion": 2, "config": config, "layers": layers}).encode())
        if ref:
            manifest["annotations"] = {
                "org.opencontainers.image.ref.name": ref}
        if platform:
            manifest["platform"] = platform
        self.manifests.append(manifest)
        (self.path / "index.json").write_text(json.dumps({
            "schemaVersion": 2, "manifests": self.manifests}))
        return manifest


def zstd(data):
    return subprocess.run(["zstd", "-q"], input=data, check=True,
                          stdout=subprocess.PIPE).stdout


def busybox_layer(layout):
    return layout.layer(
        ("bin", None), ("bin/busybox", pathlib.Path(BUSYBOX).read_bytes()),
        ("bin/sh", ("->", "busybox")), ("tmp", None),
        ("etc/passwd", b"root:x:0:0::/:/bin/sh\napp:x:77:88::/:/bin/sh\n"))


def test_oci_layers(t):
    """Whiteouts, opaque directories, links across layers, three packings."""
    t.need("/usr/bin/zstd")
    layout = Layout(t)
    lower = layout.layer(
        ("gone", b"x" * 9000), ("dir/a", b"a"), ("dir/sub/b", b"b"),
        ("usr/lib/x", b"x"), ("lib", ("->", "usr/lib")), ("keep", b"1"))
    middle = layout.layer(
        (".wh.gone", b""), ("dir/c", b"c"), ("dir/.wh..wh..opq", b""),
        ("lib/y", b"y"), ("hard", ("=", "keep")), ("keep", b"2"), pack=zstd)
    upper = layout.layer(("usr/.wh.lib", b""), ("top", b"t"), pack=bytes)
    layout.image([lower, middle])
    image, told = build(t, layout.path)
    t.equal((told["kind"], told["layers"]), ("oci", 2), told)
    out = extracted(t, image)
    names = sorted(str(p.relative_to(out)) for p in out.rglob("*"))
    t.equal(names, ["dir", "dir/c", "hard", "keep", "lib", "usr", "usr/lib",
                    "usr/lib/x", "usr/lib/y"], "after two layers")
    t.equal((out / "hard").read_bytes(), b"1", "the old file's other name")
    t.equal((out / "keep").read_bytes(), b"2", "the new one")
    layout.manifests.clear()
    layout.image([lower, middle, upper])
    out = extracted(t, build(t, layout.path, name="three.erofs")[0])
    t.check(not (out / "usr/lib").exists(), "a whiteout of a directory")
    t.check((out / "top").exists(), "a layer that is not packed")


def test_oci_runs(t):
    """Its command, environment, directory and user; what is given goes before
    each of them."""
    t.need(BUSYBOX)
    layout = Layout(t)
    layout.image([busybox_layer(layout)], {
        "Entrypoint": ["/bin/sh", "-c"],
        "Cmd": ["echo $NAME $(busybox pwd) $(busybox id -u):$(busybox id -g)"],
        "Env": ["PATH=/bin", "NAME=n"], "WorkingDir": "/etc", "User": "app"})
    image, _ = build(t, layout.path)
    t.run("--image", image).ended(0).said("n /etc 77:88\n").quiet()
    t.run("--image", image, "--env", "NAME=m", "--cwd", "/bin", "--user", "5").\
        ended(0).said("m /bin 5:5\n")
    t.run("--image", image, "--", "busybox", "echo", "other").\
        ended(0).said("other\n")
    other, _ = build(t, layout.path, "--env", "NAME=b", "--user", "0", "--",
                     "/bin/busybox", "env", name="other.erofs")
    result = t.run("--image", other).ended(0)
    t.check("NAME=b" in result.text, result)
    told = json.loads(t.command(t.ampoule, "image", "inspect", "--json",
                                other).ended(0).quiet().out)
    t.equal(told["command"], ["/bin/busybox", "env"], told)
    t.equal((told["uid"], told["cwd"]), (0, "/etc"), told)
    t.run("--image", image, "--", "nothing").ended(127)


def test_oci_choice(t):
    """Of several images the one for this machine, or of that name."""
    layout = Layout(t)
    one = layout.layer(("one", b""))
    two = layout.layer(("two", b""))
    layout.image([one], ref="a", os="linux", architecture="arm64")
    refused(t, layout.path, "linux/amd64", "no image")
    layout.image([one], ref="b", os="linux", architecture="amd64")
    t.check((extracted(t, build(t, layout.path)[0]) / "one").exists(), "one")
    layout.image([two], ref="c")
    refused(t, layout.path, "--ref")
    out = extracted(t, build(t, layout.path, "--ref", "c", name="c")[0])
    t.check((out / "two").exists(), "two")
    refused(t, layout.path, "named d", options=["--ref", "d"])


def test_oci_forged(t):
    """A byte of any blob changed is noticed; so is a digest that is a path."""
    layout = Layout(t)
    big = os.urandom(100000)
    manifest = layout.image([layout.layer(("a", big), pack=bytes)])
    blobs = sorted((layout.path / "blobs/sha256").iterdir())
    t.equal(len(blobs), 3, blobs)
    for blob in blobs:
        whole = blob.read_bytes()
        at = len(whole) // 2
        blob.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        refused(t, layout.path, "digest", blob.name)
        blob.write_bytes(whole)
    for digest in ("sha256:../../../../etc/passwd", "sha256:" + "g" * 64,
                   "sha512:" + "0" * 64, "sha256:" + "0" * 65, 5, None):
        manifest["digest"] = digest
        (layout.path / "index.json").write_text(
            json.dumps({"manifests": [manifest]}))
        refused(t, layout.path, "without a digest")
    (layout.path / "index.json").write_text("{")
    refused(t, layout.path, "JSON")


def test_bad_archives(t):
    """Each gets one line that names it, and no image."""
    def tar(*entries):
        layout = Layout(t, f"bad-{os.urandom(4).hex()}")
        digest = layout.layer(*entries, pack=bytes)["digest"]
        return layout.path / "blobs/sha256" / digest[7:]

    refused(t, tar(("../evil", b"x")), "../evil", "'..'")
    refused(t, tar(("a/../../evil", b"x")), "'..'")
    refused(t, tar(("h", ("=", "/etc/passwd"))), "not there")
    refused(t, tar(("a", b"x"), ("a/b", b"x")), "a/b", "not a directory")
    loop = tar(("a", ("->", "b")), ("b", ("->", "a")), ("a/x", b"x"))
    refused(t, loop, "a/x", "symbolic links")
    text = t.tmp / "text"
    text.write_text("no archive\n" * 100)
    refused(t, text, "text", "no tar archive")
    whole = tar(("a", os.urandom(50000)))
    cut = t.tmp / "cut.tar"
    cut.write_bytes(whole.read_bytes()[:30000])
    refused(t, cut, "cut.tar", "ends in the middle")
    packed = t.tmp / "cut.tar.gz"
    packed.write_bytes(gzip.compress(whole.read_bytes())[:20000])
    refused(t, packed, "cut.tar.gz", "damaged")
    refused(t, t.tmp / "nothing", "nothing", "No such file")
    refused(t, "/dev/null", "neither")


def test_words(t):
    """Mistakes on the command line."""
    for words, said in (
            ([], "build or inspect"), (["x"], "none of build"),
            (["build"], "of what"), (["build", t.tmp], "output"),
            (["build", t.tmp, "/", "-o", "x"], "too many"),
            (["build", t.tmp, "-o", t.tmp], "no regular file"),
            (["build", t.tmp, "-o", "/nowhere/x"], "/nowhere/x"),
            (["build", t.tmp, "-o", "x", "--mtime", "-1"], "--mtime"),
            (["build", t.tmp, "-o", "x", "--user", "nobody"], "/etc/passwd"),
            (["build", t.tmp, "-o", "x", "--ref", "a"], "no OCI layout"),
            (["inspect"], "which"), (["inspect", "/bin/sh"], "no EROFS"),
            (["inspect", "a", "b"], "one image at a time")):
        result = t.command(t.ampoule, "image", *words, cwd=t.tmp).ended(125)
        t.equal(len(result.errors.splitlines()), 1, result)
        result.noted(said)
    for words in (["--help"], ["build", "--help"], ["inspect", "-h"]):
        result = t.command(t.ampoule, "image", *words).ended(0).quiet()
        t.check("usage: ampoule image" in result.text, result)


def test_old_image_stays(t):
    """Who has an image keeps it: a new one takes its name, not its file."""
    root = t.tmp / "r"
    root.mkdir()
    (root / "a").write_text("1")
    image, _ = build(t, root)
    with open(image, "rb") as old:
        before = old.read()
        (root / "a").write_text("2")
        build(t, root)
        old.seek(0)
        t.check(old.read() == before, "the old file changed")
    t.check(image.read_bytes() != before, "the new one is the old one")


def test_not_an_image(t):
    path = t.tmp / "x.erofs"
    path.write_bytes(b"no image" * 1000)
    t.run("--image", path).ended(125).noted("x.erofs", "no EROFS image")
    t.run("--image", t.tmp / "y").ended(125).noted("No such file")
    t.run("--rw", "--", "true").ended(125).noted("--image")
    root = t.tmp / "r"
    root.mkdir()
    image, _ = build(t, root)
    t.run("--image", image).ended(125).noted("no command of its own")
    data = bytearray(image.read_bytes())
    data[-24] ^= 1  # the label's version
    image.write_bytes(data)
    t.run("--image", image, "--", "x").ended(125).noted("label")


def test_pmem_words(t):
    """Files that are none, too many, or held by who writes them."""
    path = t.tmp / "disk,1"
    path.write_bytes(b"x" * 5000)
    hello = t.program("hello")
    empty = t.tmp / "empty"
    empty.touch()
    for option, said in (("/dev/null", "no regular file"), (t.tmp, "regular"),
                         (empty, "empty"), (t.tmp / "no", "No such file"),
                         (f"{path},rw=shared", "no option"), ("", "no file")):
        t.run("--pmem", option, "--", hello).ended(125).noted("--pmem", said)
    many = [word for _ in range(9) for word in ("--pmem", path)]
    t.run(*many, "--", hello).ended(125).noted("at most 8")
    t.run(*many[2:], "--", hello).ended(0)
    t.run("--pmem", f"{path},rw=private", "--", hello).ended(0)
    with open(path, "rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        t.run("--pmem", path, "--", hello).ended(125).noted("disk,1", "locked")


def becomes_shorter(t, command):
    """A VM whose image loses its end while it runs."""
    root = t.tmp / "r"
    (root / "bin").mkdir(parents=True)
    (root / "bin/busybox").write_bytes(pathlib.Path(BUSYBOX).read_bytes())
    (root / "bin/busybox").chmod(0o755)
    (root / "z-big").write_bytes(os.urandom(8 << 20))
    image, _ = build(t, root)
    script = f"echo up; busybox head -n 1; {command}"
    running = t.start_vm("--image", image, "--env", "PATH=/bin", "--",
                         "busybox", "sh", "-c", script,
                         stdin=subprocess.PIPE)
    t.equal(running.stdout.readline(), b"up\n", "it runs")
    os.truncate(image, 4 << 20)
    _, errors = running.communicate(b"go\n", timeout=30 * vm.SLOW)
    t.equal(running.returncode, 125, errors)
    lines = errors.decode().splitlines()
    t.equal(len(lines), 1, lines)
    t.check("became shorter" in lines[0], lines)


def test_file_shorter_under_the_guest(t):
    """The program's own load meets the hole."""
    t.need(BUSYBOX)
    becomes_shorter(t, "busybox sha256sum /z-big")


def test_file_shorter_under_a_device(t):
    """Output straight from the image's pages meets it."""
    t.need(BUSYBOX)
    becomes_shorter(t, "busybox cat /z-big")


def test_private_pages_stay_private(t):
    """A VM on a private mapping leaves the file as it was."""
    path = t.tmp / "disk"
    path.write_bytes(b"before" * 1000)
    stamp = path.stat().st_mtime
    t.run("--pmem", f"{path},rw=private", "--", t.program("hello")).ended(0)
    t.equal(path.read_bytes(), b"before" * 1000, "the file")
    t.equal(path.stat().st_mtime, stamp, "its time")


@vm.alone
def test_shared_pages(t):
    """Pages of one image are there once, whoever reads them."""
    t.need(BUSYBOX)
    root = t.tmp / "r"
    (root / "bin").mkdir(parents=True)
    (root / "bin/busybox").write_bytes(pathlib.Path(BUSYBOX).read_bytes())
    (root / "bin/busybox").chmod(0o755)
    (root / "z-big").write_bytes(os.urandom(8 << 20))
    image, _ = build(t, root)
    vms = [t.start_vm("--image", image, "--env", "PATH=/bin", "--", "busybox",
                      "sh", "-c", "busybox sha256sum /z-big; busybox cat",
                      stdin=subprocess.PIPE) for _ in range(4)]
    for running in vms:
        t.check(b"z-big" in running.stdout.readline(), "it has read all")
    pids = [child_of(running.pid) for running in vms]
    shares = []
    for pid in pids:
        text = pathlib.Path(f"/proc/{pid}/smaps").read_text()
        for line in text.splitlines():
            if line.startswith("Pss:"):
                shares.append(int(line.split()[1]))
    total = sum(shares)
    t.note(f"{len(pids)} VMs that have all read 8 MiB: {total >> 10} MiB PSS")
    t.check(total < 3 * (8 << 10), f"{total} KiB: not shared")
