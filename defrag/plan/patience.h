/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much time a run loses on files of one owner that are busy. A user can keep any number of
 * files busy, and each attempt takes seconds until it is given up. So after a minute that was lost
 * in this way, or more if a lot of time was used well on files of the same owner, a busy file makes
 * the run pass over the next file of the owner, the next busy one over two, then four, and so on.
 * So 10,000 busy files cost little more than the minute, and where some files are busy and most are
 * not, those that are not are still reached.
 */
#ifndef E3DEFRAG_PATIENCE_H
#define E3DEFRAG_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/* The time that may be lost, in microseconds; and the part of the time used well that may, too. */
#define PATIENCE_LOST 60000000ULL
#define PATIENCE_PART 2

struct patience {
	uint64_t lost, useful; /* microseconds */
	uint32_t step;	       /* how many files the last busy one made the run pass over */
	uint32_t skip;	       /* how many of these are still to come */
};

/* True if the next file may be tried. If not it counts as one that is passed over. */
bool patience_tries(struct patience *patience);

/* A file was tried for @took microseconds, and it was busy; or blocks of it were moved. */
void patience_busy(struct patience *patience, uint64_t took);
void patience_moved(struct patience *patience, uint64_t took);

#endif
