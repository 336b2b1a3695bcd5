# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# linux_devices.sh - Linux's own drivers of the balloon, the entropy device and
# the console: free page reporting, a target, statistics, a rate limit, further
# ports. Linux reports only where a zone has 128 MiB free and more.
# shellcheck source=tests/bed/linux_lib.sh
. ./linux_lib.sh
name=devices

# mib KEY: what `ampoule balloon` knows, in MiB.
mib()
{
	ampoule balloon --json $name |
		sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" | awk '{print int($1 / 1048576)}'
}

# becomes KEY OPERATOR MIB: prints it when it is so, or after a while.
becomes()
{
	n=0
	until test "$(mib "$1")" "$2" "$3" || [ $n -ge 600 ]; do
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

# is_below MIB: the memory of the VMM, which is the guest's. Linux reports
# free blocks of 2 MiB and more, 2 s after the last change; Debian's kernel then
# keeps 88 to 90 MiB, all in huge pages: 42 that it took at its start, 24 in
# use, the rest free in pieces. With the file of 100 MiB it was 178.
is_below()
{
	[ "$(memory Pss)" -lt "$1" ]
}

# said WORD: the program wrote a line that begins with it
said()
{
	ampoule logs $name 2>/dev/null | grep -q "^$1"
}

seq 20000 >data
mkfifo fifo
cat fifo >from_fifo &
# shellcheck disable=SC2016 # the guest's shell expands it
ampoule start --name $name --kernel "$kernel" --transport "$transport" \
	--mem 400M --rng-rate 8K --port data,in=data --port log,out=log \
	--port to-fifo,out=fifo -- busybox sh -c '
	port()
	{
		for p in /sys/class/virtio-ports/*; do
			[ "$(cat $p/name)" != "$1" ] || echo /dev/${p##*/}
		done
	}
	echo names $(cat /sys/class/virtio-ports/*/name)
	echo "in $(sha256sum <$(port data))"
	seq 30000 >$(port log)
	echo bye >$(port to-fifo)
	echo "rng $(cat /sys/class/misc/hw_random/rng_current)"
	echo "random $(head -c 20480 /dev/hwrng | wc -c)"
	dd if=/dev/zero of=/dev/shm/x bs=1M count=100 2>/dev/null
	rm /dev/shm/x
	echo "interrupts $(grep -c "virtio.-\|virtio[0-9]" /proc/interrupts)"
	echo finished; sleep 600' >/dev/null || exit 1
await said finished
ampoule logs $name >out 2>err
same names "stdin stdout stderr data log to-fifo" "$(got names)"
same port_in "$(sha256sum <data)" "$(got in)"
same port_out "$(seq 30000 | sha256sum)" "$(sha256sum <log)"
same port_fifo bye "$(cat from_fifo)"
same rng 20480 "$(got random)"
say rng_driver "$(got rng | cut -d . -f 1)" = virtio_rng
say huge_pages "$(memory AnonHugePages)" -ge 16
say reporting "$(becomes reported_bytes -ge 220)" -ge 220
await is_below 120
say memory_is_the_hosts "$(memory Pss)" -lt 120
ampoule balloon --target 64M $name >/dev/null
same inflate 64 "$(becomes actual_bytes -eq 64)"
say statistics "$(mib free_bytes)" -lt 336
ampoule balloon --target 0 $name >/dev/null
same deflate 0 "$(becomes actual_bytes -eq 0)"
same no_failure 1 "$(ampoule balloon --json $name | grep -c '"failures": 0')"
ampoule rm -f $name
echo "=ok end"
