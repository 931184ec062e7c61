// SPDX-License-Identifier: GPL-2.0-only
/*
 * ext3meta: shows a mounted ext3 filesystem to a defragmenter as a tree of
 * small text files, and moves its blocks on requests written to them.
 *
 * Start and end of the module. The order matters: ext3meta can't be mounted
 * before the module has checked that the running ext4 driver is the one that
 * it was built for.
 */
#include <linux/module.h>

#include "ext3meta.h"
#include "version.h"

static int __init ext3meta_init(void)
{
	int err;

	err = e3m_host_init();
	if (err)
		return err;
	err = meta_tree_init();
	if (err)
		goto err_host;
	err = meta_super_register();
	if (err)
		goto err_tree;
	return 0;

err_tree:
	meta_tree_exit();
err_host:
	e3m_host_exit();
	return err;
}

static void __exit ext3meta_exit(void)
{
	meta_super_unregister();
	meta_tree_exit();
	e3m_host_exit();
}

module_init(ext3meta_init);
module_exit(ext3meta_exit);

MODULE_DESCRIPTION("Online defragmentation interface for ext3");
MODULE_AUTHOR("The e3defrag developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(E3DEFRAG_VERSION);
/*
 * No MODULE_ALIAS_FS: a mount or fsopen(2) would load the module, also where root of a user
 * namespace asks for it, who then may do nothing with it.
 */
MODULE_SOFTDEP("pre: ext4");
