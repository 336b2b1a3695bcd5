/* SPDX-License-Identifier: Apache-2.0 */
/* root.c - the root from an image (base/abi/runblock.h): an EROFS filesystem on
 * the first pmem device, or else on the first disk, under the files of the
 * initrd, and with --rw under a tmpfs.
 *
 *	/newroot   overlay of /upper (with --rw), /over, /image
 *	/image     the device
 *	/over      what the initrd brought, and places to mount on */
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/virtio_ids.h>

#include "kernels/linux/init/init.h"
#include "kernels/linux/init/sys.h"

#define DEVICE_WAIT 10000 /* times 1 ms: a busy machine under emulation */
#define ENTRIES_MAX 65536

static const char *const moved[] = {"/dev", "/proc", "/sys"};

struct entry { /* getdents64(2) */
	uint64_t ino;
	int64_t off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/** is_ours() - what stays where it is, and ends with the first root. */
static bool is_ours(const char *name)
{
	static const char *const ours[] = {".",     "..",     "dev",   "proc",
					   "sys",   "init",   "image", "over",
					   "upper", "newroot"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (text_same(name, ours[i]))
			return true;
	}
	return false;
}

/** move_files() - what lies in the initrd's root, into /over. */
static void move_files(void)
{
	static _Alignas(8) char list[ENTRIES_MAX];
	long dir = sys_open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long bytes = sys3(__NR_getdents64, dir, list, sizeof(list));

	sys_close((int)dir);
	for (long at = 0; at < bytes;) {
		const struct entry *e = (const struct entry *)(list + at);
		char from[300], to[300];
		long err;

		at += e->bytes;
		if (is_ours(e->name))
			continue;
		text_join(from, sizeof(from),
			  (const char *const[]){"/", e->name, NULL});
		text_join(to, sizeof(to),
			  (const char *const[]){"/over/", e->name, NULL});
		err = sys2(__NR_rename, from, to);
		if (err)
			fail("move to the new root", from, err);
	}
}

static const char *find_device(void)
{
	const char *path =
		doorbell_has_device(VIRTIO_ID_PMEM) ? "/dev/pmem0" : "/dev/vda";

	for (int i = 0; i < DEVICE_WAIT; i++) {
		if (!sys2(__NR_access, path, 0))
			return path;
		nap(ONE_MS_NS);
	}
	fail("find the root's device", path, 0);
}

static void mount_image(void)
{
	const char *device = find_device();
	long err = sys5(__NR_mount, device, "/image", "erofs", MS_RDONLY,
			"dax=always");

	if (err) /* a disk, or a kernel without DAX */
		err = sys5(__NR_mount, device, "/image", "erofs", MS_RDONLY,
			   NULL);
	if (err)
		fail("mount the image from", device, err);
}

static void mount_overlay(bool writable)
{
	const char *options = "lowerdir=/over:/image";
	long err = 0;

	if (writable) {
		err = sys5(__NR_mount, "tmpfs", "/upper", "tmpfs", 0, NULL);
		sys2(__NR_mkdir, "/upper/files", 0755);
		sys2(__NR_mkdir, "/upper/work", 0755);
		options = "lowerdir=/over:/image,upperdir=/upper/files,"
			  "workdir=/upper/work";
	}
	if (!err)
		err = sys5(__NR_mount, "overlay", "/newroot", "overlay",
			   writable ? 0 : MS_RDONLY, options);
	if (err)
		fail("mount", "the overlay over the image", err);
}

/** enter() - the new root becomes the only one. */
static void enter(void)
{
	char to[32];
	long err = 0;

	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		text_join(to, sizeof(to),
			  (const char *const[]){"/newroot", moved[i], NULL});
		err = sys5(__NR_mount, moved[i], to, NULL, MS_MOVE, NULL);
		if (err)
			fail("move", moved[i], err);
	}
	sys1(__NR_chdir, "/newroot");
	err = sys5(__NR_mount, ".", "/", NULL, MS_MOVE, NULL);
	if (!err)
		err = sys1(__NR_chroot, ".");
	if (err)
		fail("enter", "the new root", err);
	sys1(__NR_chdir, "/");
}

void root_from_image(bool writable)
{
	static const char *const made[] = {"/image", "/over", "/upper",
					   "/newroot"};
	char place[32];

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		sys2(__NR_mkdir, made[i], 0755);
	move_files();
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		text_join(place, sizeof(place),
			  (const char *const[]){"/over", moved[i], NULL});
		sys2(__NR_mkdir, place, 0755);
	}
	mount_image();
	mount_overlay(writable);
	enter();
}
