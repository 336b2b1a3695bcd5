#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# bench_boot.sh KERNEL [VMLINUX] - boot one guest kernel to its process 1 under
# Ampoule and its peers, and let the host's kernel count: exits by reason,
# returns of KVM_RUN, page faults of the VM, system calls. Runs in L1
# (tests/bench/linuxboot.py), where everything it needs lies in /w. Prints
#
#	boot WHO                     the next one, as bench-mark tells insncount.c
#	count WHO EVENT KEY NUMBER   from start to process 1
#	time WHO HOST_US GUEST_US    host: from start to process 1; guest: its clock
#	failed WHO                   and the end of what was said instead
#
# KERNEL is a bzImage; VMLINUX the same as ELF, for those who can start it.
bzimage=$1
elf=${2:-$1}
tracing=/sys/kernel/tracing
events=$tracing/events
init_leaf=565184257
clock_leaf=565184258
mem=256
# The last word is one that Ampoule would say alone: no test of the ciphers.
cmdline="panic=-1 reboot=t quiet cryptomgr.notests"

# What is counted: event, and the field by which.
counted="kvm/kvm_exit:exit_reason kvm/kvm_userspace_exit:reason
	kvm/kvm_page_fault:error_code kvm/kvm_msr:ecx kvm/kvm_pio:port
	raw_syscalls/sys_enter:id"

set_up()
{
	mount -t tracefs trace $tracing || exit 1
	echo 4096 >$tracing/buffer_size_kb
	echo "function == $init_leaf || function == $clock_leaf" \
		>$events/kvm/kvm_cpuid/filter
	echo 1 >$events/kvm/kvm_cpuid/enable
	truncate -s 4M disk.img
	mkdir -p root/dev
	cp bench-init root/init
	(cd root && find . | cpio -o -H newc 2>/dev/null) >initrd
}

# Counters at zero, and a trigger for each that stops it at process 1.
start_counting()
{
	: >$tracing/trace
	for c in $counted; do
		hist="hist:keys=${c#*:}:size=4096"
		echo "!$hist" >"$events/${c%:*}/trigger" 2>/dev/null
		echo "$hist" >"$events/${c%:*}/trigger"
		stop="disable_hist:$(echo "${c%:*}" | tr / :)"
		echo "$stop if function == $init_leaf" \
			>$events/kvm/kvm_cpuid/trigger 2>/dev/null
	done
}

# tell WHO
tell()
{
	if ! grep -q "func $(printf %x $clock_leaf)" $tracing/trace; then
		echo "failed $1"
		tail -n 5 out
		return
	fi
	for c in $counted; do
		sed -n 's/^{ [a-z_]*: *\([0-9]*\).*} hitcount: *\([0-9]*\).*/\1 \2/p' \
			"$events/${c%:*}/hist" | while read -r key n; do
			echo "count $1 $(basename "${c%:*}") $key $n"
		done
	done
	sed -n 's/.* \([0-9]*\)\.\([0-9]*\): \(tracing_mark_write: start\|kvm_cpuid: func \([0-9a-f]*\) idx \([0-9a-f]*\)\).*/\1\2 \4 \5/p' \
		$tracing/trace | {
		while read -r us leaf value; do
			case $leaf in
			'') from=$us ;;
			"$(printf %x $init_leaf)") at=$us ;;
			*) clock=$((0x$value)) ;;
			esac
		done
		echo "time $1 $((at - from)) $clock"
	}
}

# boot WHO COMMAND... - counted from the moment before the command starts. That
# a reset ends it with an error is as it should be.
boot()
{
	who=$1
	shift
	echo "boot $who"
	start_counting
	./bench-mark
	echo start >$tracing/trace_marker
	timeout 100 "$@" >out 2>&1
	tell "$who"
}

# ours WHO OPTION...
ours()
{
	who=$1
	shift
	boot "$who" ampoule run --kernel "$elf" --initrd initrd --mem ${mem}M \
		--cpus 1 --disk disk.img --cmdline "$cmdline" "$@"
}

# qemu WHO BUS KERNEL OPTION... - the devices that Ampoule has: a console with a
# port, entropy, a disk. BUS: device, pci
qemu()
{
	who=$1
	bus=$2
	kernel=$3
	shift 3
	boot "$who" ./qemu-system-x86_64 -L . "$@" -enable-kvm -cpu host \
		-m $mem -smp 1 -kernel "$kernel" -initrd initrd \
		-append "$cmdline" -nodefaults -no-user-config -display none \
		-no-reboot -device virtio-serial-"$bus" \
		-chardev null,id=c -device virtconsole,chardev=c \
		-device virtio-rng-"$bus" \
		-drive file=disk.img,format=raw,if=none,id=d \
		-device virtio-blk-"$bus",drive=d
}

microvm=microvm,x-option-roms=off,pit=off,pic=off,isa-serial=off,rtc=on
set_up
ours ampoule-mmio
ours ampoule-pci --transport pci
qemu microvm device "$elf" -M $microvm,acpi=on -bios qboot.rom
qemu microvm-noacpi device "$elf" -M $microvm,acpi=off
qemu q35 pci "$bzimage" -M q35
[ ! -e lkvm ] || boot kvmtool ./lkvm run --nodefaults -k "$bzimage" \
	-i initrd -m $mem -c 1 --console virtio --rng -d disk.img \
	-p "$cmdline noapic noacpi pci=conf1"
