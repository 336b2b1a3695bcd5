/* SPDX-License-Identifier: Apache-2.0 */
/* uname.h - what the kernel calls itself: uname(2), /proc/version. */
#pragma once

#define UNAME_SYSNAME  "Linux"
#define UNAME_NODENAME "ampoule"
/* The version of the interface that is (partly) there; C libraries refuse to
 * start on one too old for them. */
#define UNAME_RELEASE "6.1.0-mote"
#define UNAME_VERSION "#1 mote"
#define UNAME_MACHINE "x86_64"
