/* SPDX-License-Identifier: Apache-2.0 */
/* image_verbs.h - the verbs of `ampoule image`. */
#pragma once

/** image_build() - arguments after the verb. Return: the exit code. */
int image_build(int argc, char **argv);
int image_inspect(int argc, char **argv);
