# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# linux_program.sh - a program in a Linux guest is as one in mote: streams, exit
# codes, signals, a terminal, with 1, 2 and 4 CPUs. $3: what uname -r says, or nothing.
# shellcheck disable=SC2016 # the guest's shell expands it
# shellcheck source=tests/bed/linux_lib.sh
. ./linux_lib.sh
release=$3
seq 20000 >in

run --mem 256M --user 7:8 --cwd /tmp --env A=b busybox sh -c '
	echo "sum $(sha256sum)"
	echo "who $(id -u):$(id -g) $(pwd) $A"
	echo "cpus $(grep -c ^processor /proc/cpuinfo)"
	echo "release $(uname -r)"
	echo "mmio $(ls /sys/bus/platform/drivers/virtio-mmio | grep -c LNRO)"
	echo "pci $(ls /sys/bus/pci/devices | wc -l)"
	echo "driven $(ls -d /sys/bus/pci/drivers/virtio-pci/0000:* | wc -l)"
	echo to stderr >&2
	exit 42' <in >out 2>err
same exit_code 42 $?
same stdin "$(sha256sum <in)" "$(got sum)"
same user "7:8 /tmp b" "$(got who)"
same cpus_1 1 "$(got cpus)"
[ -z "$release" ] || same release "$release" "$(got release)"
if [ "$transport" = pci ]; then
	same no_mmio 0 "$(got mmio)"
	say all_driven "$(got driven)" -ge 2
	same stderr "to stderr" "$(cat err)"
else
	say some_mmio "$(got mmio)" -ge 2
	same stderr "to stderr" "$(grep -v 'virtio-pci/0000' err)"
fi

run --mem 256M --cpus 2 busybox sh -c 'grep -c ^processor /proc/cpuinfo
	exit 5' >out 2>err
same cpus_2 "5 2" "$? $(cat out)"

# Memory below and above 4 GiB.
: | run --cpus 4 --mem 3500M busybox sh -c '
	echo "bytes $(wc -c)"
	echo "cpus $(grep -c ^processor /proc/cpuinfo)"
	echo "mib $(free -m | awk "/^Mem/ { print \$2 }")"
	for i in 1 2 3 4; do (seq 20000 | sha256sum) & done | sort -u | wc -l
	kill -9 $$' >out 2>err
same killed 137 $?
same no_stdin 0 "$(got bytes)"
same cpus_4 "4 1" "$(got cpus) $(tail -n 1 out)"
say memory "$(got mib)" -gt 3200

if [ "$transport" = mmio ]; then
	run_behind --mem 256M --grace 60 busybox sh -c \
		'trap "echo term; exit 5" TERM; echo up
		while :; do sleep 0.1; done' >out 2>err
	await grep -q up out
	kill -TERM "$pid"
	wait "$pid"
	same gets_sigterm "5 term" "$? $(tail -n 1 out)"

	same reader_is_gone y "$(run --mem 256M busybox yes 2>err | head -n 1)"

	./terminal ampoule run --time $LIMIT --kernel "$kernel" --mem 256M \
		busybox sh -c 'trap "stty size; exit 6" WINCH; stty size
		echo ready; while :; do sleep 0.1; done' >out 2>err
	same terminal "6 24 80 ready 50 132" "$? $(tr -s '\r\n' ' ' <out |
		sed 's/ $//')"

	file=/ampoule/kernels/linux/vmlinux
	[ -e $file ] || file=$kernel
	dd if="$file" of=cut bs=1000 count=100 2>/dev/null
	ampoule run --kernel ./cut busybox true 2>err
	line cut_short 125 $? cut
fi
echo "=ok end"
