// SPDX-License-Identifier: GPL-2.0-only
/* What several stages do with a job. */
#include "job.h"

#include <errno.h>
#include <unistd.h>

#include "lib/util.h"
#include "progress/progress.h"

bool job_ends(const struct job *job)
{
	return *job->stop || job->broken;
}

int job_sync(struct job *job)
{
	const int err = syncfs(job->host->fd) ? -errno : 0;

	if (err) {
		complain(job->host->mountpoint, -err, "can't write its changes to disk");
		job->broken = true;
	}
	return err;
}

int job_refresh_free(struct job *job)
{
	int err = job->given_back ? job_sync(job) : 0;

	job->given_back = 0;
	if (!err) {
		err = meta_free_blocks(&job->meta, &job->free);
		if (err)
			complain(job->host->mountpoint, -err, "can't list its free blocks");
		else
			progress_free_blocks(&job->free);
	}
	if (err)
		job->broken = true;
	throttle_point(&job->throttle, true);
	return err;
}
