/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake_internal.h - between the files of mote_fake. */
#pragma once

/** fake_pages_start() - make all pages free; once. */
void fake_pages_start(void);
