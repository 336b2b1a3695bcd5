# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# linux_drivers.sh - Linux's own drivers of disk, pmem and sockets: ext4 on a
# disk, EROFS and ext4 with DAX on pmem, streams both ways.
# shellcheck source=tests/bed/linux_lib.sh
. ./linux_lib.sh

# The guest's side: a line of NAME VALUE each. $1 is the transport.
cat >guest.sh <<'END_OF_GUEST'
transport=$1
mkdir -p /disk /erofs /dax

# A disk: what was written is there after a remount; what was freed goes back.
mount -t ext4 /dev/vda /disk && mkdir /disk/tree || exit 1
dd if=/dev/urandom of=/disk/tree/data bs=64k count=48 2>/dev/null
dd if=/dev/zero bs=64k count=160 2>/dev/null | tr '\0' x >/disk/gone
sync
echo "written $(md5sum </disk/tree/data)"
rm /disk/gone
umount /disk && echo 3 >/proc/sys/vm/drop_caches
mount -t ext4 /dev/vda /disk
echo "read $(md5sum </disk/tree/data)"
fstrim /disk
echo "trimmed $?"

# Pmem: pages of the host, mapped.
mount -t erofs -o ro,dax=always /dev/pmem0 /erofs
mount -t ext4 -o dax=always /dev/pmem1 /dax
echo "dax $(grep -c '^/dev/pmem.* .*dax=always' /proc/mounts)"
echo "erofs $(md5sum </erofs/data)"
echo "runs $(/erofs/busybox echo mapped)"
cp /erofs/busybox /erofs/data /dax/ && sync
echo "copied $(/dax/busybox md5sum </dax/data)"
umount /dax
echo "unmounted $?"

# Sockets: the host dials, then takes bytes, then sends them back.
echo "echo $(/vsocket echo 1000 1 | tr '\n' ' ')"
echo "flood $(/vsocket flood 2000 1000000)"
until got=$(/vsocket drain 2001) && [ "${got%% *}" = got ]; do
	sleep 0.1
done
echo "drain $got"
echo "refused $(/vsocket drain 9)"

if [ "$transport" = pci ]; then
	drivers=/sys/bus/pci/drivers/virtio-pci
	echo "virtio $(cat /sys/bus/pci/devices/*/vendor | grep -c 0x1af4)"
	echo "driven $(ls -d $drivers/0000:* | wc -l)"
	echo "vectors $(grep -c 'PCI-MSI.*virtio' /proc/interrupts)"
	umount /disk
	disk=$(basename "$(dirname "$(readlink -f /sys/block/vda/device)")")
	echo "$disk" >$drivers/unbind
	echo "gone $(ls /dev/vda 2>/dev/null)"
	echo "$disk" >$drivers/bind
	mount -t ext4 /dev/vda /disk
	echo "back $(md5sum </disk/tree/data)"
	# It ends mounted: e2fsck finds a journal, and in it all of this.
	echo last >/disk/tree/last
	sync
else
	umount /disk
fi
exit 7
END_OF_GUEST

# in_disk FILE: what it holds, without a kernel that mounts it.
in_disk()
{
	./debugfs -R "cat $1" disk 2>/dev/null
}

dial()
{
	n=0
	until ./hostsock dial v 1000 <data >echoed ||
		[ $n -ge $((LIMIT * 5)) ]; do
		n=$((n + 1))
		sleep 0.2
	done
}

boot()
{
	truncate -s 32M disk
	./mke2fs -q -t ext4 disk
	{
		./hostsock listen v_2000 </dev/null >flooded
		./hostsock listen v_2001 <flooded >/dev/null
	} &
	dial &
	run --mem 256M --disk ./disk --pmem ./erofs.img \
		--pmem ./dax.img,rw=private --vsock ./v --file guest.sh:/guest.sh \
		--file vsocket:/vsocket -- busybox sh /guest.sh "$transport" \
		>out 2>err
	same status 7 $?
	same stderr "" "$(cat err)"
}

judge()
{
	same ext4 "$(got written)" "$(got read)"
	same disk_is_given_back 0 "$(got trimmed)"
	same sparse yes "$([ "$(du -k disk | cut -f 1)" -lt 9000 ] && echo yes)"
	same dax 2 "$(got dax)"
	same pmem_read "$sum" "$(got erofs)"
	same pmem_run mapped "$(got runs)"
	same pmem_write "$sum 0" "$(got copied) $(got unmounted)"
	same pmem_private "$before" "$(md5sum <dax.img)"
	same vsock_in "listening done  $sum" "$(got echo) $(md5sum <echoed)"
	same vsock_out "sent 1000000" "$(got flood) $(wc -c <flooded)"
	same vsock_back "got 1000000" "$(got drain)"
	same vsock_refused "connect: Connection reset by peer" "$(got refused)"
}

mkdir tree
cp /bin/busybox tree/
dd if=/dev/urandom of=data bs=1k count=300 2>/dev/null
cp data tree/
sum=$(md5sum <data)
ampoule image build tree -o erofs.img
truncate -s 16M dax.img
./mke2fs -q -t ext4 -b 4096 dax.img
before=$(md5sum <dax.img)

boot
judge
if [ "$transport" = pci ]; then
	same drivers "$(got virtio)" "$(got driven)"
	same vectors yes "$([ "$(got vectors)" -ge 12 ] && echo yes)"
	same let_go "" "$(got gone)"
	same taken_again "$(got written)" "$(got back)"
	./e2fsck -fp disk >fsck 2>&1
	same journal 0 "$(./e2fsck -fn disk >fsck 2>&1; echo $?)"
	same synced last "$(in_disk /tree/last)"
else
	same fsck 0 "$(./e2fsck -fn disk >fsck 2>&1; echo $?)"
	same stable "$(got written)" "$(in_disk /tree/data | md5sum)"
fi
echo "=ok end"
