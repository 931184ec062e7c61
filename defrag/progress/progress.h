/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The display of the run's progress: on a terminal a status line that is redrawn in place, or a
 * map; and the answer to SIGUSR1. The stages report what they do, and between two units of work
 * progress_point() draws or answers when it is due. There is one run and one terminal, so the state
 * is global.
 *
 * If standard error is not a terminal, nothing is drawn. Standard output is often the same
 * terminal, so call terminal_clear() before printing there; complain() does that by itself.
 */
#ifndef E3DEFRAG_PROGRESS_H
#define E3DEFRAG_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/host.h"
#include "plan/freemap.h"
#include "plan/sequence.h"
#include "progress/status_line.h"
#include "progress/usage.h"

/* Call this before the first stage. With @quiet nothing is drawn, but SIGUSR1 is answered. */
void progress_open(bool quiet, bool map);
/* Tell that the run ends after @seconds, or after @bytes were moved. 0 means no limit. */
void progress_bounds(uint64_t seconds, uint64_t bytes);
/* Returns the printable name of @file, malloc'd. It is called only when the name is drawn. */
typedef char *(*progress_name)(const void *names, const void *file);
/* Begin with @host; @name gets @names to return the names of its files. */
void progress_host(const struct host *host, uint32_t blocksize, progress_name name,
		   const void *names);
/* Show @usage, which the survey fills in, as a map if the user wants one. */
void progress_map(const struct usage *usage);
/* Call this after the last stage of a host. */
void progress_host_done(void);

/*
 * Begin a stage with @files files, 0 if their number isn't known, and @fragments fragments so far.
 * The next stage ends it.
 */
void progress_begin(enum stage stage, uint64_t files, uint64_t fragments);
/* Tell that @files more files are to be handled, and @blocks more blocks to be moved. */
void progress_moves(uint64_t files, uint64_t blocks);
/* End the stage and remove the line and the map from the terminal. */
void progress_end(void);
/* The same, but the map stays on the terminal. */
void progress_keep(void);

/* Draw, or answer SIGUSR1, if it is due. */
void progress_point(void);
/* The same for callers that call it millions of times: it seldom reads the clock. */
void progress_often(void);

/* Count one more file, inode @ino. */
void progress_count(uint32_t ino);
/* Count @more units of the stage, which may be 0; draw or answer if it is due. */
void progress_counted(uint64_t more);
/*
 * In a process that only does a part of the work: from now on it draws and answers nothing, and
 * progress_point() calls @point.
 */
void progress_divert(void (*point)(void));
/* The survey has read a file with @blocks and @fragments. */
void progress_looked(uint64_t blocks, uint32_t fragments);
/* Moving or planning of @file begins. */
void progress_file(const void *file);
/* A step is about to move the blocks of the file in [@at, @end); see screen_map_touch(). */
void progress_step(const struct sequence *from, const struct sequence *to, uint32_t at,
		   uint32_t end, unsigned int level);
/* The step has moved them; see screen_map_move(). */
void progress_stepped(const struct sequence *from, const struct sequence *to, uint32_t at,
		      uint32_t end, unsigned int level);
/* @blocks more blocks of the file were moved. */
void progress_moved(uint64_t blocks);
/* The free blocks were read again. */
void progress_free_blocks(const struct freemap *free);
/* A part of the file is done: it had @before fragments and has @now. More parts may follow. */
void progress_part_done(uint32_t before, uint32_t now);
/* The file is done: it has @blocks; it had @before fragments and has @now. */
void progress_file_done(uint64_t blocks, uint32_t before, uint32_t now);

#endif
