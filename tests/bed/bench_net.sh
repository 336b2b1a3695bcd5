#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# bench_net.sh MS ROUNDS - TCP between a Linux guest and this machine, through a
# tap, through a tap and a veth into another network namespace, and in user mode, under Ampoule and under QEMU microvm in turns: the
# same guest kernel, program and memory. Runs in L1 (tests/bench/net.py); prints
# "WHO WAY tcp SENT RECEIVED TRIP" a run, or the end of what went wrong.
ms=$1
rounds=$2
kernel=guest/boot/vmlinuz

# ask ADDRESS GATEWAY SERVER - what the guest does
ask()
{
	echo "ip link set eth0 up; ip address add $1/24 dev eth0
		ip route add default via $2; /bench-tcp ask $3 9000 $ms"
}

# tell WHO WAY FILE
tell()
{
	if line=$(tr -d '\r' <"$3" | grep '^tcp '); then
		echo "$1 $2 $line"
	else
		echo "$1 $2 failed"
		tail -n 5 "$3"
	fi
}

# ours WAY ADDRESS GATEWAY SERVER OPTION...
ours()
{
	way=$1
	program=$(ask "$2" "$3" "$4")
	shift 4
	timeout 60 ampoule run --kernel $kernel --mem 256M --cpus 1 \
		--file ./bench-tcp:/bench-tcp "$@" -- \
		/bin/busybox sh -c "$program" >out 2>&1
	tell ampoule "$way" out
}

# initrd FILE PROGRAM - for QEMU: busybox, the drivers, the same program
initrd()
{
	mkdir -p root/bin root/m root/dev root/proc root/sys
	cp /bin/busybox root/bin/
	cp bench-tcp root/
	for m in virtio/virtio_ring virtio/virtio virtio/virtio_mmio \
		../net/core/failover net/net_failover net/virtio_net; do
		cp guest/lib/modules/*/kernel/drivers/$m.ko root/m/
	done
	cat >root/init <<-END
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		export PATH=/bin
		mount -t devtmpfs dev /dev
		mount -t proc proc /proc
		for m in virtio_ring virtio virtio_mmio failover net_failover \
			virtio_net; do insmod /m/\$m.ko; done
		exec >/dev/ttyS0 2>&1
		sleep 0.5
		$2
		reboot -f
	END
	chmod +x root/init
	(cd root && find . | cpio -o -H newc 2>/dev/null) >"$1"
}

# qemu WAY NETDEV
qemu()
{
	timeout 60 ./qemu-system-x86_64 -L . -M microvm -enable-kvm -cpu host \
		-m 256 -smp 1 -kernel $kernel -initrd "$1.initrd" \
		-append "console=ttyS0 quiet reboot=t panic=-1" \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial file:out -netdev "$2" \
		-device virtio-net-device,netdev=n >err 2>&1
	cat err >>out
	tell qemu "$1" out
}

mkdir -p /usr/bin
cp passt /usr/bin/
tunctl -t d0 >/dev/null # a way out that leads nowhere: passt wants one
ip address add 10.99.0.1/24 dev d0
ip link set d0 up
ip route add default via 10.99.0.2
tunctl -t t1 >/dev/null
ip address add 10.79.0.1/24 dev t1
ip link set t1 up
./bench-tcp serve 9000 &
# The other namespace, with a server of its own behind a link of its own.
insmod guest/extra/veth.ko
unshare -n ./bench-tcp serve 9000 &
other=$!
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do
	sleep 0.1
done
ip link add v0 type veth # busybox leaves the name of the other end alone
ip link set veth0 netns $other
ip address add 10.77.0.1/24 dev v0
ip link set v0 up
for what in 'address add 10.77.0.2/24 dev veth0' 'link set veth0 up' \
	'route add default via 10.77.0.1'; do
	# shellcheck disable=SC2086
	nsenter -t $other -n ip $what
done
echo 1 >/proc/sys/net/ipv4/ip_forward
initrd tap.initrd "$(ask 10.79.0.2 10.79.0.1 10.79.0.1)"
initrd netns.initrd "$(ask 10.79.0.2 10.79.0.1 10.77.0.2)"
initrd user.initrd "$(ask 10.0.2.15 10.0.2.2 10.99.0.1)"

i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	ours tap 10.78.0.2 10.78.0.1 10.78.0.1 --net \
		tap,address=10.78.0.2/24,gateway=10.78.0.1 --allow 10.78.0.0/24
	qemu tap tap,id=n,ifname=t1,script=no,downscript=no
	ours netns 10.78.0.2 10.78.0.1 10.77.0.2 --net \
		tap,address=10.78.0.2/24,gateway=10.78.0.1 --allow 10.77.0.2
	qemu netns tap,id=n,ifname=t1,script=no,downscript=no
	ours user 10.0.2.15 10.0.2.2 10.99.0.1 --net user \
		--allow 10.99.0.1:9000
	qemu user user,id=n
done
