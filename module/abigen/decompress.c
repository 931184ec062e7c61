// SPDX-License-Identifier: GPL-2.0-only
/*
 * xz, zstd, gzip and lz4, told apart by their first bytes. What follows the stream is left alone.
 */
#include <lz4.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "abigen.h"

#define OUTPUT_SIZE_MAX (1UL << 30)

struct output {
	const char *what;
	struct blob blob;
	size_t room;
};

static void output_reserve(struct output *out, size_t size)
{
	while (out->room - out->blob.size < size) {
		if (out->room >= OUTPUT_SIZE_MAX)
			die(out->what, "unpacks to more than %lu bytes", OUTPUT_SIZE_MAX);
		out->room = out->room ? 2 * out->room : 4 << 20;
		out->blob.data = xrealloc(out->blob.data, out->room);
	}
}

static void unpack_xz(struct output *out, struct blob in)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret status;

	if (lzma_stream_decoder(&stream, UINT64_MAX, 0) != LZMA_OK)
		die("memory", "exhausted");
	stream.next_in = in.data;
	stream.avail_in = in.size;
	do {
		output_reserve(out, 1);
		stream.next_out = out->blob.data + out->blob.size;
		stream.avail_out = out->room - out->blob.size;
		status = lzma_code(&stream, LZMA_RUN);
		out->blob.size = out->room - stream.avail_out;
	} while (status == LZMA_OK && (stream.avail_in || !stream.avail_out));
	lzma_end(&stream);
	if (status == LZMA_OK || status == LZMA_BUF_ERROR)
		die(out->what, "the xz data are truncated");
	if (status != LZMA_STREAM_END)
		die(out->what, "the xz data are damaged (liblzma error %d)", status);
}

static void unpack_zstd(struct output *out, struct blob in)
{
	ZSTD_inBuffer input = { in.data, in.size, 0 };
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_outBuffer output;
	size_t left;

	/* Kernels are packed with windows beyond what zstd accepts unasked. */
	if (!context || ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 31)))
		die("memory", "exhausted");
	do {
		output_reserve(out, 1);
		output = (ZSTD_outBuffer){ out->blob.data, out->room, out->blob.size };
		left = ZSTD_decompressStream(context, &output, &input);
		if (ZSTD_isError(left))
			die(out->what, "the zstd data are damaged (%s)", ZSTD_getErrorName(left));
		out->blob.size = output.pos;
	} while (left && (input.pos < input.size || output.pos == output.size));
	ZSTD_freeDCtx(context);
	if (left)
		die(out->what, "the zstd data are truncated");
}

static void unpack_gzip(struct output *out, struct blob in)
{
	z_stream stream = { 0 };
	int status;

	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
		die("memory", "exhausted");
	stream.next_in = in.data;
	stream.avail_in = in.size;
	do {
		output_reserve(out, 1);
		stream.next_out = out->blob.data + out->blob.size;
		stream.avail_out = out->room - out->blob.size;
		status = inflate(&stream, Z_NO_FLUSH);
		out->blob.size = out->room - stream.avail_out;
	} while (status == Z_OK && (stream.avail_in || !stream.avail_out));
	inflateEnd(&stream);
	if (status == Z_OK || status == Z_BUF_ERROR)
		die(out->what, "the gzip data are truncated");
	if (status != Z_STREAM_END)
		die(out->what, "the gzip data are damaged (zlib error %d)", status);
}

#define LZ4_BLOCK_MAX (8 << 20)

/*
 * The old lz4 format, which kernels are packed with: blocks behind their sizes, up to the end of
 * the file or, in a kernel, to four bytes that can't be a block.
 */
static void unpack_lz4(struct output *out, struct blob in)
{
	size_t at = 4, length;
	int got;

	while (in.size - at > 4) {
		length = get_le32(in.data + at);
		at += 4;
		if (length > in.size - at)
			die(out->what, "the lz4 data are truncated");
		output_reserve(out, LZ4_BLOCK_MAX);
		got = LZ4_decompress_safe((char *)in.data + at,
					  (char *)out->blob.data + out->blob.size, length,
					  LZ4_BLOCK_MAX);
		if (got < 0)
			die(out->what, "the lz4 data are damaged");
		out->blob.size += got;
		at += length;
	}
}

static const struct format {
	const char *magic;
	size_t length;
	void (*unpack)(struct output *out, struct blob in);
} formats[] = {
	{ "\xfd\x37zXZ\0", 6, unpack_xz },
	{ "\x28\xb5\x2f\xfd", 4, unpack_zstd },
	{ "\x1f\x8b", 2, unpack_gzip },
	{ "\x02\x21\x4c\x18", 4, unpack_lz4 },
};

/* Replaces what is compressed; false, and nothing done, for data in no format known here. */
bool decompress(const char *what, struct blob *blob)
{
	struct output out = { what, { NULL, 0 }, 0 };
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (blob->size < formats[i].length ||
		    memcmp(blob->data, formats[i].magic, formats[i].length))
			continue;
		formats[i].unpack(&out, *blob);
		free(blob->data);
		*blob = out.blob;
		return true;
	}
	return false;
}
