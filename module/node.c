// SPDX-License-Identifier: GPL-2.0-only
/*
 * From an ident to the host's inode, and what is remembered after close(2).
 *
 * A node holds no reference to its inode: only a request does, from its check
 * to its commit. So a file below nodes/<ident>/ that is left open doesn't keep
 * the blocks of a deleted file from being freed. When the inode is gone, or its
 * number belongs to another file, the generation tells, and the answer is
 * ESTALE.
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

static void meta_state_release(struct kref *ref)
{
	kfree(container_of(ref, struct meta_state, ref));
}

void meta_state_put(struct meta_state *state)
{
	if (state)
		kref_put(&state->ref, meta_state_release);
}

static void meta_state_drop(struct meta_memory *memory, struct meta_state *state)
{
	xa_erase(&memory->states, state->ino);
	list_del(&state->age);
	meta_state_put(state);
}

static LIST_HEAD(memories);
static DEFINE_MUTEX(memories_lock);

static struct meta_memory *meta_memory_find(const struct super_block *sb)
{
	struct meta_memory *memory;

	list_for_each_entry(memory, &memories, all)
		if (memory->sb == sb)
			return memory;
	return NULL;
}

/**
 * meta_memory_get - what is remembered of a host
 * @sb: the host, held by the caller
 *
 * Return: the memory that all mounts of it share, to be given back with
 * meta_memory_put(); NULL where there is no room for it.
 */
struct meta_memory *meta_memory_get(struct super_block *sb)
{
	struct meta_memory *memory;

	mutex_lock(&memories_lock);
	memory = meta_memory_find(sb);
	if (!memory) {
		memory = kzalloc(sizeof(*memory), GFP_KERNEL);
		if (!memory)
			goto out;
		memory->sb = sb;
		mutex_init(&memory->states_lock);
		xa_init(&memory->states);
		INIT_LIST_HEAD(&memory->states_age);
		list_add(&memory->all, &memories);
	}
	memory->users++;
out:
	mutex_unlock(&memories_lock);
	return memory;
}

/* Gives the host's memory back; the host is still held. */
void meta_memory_put(struct meta_host *host)
{
	struct meta_memory *memory = host->memory;
	struct meta_state *state, *next;

	mutex_lock(&memories_lock);
	if (--memory->users)
		memory = NULL;
	else
		list_del(&memory->all);
	mutex_unlock(&memories_lock);
	if (!memory)
		return;
	list_for_each_entry_safe(state, next, &memory->states_age, age)
		meta_state_drop(memory, state);
	xa_destroy(&memory->states);
	host->ops->forget(memory);
	kfree(memory);
}

/* Forgets the state again if its inode is gone. */
static void meta_state_check(struct meta_host *host, struct meta_state *state)
{
	struct meta_ident ident = { .ino = state->ino, .generation = state->generation };
	struct inode *inode = meta_node_get(host, &ident);
	struct meta_memory *memory = host->memory;

	if (!IS_ERR(inode)) {
		iput(inode);
		return;
	}
	if (inode != ERR_PTR(-ESTALE))
		return;
	mutex_lock(&memory->states_lock);
	if (xa_load(&memory->states, state->ino) == state)
		meta_state_drop(memory, state);
	mutex_unlock(&memory->states_lock);
}

/*
 * A nightly run uses up one donor a file: without this their states would pile
 * up until the unmount. Each new state pays for a look at the two oldest, so
 * the number of dead ones can't outgrow the number of living ones.
 */
static void meta_states_sweep(struct meta_host *host)
{
	struct meta_memory *memory = host->memory;
	struct meta_state *state;
	int i;

	for (i = 0; i < 2; i++) {
		mutex_lock(&memory->states_lock);
		state = list_first_entry_or_null(&memory->states_age, struct meta_state, age);
		if (state) {
			list_move_tail(&state->age, &memory->states_age);
			kref_get(&state->ref);
		}
		mutex_unlock(&memory->states_lock);
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
	struct meta_memory *memory = host->memory;
	struct meta_state *state;
	bool created = false;
	int err;

	mutex_lock(&memory->states_lock);
	state = xa_load(&memory->states, inode->i_ino);
	if (state && state->generation != inode->i_generation) {
		meta_state_drop(memory, state);
		state = NULL;
	}
	if (!state && create) {
		state = kzalloc(sizeof(*state), GFP_KERNEL);
		if (!state)
			goto err_nomem;
		kref_init(&state->ref);
		state->ino = inode->i_ino;
		state->generation = inode->i_generation;
		err = xa_err(xa_store(&memory->states, state->ino, state, GFP_KERNEL));
		if (err)
			goto err_free;
		list_add_tail(&state->age, &memory->states_age);
		created = true;
	}
	if (state)
		kref_get(&state->ref);
	mutex_unlock(&memory->states_lock);
	if (created)
		meta_states_sweep(host);
	return state;

err_free:
	kfree(state);
err_nomem:
	mutex_unlock(&memory->states_lock);
	return ERR_PTR(-ENOMEM);
}
