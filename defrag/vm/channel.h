/* SPDX-License-Identifier: GPL-2.0-only */
/* The channels between the tool and the guest. */
#ifndef E3DEFRAG_CHANNEL_H
#define E3DEFRAG_CHANNEL_H

enum channel {
	CHANNEL_CONTROL, /* in both directions; contrib/appliance/init describes its protocol */
	CHANNEL_OUT,
	CHANNEL_ERR,
	CHANNEL_LOG, /* the log of the guest's kernel, and messages of QEMU */
	CHANNELS
};

#endif
