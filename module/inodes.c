// SPDX-License-Identifier: GPL-2.0-only
/*
 * inodes: what info, data/extents and metadata/blocks say, for as many nodes as
 * fit into one read. Otherwise a program that looks at a whole filesystem would
 * have to open and read three files for each inode.
 *
 * The position is an inode number. A read returns whole records only. A record
 * that no longer fits begins the next read. Where a record doesn't fit into an
 * empty buffer of this size, or can't be made because of an error, a line that
 * refers to the node stands in its place. So an error of one inode doesn't end
 * the list, and no read makes more text than twice its buffer or follows a
 * damaged map without end.
 */
#include <linux/fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ext3meta.h"

static bool is_cached(struct super_block *sb, u32 ino)
{
	bool cached;

	rcu_read_lock();
	cached = find_inode_by_ino_rcu(sb, ino);
	rcu_read_unlock();
	return cached;
}

/*
 * What only this read wanted goes at once: the inodes of a whole filesystem
 * would push out of memory what others work with. One that another user has
 * come by, or dirtied, stays as it would have.
 */
static void record_inode_put(struct inode *inode, bool cached)
{
	if (!cached) {
		spin_lock(&inode->i_lock);
		if (atomic_read(&inode->i_count) == 1 && !(inode->i_state & I_DIRTY_ALL))
			inode->i_state |= I_DONTCACHE;
		spin_unlock(&inode->i_lock);
	}
	iput(inode);
}

static char *put_field(char *to, const char *word)
{
	size_t len = strlen(word);

	*to++ = ' ';
	memcpy(to, word, len);
	return to + len;
}

static char *put_number_field(char *to, u64 number)
{
	*to++ = ' ';
	return meta_put_number(to, number);
}

/* Whatever a type, a mapping and a reason may be called; snprintf would say so more slowly. */
#define RECORD_WORDS 96

static int record_line(const struct meta_record *record, struct meta_list *list)
{
	char line[RECORD_WORDS + 5 * (META_DIGITS + 1)], *to = line;
	const char *type = meta_type_name(record->mode);
	const struct meta_info *info = &record->info;

	if (WARN_ON_ONCE(strlen(type) + strlen(info->mapping) + strlen(info->relocatable) + 8 >
			 RECORD_WORDS))
		return -EIO;
	*to++ = 'i';
	to = put_number_field(to, record->ino);
	to = put_number_field(to, record->generation);
	to = put_field(to, type);
	to = put_field(to, info->mapping);
	to = put_field(to, info->relocatable);
	to = put_number_field(to, record->size);
	to = put_number_field(to, info->blocks);
	to = put_number_field(to, record->links);
	*to++ = '\n';
	meta_list_put(list, 0, line, to - line);
	return 0;
}

/*
 * This many inodes are taken at a time, so that the host can begin to read what
 * it needs of all of them before the first one is waited for.
 */
#define INODES_AHEAD 32
/* What a record is likely to take: no more are taken than the buffer has room for. */
#define RECORD_LIKELY 64

/* An inode that was taken: by itself, or an errno; or NULL, and its record. */
struct taken {
	struct inode *inode;
	bool cached; /* others had it in memory before */
	struct meta_record record;
};

struct inodes_read {
	struct meta_host *host;
	struct meta_list *list;
	u32 per_group;
	u32 group;
	unsigned int count;
	struct taken ahead[INODES_AHEAD];
};

/* Only a record where it says all, for an inode that nobody has changed in memory meanwhile. */
static void take(struct meta_host *host, u32 ino, struct taken *taken)
{
	int err = -EAGAIN;

	taken->record.ino = ino;
	taken->cached = is_cached(host->sb, ino);
	if (!taken->cached)
		err = host->ops->record(host, ino, &taken->record);
	if (err != -EAGAIN && !is_cached(host->sb, ino)) {
		taken->inode = ERR_PTR(err);
		return;
	}
	/* The same as a look-up in nodes/ finds. */
	taken->inode = host->ops->inode(host->sb, ino);
	if (!IS_ERR(taken->inode))
		host->ops->read_ahead(taken->inode);
}

static int taken_text(struct meta_host *host, struct taken *taken, struct meta_list *list)
{
	struct meta_record *record = &taken->record;
	struct inode *inode = taken->inode;
	int err;

	if (inode) {
		record->generation = inode->i_generation;
		record->links = inode->i_nlink;
		record->mode = inode->i_mode;
		record->size = i_size_read(inode);
		memset(&record->info, 0, sizeof(record->info));
		host->ops->info(host, inode, &record->info);
	}
	err = record_line(record, list);
	if (err || list->full)
		return err;
	return inode ? host->ops->map(inode, list) : host->ops->map_record(record, list);
}

/* 1: the list is full. */
static int inodes_add(struct inodes_read *read, struct taken *taken)
{
	struct meta_list *list = read->list;
	u32 ino = taken->record.ino;
	struct meta_list record = {
		.text = list->text + list->used,
		.size = list->size - list->used,
	};
	int err;

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	err = PTR_ERR_OR_ZERO(taken->inode);
	/* The bitmap is looked at without a lock: it may be gone, or on its way in. */
	if (err == -ENOENT || err == -ESTALE)
		return 0;
	if (!err)
		err = taken_text(read->host, taken, &record);
	if (err == -EINTR)
		return err;
	if (!err && !record.full) {
		list->used += record.used;
		list->pos = (u64)ino + 1;
		return 0;
	}
	if (!err && list->used) {
		list->full = true;
		return 1;
	}
	return !meta_list_add(list, (u64)ino + 1, "n %u\n", ino);
}

static int inodes_flush(struct inodes_read *read)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < read->count; i++) {
		struct taken *taken = &read->ahead[i];

		if (!ret)
			ret = inodes_add(read, taken);
		if (!IS_ERR_OR_NULL(taken->inode))
			record_inode_put(taken->inode, taken->cached);
	}
	read->count = 0;
	return ret;
}

static int inodes_take(u64 ino, void *priv)
{
	struct inodes_read *read = priv;
	size_t room = (read->list->size - read->list->used) / RECORD_LIKELY;
	u32 group = ((u32)ino - 1) / read->per_group;
	int ret;

	/* A program that reads several groups in parallel wants this group's inodes only. */
	if (group != read->group) {
		ret = inodes_flush(read);
		if (ret || read->list->used)
			return ret ?: 1;
		read->group = group;
	}
	take(read->host, ino, &read->ahead[read->count++]);
	if (read->count < min_t(size_t, room, INODES_AHEAD))
		return 0;
	return inodes_flush(read);
}

static int inodes_list(struct meta_host *host, struct inode *inode, struct meta_list *list)
{
	struct inodes_read *read = kmalloc(sizeof(*read), GFP_KERNEL);
	struct meta_geometry geo;
	int ret, last;

	if (!read)
		return -ENOMEM;
	host->ops->geometry(host->sb, &geo);
	read->host = host;
	read->list = list;
	read->per_group = geo.inodes_per_group;
	read->group = 0;
	read->count = 0;
	ret = host->ops->inodes(host->sb, list->pos, inodes_take, read);
	last = inodes_flush(read);
	kfree(read);
	return min(ret ?: last, 0);
}

const struct meta_file meta_inodes = { .list = inodes_list };
