/* SPDX-License-Identifier: GPL-2.0-only */
/* The one version of e3defrag: it lies with the module, which dkms builds without the tool. */
#ifndef E3DEFRAG_VERSION_H
#define E3DEFRAG_VERSION_H

#include "../module/version.h"

#endif
