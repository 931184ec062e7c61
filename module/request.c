// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists and requests. Syntax and position are checked here, in the same order
 * for each of them, before the host's half is called.
 */
#include <linux/fs.h>

#include "ext3meta.h"

static int free_blocks_list(struct meta_host *host, struct inode *inode, struct meta_list *list)
{
	return host->ops->free_blocks(host->sb, list);
}

const struct meta_file meta_free_blocks = { .list = free_blocks_list };

static int extents_list(struct meta_host *host, struct inode *inode, struct meta_list *list)
{
	return host->ops->extents(inode, list);
}

const struct meta_file meta_data_extents = { .list = extents_list };

static int metadata_blocks_list(struct meta_host *host, struct inode *inode, struct meta_list *list)
{
	return host->ops->metadata_blocks(inode, list);
}

const struct meta_file meta_metadata_blocks = { .list = metadata_blocks_list };

/* What every request on file blocks must pass once its syntax is right. */
static int request_check(struct meta_request *req)
{
	struct meta_host *host = req->host;

	if (req->pos >= host->ops->max_blocks(host->sb))
		return -EFBIG;
	return host->ops->writable(host);
}

/* A count that would reach past the largest file, 0 included, is out of range. */
static int count_check(struct meta_request *req, u64 count)
{
	u64 max = req->host->ops->max_blocks(req->host->sb);

	return count && count <= max - req->pos ? 0 : -EINVAL;
}

static int data_alloc_request(struct meta_request *req)
{
	u64 count;
	int err;

	err = meta_parse_u64(&req->line, &count);
	if (!err)
		err = meta_parse_end(req->line);
	if (!err)
		err = request_check(req);
	if (!err)
		err = count_check(req, count);
	if (err)
		return err;
	return req->host->ops->alloc(req, count);
}

const struct meta_file meta_data_alloc = { .request = data_alloc_request };

/* The second file of a reloc. */
struct donor {
	struct inode *inode;
	struct meta_state *state;
};

static int donor_get(struct meta_request *req, const struct meta_ident *ident, struct donor *donor)
{
	donor->inode = meta_node_get(req->host, ident);
	if (IS_ERR(donor->inode))
		return PTR_ERR(donor->inode);
	donor->state = meta_state_get(req->host, donor->inode, true);
	if (IS_ERR(donor->state)) {
		iput(donor->inode);
		return PTR_ERR(donor->state);
	}
	return 0;
}

static void donor_put(struct donor *donor)
{
	meta_state_put(donor->state);
	iput(donor->inode);
}

static int data_reloc_request(struct meta_request *req)
{
	struct meta_ident ident;
	struct donor donor;
	bool counted;
	u64 count;
	int err;

	err = meta_parse_ident(&req->line, &ident);
	if (err)
		return err;
	counted = meta_parse_more(&req->line);
	if (counted) {
		err = meta_parse_u64(&req->line, &count);
		if (err)
			return err;
	}
	err = meta_parse_end(req->line);
	if (!err)
		err = request_check(req);
	if (!err && counted)
		err = count_check(req, count);
	if (err)
		return err;
	if (!counted)
		count = req->host->ops->max_blocks(req->host->sb) - req->pos;

	err = donor_get(req, &ident, &donor);
	if (err)
		return err;
	err = req->host->ops->reloc(req, donor.inode, donor.state, count);
	donor_put(&donor);
	return err;
}

const struct meta_file meta_data_reloc = { .request = data_reloc_request };

static int metadata_alloc_request(struct meta_request *req)
{
	u32 level;
	int err;

	err = meta_parse_u32(&req->line, &level);
	if (!err)
		err = meta_parse_end(req->line);
	if (!err)
		err = request_check(req);
	if (err)
		return err;
	return req->host->ops->metadata_alloc(req, level);
}

const struct meta_file meta_metadata_alloc = { .request = metadata_alloc_request };

static int metadata_reloc_request(struct meta_request *req)
{
	struct meta_ident ident;
	struct donor donor;
	u32 level;
	int err;

	err = meta_parse_ident(&req->line, &ident);
	if (err)
		return err;
	if (!meta_parse_more(&req->line))
		return -EINVAL;
	err = meta_parse_u32(&req->line, &level);
	if (!err)
		err = meta_parse_end(req->line);
	if (!err)
		err = request_check(req);
	if (err)
		return err;

	err = donor_get(req, &ident, &donor);
	if (err)
		return err;
	err = req->host->ops->metadata_reloc(req, donor.inode, donor.state, level);
	donor_put(&donor);
	return err;
}

const struct meta_file meta_metadata_reloc = { .request = metadata_reloc_request };
