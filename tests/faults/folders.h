/* SPDX-License-Identifier: GPL-2.0-only */
/* Where faultrun and reread have what they work on. */
#ifndef FOLDERS_H
#define FOLDERS_H

#define IMAGE "/tmp/faults/image"
#define HOST "/tmp/faults/host"
#define META "/tmp/faults/meta"
#define TOOL_OUTPUT "/tmp/faults/tool"

#endif
