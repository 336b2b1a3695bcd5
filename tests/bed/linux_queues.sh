# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# linux_queues.sh - what Linux makes of the network device of a tap, on mmio and
# on PCI: several queues, checksums and segmentation left to the other side.
# shellcheck source=tests/bed/linux_lib.sh
. ./linux_lib.sh
dd if=/dev/zero of=data bs=1k count=600 2>/dev/null
mkdir -p www
mv data www/
sum=$(md5sum <www/data | cut -c 1-32)
httpd -p 8000 -h /w/www

for transport in mmio pci; do
	# shellcheck disable=SC2016 # the guest expands it
	# Each CPU has a pair of queues; who sends by one is answered there.
	run_behind --mem 256M --cpus 2 --allow 10.78.0.0/24 --net \
		tap,address=10.78.0.2/24,gateway=10.78.0.1,queues=2 -- \
		/bin/busybox sh -c '
		net=/sys/class/net/eth0
		ip link set eth0 up; ip address add 10.78.0.2/24 dev eth0
		# CSUM, GUEST_CSUM, GUEST_TSO4/6, HOST_TSO4/6, MRG_RXBUF,
		# CTRL_VQ, MQ
		echo features $(cut -c 1,2,8,9,12,13,16,18,23 $net/device/features)
		echo queues $(ls $net/queues)
		for cpu in 0 1; do
			echo sum$cpu $(taskset $((cpu + 1)) /bin/busybox \
				wget -q -O - http://10.78.0.1:8000/data |
				md5sum | cut -c 1-32)
		done
		mean() { echo $(($(cat $net/statistics/$1_bytes) /
			$(cat $net/statistics/$1_packets))); }
		echo received $(mean rx)
		dd if=/dev/zero of=/tmp/data bs=1k count=3000 2>/dev/null
		httpd -p 80 -h /tmp
		nc -l -p 9000 </dev/null # until it was fetched
		echo sent $(mean tx)
		me=$(basename $(readlink $net/device))
		echo vectors $(grep -c "$me-\(input\|output\)" \
			/proc/interrupts)' >out 2>&1
	await wget -q -O got http://10.78.0.2/data
	await nc 10.78.0.2 9000 </dev/null
	wait "$pid"
	say $transport-features "$(got features)" = 111111111
	say $transport-queues "$(got queues)" = "rx-0 rx-1 tx-0 tx-1"
	say $transport-tcp "$(got sum0)$(got sum1)" = "$sum$sum"
	say $transport-served "$(wc -c <got)" = 3072000
	# More than a frame of 1514 bytes: nobody cut them on the way.
	say $transport-received-whole "$(got received)" -gt 1514
	say $transport-sent-whole "$(got sent)" -gt 1514
done
say pci-vectors "$(got vectors)" = 4
echo "=ok end"
