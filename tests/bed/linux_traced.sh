#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# linux_traced.sh - Linux guests drive every device while strace looks at the
# VMM: $* is its command line, without the name of the output. Prints "status N"
# for each VM, then what was traced: "=trace" before each process tree, every
# call once a thread and policy. Runs in L1, with guest/ of `bed -g`.
strace=$*

cat >traced <<END_OF_WRAPPER
#!/bin/busybox sh
exec $strace /w/trace.\$\$ /ampoule/runner/cli/ampoule "\$@"
END_OF_WRAPPER
chmod +x traced

# The guest's side: a disk, a network, entropy, streams.
cat >guest.sh <<'END_OF_GUEST'
cat >/dev/null
head -c 4096 /dev/hwrng | wc -c
for disk in /dev/vd?; do
	head -c 300000 /dev/zero >$disk && sync
	head -c 4096 $disk | wc -c
done
ip address add 10.78.0.2/24 dev eth0
ip link set eth0 up
ping -c 2 10.78.0.1 | grep -c ' 0% packet loss'
exit 7
END_OF_GUEST

truncate -s 8M disk1 disk2 pmem
# run OPTION...: one VM.
run()
{
	head -c 100000 /dev/zero | ./traced run --time 200 --mem 256M \
		--kernel guest/boot/vmlinuz --disk ./disk1 \
		--pmem ./pmem,rw=private --vsock ./v --file guest.sh:/guest.sh \
		--net tap,address=10.78.0.2/24,gateway=10.78.0.1 \
		--allow 10.78.0.0/24 "$@" -- busybox sh /guest.sh
	echo "status $?"
}

run --cpus 2
run --transport pci --rng-rate 64K --disk ./disk2,engine=threads

# A thread has a policy until it asks for the next, or becomes another program.
for trace in trace.*; do
	echo "=trace"
	awk '{
		task = $1
		sub(/<.*/, "", task)
		call = $0
		sub(/\).*/, ")", call)
		if (/ (seccomp|execve|execveat)\(/) {
			policy[task]++
			print call
		} else if (!((policy[task], call) in seen)) {
			seen[policy[task], call] = 1
			print call
		}
	}' "$trace"
done
