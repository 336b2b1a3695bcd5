# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# linux_hostile.sh - root of a Linux guest does its worst (devfuzz, linuxfuzz)
# to every device there is, on transport $2 by seed $3; L1 is the same before
# and after, its log included.
# shellcheck source=tests/bed/linux_lib.sh
. ./linux_lib.sh
seed=$3
LIMIT=300
TOLD="mine/err mine/out"

# The guest's side: both programs at once, on a CPU each. What they drove mad
# may take the shell along; that is the guest's own affair.
cat >guest.sh <<'END_OF_GUEST'
busybox insmod /msr.ko
/devfuzz "$2" 12 &
/linuxfuzz "$2" 12
kill -9 $! 2>/dev/null
exit 0
END_OF_GUEST

# outside - all that a guest might have changed: programs that run, mounts,
# cgroups, network devices, modules, and every file by inode, size and times,
# but for those that this VM may write.
outside()
{
	for p in /proc/[0-9]*; do
		readlink "$p/exe"
	done 2>/dev/null | sort -u
	cut -d ' ' -f 1-4 /proc/mounts
	find /sys/fs/cgroup -type d | sort
	ls /sys/class/net
	cut -d ' ' -f 1 /proc/modules
	find / -xdev -type f ! -path '/w/mine/*' ! -path '/proc/*' \
		! -path '/sys/*' -exec stat -c '%n %i %s %Y %Z %a %u' {} + |
		sort
	find /dev /run -xdev | sort
	ipcs 2>/dev/null
}

# log - the kernel's, without what an emulated clock makes it say.
log()
{
	dmesg | grep -v -e clocksource: -e 'hrtimer: interrupt took'
}

# unchanged NAME: is the file NAME the same as it was?
unchanged()
{
	if cmp -s "mine/$1.before" "mine/$1.after"; then
		echo "=ok $1_as_before"
	else
		echo "=not $1_as_before"
		diff "mine/$1.before" "mine/$1.after" | head -n 20
	fi
}

mkdir -p mine
truncate -s 8M mine/disk
dd if=/dev/urandom of=mine/kept bs=1M count=4 2>/dev/null
ampoule run busybox true || exit 1 # /run/ampoule is there from now on
outside >mine/outside.before
md5sum mine/kept >mine/kept.before
log >mine/log.before

case $transport in
pci) cpus=2 ;;
*) cpus=1 ;;
esac
run_behind -v --cpus $cpus --mem 256M --rng-rate 1M --cmdline \
	"iomem=relaxed mitigations=off quiet" --disk ./mine/disk \
	--disk ./mine/kept,ro --pmem ./mine/kept \
	--pmem ./mine/kept,rw=private \
	--net tap,address=10.78.0.2/24,gateway=10.78.0.1 \
	--vsock ./mine/v --port log,out=mine/port --file guest.sh:/guest.sh \
	--file guest/extra/msr.ko:/msr.ko --file devfuzz:/devfuzz \
	--file linuxfuzz:/linuxfuzz -- busybox sh /guest.sh "$transport" \
	"$seed" >mine/raw.out 2>mine/raw.err </dev/zero
# A guest that has hanged itself is asked to end some time after it began.
n=0
until grep -aq '^seed' mine/raw.out || [ $n -ge 300 ]; do
	n=$((n + 1))
	sleep 1
done
n=0
while kill -0 "$pid" 2>/dev/null && [ $n -lt 24 ]; do
	n=$((n + 1))
	sleep 1
done
kill -TERM "$pid" 2>/dev/null
wait "$pid"
status=$?
# What the devices were made to say is no text.
for f in out err; do
	tr -cd '\n -~' <mine/raw.$f | cut -c 1-300 >mine/$f
done

# The end is one of those that a guest may bring about, told in a line.
case $status in
0 | 1[3-9][0-9]) say ends 0 = 0 ;;
124 | 125) say ends "$(grep -c 'ampoule: ' mine/err)" -ge 1 ;;
*) say ends "status $status" = one_of_those ;;
esac
say vmm_holds "$(grep 'ampoule: ' mine/err | grep -c -e 'the VMM' -e 'was killed' -e 'was ended' \
	-e 'policy' -e 'did not answer' mine/err)" = 0
say begins "$(grep -c '^seed' mine/out)" -ge 1
exits=$(sed -n 's/.*exits: \([0-9]*\) mmio, \([0-9]*\) port.*/\1 + \2/p' mine/err)
say is_busy "$((${exits:-0}))" -ge 3000
echo "# $transport, seed $seed: status $status; $(grep -e memory -e ports -e msrs \
	-e hypercalls -e ^no mine/out | tr '\n' ' '); $(grep 'mmio' mine/err)"

ampoule run busybox true
say serves_others $? = 0
outside >mine/outside.after
md5sum mine/kept >mine/kept.after
log >mine/log.after
unchanged outside
unchanged kept
unchanged log
say end 0 = 0
