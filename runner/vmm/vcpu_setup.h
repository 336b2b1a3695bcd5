/* SPDX-License-Identifier: Apache-2.0 */
/* vcpu_setup.h - the first half of a vCPU thread's life (the picture in
 * vcpu.h): create the vCPU in KVM, give it CPUID and registers. */
#pragma once

struct vcpu;

/** vcpu_set_up() - on the vCPU's thread. Waits for the main thread as needed;
 * ends the VM with a line on failure. */
void vcpu_set_up(struct vcpu *v);
