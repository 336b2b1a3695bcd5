# SPDX-License-Identifier: Apache-2.0
"""Which host files a guest sees: only those that were asked for."""
import hashlib

BUSYBOX = "/bin/busybox"
OS_RELEASE = "/etc/os-release"


def test_hint_names_file_option(t):
    """The first thing that a new user trips over."""
    t.need(BUSYBOX, OS_RELEASE)
    result = t.run(BUSYBOX, "sha256sum", OS_RELEASE)
    result.ended(1).noted("--file", OS_RELEASE)


def test_file_under_its_own_name(t):
    t.need(BUSYBOX, OS_RELEASE)
    with open(OS_RELEASE, "rb") as data:
        want = hashlib.sha256(data.read()).hexdigest()
    t.run("--file", OS_RELEASE, "--", BUSYBOX, "sha256sum",
          OS_RELEASE).ended(0).said(f"{want}  {OS_RELEASE}\n").quiet()


def test_file_under_another_name(t):
    (t.tmp / "here").write_text("content\n")
    t.run("--file", f"{t.tmp / 'here'}:/some/where/else", BUSYBOX, "cat",
          "/some/where/else").ended(0).said("content\n").quiet()


def test_no_hint_without_need(t):
    result = t.run(BUSYBOX, "cat", "/no/such/file").ended(1)
    t.equal(result.notes, [], "lines of Ampoule")


def test_host_files_are_not_there(t):
    for path in ("/etc/shadow", "/root/.bashrc", "/usr/bin/gcc"):
        t.run(BUSYBOX, "test", "-e", path).ended(1)


def test_directory(t):
    for name in ("d/a", "d/sub/b", "d/sub/deeper/c"):
        path = t.tmp / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
    (t.tmp / "d/link").symlink_to("sub/b")
    (t.tmp / "d/sub/run").write_text("x")
    (t.tmp / "d/sub/run").chmod(0o755)
    result = t.run("--file", f"{t.tmp / 'd'}:/d", BUSYBOX, "find", "/d")
    t.equal(sorted(result.ended(0).text.split()),
            ["/d", "/d/a", "/d/link", "/d/sub", "/d/sub/b", "/d/sub/deeper",
             "/d/sub/deeper/c", "/d/sub/run"], "tree")
    t.run("--file", f"{t.tmp / 'd'}:/d", BUSYBOX, "cat",
          "/d/link").ended(0).said("d/sub/b\n")
    t.run("--file", f"{t.tmp / 'd'}:/d", BUSYBOX, "test", "-x",
          "/d/sub/run").ended(0)


def test_symlink_given_as_file(t):
    (t.tmp / "real").write_text("real\n")
    (t.tmp / "link").symlink_to("real")
    t.run("--file", f"{t.tmp / 'link'}:/l", BUSYBOX, "cat",
          "/l").ended(0).said("real\n")


def test_big_file(t):
    data = hashlib.shake_128(b"seed").digest(1 << 20) * 40 + b"tail"
    (t.tmp / "big").write_bytes(data)
    want = hashlib.sha256(data).hexdigest()
    t.run("--file", f"{t.tmp / 'big'}:/big", BUSYBOX, "sha256sum",
          "/big").ended(0).said(f"{want}  /big\n")


def test_many_files(t):
    tree = t.tmp / "many"
    tree.mkdir()
    for n in range(3000):
        (tree / f"file-{n:04}").write_text(f"{n}\n")
    result = t.run("--file", f"{tree}:/many", BUSYBOX, "ls", "/many", limit=60)
    t.equal(len(result.ended(0).text.split()), 3000, "names")
    t.run("--file", f"{tree}:/many", BUSYBOX, "cat",
          "/many/file-2987").ended(0).said("2987\n")


def test_host_file_is_not_changed(t):
    path = t.tmp / "mine"
    path.write_text("mine\n")
    t.run("--file", f"{path}:/mine", BUSYBOX, "sh", "-c",
          "echo theirs > /mine && while read l; do echo $l; done < /mine"
          ).ended(0).said("theirs\n")
    t.equal(path.read_text(), "mine\n", "the host's file")


def test_missing_host_file(t):
    result = t.run("--file", "/no/such/file", BUSYBOX, "true").ended(125)
    result.noted("/no/such/file")
    t.equal(len(result.notes), 1, f"lines\n{result}")


def test_working_directory(t):
    (t.tmp / "f").write_text("f\n")
    t.run("--file", f"{t.tmp / 'f'}:/data/f", "--cwd", "/data", BUSYBOX, "cat",
          "f").ended(0).said("f\n")
    t.run("--cwd", "/tmp", BUSYBOX, "pwd").ended(0).said("/tmp\n")


def test_working_directory_is_made(t):
    t.run("--cwd", "/not/there/yet", BUSYBOX, "pwd").ended(0).said(
        "/not/there/yet\n")


def test_tmp_is_writable_and_fresh(t):
    script = "[ ! -e /tmp/x ] && echo new > /tmp/x && echo ok"
    for _ in range(2):
        t.run(BUSYBOX, "sh", "-c", script).ended(0).said("ok\n")


def test_pack_can_be_read_by_cpio(t):
    t.need("/usr/bin/cpio")
    (t.tmp / "f").write_bytes(b"f" * 5000)
    t.command(t.ampoule, "pack", "-o", t.tmp / "out.cpio", "--file",
              f"{t.tmp / 'f'}:/data/f", t.program("hello-dynamic"),
              "arg").ended(0)
    with open(t.tmp / "out.cpio", "rb") as image:
        listing = t.command("/usr/bin/cpio", "-itv", "--quiet", stdin=image)
    listing.ended(0)
    for name in ("ampoule.run", "data/f", "libc.so.6", "ld-linux-x86-64.so.2"):
        t.check(name in listing.text, listing)


def test_user(t):
    """--user: who the program is, and what that one may."""
    script = ("busybox id; busybox touch /tmp/x && busybox stat -c '%u:%g' "
              "/tmp/x; busybox touch /etc/x; busybox cat /root/x; "
              "busybox mkdir /d; busybox chown 0 /tmp/x; echo $HOME")
    for user, ids, home in (("1000", "uid=1000(user) gid=1000(user)", "/tmp"),
                            ("7:8", "uid=7(user) gid=8(user)", "/tmp"),
                            ("65534", "uid=65534(nobody) gid=65534(nogroup)",
                             "/tmp")):
        result = t.run("--user", user, "/bin/busybox", "sh", "-c",
                       script.replace("busybox", "/bin/busybox"))
        result.ended(0)
        lines = result.text.splitlines()
        t.check(lines[0].startswith(ids), f"{user}: {lines}")
        want = user if ":" in user else f"{user}:{user}"
        t.equal(lines[1:], [want, home], user)
        denied = result.errors.count("Permission denied")
        t.equal((denied, result.errors.count("not permitted")), (3, 1),
                f"what is denied to {user}\n{result}")


def test_user_that_is_none(t):
    for word in ("me", "", "-1", "1:", "1:x", "4294967296"):
        t.run("--user", word, "/bin/busybox", "true").ended(125).noted(
            "--user")
