/* SPDX-License-Identifier: Apache-2.0 */
/* loopback.h - what there is to know of the one interface. */
#pragma once
#define LO_NAME  "lo"
#define LO_INDEX 1
#define LO_MTU   65536
#define LO_TYPE  772 /* ARPHRD_LOOPBACK */
#define LO_QUEUE 1000
/* IFF_UP | IFF_LOOPBACK | IFF_RUNNING, and IFF_LOWER_UP */
#define LO_FLAGS      0x49
#define LO_FLAGS_LINK 0x10049
