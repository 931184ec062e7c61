/* SPDX-License-Identifier: GPL-2.0-only */
/* The one version of e3defrag: of the tool, of the module and of the packages. */
#ifndef E3DEFRAG_VERSION_H
#define E3DEFRAG_VERSION_H

#define E3DEFRAG_VERSION "0.1"

#endif
