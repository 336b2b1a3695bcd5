# SPDX-License-Identifier: Apache-2.0
"""Debian's shells and the small programs they call, unmodified: a script runs
on the host and in a VM, and says the same."""
import contextlib
import difflib
import shutil
import time

import cases.tty as tty
import vm

PATH = "/usr/bin:/bin"
# The environment of `ampoule run`, for the run on the host.
HOST_ENV = {"PATH": PATH, "HOME": "/root"}


def tools(t, *names):
    """--file for each program of the host."""
    options = []
    for name in names:
        path = shutil.which(name, path=PATH)
        if not path:
            t.skip(f"{name} is not here")
        options += ["--file", path]
    return options


def compare(t, host, guest):
    ours = guest.text.splitlines() + [f"status {guest.status}"]
    theirs = host.text.splitlines() + [f"status {host.status}"]
    t.check(len(theirs) > 2, f"the script says something\n{host}")
    if ours != theirs:
        lines = difflib.unified_diff(theirs, ours, "outside", "inside", n=1,
                                     lineterm="")
        raise vm.Failed("\n".join([*lines][:60]) + f"\n{guest.errors[:1500]}")


def same(t, shell, script, *names, argv=("-c",), mem="256M", limit=120):
    """Run @script by @shell outside and inside: the same output and status."""
    t.need(shell)
    host = t.command(shell, *argv, script, cwd=t.tmp, env=HOST_ENV,
                     limit=limit)
    guest = t.run("--env", f"PATH={PATH}", "--cwd", "/tmp", "--mem", mem,
                  *tools(t, *names), "--", shell, *argv, script, limit=limit)
    compare(t, host, guest)


SCRIPT = r"""
echo one | tr a-z A-Z | cat
x=$(echo sub | sed s/s/S/); echo "$x $?"
cat <<END
here $x
$(expr 3 \* 4)
END
cat <<'END' | wc -l
quoted $x
two
END
(cd /; pwd; exit 3); echo "subshell $?"
trap 'echo on exit' EXIT
trap 'echo got usr1' USR1
kill -USR1 $$
sleep 0.1 & wait $!; echo "waited $?"
(exit 7) & wait $!; echo "waited $?"
for i in 1 2 3; do echo $i; done | while read n; do echo "n$n"; done
seq 1 1000 | sort -rn | head -3
false | true; echo "pipe $?"
! true; echo "not $?"
f() { echo "f $# $1"; return 5; }
f a b; echo "f gave $?"
echo text > file; cat < file >> copy; cat file copy; rm file copy
[ -d /tmp ] && echo "a directory"
case $x in S*) echo matched;; *) echo not;; esac
i=0; while [ $i -lt 5 ]; do i=$((i + 1)); done; echo $i
echo to stderr >&2 2>/dev/null; exec 3>out; echo three >&3; exec 3>&-; cat out
sh_missing_command 2>/dev/null; echo "missing $?"
sleep 100 & sleep 0.3; kill $!; wait $!; echo "killed $?"
umask 027; touch t; ls -l t | cut -c1-10
set -- a b c; shift; echo "$@" "$#"
eval 'echo evaluated $1'
printf '%05d|%-5s|%x\n' 42 ab 255
exit 9
"""
TOOLS = ("tr", "cat", "sed", "expr", "wc", "sleep", "seq", "sort", "head",
         "rm", "touch", "ls", "cut")


def test_dash_script(t):
    same(t, "/bin/dash", SCRIPT, *TOOLS)


def test_bash_script(t):
    same(t, "/bin/bash", SCRIPT, *TOOLS)


def test_busybox_script(t):
    """Its own applets, as far as a shell finds them by name."""
    links = "for a in " + " ".join(TOOLS) + "; do ln -s /bin/busybox $a; done"
    t.need("/bin/busybox")
    host = t.command("/bin/busybox", "sh", "-c", "mkdir b && cd b && "
                     "for a in ln; do /bin/busybox ln -s /bin/busybox $a; "
                     f"done; PATH=$PWD; {links}; cd ..; {SCRIPT}",
                     cwd=t.tmp, env=HOST_ENV)
    guest = t.run("--cwd", "/tmp", "--", "/bin/busybox", "sh", "-c",
                  "mkdir b && cd b && for a in ln; do /bin/busybox ln -s "
                  f"/bin/busybox $a; done; PATH=$PWD; {links}; cd ..; "
                  f"{SCRIPT}")
    compare(t, host, guest)


def test_bash_features(t):
    same(t, "/bin/bash", r"""
        a=(x y z); echo ${#a[@]} ${a[1]}; declare -A m=([k]=v); echo ${m[k]}
        cat <(echo substituted) <<< "unused"
        coproc cat; echo hi >&"${COPROC[1]}"; read -r l <&"${COPROC[0]}"
        echo "$l"; kill "$COPROC_PID"; wait 2>/dev/null
        shopt -s lastpipe; echo piped | read -r v; echo "$v"
        echo {1..5} $((2 ** 40)); [[ abc =~ b(.) ]] && echo "${BASH_REMATCH[1]}"
        time_out() { read -r -t 0.1 < <(sleep 1); echo "timeout $?"; }
        time_out; set -o pipefail; false | true; echo $?
        mapfile -t lines < <(seq 3); echo "${lines[@]}"
        printf '%(%Y)T\n' 0; ulimit -n 100; ulimit -n; echo "$BASHPID" | wc -w
        trap 'echo int; exit 4' INT; kill -INT $$; sleep 1
        """, "cat", "sleep", "seq", "wc")


def test_many_processes(t):
    """Two hundred short processes one after the other, and twenty at once."""
    same(t, "/bin/dash", r"""
        i=0; while [ $i -lt 200 ]; do i=$((i + 1)); /bin/true || exit 1; done
        echo $i
        i=0; while [ $i -lt 20 ]; do i=$((i + 1)); (sleep 0.2; exit $i) & done
        wait; echo done
        """, "true", "sleep")


def test_coreutils(t):
    same(t, "/bin/bash", r"""
        mkdir -p d/e; for i in {1..9}; do echo "line $i" > "d/e/$i"; done
        cp -a d c; mv c/e c/f; ln -s f/1 c/link; ln d/e/2 c/hard
        find c d | sort; cat c/link; stat -c '%h %a %F' c/hard c/f
        rm -r c/f; readlink -f d/../d/e/3 | sed "s|$PWD||"; du -b d/e/1
        seq 100 | shuf --random-source=<(yes) | sort -n | md5sum
        seq 1 20 | split -l 7 - part; wc -l part*; paste partaa partab
        tail -n 2 partaa; head -c 5 d/e/1 | od -c; tac partac; nl partaa
        seq 10 | tee t1 | sum; cmp t1 t1 && comm -12 <(seq 5) <(seq 3 9)
        date -u -d @0 +%F; basename /a/b.c .c; dirname /a/b; factor 97654321
        seq 5 | xargs -n 2 echo; echo aXb | tr X '\n'; uniq -c <(echo a; echo a)
        base64 <<< hello; sha256sum d/e/1; expand <<< $'a\tb'; fold -w 3 <<< abcdef
        timeout 0.2 sleep 5; echo $?; echo $(($(nice -n 5 nice) - $(nice))); env -i A=1 env
        mkfifo p; echo through > p & cat p; wait
        dd if=/dev/zero bs=1000 count=3 2>/dev/null | wc -c; truncate -s 1M big
        stat -c %s big; tsort <<< "a b b c"; join <(seq 3) <(seq 2 4)
        chmod 600 t1; ls -l t1 | cut -d' ' -f1; test -x t1 || echo no; id -u
        numfmt --to=iec 1048576; touch -d @86400 t1; stat -c %Y t1
        sort -S 1M -T . <(seq 20000) | uniq | wc -l; printenv HOME; pwd -P | wc -l
        """, "mkdir", "cp", "mv", "ln", "find", "sort", "cat", "stat", "rm",
         "readlink", "sed", "du", "seq", "shuf", "yes", "md5sum", "split",
         "wc", "paste", "tail", "head", "od", "tac", "nl", "tee", "sum", "cmp",
         "comm", "date", "basename", "dirname", "factor", "xargs", "tr",
         "uniq", "base64", "sha256sum", "expand", "fold", "timeout", "sleep",
         "nice", "env", "mkfifo", "dd", "truncate", "tsort", "join", "chmod",
         "ls", "cut", "id", "numfmt", "touch", "printenv", "echo")


def test_procps(t):
    """ps, pgrep, free, uptime and top read /proc."""
    dumb = "/lib/terminfo/d/dumb"
    t.need(dumb)
    guest = t.run("--env", f"PATH={PATH}", "--file", dumb, *tools(
        t, "ps", "pgrep", "free", "uptime", "top", "sleep", "cat"), "--",
        "/bin/bash", "-c", "sleep 50 & ps -ef; ps aux | cat; pgrep -x sleep; "
        "free; uptime; TERM=dumb top -b -n 1; kill %1", limit=60)
    guest.ended(0)
    for words in (["root", "sleep 50"], ["Mem:", "Swap:"], ["load average"],
                  ["Tasks:", "TIME+"]):
        t.check(all(w in guest.text for w in words), f"{words}\n{guest}")


def test_script_makes_a_terminal(t):
    """script(1) runs a command on a pseudo terminal."""
    guest = t.run("--env", f"PATH={PATH}", *tools(
        t, "script", "tty", "sh", "stty", "test"), "--", "/bin/bash", "-c",
        "script -qec 'tty; test -t 0 && echo terminal; exit 6' /dev/null")
    guest.ended(6).said("/dev/pts/0\r\nterminal\r\n")


def test_bash_history(t):
    """Readline: a line comes back by the up arrow, and Ctrl-C drops one."""
    term = tty.vm_on(t, "--env", "PS1=$ ", "--env", "TERM=xterm", "--",
                     "/bin/bash", "--norc", "-i", cols=100)
    term.expect(b"$ ")
    term.type(b"echo fir\x7f\x7fst$((1 + 1))\r")
    term.expect(b"\nfst2\r\n")
    term.expect(b"$ ")
    term.type(b"unfinished")
    term.expect(b"unfinished")
    for _ in range(10):  # readline loses a Ctrl-C just before it waits
        time.sleep(0.2)
        term.type(b"\x03")
        with contextlib.suppress(vm.Failed):
            term.expect(b"$ ", 3)
            break
    else:
        term.expect(b"$ ")
    term.type(b"\x1b[A again\r")
    term.expect(b"\nfst2 again\r\n")
    term.expect(b"$ ")
    term.type(b"exit 5\r")
    term.ended(5)
