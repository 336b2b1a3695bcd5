#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# linux_cpu.sh - CPUs and clocks as Debian's kernel sees them: topology and
# caches with 1, 2 and 4 CPUs, templates, a pause, stolen time; what the host's
# log says after all. Runs in L1, with guest/ of `bed -g`; prints a line a case,
# last "=ok end".
options="--time 150 --mem 256M --kernel guest/boot/vmlinuz"

# say NAME WANTED GOT
say()
{
	if [ "$2" = "$3" ]; then
		echo "=ok $1"
	else
		echo "=not $1"
		echo "wanted '$2', got '$3'"
		tail -n 5 err
	fi
}

# got NAME: what a guest said of it.
got()
{
	sed -n "s/^$1 //p" out
}

# What a guest tells of its CPUs, with few processes: it is slow.
cat >cpus.sh <<'END_OF_GUEST'
cd /sys/devices/system/cpu
grep . cpu[0-9]*/topology/physical_package_id cpu[0-9]*/topology/core_id \
	cpu[0-9]*/topology/thread_siblings_list \
	cpu[0-9]*/topology/core_siblings_list \
	cpu[0-9]*/cache/index*/level cpu[0-9]*/cache/index*/shared_cpu_list
sed -n 's/^flags.*: /flags /p' /proc/cpuinfo
dmesg | sed -n 's/^.*\(firmware bug\|mismatch\|unchecked MSR\)/complaint &/Ip'
END_OF_GUEST

# look CPUS OPTION...: into out.
look()
{
	cpus=$1
	shift
	# shellcheck disable=SC2086 # words
	ampoule run $options --cpus "$cpus" "$@" --file cpus.sh:/cpus.sh -- \
		busybox sh /cpus.sh >out 2>err
}

# expect_topology CPUS: one package, as many cores, a thread each; the first
# caches are a core's, the last one is everybody's.
expect_topology()
{
	last=$(($1 - 1))
	all=0
	[ $last = 0 ] || all=0-$last
	seq 0 $last | while read -r n; do
		echo "cpu$n/topology/physical_package_id:0"
		echo "cpu$n/topology/core_id:$n"
		echo "cpu$n/topology/thread_siblings_list:$n"
		echo "cpu$n/topology/core_siblings_list:$all"
		for cache in "0 1 $n" "1 1 $n" "2 2 $n" "3 3 $all"; do
			# shellcheck disable=SC2086 # words
			set -- $cache
			echo "cpu$n/cache/index$1/level:$2"
			echo "cpu$n/cache/index$1/shared_cpu_list:$3"
		done
	done | sort
}

topology()
{
	say "topology_$1" "$(expect_topology "$1")" "$(grep '^cpu' out | sort)"
	say "no_complaint_$1" "" "$(got complaint)"
}

# has FLAG...: how many of them the guest has.
has()
{
	n=0
	for flag; do
		case " $(got flags | head -n 1) " in
		*" $flag "*) n=$((n + 1)) ;;
		esac
	done
	echo $n
}

# What a guest tells of its clocks while it is looked at from outside.
cat >clocks.sh <<'END_OF_GUEST'
steal() # in hundredths of a second
{
	sed -n 's/^cpu  //p' /proc/stat | cut -d ' ' -f 8
}

trap 'end=1' TERM
sh /cpus.sh
echo "up"
before=$(steal)
n=0
until [ "$(steal)" -gt $((before + 9)) ] || [ $n -ge 400 ]; do
	n=$((n + 1))
done
echo "stolen $(($(steal) > before + 9))"
# The pause is longer than what the watchdog now takes for a lockup, on a CPU
# that does not idle.
while :; do :; done &
echo 1 >/proc/sys/kernel/watchdog_thresh
until [ $end ]; do
	echo "time $(date +%s)"
	sleep 0.2
done
echo 10 >/proc/sys/kernel/watchdog_thresh
kill $!
echo "complaints $(dmesg | grep -ic 'soft lockup\|unstable\|stall\|backwards')"
END_OF_GUEST

# await PATTERN COUNT: until the guest has said so many of it, two minutes at
# most.
await()
{
	n=0
	until [ "$(ampoule logs clocks | grep -c "$1")" -ge "$2" ] ||
		[ $n -ge 400 ]; do
		n=$((n + 1))
		sleep 0.3
	done
}

# clocks: two busy VMs on one CPU, then a pause.
clocks()
{
	# shellcheck disable=SC2086 # words
	ampoule start --name clocks $options --file cpus.sh:/cpus.sh \
		--file clocks.sh:/clocks.sh -- busybox sh /clocks.sh \
		>/dev/null 2>err
	await '^up' 1
	ampoule start --name other busybox sh -c 'while :; do :; done' \
		>/dev/null 2>err
	await '^stolen' 1
	ampoule rm -f other 2>err
	await '^time' 1
	early=$(date +%s)
	ampoule pause clocks
	before=$(ampoule logs clocks | sed -n 's/^time //p')
	seen=$(echo "$before" | wc -l)
	sleep 5
	ampoule resume clocks
	await '^time' $((seen + 2)) # one may have been on its way
	after=$(ampoule logs clocks | sed -n 's/^time //p' | sed -n "$((seen + 2))p")
	late=$(date +%s)
	ampoule kill clocks
	ampoule wait clocks >/dev/null
	ampoule logs clocks >out
	say steal_time 1 "$(got stolen)"
	# Not to the second: where it is emulated, the two run a little apart.
	passed=$((after - $(echo "$before" | tail -n 1)))
	say clock_goes_on yes "$([ $passed -ge 4 ] && echo yes || echo $passed)"
	say clock_does_not_jump yes \
		"$([ $passed -le $(((late - early) * 3 / 2 + 2)) ] && echo yes ||
			echo "$passed of $((late - early))")"
	say clock_never_back "" "$(got time | sort -nc 2>&1)"
	say no_lockup 0 "$(got complaints)"
}

lines=$(dmesg | wc -l)
mitigations=$(sed -n 's/^flags.*: //p' /proc/cpuinfo | tr ' ' '\n' |
	grep -x 'ibpb\|ibrs\|stibp\|ssbd\|virt_ssbd\|md_clear\|arch_capabilities')
clocks
topology 1
# shellcheck disable=SC2086 # words
say mitigations "$(echo $mitigations | wc -w)" "$(has $mitigations)"
look 2 --cpu baseline
topology 2
say baseline 3 "$(has popcnt movbe bmi2)"
printf '%s\n' '0x1.ecx = ~0x02000000 # aes' '0x7.ebx = 0x100' >my.cpu
look 4 --cpu ./my.cpu
topology 4
say template_takes 0 "$(has aes smap fsgsbase)"
say template_leaves 3 "$(has pclmulqdq sse4_2 bmi2)"
if [ -e vmlinux ]; then
	ampoule run --time 150 --kernel ./vmlinux --cpus 2 -- \
		busybox sh -c 'echo runs' >out 2>err
	say other_kernel runs "$(cat out)"
fi
say silent_host "" "$(dmesg | tail -n "+$((lines + 1))" |
	grep -i 'kvm\|svm\|msr\|vcpu')"
echo "=ok end"
