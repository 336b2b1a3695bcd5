# SPDX-License-Identifier: Apache-2.0
"""The root from an EROFS image, mapped (pmem) and by requests (disk): what the
guest sees of it, changes over it, and images that are damaged."""
import hashlib
import os
import random
import shutil
import subprocess

BUSYBOX = "/bin/busybox"
MKFS = "/usr/bin/mkfs.erofs"
PYTHON = "/usr/bin/python3"
DEVICES = ("pmem", "disk")


def make(t, tree, name="image.erofs", *options):
    """An image of a directory."""
    t.need(MKFS)
    t.command(MKFS, "--quiet", "-T0", *options, t.tmp / name,
              tree).ended(0)
    return t.tmp / name


def shell_tree(t):
    """A tree with a shell in it; other things are the case's."""
    t.need(BUSYBOX, MKFS)
    tree = t.tmp / "tree"
    (tree / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, tree / "bin/busybox")
    for name in subprocess.run([BUSYBOX, "--list"], check=True, text=True,
                               capture_output=True).stdout.split():
        if name != "busybox":
            (tree / "bin" / name).symlink_to("busybox")
    return tree


def run(t, image, *argv, on="pmem", **options):
    """A program of the image; its own name is looked for along PATH."""
    return t.run("--image", image, "--image-on", on, *argv, **options)


def test_program_in_path(t):
    image = make(t, shell_tree(t))
    for on in DEVICES:
        run(t, image, "--", "echo", "here", on=on).ended(0).said("here\n")
        run(t, image, "--env", "PATH=/nowhere", "--", "echo", on=on).ended(127)
        run(t, image, "--", "/bin/sh", "-c", "exit 3", on=on).ended(3)


def test_mounts_tell(t):
    image = make(t, shell_tree(t))
    for on, source in (("pmem", "/dev/pmem0"), ("disk", "/dev/vda")):
        got = run(t, image, "--", "head", "-n1", "/proc/mounts", on=on)
        got.ended(0).said(f"{source} / erofs ro,noatime 0 0\n")
        got = run(t, image, "--rw", "--", "head", "-n1", "/proc/mounts", on=on)
        got.ended(0).said(f"{source} / overlay rw,noatime 0 0\n")
    run(t, image, "--", "stat", "-fc", "%t", "/").ended(0).said("e0f5e1e2\n")


def test_content_of_many_files(t):
    """10000 files of sizes around a page's, compared with the host's, in so
    little memory that neither names nor pages can all stay in it."""
    tree = shell_tree(t)
    rng = random.Random(5)
    want = {}
    for n in range(10000):
        path = tree / f"d{n % 97}/sub{n % 5}/file-{n}"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = rng.randbytes(rng.choice((0, 1, 100, 700, 700, 4095, 4096, 9000)))
        path.write_bytes(data)
        want["/" + str(path.relative_to(tree))] = \
            hashlib.md5(data).hexdigest()
    for on, options in (("pmem", ()), ("disk", ("-Enoinline_data",))):
        image = make(t, tree, "many.erofs", *options)
        result = run(t, image, "--mem", "48M", "--", "sh", "-c",
                     "find / -xdev -name 'file-*' | xargs md5sum", on=on,
                     limit=240).ended(0)
        got = dict(reversed(line.split("  "))
                   for line in result.text.splitlines())
        t.equal(len(got), len(want), "number of files")
        t.check(got == want, "some file's content differs")


def test_many_cpus_read_at_once(t):
    """Names and pages come from the disk while others ask for the same."""
    tree = shell_tree(t)
    for n in range(300):
        (tree / f"file-{n}").write_bytes(bytes([n % 251]) * 20000)
    image = make(t, tree, "image.erofs", "-Enoinline_data")
    result = run(t, image, "--cpus", "4", "--", "sh", "-c",
                 "for i in 1 2 3 4; do cat /file-* | md5sum & done; wait",
                 on="disk")
    data = b"".join((tree / name).read_bytes() for name in
                    sorted(f"file-{n}" for n in range(300)))
    want = f"{hashlib.md5(data).hexdigest()}  -\n" * 4
    result.ended(0).said(want)


def test_inode_numbers_stay(t):
    """Also of nodes that the kernel forgot and made anew."""
    tree = shell_tree(t)
    for n in range(4000):
        (tree / f"f{n}").touch()
    image = make(t, tree)
    result = run(t, image, "--mem", "24M", "--", "sh", "-c",
                 "ls -i / > /tmp/1; find / -xdev -exec stat {} + > /dev/null; "
                 "ls -i / > /tmp/2; cmp /tmp/1 /tmp/2 && wc -l < /tmp/1")
    t.check(int(result.ended(0).text) > 4000, "names are missing")


def test_links_devices_owners(t):
    tree = shell_tree(t)
    (tree / "file").write_text("one\n")
    os.link(tree / "file", tree / "other")
    (tree / "file").chmod(0o4711)
    (tree / "dangling").symlink_to("/no/where")
    os.mkfifo(tree / "fifo")
    image = make(t, tree, "image.erofs", "--force-uid=7", "--force-gid=8")
    script = ("stat -c '%n %F %a %h %u %g' /file /other /dangling /fifo;"
              " readlink /dangling; [ /file -ef /other ] && echo same")
    want = ("/file regular file 4711 2 7 8\n/other regular file 4711 2 7 8\n"
            "/dangling symbolic link 777 1 7 8\n/fifo fifo 644 1 7 8\n"
            "/no/where\nsame\n")
    for on in DEVICES:
        run(t, image, "--", "sh", "-c", script, on=on).ended(0).said(want)


def test_nothing_can_be_changed(t):
    tree = shell_tree(t)
    (tree / "file").write_text("one\n")
    (tree / "dir").mkdir()
    image = make(t, tree)
    for command in ("touch /new", "mkdir /new", "rm /file", "rmdir /dir",
                    "mv /file /f2", "ln /file /f2", "ln -s x /l", "chmod 600 "
                    "/file", "chown 1:1 /file", "touch /file",
                    "sh -c '>>/file'", "truncate -s 0 /file", "mkfifo /p"):
        result = run(t, image, "--", "sh", "-c", command)
        t.check(result.status, f"{command} succeeded")
        t.check("Read-only file system" in result.errors,
                f"{command}: {result.errors}")
    run(t, image, "--", "sh", "-c", "echo x > /tmp/x && echo y > /run/y && "
        "echo z > /dev/shm/z && cat /tmp/x /run/y /dev/shm/z").ended(0).said(
            "x\ny\nz\n")


# Each line runs in a directory of its own; what differs on purpose is not in
# here: overlayfs breaks hard links, and we do not.
CHANGES = r"""
rm a; ls
rm a; echo new > a; cat a
rm -r d; ls; mkdir d; ls d
rm d/x; ls d; rmdir d/s; ls d; rmdir d; echo $?
rmdir d; echo $?
mv a b; ls; cat b
mv a d/x; cat d/x; ls . d
mv d e; ls . e; cat e/x
mv d e; mkdir d; ls d; echo n > d/x; cat e/x d/x
mv d/s .; ls . d s
mv a d; ls . d
echo more >> a; cat a; ls -s a >/dev/null
echo x > new; mv new a; cat a; ls
chmod 600 a; stat -c '%a %F' a
chmod 700 d; stat -c %a d; ls d
ln -s a l; readlink l; rm a; cat l; echo $?
rm l2; ls; ln -s d l2; ls l2
ln a c; stat -c %h a c; cat c
touch d/new; ls d; rm d/new d/x; ls d
mkdir d/s/t; ls d/s; rmdir d/s/t; rmdir d/s; ls d
truncate -s 3 a; cat a; echo; truncate -s 6 a; od -c a
dd if=/dev/zero of=big bs=1 seek=5000 count=3 conv=notrunc 2>/dev/null; md5sum big
dd if=/dev/zero of=big bs=4096 seek=1 count=1 conv=notrunc 2>/dev/null; md5sum big
: > big; stat -c %s big; ls
cp -r d copy; ls copy; rm -r d; mv copy d; cat d/x
mkdir a; echo $?; mkdir -p q/r/s; ls -R q
mv a l2; ls; cat l2
find . -name 's*' | sort
rm -rf ./*; ls | wc -l; touch a d; ls
mkfifo p; stat -c %F p; rm p; ls
sed -i s/one/two/ a; cat a
exec 3< a; rm a; cat <&3; ls
exec 3>> d/x; rm d/x; echo gone >&3; ls d
mv nothing x; echo $?; rm nothing; echo $?; cat nothing; echo $?
touch -d @1000 a; stat -c %Y a; touch -d @2000 d; stat -c %Y d
"""


def changes_tree(tree, count):
    """What the lines above change, once for each."""
    for n in range(count):
        top = tree / f"w{n}"
        (top / "d/s").mkdir(parents=True)
        (top / "a").write_text("one\n")
        (top / "d/x").write_text("inner\n")
        (top / "d/s/deep").write_text("deep\n")
        (top / "l2").symlink_to("a")
        (top / "big").write_bytes(b"q" * 10000)


def changes_script(lines):
    return "exec 2>&1\n" + "\n".join(f"(cd /w{n}; {line})\necho ==="
                                     for n, line in enumerate(lines))


def outside(t, script):
    """The same over a real overlayfs."""
    (t.tmp / "over").mkdir()
    (t.tmp / "tree/dev").mkdir()
    result = t.command(
        "unshare", "-m", "sh", "-c",
        "mount -t tmpfs none $1/over && cd $1/over && mkdir u w m &&"
        " mount -t overlay none -o lowerdir=$1/tree,upperdir=u,workdir=w m &&"
        " mount --bind /dev m/dev || exit 77; chroot m /bin/sh -c \"$2\"",
        "sh", t.tmp, script, limit=60)
    if result.status == 77:
        t.skip("overlayfs cannot be mounted here")
    return result.text.split("===\n")


def test_changes_as_over_a_real_overlay(t):
    """Sequences of changes print the same in a VM as on the host's
    overlayfs."""
    if os.geteuid() != 0:
        t.skip("to mount an overlay takes root")
    tree = shell_tree(t)
    lines = CHANGES.strip().splitlines()
    changes_tree(tree, len(lines))
    script = changes_script(lines)
    want = outside(t, script)
    image = make(t, tree)
    for on in DEVICES:
        got = run(t, image, "--rw", "--", "/bin/sh", "-c", script, on=on)
        got = got.ended(0).text.split("===\n")
        t.equal(len(got), len(want), "parts of the output")
        for line, inside, host in zip(lines, got, want):
            t.equal(inside, host, f"{line} ({on})")


def test_damaged_images(t):
    """Flipped bits end in an error of the program or one line, never in a
    crash or without an end."""
    tree = shell_tree(t)
    for n in range(300):
        (tree / f"some-file-{n}").write_text(f"{n}\n" * 20)
    image = make(t, tree)
    whole = image.read_bytes()
    rng = random.Random(7)
    for seed in range(12):
        data = bytearray(whole)
        for _ in range(60):
            # Metadata is in the first blocks and after the contents.
            at = rng.choice((rng.randrange(1152, min(len(data), 40000)),
                             rng.randrange(len(data) // 8 * 7, len(data))))
            data[at] ^= 1 << rng.randrange(8)
        image.write_bytes(data)
        result = run(t, image, "--rw", "--", "sh", "-c",
                     "find / -xdev -type f | head -n 500 | xargs cat | wc -c; "
                     "rm -rf /some-file-1*; ls / | wc -l",
                     on=DEVICES[seed % 2], limit=30)
        t.check("panic" not in result.errors or
                "cannot be the root" in result.errors,
                f"seed {seed}: {result}")


def test_no_image_no_root(t):
    tree = shell_tree(t)
    image = make(t, tree)
    data = bytearray(image.read_bytes())
    data[1024 + 60] ^= 1
    image.write_bytes(data)
    for on in DEVICES:
        run(t, image, "--", "true", on=on).ended(125).noted("checksum")
    image.write_bytes(image.read_bytes()[:8192])
    run(t, image, "--", "true").ended(125).noted("cannot be the root")
    chunks = make(t, tree, "chunks.erofs", "--chunksize=4096")
    run(t, chunks, "--", "true").ended(125).noted("chunks")


def python_tree(t):
    """The host's python with what it needs."""
    tree = t.tmp / "py"
    t.need(PYTHON, MKFS)
    libs = subprocess.run(
        ["sh", "-c", f"ldd {PYTHON} /usr/lib/python3*/lib-dynload/*.so | "
         "grep -o '/[^ ]*' | grep -v ':$' | sort -u"], check=True, text=True,
        capture_output=True).stdout.split()
    for path in [os.path.realpath(PYTHON), *libs]:
        to = tree / path.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    version = os.path.basename(os.path.realpath(PYTHON))
    shutil.copytree(f"/usr/lib/{version}", tree / f"usr/lib/{version}",
                    symlinks=True, ignore=shutil.ignore_patterns(
                        "test", "idlelib", "config-*", "__pycache__"))
    (tree / "usr/bin/python3").symlink_to(version)
    return tree


def test_python(t):
    """A dynamic program: libraries mapped from the image, private data written,
    a file mapped both ways, sendfile."""
    tree = python_tree(t)
    (tree / "data").write_bytes(b"0123456789abcdef" * 4096)
    image = make(t, tree)
    code = """
import ctypes, hashlib, json, mmap, os, socket, sqlite3, ssl, threading
f = open('/data', 'rb')
m = mmap.mmap(f.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)
p = mmap.mmap(f.fileno(), 0, mmap.MAP_PRIVATE)
p[0:4] = b'mine'
a, b = socket.socketpair()
got = []
reader = threading.Thread(target=lambda: got.append(b.makefile('rb').read()))
reader.start()
sent = 0
while sent < 65536:
    sent += os.sendfile(a.fileno(), f.fileno(), sent, 65536 - sent)
a.close()
reader.join()
print(hashlib.md5(m).hexdigest() == hashlib.md5(got[0]).hexdigest(),
      p[0:6], m[0:4], sqlite3.connect(':memory:').execute('select 6*7')
      .fetchone()[0], ssl.OPENSSL_VERSION.split()[0])
"""
    for on in DEVICES:
        run(t, image, "--", "python3", "-c", code, on=on).ended(0).said(
            "True b'mine45' b'0123' 42 OpenSSL\n")


def test_files_over_the_image(t):
    image = make(t, shell_tree(t))
    (t.tmp / "conf").write_text("given\n")
    run(t, image, "--file", f"{t.tmp / 'conf'}:/etc/conf", "--", "cat",
        "/etc/conf").ended(0).said("given\n")


def test_cwd_and_user(t):
    tree = shell_tree(t)
    (tree / "w").mkdir()
    image = make(t, tree)
    run(t, image, "--cwd", "/w", "--user", "5:6", "--", "sh", "-c",
        "pwd; id -u; id -g; touch x").ended(1)
    run(t, image, "--cwd", "/nowhere", "--", "true").ended(127)


def test_disk_as_a_file(t):
    """Bytes at any place, the end of the disk, and what is only read."""
    tree = shell_tree(t)
    image = make(t, tree)
    disk = t.tmp / "disk"
    disk.write_bytes(b"-" * 65536)
    script = """cd /dev; printf hello | dd of=vdb bs=1 seek=509 conv=notrunc
dd if=vdb bs=1 skip=508 count=7; echo
printf end | dd of=vdb bs=1 seek=65534 conv=notrunc,fsync; echo $?
dd if=vdb bs=4k skip=15 | wc -c; dd if=vdb bs=1000 | md5sum; md5sum < vdb
for i in getsize64 getss getro; do blockdev --$i vdb; done; blockdev --getro vda
dd if=/dev/zero of=vda count=1; echo $?"""
    result = run(t, image, "--disk", disk, "--", "sh", "-c",
                 f"exec 2>/dev/null; {script}", on="disk").ended(0)
    want = bytearray(b"-" * 65536)
    want[509:514] = b"hello"
    want[65534:] = b"en"
    digest = hashlib.md5(want).hexdigest()
    t.equal(result.text.split(),
            ["-hello-", "1", "4096", digest, "-", digest, "-", "65536", "512",
             "0", "1", "1"], "what the guest says")
    t.check(disk.read_bytes() == want, "the disk's bytes")
