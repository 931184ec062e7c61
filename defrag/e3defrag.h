/* SPDX-License-Identifier: GPL-2.0-only */
/* What every stage of e3defrag knows: the version and the exit statuses. */
#ifndef E3DEFRAG_H
#define E3DEFRAG_H

#define E3DEFRAG_VERSION "0.1"

/*
 * Exit statuses. The table printed by --help is made of this list (options.c), and the man page
 * repeats it. With several of them at once the highest number wins.
 */
enum status {
	STATUS_DONE = 0,    /* nothing to do, or all that could be improved was */
	STATUS_PARTLY = 1,  /* the run went through, but some files failed or moved in part */
	STATUS_USAGE = 2,   /* the command line is wrong */
	STATUS_REFUSED = 3, /* a target cannot be worked on, or not by this user */
	STATUS_STOPPED = 4, /* a signal or a budget ended the run early */
	STATUS_FAILED = 5,  /* the run could not go on */
};

#endif
