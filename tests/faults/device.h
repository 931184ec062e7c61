/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A block device whose I/O a test decides about: an image in memory behind the kernel's nbd
 * driver, served by a child process. What is to happen is said in memory that both share.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum device_mode {
	DEVICE_GOOD,
	DEVICE_ONCE, /* the chosen I/O fails */
	DEVICE_SPOT, /* it fails, and so does each later one of its kind at that place */
	DEVICE_DEAD, /* it fails, and so does each that comes after it */
	DEVICE_KILL, /* it brings a signal to the victim */
};

enum device_kind { DEVICE_READ, DEVICE_WRITE, DEVICE_FLUSH };

struct device_io {
	enum device_kind kind;
	uint64_t start; /* bytes */
	uint32_t length;
	int tag;
};

#define DEVICE_LOG 512

struct device_control {
	/* said by the test */
	volatile bool reads_only; /* others neither count nor fail */
	volatile bool paused;	  /* nothing counts or fails */
	volatile int tag;	  /* noted with each I/O: what it is done for */
	volatile enum device_mode mode;
	volatile unsigned int chosen; /* 1 is the first I/O after device_arm() */
	volatile pid_t victim;
	volatile int signal;
	/* I/O of this kind that touches these bytes waits for hold_end to become 0 */
	volatile enum device_kind hold_kind;
	volatile uint64_t hold_start, hold_end;
	/* each write that touches these bytes fails; end 0: none */
	volatile uint64_t bad_start, bad_end;
	/* a read's bytes go out so slowly; 0: at once, also the rest of one under way */
	volatile unsigned int trickle; /* microseconds for 16 bytes */
	/* said by the device */
	volatile unsigned int trickled;	  /* bytes of the last such read that have gone out */
	volatile unsigned int seen;	  /* I/Os since device_arm() */
	volatile unsigned int fired;	  /* of these, how many failed */
	volatile unsigned int held;	  /* waiting now */
	struct device_io first;		  /* that failed */
	struct device_io log[DEVICE_LOG]; /* those that were seen */
};

struct device {
	struct device_control *control;
	unsigned char *bytes;
	size_t size;
	int fd;
	char name[32];
};

/* Called in the process of a device before a read is answered, if it is set before the start. */
extern void (*device_on_read)(struct device *device, const struct device_io *io);

/* The image file becomes /dev/nbdNUMBER; its bytes stay to be seen in the file. */
void device_start(struct device *device, int number, const char *image);
/* Counting starts anew, and the mode holds from the first I/O on. */
void device_arm(struct device *device, enum device_mode mode, unsigned int chosen);
void device_heal(struct device *device);
/* Other bytes behind the kernel's back: nothing of it may be mounted. */
void device_reset(struct device *device, const unsigned char *bytes);
void device_stop(struct device *device);

#endif
