// SPDX-License-Identifier: GPL-2.0-only
#include "move/reserve.h"

#include <sys/vfs.h>

void reserve_set(struct job *job)
{
	const struct options *options = job->options;
	const struct geometry *geo = &job->meta.geo;

	if (!options->reserve_given)
		job->reserve = (job->free.total + job->free.beyond) / RESERVE_SHARE;
	else if (options->percent)
		job->reserve = (geo->blocks * options->percent + 99) / 100;
	else
		job->reserve = (options->reserve + geo->blocksize - 1) / geo->blocksize;
}

/*
 * The blocks that the kernel counts as free now. They include blocks whose freeing is not committed
 * yet, and exclude those reserved for delayed allocation.
 */
static uint64_t free_now(const struct job *job)
{
	struct statfs st;

	return fstatfs(job->host->fd, &st) ? 0 : st.f_bfree;
}

static bool enough(const struct job *job, uint64_t blocks, uint64_t taken)
{
	/* With no reserve the allocator alone decides whether there are enough blocks. */
	return !job->reserve || free_now(job) >= blocks + taken + job->reserve;
}

bool reserve_allows(const struct job *job, uint64_t blocks)
{
	return enough(job, blocks, job->given_back);
}

bool reserve_waits(const struct job *job, uint64_t blocks)
{
	return job->given_back && !reserve_allows(job, blocks) && enough(job, blocks, 0);
}
