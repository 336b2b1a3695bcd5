# SPDX-License-Identifier: Apache-2.0
"""Debian's own programs, unmodified, with the libraries they need."""
import gzip
import hashlib
import random

BUSYBOX = "/bin/busybox"


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def box(t, *argv, **options):
    t.need(BUSYBOX)
    return t.run(BUSYBOX, *argv, **options)


def test_busybox_sha256sum_64_mib(t):
    data = noise(64 << 20)
    want = hashlib.sha256(data).hexdigest()
    box(t, "sha256sum", stdin=data, limit=120).ended(0).said(f"{want}  -\n")


def test_busybox_sort(t):
    lines = [f"{n * 7919 % 10007:05} {n}" for n in range(20000)]
    text = "\n".join(lines) + "\n"
    want = "\n".join(sorted(lines)) + "\n"
    box(t, "sort", stdin=text.encode()).ended(0).said(want)


def test_busybox_awk(t):
    text = "".join(f"{n} {n * n}\n" for n in range(5000)).encode()
    script = "{ s += $2 } END { printf \"%d %.0f\\n\", NR, s }"
    want = f"5000 {sum(n * n for n in range(5000))}\n"
    box(t, "awk", script, stdin=text).ended(0).said(want)


def test_busybox_gzip_round_trip(t):
    data = b"".join(b"line %d\n" % (n * n) for n in range(200000))
    packed = box(t, "gzip", "-c", stdin=data).ended(0).quiet().out
    t.equal(gzip.decompress(packed), data, "unpacked outside")
    box(t, "gzip", "-dc", stdin=packed).ended(0).said(data).quiet()


def test_busybox_find(t):
    (t.tmp / "tree/a/b").mkdir(parents=True)
    for name in ("x.c", "a/y.c", "a/b/z.h", "a/b/w.c"):
        (t.tmp / "tree" / name).write_text(name)
    for argv in (["-name", "*.c"], ["-type", "d"], ["-type", "f", "-size", "-2"], []):
        host = t.command(BUSYBOX, "find", ".", *argv, cwd=t.tmp / "tree")
        guest = t.run("--file", f"{t.tmp / 'tree'}:/tree", "--cwd",
                      "/tree", BUSYBOX, "find", ".", *argv)
        guest.ended(0).quiet()
        t.equal(sorted(guest.text.split()), sorted(host.text.split()),
                f"find {argv}")


def test_busybox_tar(t):
    tree = t.tmp / "tree"
    (tree / "deep/er").mkdir(parents=True)
    (tree / "file").write_bytes(noise(100000))
    (tree / "deep/er/link").symlink_to("../../file")
    (tree / "deep/small").write_text("small\n")
    packed = t.run("--file", f"{tree}:/tree", "--cwd", "/", BUSYBOX, "tar",
                   "-cf", "-", "tree").ended(0).quiet().out
    (t.tmp / "out").mkdir()
    t.command("tar", "-xf", "-", "-C", t.tmp / "out", stdin=packed).ended(0)
    t.command("diff", "-r", "--no-dereference", tree,
              t.tmp / "out/tree").ended(0)
    listing = box(t, "tar", "-tf", "-", stdin=packed).ended(0).text.split()
    t.check("tree/deep/er/link" in listing, listing)


def test_busybox_unpack_and_look(t):
    """tar makes files, directories and links in the guest's tmpfs."""
    tree = t.tmp / "tree"
    (tree / "d").mkdir(parents=True)
    (tree / "d/f").write_bytes(b"x" * 70000)
    (tree / "l").symlink_to("d/f")
    packed = t.command("tar", "-cf", "-", "-C", t.tmp, "tree").ended(0).out
    (t.tmp / "in.tar").write_bytes(packed)
    # busybox runs its own applets without a fork only where it was built to:
    # so one applet a VM, and the shell's built-ins.
    result = t.run("--file", f"{t.tmp / 'in.tar'}:/in.tar", "--cwd", "/tmp",
                   BUSYBOX, "tar", "-xvf", "/in.tar").ended(0)
    t.equal(sorted(result.text.split()),
            ["tree/", "tree/d/", "tree/d/f", "tree/l"], "listing")


def test_busybox_shell_builtins(t):
    script = ("set -e; cd /tmp; i=0; : > f; while [ $i -lt 300 ]; do"
              " echo line $i >> f; i=$((i+1)); done; n=0;"
              " while read -r a b; do n=$((n+b)); done < f; echo $n;"
              " for x in /etc/pass*; do echo $x; done; pwd; umask;"
              " printf '%05d|%s\\n' 42 done; [ -d /tmp ] && [ ! -e /nope ];"
              " test -s f; exec 3<f; read -r first <&3; echo $first")
    box(t, "sh", "-c", script).ended(0).said(
        "44850\n/etc/passwd\n/tmp\n0022\n00042|done\nline 0\n").quiet()


def test_busybox_od_of_urandom_and_zero(t):
    result = box(t, "od", "-An", "-tx1", "-N", "16", "/dev/urandom").ended(0)
    t.equal(len(result.text.split()), 16, "bytes of /dev/urandom")
    other = box(t, "od", "-An", "-tx1", "-N", "16", "/dev/urandom").ended(0)
    t.check(result.out != other.out, "two VMs read the same random bytes")
    box(t, "dd", "if=/dev/zero", "bs=4k", "count=100",
        "status=none").ended(0).said(bytes(409600))


def test_busybox_md5sum_of_files(t):
    for n, size in enumerate((0, 1, 4095, 4096, 4097, 300000)):
        (t.tmp / f"f{n}").write_bytes(noise(size, n))
    names = [f"f{n}" for n in range(6)]
    host = t.command(BUSYBOX, "md5sum", *names, cwd=t.tmp).ended(0)
    files = [a for n in names for a in ("--file", f"{t.tmp / n}:/w/{n}")]
    guest = t.run(*files, "--cwd", "/w", BUSYBOX, "md5sum", *names)
    guest.ended(0).said(host.out)


def test_jq(t):
    t.need("/usr/bin/jq")
    text = b'{"a":[1,2.5,{"b":"\\u00e9"}],"n":null}'
    for program in (".", ".a|map(type)", "[.a[]|numbers]|add", "keys"):
        host = t.command("/usr/bin/jq", "-c", program, stdin=text).ended(0)
        t.run("/usr/bin/jq", "-c", program,
              stdin=text).ended(0).said(host.out).quiet()
    t.run("/usr/bin/jq", ".a|nonsense", stdin=text).ended(3)


def test_bc(t):
    t.need("/usr/bin/bc")
    text = b"scale=60\n4*a(1)\n2^500\nsqrt(2)\nquit\n"
    host = t.command("/usr/bin/bc", "-l", stdin=text).ended(0)
    t.run("/usr/bin/bc", "-l", stdin=text).ended(0).said(host.out).quiet()


def test_lua(t):
    t.need("/usr/bin/lua5.4")
    script = ("local t = {} for i = 1, 50000 do t[i] = (i * 7919) % 65537 end"
              " table.sort(t) print(#t, t[1], t[50000])"
              " print(string.format('%q %.14g', 'a\\0b', math.pi))"
              " print(pcall(error, 'x')) local f = io.open('/tmp/f', 'w')"
              " f:write(('y'):rep(100000)) f:close()"
              " print(#io.open('/tmp/f'):read('a')) os.remove('/tmp/f')"
              " print(io.open('/tmp/f')) os.exit(5)")
    host = t.command("/usr/bin/lua5.4", "-e", script).ended(5)
    t.run("/usr/bin/lua5.4", "-e", script).ended(5).said(host.out).quiet()


SQL = """
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i+1 from n where i < 3000)
  insert into t select i, 'row '||i, i/3.0 from n;
create index i on t(b);
select count(*), sum(a), round(avg(c), 6) from t;
begin; delete from t where a % 2; rollback;
delete from t where a % 3 = 0;
select count(*), max(b) from t;
vacuum;
pragma integrity_check;
"""


def test_sqlite_in_memory(t):
    t.need("/usr/bin/sqlite3")
    host = t.command("/usr/bin/sqlite3", ":memory:",
                     stdin=SQL.encode()).ended(0)
    t.run("/usr/bin/sqlite3", ":memory:",
          stdin=SQL.encode()).ended(0).said(host.out).quiet()


def test_sqlite_on_a_file(t):
    t.need("/usr/bin/sqlite3")
    sql = SQL.encode() + b".backup /tmp/copy.db\nattach '/tmp/copy.db' as k;" \
        b"select count(*) from k.t;\n"
    host = t.command("/usr/bin/sqlite3", t.tmp / "f.db", stdin=sql.replace(
        b"/tmp/copy.db", str(t.tmp / "copy.db").encode())).ended(0)
    t.run("/usr/bin/sqlite3", "/tmp/f.db", stdin=sql).ended(0).said(
        host.out).quiet()


def test_sqlite_journal_modes(t):
    t.need("/usr/bin/sqlite3")
    for mode in ("delete", "truncate", "persist", "memory", "off"):
        sql = f"pragma journal_mode={mode};" + SQL
        host = t.command("/usr/bin/sqlite3", t.tmp / f"{mode}.db",
                         stdin=sql.encode()).ended(0)
        t.run("/usr/bin/sqlite3", "/tmp/x.db",
              stdin=sql.encode()).ended(0).said(host.out).quiet()
