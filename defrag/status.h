/* SPDX-License-Identifier: GPL-2.0-only */
/* The exit statuses, their texts, and which one a run over several filesystems ends with. */
#ifndef E3DEFRAG_STATUS_H
#define E3DEFRAG_STATUS_H

/* Scripts know the statuses by number, so a number never gets another meaning. */
enum status {
	STATUS_DONE = 0,    /* all that could be improved was; or only a report was requested */
	STATUS_PARTLY = 1,  /* the run went through, but some files failed or moved in part */
	STATUS_USAGE = 2,   /* the command line is wrong */
	STATUS_REFUSED = 3, /* a target cannot be worked on, or not by this user */
	STATUS_STOPPED = 4, /* a signal or a budget ended the run early */
	STATUS_FAILED = 5,  /* the run could not go on */
	STATUS_NOTHING = 6, /* no file could be improved */
	STATUSES
};

/* The meaning of @status, in the words of --help and the man page. A static string. */
const char *status_text(enum status status);

/* Return the more severe of two statuses. */
int status_worse(int a, int b);

#endif
