/* SPDX-License-Identifier: Apache-2.0 */
/* vcpu_fault.h - a vCPU cannot go on: end the VM with one line that says what
 * the guest did or what the host lacks. Called on the vCPU's thread. */
#pragma once

struct vcpu;

/** vcpu_fault_exit() - KVM_RUN ended with a reason nothing can be done about:
 * triple fault, emulation failure, failed entry. */
_Noreturn void vcpu_fault_exit(struct vcpu *v);

/** vcpu_fault_errno() - KVM_RUN itself failed. */
_Noreturn void vcpu_fault_errno(struct vcpu *v, int error);
