// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an ident to the host's inode, and what outlives close(2).
 *
 * A node holds no reference on its inode: only a request does, from its check
 * to its commit. Whoever leaves nodes/<ident>/… open keeps no deleted file's
 * blocks from being freed, and a stale one answers ESTALE by its generation.
 */
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "ext3meta.h"

/**
 * meta_node_get - the host's inode of an ident, referenced
 * @host: the host
 * @ident: inode number, and the generation unless any will do
 *
 * Through the export operations, because they take a number that comes from
 * outside: a number that is free or reserved is an answer there, not a
 * corruption to be reported.
 *
 * Return: the inode, to be given back with iput(); -ENOENT where no such inode
 * is in use, -ESTALE where it has another generation.
 */
struct inode *meta_node_get(struct meta_host *host, const struct meta_ident *ident)
{
	const struct export_operations *ops = host->sb->s_export_op;
	/* Generation 0 accepts any; a generation asked for is compared below. */
	struct fid fid = { .i32 = { .ino = ident->ino } };
	struct dentry *dentry;
	struct inode *inode;

	if (!ident->ino)
		return ERR_PTR(-ENOENT);
	dentry = ops->fh_to_dentry(host->sb, &fid, 2, FILEID_INO32_GEN);
	if (!dentry || dentry == ERR_PTR(-ESTALE))
		return ERR_PTR(ident->any_generation ? -ENOENT : -ESTALE);
	if (IS_ERR(dentry))
		return ERR_CAST(dentry);
	inode = igrab(d_inode(dentry));
	dput(dentry);
	if (!inode)
		return ERR_PTR(-ENOENT);
	if (!ident->any_generation && inode->i_generation != ident->generation) {
		iput(inode);
		return ERR_PTR(-ESTALE);
	}
	return inode;
}

void meta_states_init(struct meta_host *host)
{
	mutex_init(&host->states_lock);
	xa_init(&host->states);
	INIT_LIST_HEAD(&host->states_age);
}

static void meta_state_release(struct kref *ref)
{
	kfree(container_of(ref, struct meta_state, ref));
}

void meta_state_put(struct meta_state *state)
{
	if (state)
		kref_put(&state->ref, meta_state_release);
}

static void meta_state_drop(struct meta_host *host, struct meta_state *state)
{
	xa_erase(&host->states, state->ino);
	list_del(&state->age);
	meta_state_put(state);
}

void meta_states_destroy(struct meta_host *host)
{
	struct meta_state *state, *next;

	list_for_each_entry_safe(state, next, &host->states_age, age)
		meta_state_drop(host, state);
	xa_destroy(&host->states);
}

/* Forgets the state again if its inode is gone. */
static void meta_state_check(struct meta_host *host, struct meta_state *state)
{
	struct meta_ident ident = { .ino = state->ino, .generation = state->generation };
	struct inode *inode = meta_node_get(host, &ident);

	if (!IS_ERR(inode)) {
		iput(inode);
		return;
	}
	if (inode != ERR_PTR(-ESTALE))
		return;
	mutex_lock(&host->states_lock);
	if (xa_load(&host->states, state->ino) == state)
		meta_state_drop(host, state);
	mutex_unlock(&host->states_lock);
}

/*
 * A nightly run uses up one donor a file: without this their states would pile
 * up until the unmount. Each new state pays for a look at the two oldest, so
 * the number of dead ones can't outgrow the number of living ones.
 */
static void meta_states_sweep(struct meta_host *host)
{
	struct meta_state *state;
	int i;

	for (i = 0; i < 2; i++) {
		mutex_lock(&host->states_lock);
		state = list_first_entry_or_null(&host->states_age, struct meta_state, age);
		if (state) {
			list_move_tail(&state->age, &host->states_age);
			kref_get(&state->ref);
		}
		mutex_unlock(&host->states_lock);
		if (!state)
			return;
		/* Without the mutex: the last iput() of a deleted file may wait for a thaw. */
		meta_state_check(host, state);
		meta_state_put(state);
	}
}

/**
 * meta_state_get - what is remembered of an inode, referenced
 * @host: the host
 * @inode: its inode, held by the caller
 * @create: make a state where there is none
 *
 * Return: the state, to be given back with meta_state_put(); NULL where there
 * is none and none was asked for; -ENOMEM.
 */
struct meta_state *meta_state_get(struct meta_host *host, struct inode *inode, bool create)
{
	struct meta_state *state;
	bool created = false;
	int err;

	mutex_lock(&host->states_lock);
	state = xa_load(&host->states, inode->i_ino);
	if (state && state->generation != inode->i_generation) {
		meta_state_drop(host, state);
		state = NULL;
	}
	if (!state && create) {
		state = kzalloc(sizeof(*state), GFP_KERNEL);
		if (!state)
			goto err_nomem;
		kref_init(&state->ref);
		state->ino = inode->i_ino;
		state->generation = inode->i_generation;
		err = xa_err(xa_store(&host->states, state->ino, state, GFP_KERNEL));
		if (err)
			goto err_free;
		list_add_tail(&state->age, &host->states_age);
		created = true;
	}
	if (state)
		kref_get(&state->ref);
	mutex_unlock(&host->states_lock);
	if (created)
		meta_states_sweep(host);
	return state;

err_free:
	kfree(state);
err_nomem:
	mutex_unlock(&host->states_lock);
	return ERR_PTR(-ENOMEM);
}
