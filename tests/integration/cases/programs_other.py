# SPDX-License-Identifier: Apache-2.0
"""Debian's larger programs in a VM, unmodified: languages, git, a database, a
compiler, a server."""
import glob
import os

PATH = "/usr/bin:/bin"
CPUS = (1, 4)  # programs whose runtime has threads of its own run with each


def files(t, *paths):
    """--file for each of these, which have to be here."""
    t.need(*paths)
    return [word for path in paths for word in ("--file", path)]


def bash(t, script, *paths, mem="512M", limit=180):
    return t.run("--env", f"PATH={PATH}", "--env", "HOME=/tmp", "--cwd",
                 "/tmp", "--mem", mem, *files(t, *paths), "--", "/bin/bash",
                 "-c", script, limit=limit)


def test_perl(t):
    result = t.run(*files(t, "/usr/share/perl", "/usr/bin/env", "/bin/sh",
                          "/usr/lib/x86_64-linux-gnu/perl",
                          "/usr/lib/x86_64-linux-gnu/perl-base"),
                   "--", "/usr/bin/perl", "-e", r"""
        use strict; use warnings; use POSIX qw(strftime); use File::Temp;
        use IO::Socket::UNIX; use List::Util qw(sum);
        $| = 1;
        my $pid = fork // die; unless ($pid) { print "child\n"; exit 3 }
        waitpid $pid, 0; print $? >> 8, "\n";
        print `echo \$((6 * 7))`;
        open my $p, '-|', 'env', '-i', 'A=b' or die; print <$p>; close $p;
        my $f = File::Temp->new; print $f "x" x 10; close $f;
        print -s "$f", " ", sum(1 .. 10), " ", strftime("%Y", gmtime 0), "\n";
        local $SIG{ALRM} = sub { die "alarm\n" };
        eval { alarm 1; select undef, undef, undef, 30; }; print $@;
        socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0 or die;
        syswrite $a, "pair\n"; sysread $b, my $s, 5; print $s;
        my %h = map { $_ => length } qw(a bb ccc);
        print join(",", map { "$_=$h{$_}" } sort keys %h), "\n";
        """)
    result.ended(0).said("child\n3\n42\nA=b\n10 55 1970\nalarm\npair\n"
                         "a=1,bb=2,ccc=3\n").quiet()


def test_lua(t):
    t.need("/usr/bin/lua5.4")
    result = t.run(*files(t, "/bin/sh"), "--", "/usr/bin/lua5.4", "-e", """
        local t = {} for i = 1, 1000 do t[i] = (i * 7919) % 1009 end
        table.sort(t) print(#t, t[1] <= t[2], t[999] <= t[1000])
        local f = io.popen("echo piped; exit 3") print(f:read("a"), f:close())
        local n = os.tmpname() local h = io.open(n, "w") h:write("x") h:close()
        print(io.open(n):read("a"), os.remove(n))
        local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1)
            return b * 2 end) print(co(1), co(10))
        """)
    result.ended(0).said("1000\ttrue\ttrue\npiped\n\tnil\texit\t3\nx\ttrue\n"
                         "2\t20\n")


def test_ruby(t):
    t.need("/usr/bin/ruby")
    result = t.run("--mem", "512M", *files(
        t, "/usr/lib/ruby", "/usr/lib/x86_64-linux-gnu/ruby", "/bin/sh"),
        "--", "/usr/bin/ruby", "-e", r"""
        require "json"; require "socket"; require "timeout"
        puts JSON.generate({a: [1, 2]})
        puts Thread.new { 6 * 7 }.value
        pid = fork { exit 4 }; Process.wait pid; puts $?.exitstatus
        puts `echo $((1 + 1))`
        s = TCPServer.new("127.0.0.1", 0)
        t = Thread.new { c = s.accept; c.puts c.gets.upcase; c.close }
        c = TCPSocket.new("127.0.0.1", s.addr[1]); c.puts "up"; puts c.gets
        t.join
        begin; Timeout.timeout(0.1) { sleep }; rescue Timeout::Error
        puts "late"; end
        """, limit=120)
    result.ended(0).said('{"a":[1,2]}\n42\n4\n2\nUP\nlate\n')


def test_git(t):
    result = bash(t, """
        set -e; git init -q r; cd r; git config user.email a@b
        git config user.name n; for i in 1 2 3; do echo $i > f$i; git add f$i
        git commit -q -m "commit $i"; done
        git --no-pager log --format=%s; git checkout -q -b side HEAD~1
        echo x > g; git add g; git commit -q -m side; git checkout -q master
        git merge -q -m merged side; git --no-pager log --format=%s -1
        git clone -q . ../copy; git -C ../copy rev-list --count HEAD
        git gc -q; git fsck --no-progress; git status --short; git --no-pager diff HEAD~1 --stat
        """, "/usr/bin/git", "/usr/lib/git-core", "/usr/share/git-core",
        "/bin/sh", "/bin/cat", "/usr/bin/tail")
    result.ended(0).said("commit 3\ncommit 2\ncommit 1\nmerged\n5\n"
                         " g | 1 +\n 1 file changed, 1 insertion(+)\n")


def test_sqlite_100000_inserts(t):
    t.need("/usr/bin/sqlite3")
    sql = ("pragma journal_mode=wal; create table t(a integer primary key, "
           "b text); begin;\n" + "".join(
               f"insert into t values({n}, 'row {n * 7919 % 100003}');\n"
               + ("commit; begin;\n" if n % 1000 == 0 else "")
               for n in range(1, 100001)) +
           "commit; create index i on t(b); "
           "select count(*), sum(a), max(b) from t; pragma integrity_check;")
    result = t.run("--mem", "256M", "--", "/usr/bin/sqlite3", "/tmp/a.db",
                   stdin=sql.encode(), limit=180)
    result.ended(0).said("wal\n100000|5000050000|row 99999\nok\n")


GCC = "/usr/lib/gcc/x86_64-linux-gnu/12"
LIB = "/usr/lib/x86_64-linux-gnu"


def test_gcc(t):
    """It compiles, assembles and links; what comes out runs."""
    result = bash(t, r"""
        set -e
        cat > h.c <<'END'
#include <math.h>
#include <pthread.h>
#include <stdio.h>
static void *run(void *p) { *(double *)p = sqrt(2); return 0; }
int main(int c, char **v) { pthread_t t; double d;
	pthread_create(&t, 0, run, &d); pthread_join(t, 0);
	printf("hello %.3f %d\n", d, c); return 7; }
END
        gcc -O2 -Wall -o h h.c -lm; ./h a b || echo $?
        gcc -S -O1 -o - h.c | grep -c pthread_create
        """, "/usr/bin/gcc", "/usr/bin/as", "/usr/bin/ld", GCC,
        "/usr/include", "/bin/cat", "/bin/grep", LIB + "/crt1.o",
        LIB + "/Scrt1.o", LIB + "/crti.o", LIB + "/crtn.o", LIB + "/libc.so",
        LIB + "/libc_nonshared.a", LIB + "/libm.so", LIB + "/libm.so.6",
        LIB + "/libmvec.so.1", LIB + "/libgcc_s.so.1", mem="768M")
    result.ended(0).said("hello 1.414 3\n7\n1\n")


def test_redis(t):
    result = bash(t, """
        redis-server --port 7777 --save '' --daemonize no --logfile log &
        for i in {1..600}; do redis-cli -p 7777 ping >/dev/null 2>&1 && break
        sleep 0.1; done
        redis-cli -p 7777 set k v; redis-cli -p 7777 get k
        redis-cli -p 7777 eval 'return redis.call("incrby", "n", 41) + 1' 0
        redis-benchmark -p 7777 -q -n 2000 -c 10 -t set,get | tr '\\r' '\\n' |
            grep -c 'requests per second'
        redis-cli -p 7777 shutdown; wait; tail -n 1 log | grep -c bye
        """, "/usr/bin/redis-server", "/usr/bin/redis-cli",
        "/usr/bin/redis-benchmark", "/bin/sleep", "/usr/bin/tr", "/bin/grep",
        "/usr/bin/tail")
    result.ended(0).said("OK\nv\n42\n2\n1\n")


def test_node(t):
    t.need("/usr/bin/node")
    script = """
        const fs = require("fs"), cp = require("child_process"),
            net = require("net"), { Worker } = require("worker_threads");
        fs.writeFileSync("/tmp/x", "1"); console.log(fs.statSync("/tmp/x").size);
        console.log(cp.execSync("echo sub").toString().trim());
        const s = net.createServer(c => c.end("net")).listen(0, () =>
            net.connect(s.address().port).on("data", d => {
                console.log(d.toString()); s.close();
                new Worker("require('worker_threads').parentPort.postMessage(5)",
                    { eval: true }).on("message", m => console.log(m)); }));
        """
    for cpus in CPUS:
        t.run("--mem", "1G", "--cpus", cpus, *files(t, "/bin/sh"), "--",
              "/usr/bin/node", "-e", script,
              limit=180).ended(0).said("1\nsub\nnet\n5\n")


GO = """package main

import ("fmt"; "net"; "os/exec"; "sync"; "time")

func main() {
	var wg sync.WaitGroup
	sum, mu := 0, sync.Mutex{}
	for i := 0; i < 100; i++ {
		wg.Add(1)
		go func(i int) { defer wg.Done(); time.Sleep(time.Millisecond)
			mu.Lock(); sum += i; mu.Unlock() }(i)
	}
	wg.Wait()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	fmt.Println("hello", sum, err)
	go func() { c, _ := l.Accept(); c.Write([]byte("net")); c.Close() }()
	c, _ := net.Dial("tcp", l.Addr().String())
	b := make([]byte, 9)
	n, _ := c.Read(b)
	out, err := exec.Command("/bin/busybox", "echo", "sub").Output()
	fmt.Println(string(b[:n]), string(out), err)
}
"""


def test_go(t):
    """A static binary, made outside by Debian's toolchain."""
    t.need("/usr/bin/go", "/bin/busybox")
    (t.tmp / "h.go").write_text(GO)
    env = dict(os.environ, CGO_ENABLED="0", GOCACHE=str(t.tmp / "cache"),
               GOFLAGS="-mod=mod", HOME=str(t.tmp), GO111MODULE="off")
    t.command("/usr/bin/go", "build", "-o", t.tmp / "h", t.tmp / "h.go",
              env=env, limit=300).ended(0)
    for cpus in CPUS:
        t.run("--mem", "256M", "--cpus", cpus, "--file", "/bin/busybox", "--",
              t.tmp / "h", limit=60).ended(0).said(
                  "hello 4950 <nil>\nnet sub\n <nil>\n")


def test_jvm(t):
    """It compiles the source in memory and runs it."""
    homes = glob.glob("/usr/lib/jvm/java-*-openjdk-amd64")
    homes = [home for home in homes if os.path.exists(home + "/bin/javac")]
    if not homes:
        t.skip("no JDK is here (default-jdk-headless)")
    (t.tmp / "H.java").write_text("""
public class H {
	public static void main(String[] a) throws Exception {
		Thread t = new Thread(() -> System.out.println("thread"));
		t.start();
		t.join();
		System.out.println("hello " + a.length);
		System.exit(3);
	}
}
""")
    etc = [path for path in glob.glob("/etc/java-*-openjdk")]
    for cpus in CPUS:
        t.run("--mem", "1G", "--cpus", cpus, *files(t, homes[0], *etc),
              "--file", f"{t.tmp}/H.java:/tmp/H.java", "--",
              homes[0] + "/bin/java", "/tmp/H.java", "x",
              limit=300).ended(3).said("thread\nhello 1\n")
