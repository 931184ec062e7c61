/* SPDX-License-Identifier: GPL-2.0-only */
/* The one version of e3defrag: it lies with the module, which dkms builds without the tool. */
#include "../module/version.h"
