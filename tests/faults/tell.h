/* SPDX-License-Identifier: GPL-2.0-only */
/* What the interface or the tool said of a fault, and whether it may say that. */
#ifndef TELL_H
#define TELL_H

#include <stdbool.h>
#include <stdio.h>

#include "scene.h"

void tell_notes(FILE *to, const struct report *report, bool verbose);
/* Both return a complaint, or NULL. @reference: of a run without a fault, or NULL. */
const char *tell_tool(FILE *to, int status, bool killed);
const char *tell_wrong(const struct report *report, const struct report *reference, bool quota);

#endif
