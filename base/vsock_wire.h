/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_wire.h - what a VMM and the helper that holds its sockets say to each
 * other, over one SOCK_SEQPACKET: fixed-size messages, some with one fd as
 * SCM_RIGHTS. Neither trusts the other.
 *
 *	VMM                                  helper
 *	  CONNECT id, port   ---------->     connect(2) to PATH_port
 *	  CONNECTED id, fd   <----------     or REFUSED id
 *	  INCOMING port, fd  <----------     a client said "CONNECT port\n"
 */
#pragma once
#include <stdint.h>

#define VSOCK_CONNECTIONS_MAX 1024u /* of one VM, both ways together */
#define VSOCK_CID_MIN         3u    /* 0 to 2 are hypervisor, local, host */
#define VSOCK_CID_MAX         0xfffffffeu

enum vsock_word {
	VSOCK_CONNECT = 1,
	VSOCK_CONNECTED = 2, /* with an fd */
	VSOCK_REFUSED = 3,
	VSOCK_INCOMING = 4, /* with an fd; id is 0 */
};

struct vsock_message {
	uint32_t word; /* enum vsock_word */
	uint32_t id;   /* the VMM's, given back as it was */
	uint32_t port; /* of CONNECT and INCOMING; else 0 */
	uint32_t reserved;
};
