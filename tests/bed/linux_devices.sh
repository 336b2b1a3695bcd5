#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# linux_devices.sh - Linux's own drivers of the balloon, the entropy device and
# the console: free page reporting, a target, statistics, a rate limit, further
# ports. Runs in L1; prints a
# line a case. Linux reports only where a zone has 128 MiB free and more.
name=balloon

# say NAME CONDITION...: is it true?
say()
{
	what=$1
	shift
	if [ "$@" ]; then
		echo "=ok $what"
	else
		echo "=not $what"
		echo "$*"
	fi
}

# mib KEY: what `ampoule balloon` knows, in MiB.
mib()
{
	ampoule balloon --json $name |
		sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" | awk '{print int($1 / 1048576)}'
}

# await KEY OPERATOR MIB: until it is so, a minute at most.
await()
{
	n=0
	until test "$(mib "$1")" "$2" "$3" || [ $n -ge 300 ]; do
		n=$((n + 1))
		sleep 0.2
	done
	mib "$1"
}

# memory FIELD: of the VMM, by the host's account, in MiB.
memory()
{
	pid=$(ampoule ps --json | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
	awk "/^$1:/ {print int(\$2 / 1024)}" "/proc/$pid/smaps_rollup"
}

ampoule start --name $name --kernel ./vmlinux --mem 400M --rng-rate 8K -- \
	/bin/busybox sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=100
		echo have; sleep 4; rm /dev/shm/x; echo freed
		head -c 20480 /dev/hwrng | wc -c; echo done; sleep 600' \
	>/dev/null || exit 1
n=0
until ampoule logs $name | grep -q "done" || [ $n -ge 300 ]; do
	n=$((n + 1))
	sleep 0.2
done
say rng "$(ampoule logs $name | grep -c '^20480$')" = 1
say huge_pages "$(memory AnonHugePages)" -ge 16
say reporting "$(await reported_bytes -ge 250)" -ge 250
say memory_is_the_hosts "$(memory Pss)" -lt 100
ampoule balloon --target 64M $name >/dev/null
say inflate "$(await actual_bytes -eq 64)" = 64
say statistics "$(mib free_bytes)" -lt 336
ampoule balloon --target 0 $name >/dev/null
say deflate "$(await actual_bytes -eq 0)" = 0
say no_failure "$(ampoule balloon --json $name | grep -c '"failures": 0')" = 1
ampoule rm -f $name

seq 20000 >data
mkfifo fifo
cat fifo >got &
# shellcheck disable=SC2016 # the guest's shell expands it
ampoule run --kernel ./vmlinux --port data,in=data --port log,out=log \
	--port to-fifo,out=fifo -- /bin/busybox sh -c '
	cd /sys/class/virtio-ports; for p in vport*; do cat $p/name; done
	cat /dev/vport0p3 | sha256sum; seq 30000 >/dev/vport0p4
	echo bye >/dev/vport0p5' >out
say names "$(head -n 6 out | tr '\n' ' ')" = "stdin stdout stderr data log to-fifo "
say port_in "$(tail -n 1 out)" = "$(sha256sum <data)"
say port_out "$(sha256sum <log)" = "$(seq 30000 | sha256sum)"
say port_fifo "$(cat got)" = bye
