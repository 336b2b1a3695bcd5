/* SPDX-License-Identifier: Apache-2.0 */
/* net_drop.c - words for what became of a packet. */
#include "base/net_drop.h"

const char *net_verdict_name(uint32_t verdict)
{
	static const char *const names[NET_VERDICTS] = {
		[NET_PASS] = "pass",
		[NET_DROP_MALFORMED] = "malformed",
		[NET_DROP_PROTOCOL] = "protocol",
		[NET_DROP_SPOOFED] = "spoofed",
		[NET_DROP_SERVER] = "server",
		[NET_DROP_HEADERS] = "headers",
		[NET_DROP_FRAGMENT] = "fragment",
		[NET_DROP_DENIED] = "denied",
		[NET_DROP_NAME] = "name",
		[NET_DROP_OFFLOAD] = "offload",
		[NET_DROP_SIZE] = "size",
		[NET_DROP_LINK] = "link",
		[NET_DROP_OTHERS] = "others",
		[NET_DROP_BUFFER] = "buffer",
	};

	return verdict < NET_VERDICTS ? names[verdict] : "other";
}
