// SPDX-License-Identifier: GPL-2.0-only
/*
 * One open file of the tree: position, read, write.
 *
 * In lists and requests the position counts filesystem blocks, so neither the
 * generic lseek nor the seq_file helpers fit: a read returns whole lines and
 * leaves the position at the first block it did not report.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "ext3meta.h"

/* The host's inode that @file is about; NULL outside nodes/. */
static struct inode *meta_file_host_inode(struct file *file)
{
	struct meta_inode *mi = meta_inode(file_inode(file));
	struct meta_ident ident = { .ino = mi->ino, .generation = mi->generation };

	if (!mi->ino)
		return NULL;
	return meta_node_get(meta_host(file_inode(file)->i_sb), &ident);
}

static loff_t meta_llseek(struct file *file, loff_t offset, int whence)
{
	loff_t pos;

	switch (whence) {
	case SEEK_SET:
		pos = offset;
		break;
	case SEEK_CUR:
		if (check_add_overflow(file->f_pos, offset, &pos))
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	if (pos < 0)
		return -EINVAL;
	file->f_pos = pos;
	return pos;
}

/* A scalar: the text is made whole, and the position counts its bytes. */
static ssize_t meta_read_text(const struct meta_file *mf, struct meta_host *host,
			      struct inode *inode, char __user *buf, size_t count, loff_t *ppos)
{
	struct meta_list list = { .size = PAGE_SIZE };
	ssize_t ret;

	list.text = kmalloc(list.size, GFP_KERNEL);
	if (!list.text)
		return -ENOMEM;
	ret = mf->text(host, inode, &list);
	if (!ret)
		ret = simple_read_from_buffer(buf, count, ppos, list.text, list.used);
	kfree(list.text);
	return ret;
}

static ssize_t meta_read_list(const struct meta_file *mf, struct meta_host *host,
			      struct inode *inode, char __user *buf, size_t count, loff_t *ppos)
{
	struct meta_list list = { .pos = *ppos };
	ssize_t ret;

	if (!count)
		return 0;
	count = min_t(size_t, count, META_READ_MAX);
	list.size = count + 1;
	list.text = kvmalloc(list.size, GFP_KERNEL);
	if (!list.text)
		return -ENOMEM;
	ret = mf->list(host, inode, &list);
	/* Lines that were made before an error are true: give them out first. */
	if (list.used) {
		ret = list.used;
		if (copy_to_user(buf, list.text, list.used))
			ret = -EFAULT;
		else
			*ppos = list.pos;
	} else if (!ret && list.full) {
		ret = -EINVAL;
	}
	kvfree(list.text);
	return ret;
}

static ssize_t meta_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	const struct meta_file *mf = meta_inode(file_inode(file))->entry->file;
	struct meta_host *host = meta_host(file_inode(file)->i_sb);
	struct inode *inode;
	ssize_t ret;

	inode = meta_file_host_inode(file);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	if (mf->text)
		ret = meta_read_text(mf, host, inode, buf, count, ppos);
	else
		ret = meta_read_list(mf, host, inode, buf, count, ppos);
	iput(inode);
	return ret;
}

static int meta_request_line(char *line, const char __user *buf, size_t count)
{
	if (!count || count > META_REQUEST_MAX)
		return -EINVAL;
	if (copy_from_user(line, buf, count))
		return -EFAULT;
	if (line[count - 1] == '\n')
		count--;
	line[count] = '\0';
	/* A NUL would end the line before the fields that follow it. */
	return strlen(line) == count ? 0 : -EINVAL;
}

static ssize_t meta_write(struct file *file, const char __user *buf, size_t count, loff_t *ppos)
{
	const struct meta_file *mf = meta_inode(file_inode(file))->entry->file;
	struct meta_host *host = meta_host(file_inode(file)->i_sb);
	char line[META_REQUEST_MAX + 1];
	struct meta_request req = { .host = host, .line = line, .pos = *ppos };
	ssize_t ret;

	/*
	 * The opener's credentials, not the writer's: a descriptor that was
	 * passed on, or handed to a set-uid program as its standard output,
	 * can do no more than the one who opened it.
	 */
	if (!file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	ret = meta_request_line(line, buf, count);
	if (ret)
		return ret;

	req.inode = meta_file_host_inode(file);
	if (IS_ERR(req.inode))
		return PTR_ERR(req.inode);
	if (req.inode) {
		req.state = meta_state_get(host, req.inode, true);
		if (IS_ERR(req.state)) {
			ret = PTR_ERR(req.state);
			goto out;
		}
	}
	ret = mf->request(&req);
	if (!ret) {
		ret = req.moved ? min_t(u64, req.moved, MAX_RW_COUNT) : count;
		*ppos = mf->scalar_request ? *ppos + count : req.pos;
	}
	meta_state_put(req.state);
out:
	iput(req.inode);
	return ret;
}

/*
 * The mode alone would not do: CAP_DAC_OVERRIDE opens a file that has no way to
 * be read, or none to be written.
 */
static int meta_open(struct inode *inode, struct file *file)
{
	const struct meta_file *mf = meta_inode(inode)->entry->file;

	if ((file->f_mode & FMODE_READ) && !mf->text && !mf->list)
		return -EACCES;
	if ((file->f_mode & FMODE_WRITE) && !mf->request)
		return -EACCES;
	return 0;
}

/*
 * A shell's > truncates what it opens, which means nothing here and must work;
 * any other attribute is the tree's, not the user's.
 */
static int meta_setattr(compat_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	if (attr->ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		return -EPERM;
	if ((attr->ia_valid & ATTR_SIZE) && attr->ia_size)
		return -EINVAL;
	return 0;
}

const struct inode_operations meta_file_iops = {
	.setattr = meta_setattr,
};

const struct file_operations meta_file_ops = {
	.owner = THIS_MODULE,
	.open = meta_open,
	.llseek = meta_llseek,
	.read = meta_read,
	.write = meta_write,
};
