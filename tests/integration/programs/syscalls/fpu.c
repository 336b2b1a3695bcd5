/* SPDX-License-Identifier: Apache-2.0 */
/* fpu.c - cases of vector state around signal handlers: kept, shown in the
 * frame, taken back from it, and refused when no CPU would load it. */
#include "say.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#define MXCSR     24u /* bytes into the image */
#define XMM       160u
#define SOFTWARE  464u
#define HEADER    512u
#define YMM       576u
#define VECTORS   32u
#define ZMM_BYTES 64u
#define MASKS     6u

static volatile sig_atomic_t count;

static void handle(int number, void (*fn)(int, siginfo_t *, void *))
{
	struct sigaction act = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO};

	sigaction(number, &act, NULL);
}

/* k1 to k6 and zmm0 to zmm31, a pattern each. */
struct wide {
	uint8_t zmm[VECTORS][ZMM_BYTES];
	uint64_t k[MASKS];
} __attribute__((aligned(64)));

/* The formatter takes a row of uses for an expression. */
/* clang-format off */
#define EACH_16(DO, at)                                                        \
	DO(0, at) DO(1, at) DO(2, at) DO(3, at) DO(4, at) DO(5, at)            \
	DO(6, at) DO(7, at) DO(8, at) DO(9, at) DO(10, at) DO(11, at)          \
	DO(12, at) DO(13, at) DO(14, at) DO(15, at)
/* AVX-512 has 16 more. */
#define UPPER(DO, at)                                                          \
	DO(16, at) DO(17, at) DO(18, at) DO(19, at) DO(20, at) DO(21, at)      \
	DO(22, at) DO(23, at) DO(24, at) DO(25, at) DO(26, at) DO(27, at)      \
	DO(28, at) DO(29, at) DO(30, at) DO(31, at)
/* clang-format on */

#define LOAD_YMM(n, at)  "vmovdqu " #n "*64(" at "), %%ymm" #n "\n"
#define STORE_YMM(n, at) "vmovdqu %%ymm" #n ", " #n "*64(" at ")\n"
#define CLEAR_YMM(n, at) "vpxor %%xmm" #n ", %%xmm" #n ", %%xmm" #n "\n"
#define IN_ZMM(n, at)    "vmovdqu64 " #n "*64(" at "), %%zmm" #n "\n"
#define OUT_ZMM(n, at)   "vmovdqu64 %%zmm" #n ", " #n "*64(" at ")\n"
#define CLEAR_ZMM(n, at) "vpxorq %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n"
#define MASK_LIST(DO, at)                                                      \
	DO(1, at) DO(2, at) DO(3, at) DO(4, at) DO(5, at) DO(6, at)
#define IN_K(n, at)    "kmovw (2048 + (" #n " - 1) * 8)(" at "), %%k" #n "\n"
#define OUT_K(n, at)   "kmovw %%k" #n ", (2048 + (" #n " - 1) * 8)(" at ")\n"
#define CLEAR_K(n, at) "kxorw %%k" #n ", %%k" #n ", %%k" #n "\n"

/* A signal to itself between loading and storing all of them. */
#define KILL_SELF                                                              \
	"mov %[pid], %%edi\nmov %[signo], %%esi\n"                             \
	"mov %[kill], %%eax\nsyscall\n"
#define KILL_OPERANDS                                                          \
	[pid] "r"(getpid()), [signo] "i"(SIGUSR1), [kill] "i"(SYS_kill)
#define CLOBBERED "rax", "rcx", "rdi", "rsi", "r11", "memory", "cc"

static void avx_round(const struct wide *in, struct wide *out)
{
	__asm__ volatile(EACH_16(LOAD_YMM, "%[in]") KILL_SELF EACH_16(
				 STORE_YMM, "%[out]") "vzeroupper\n"
			 :
			 : [in] "r"(in), [out] "r"(out), KILL_OPERANDS
			 : CLOBBERED);
}

static void avx512_round(const struct wide *in, struct wide *out)
{
	__asm__ volatile(
		EACH_16(IN_ZMM, "%[in]") UPPER(IN_ZMM, "%[in]") MASK_LIST(
			IN_K, "%[in]") KILL_SELF EACH_16(OUT_ZMM, "%[out]")
			UPPER(OUT_ZMM, "%[out]")
				MASK_LIST(OUT_K, "%[out]") "vzeroupper\n"
		:
		: [in] "r"(in), [out] "r"(out), KILL_OPERANDS
		: CLOBBERED);
}

static void clear_avx(int number, siginfo_t *info, void *context)
{
	count++;
	__asm__ volatile(EACH_16(CLEAR_YMM, "")::: "memory");
}

static void clear_avx512(int number, siginfo_t *info, void *context)
{
	count++;
	__asm__ volatile(EACH_16(CLEAR_ZMM, "") UPPER(CLEAR_ZMM, "")
				 MASK_LIST(CLEAR_K, "")::
					 : "memory");
}

static void fill(struct wide *w)
{
	for (unsigned i = 0; i < VECTORS; i++)
		for (unsigned k = 0; k < ZMM_BYTES; k++)
			w->zmm[i][k] = (uint8_t)(i * 7 + k * 3 + 1);
	for (unsigned i = 0; i < MASKS; i++)
		w->k[i] = 0x1234u + i;
}

static void test_fpu_kept(void)
{
	static struct wide in, out;
	int same = 1;

	fill(&in);
	handle(SIGUSR1, clear_avx);
	if (__builtin_cpu_supports("avx"))
		avx_round(&in, &out);
	for (unsigned i = 0; i < 16 && __builtin_cpu_supports("avx"); i++)
		same &= !memcmp(in.zmm[i], out.zmm[i], 32);
	say("handlers %d, ymm kept %d", count, same);
	handle(SIGUSR1, clear_avx512);
	if (__builtin_cpu_supports("avx512f")) {
		avx512_round(&in, &out);
		same = !memcmp(&in, &out, sizeof(in));
	}
	say("handlers %d, zmm and masks kept %d", count, same);
}

static unsigned char *image_of(void *context)
{
	return (unsigned char *)((ucontext_t *)context)->uc_mcontext.fpregs;
}

static uint32_t get32(const unsigned char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* The frame shows what was loaded, and tells how long it is. */
static void change_frame(int number, siginfo_t *info, void *context)
{
	unsigned char *image = image_of(context);
	uint32_t bytes = get32(image + SOFTWARE + 16);
	uint64_t fresh = 1;

	count++;
	__asm__ volatile("movq %%xmm9, %0" : "=r"(fresh));
	say("handler starts clean %d", !fresh);
	say("aligned %d", (uintptr_t)image % 64 == 0);
	say("magic %#x %#x", get32(image + SOFTWARE), get32(image + bytes));
	say("xmm9 %#x", get32(image + XMM + 9 * 16));
	image[XMM + 9 * 16] = 0x99;
	if (__builtin_cpu_supports("avx"))
		image[YMM + 9 * 16] = 0x77;
}

static void test_fpu_frame(void)
{
	uint64_t value = 0x1122334455667788, xmm = 0;

	handle(SIGUSR1, change_frame);
	__asm__ volatile("movq %[v], %%xmm9\n" KILL_SELF "movq %%xmm9, %[x]\n"
			 : [x] "=&r"(xmm)
			 : [v] "r"(value), KILL_OPERANDS
			 : CLOBBERED, "xmm9");
	say("xmm9 after %#lx", (unsigned long)xmm);
}

static int damage;
static sigjmp_buf back;

enum damage {
	MXCSR_RESERVED,
	PART_UNKNOWN,
	COMPACT,
	HEADER_RESERVED,
	NO_MAGIC1,
	NO_MAGIC2,
	NO_IMAGE,
	BAD_IMAGE,
	KERNEL_IMAGE,
	ALL_ONES,
	DAMAGES,
};

static void do_damage(int number, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	unsigned char *image = image_of(context);
	uint32_t bytes = get32(image + SOFTWARE + 16);

	switch ((enum damage)damage) {
	case MXCSR_RESERVED:
		image[MXCSR + 3] = 0x80;
		break;
	case PART_UNKNOWN:
		image[HEADER + 7] = 0x40;
		break;
	case COMPACT:
		image[HEADER + 8] = 1;
		break;
	case HEADER_RESERVED:
		image[HEADER + 16] = 1;
		break;
	case NO_MAGIC1:
		image[SOFTWARE] = 0;
		break;
	case NO_MAGIC2:
		image[bytes] = 0;
		break;
	case NO_IMAGE:
		u->uc_mcontext.fpregs = NULL;
		break;
	case BAD_IMAGE:
		u->uc_mcontext.fpregs = BAD;
		break;
	case KERNEL_IMAGE:
		u->uc_mcontext.fpregs = KERNEL;
		break;
	default:
		memset(image, 0xff, HEADER + 64);
		break;
	}
}

static void on_segv(int number, siginfo_t *info, void *context)
{
	say("damage %d: signal %d code %d", damage, number, info->si_code);
	siglongjmp(back, 1);
}

static void test_fpu_damaged(void)
{
	handle(SIGUSR1, do_damage);
	handle(SIGSEGV, on_segv);
	for (damage = 0; damage < DAMAGES; damage++) {
		if (sigsetjmp(back, 1) == 0) {
			raise(SIGUSR1);
			say("damage %d: nothing", damage);
		}
	}
}

const struct group fpu_groups[] = {
	{"fpu_kept", test_fpu_kept},
	{"fpu_frame", test_fpu_frame},
	{"fpu_damaged", test_fpu_damaged},
	{NULL, NULL},
};
