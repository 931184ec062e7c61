/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a run is, shown while it lasts: on a terminal a line that is redrawn in place, or a map,
 * and what SIGUSR1 is answered. The stages tell what they do; between two pieces of work
 * progress_point() draws or answers if it is time to. There is one run and one terminal, so this is
 * no object.
 *
 * Nothing is drawn on what is no terminal. Standard output is often the same one, so
 * terminal_clear() comes before all that is printed there in between; complain() does that by
 * itself.
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

/* Before the first stage. @quiet draws nothing; SIGUSR1 is answered all the same. */
void progress_open(bool quiet, bool map);
/* The run ends after @seconds at the latest, or with @bytes moved. 0 is no limit. */
void progress_bounds(uint64_t seconds, uint64_t bytes);
/* How a file is called on the screen, printable; malloc'd. Asked only when it is drawn. */
typedef char *(*progress_name)(const void *names, const void *file);
/* From now on it is about this one, whose files @name calls by @names, ... */
void progress_host(const struct host *host, uint32_t blocksize, progress_name name,
		   const void *names);
/* ... whose survey draws this picture, if there shall be a map. */
void progress_map(const struct usage *usage);
/* After the last stage of a host. */
void progress_host_done(void);

/*
 * A stage of @files, 0 if it isn't known how many, that have @fragments as far as is known. The
 * next stage ends it.
 */
void progress_begin(enum stage stage, uint64_t files, uint64_t fragments);
/* From now on, @files more are to be looked at and @blocks of them moved. */
void progress_moves(uint64_t files, uint64_t blocks);
/* Nothing that takes long follows: line and map go. */
void progress_end(void);
/* The same, but the map stays. */
void progress_keep(void);

void progress_point(void);
/* The same, where points come by the million. */
void progress_often(void);

/* One more file, or what else is counted, in any stage. */
void progress_count(uint32_t ino);
/* The survey has looked at a file. */
void progress_looked(uint64_t blocks, uint32_t fragments);
/* A move or a plan begins with a file. */
void progress_file(const void *file);
/* A step is about to move what the file has in [@at, @end) elsewhere; see screen_map_touch(). */
void progress_step(const struct sequence *from, const struct sequence *to, uint32_t at,
		   uint32_t end, unsigned int level);
/* It has. */
void progress_stepped(const struct sequence *from, const struct sequence *to, uint32_t at,
		      uint32_t end, unsigned int level);
/* These were so many blocks on the way to a better place. */
void progress_moved(uint64_t blocks);
/* The free blocks were looked at again. */
void progress_free_blocks(const struct freemap *free);
/* A part of it is done with; the file had @before fragments and has @now, and will come again. */
void progress_part_done(uint32_t before, uint32_t now);
/* It is done with; it had @blocks, and @before fragments, of which it has @now. */
void progress_file_done(uint64_t blocks, uint32_t before, uint32_t now);

#endif
