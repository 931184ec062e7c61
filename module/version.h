/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The version of the module and of the tool, which are released together. It stands in this folder
 * because the module is also built from a copy of this folder alone, by dkms.
 */
#ifndef E3DEFRAG_VERSION_H
#define E3DEFRAG_VERSION_H

#define E3DEFRAG_VERSION "0.1"

#endif
