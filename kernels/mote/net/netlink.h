/* SPDX-License-Identifier: Apache-2.0 */
/* netlink.h - AF_NETLINK, protocol NETLINK_ROUTE: questions about interfaces
 * and addresses, which C libraries ask. Nothing can be changed. */
#pragma once

struct socket_ops;

extern const struct socket_ops netlink_ops;
