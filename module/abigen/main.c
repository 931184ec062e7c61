// SPDX-License-Identifier: GPL-2.0-only
/* abigen: what the module must know about a kernel's ext4, from that kernel's BTF, as a header. */
#include <bpf/libbpf.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "abigen.h"

#define LIVE_BTF "/sys/kernel/btf/"

struct options {
	const char *root;
	const char *kdir;
	const char *release;
	const char *output;
	bool installed;
};

static void usage(FILE *f)
{
	fputs("Usage: abigen [--root DIR] [--kdir DIR] [--installed] --release RELEASE -o FILE\n"
	      "\n"
	      "Writes FILE, a C header with what is needed of the ext4 of kernel RELEASE.\n"
	      "\n"
	      "  -r, --root DIR         where boot/ and lib/modules/ of that kernel are (/)\n"
	      "  -k, --kdir DIR         that kernel's headers, which may hold its BTF\n"
	      "  -R, --release RELEASE  the kernel, as uname -r names it\n"
	      "  -i, --installed        what is installed counts, even where RELEASE runs\n"
	      "  -o, --output FILE      the header to write\n"
	      "  -h, --help             show this help\n",
	      f);
}

static struct options parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "kdir", required_argument, NULL, 'k' },
		{ "release", required_argument, NULL, 'R' },
		{ "installed", no_argument, NULL, 'i' },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options options = { .root = "/" };
	int option;

	while ((option = getopt_long(argc, argv, "r:k:R:io:h", longs, NULL)) != -1) {
		switch (option) {
		case 'r':
			options.root = optarg;
			break;
		case 'k':
			options.kdir = optarg;
			break;
		case 'R':
			options.release = optarg;
			break;
		case 'i':
			options.installed = true;
			break;
		case 'o':
			options.output = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	if (optind < argc || !options.release || !options.output) {
		usage(stderr);
		exit(2);
	}
	/* It becomes part of paths and a C string. */
	if (!*options.release || strpbrk(options.release, "/\"\\\n"))
		die(options.release, "not the name of a kernel release");
	return options;
}

static bool is_live(const struct options *options)
{
	struct utsname name;

	return !options->installed && !strcmp(options->root, "/") && !uname(&name) &&
	       !strcmp(name.release, options->release) && file_exists(LIVE_BTF "vmlinux");
}

static const char *below(const char *root)
{
	return strcmp(root, "/") ? root : "";
}

/* A path below lib/modules/RELEASE, which a root that isn't merged yet may have in usr. */
static char *module_path(const struct options *options, const char *name)
{
	static const char *const places[] = { "lib", "usr/lib" };
	char *path = NULL;
	size_t i;

	for (i = 0; i < 2; i++) {
		free(path);
		path = xasprintf("%s/%s/modules/%s/%s", below(options->root), places[i],
				 options->release, name);
		if (file_exists(path))
			return path;
	}
	free(path);
	return NULL;
}

static bool ext4_is_builtin(const struct options *options)
{
	char *path = module_path(options, "modules.builtin");
	struct blob list;
	bool found;

	if (!path)
		return false;
	list = file_read(path);
	found = memmem(list.data, list.size, "kernel/fs/ext4/ext4.ko\n", 23);
	free(list.data);
	free(path);
	return found;
}

static char *ext4_path(const struct options *options)
{
	static const char *const endings[] = { "", ".xz", ".zst", ".gz" };
	char *name, *path = NULL;
	size_t i;

	for (i = 0; !path && i < sizeof(endings) / sizeof(endings[0]); i++) {
		name = xasprintf("kernel/fs/ext4/ext4.ko%s", endings[i]);
		path = module_path(options, name);
		free(name);
	}
	if (!path)
		die("ext4.ko", "not among the modules of %s in %s, nor built in", options->release,
		    options->root);
	return path;
}

static struct blob btf_section(const char *path, struct blob file)
{
	struct blob section = { 0 };

	if (!elf_section(path, file, ".BTF", &section))
		die(path, "it has no BTF: CONFIG_DEBUG_INFO_BTF wasn't set for this kernel");
	return section;
}

static struct btf *load_or_die(const char *path, struct blob raw, struct btf *base)
{
	struct btf *btf;
	char *why;

	btf = typeinfo_load(path, raw, base, &why);
	if (!btf)
		die(path, "%s", why);
	return btf;
}

static void read_build_id(const char *path, struct blob file, struct target *target)
{
	if (!elf_build_id(path, file, &target->build_id))
		die(path, "it has no build-id");
}

static void read_live_build_id(const char *path, struct target *target)
{
	if (!notes_build_id(file_read(path), &target->build_id))
		die(path, "there is no build-id in it");
}

static struct blob read_vmlinux(const struct options *options, char **path)
{
	*path = xasprintf("%s/boot/vmlinuz-%s", below(options->root), options->release);
	if (!file_exists(*path))
		die(*path, "not there; ext4's types are in terms of those in it");
	return bzimage_unpack(*path, file_read(*path));
}

/* The module's BTF on that of this kernel, if it fits. */
static struct btf *load_on(const char *kernel, struct blob kernel_raw, const char *module,
			   struct blob raw)
{
	struct btf *base, *btf = NULL;
	char *why;

	base = typeinfo_load(kernel, kernel_raw, NULL, &why);
	if (base)
		btf = typeinfo_load(module, raw, base, &why);
	if (!btf)
		warn(kernel, "passed over: %s", why);
	return btf;
}

/* The quick ways, which need no kernel unpacked: they may be there, and may be another kernel's. */
static struct btf *load_on_any(const struct options *options, const char *module, struct blob raw)
{
	struct btf *btf = NULL;
	struct blob section = { 0 };
	char *path;

	if (is_live(options))
		btf = load_on(LIVE_BTF "vmlinux", file_read(LIVE_BTF "vmlinux"), module, raw);
	if (btf || !options->kdir)
		return btf;
	/* Some headers bring a vmlinux with nothing but the BTF in it. */
	path = xasprintf("%s/vmlinux", options->kdir);
	if (file_exists(path) && elf_section(path, file_read(path), ".BTF", &section))
		btf = load_on(path, section, module, raw);
	return btf;
}

static void read_installed_module(const struct options *options, struct target *target)
{
	char *path = ext4_path(options), *kernel;
	struct blob file = file_read(path), raw;
	struct btf *base;

	decompress(path, &file);
	raw = btf_section(path, file);
	read_build_id(path, file, target);
	target->btf = load_on_any(options, path, raw);
	if (target->btf)
		return;
	file = read_vmlinux(options, &kernel);
	base = load_or_die(kernel, btf_section(kernel, file), NULL);
	target->btf = load_or_die(path, raw, base);
}

static void read_installed_kernel(const struct options *options, struct target *target)
{
	struct blob file;
	char *path;

	file = read_vmlinux(options, &path);
	target->btf = load_or_die(path, btf_section(path, file), NULL);
	read_build_id(path, file, target);
}

/* What runs may differ from what is installed under the same release name. */
static void read_live(struct target *target)
{
	struct btf *base = load_or_die(LIVE_BTF "vmlinux", file_read(LIVE_BTF "vmlinux"), NULL);

	if (target->builtin) {
		target->btf = base;
		read_live_build_id("/sys/kernel/notes", target);
	} else {
		target->btf = load_or_die(LIVE_BTF "ext4", file_read(LIVE_BTF "ext4"), base);
		read_live_build_id("/sys/module/ext4/notes/.note.gnu.build-id", target);
	}
}

static void read_target(const struct options *options, struct target *target)
{
	target->release = options->release;
	target->builtin = ext4_is_builtin(options);
	if (is_live(options) && (target->builtin || file_exists(LIVE_BTF "ext4")))
		read_live(target);
	else if (target->builtin)
		read_installed_kernel(options, target);
	else
		read_installed_module(options, target);
}

static int no_messages(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	struct target target = { 0 };

	libbpf_set_print(no_messages);
	read_target(&options, &target);
	output_write(options.output, &target);
	return 0;
}
