// SPDX-License-Identifier: GPL-2.0-only
/*
 * fill: writes self-describing cells (pattern.h) of generation 0 over a part of a file.
 * fill FILE BYTES SEED [OFFSET [PIECE SKIP]]: with PIECE and SKIP, PIECE bytes are written and SKIP
 * left out by turns, which makes holes.
 */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pattern.h"

#define CHUNK (64 << 10)

int main(int argc, char **argv)
{
	static struct cell cells[CHUNK / CELL];
	uint64_t bytes, seed, offset = 0, piece, skip = 0, done, i;
	struct stat st;
	int fd;

	if (argc != 4 && argc != 5 && argc != 7) {
		fprintf(stderr, "usage: fill FILE BYTES SEED [OFFSET [PIECE SKIP]]\n");
		return 2;
	}
	piece = bytes = parse_number(argv[2], "BYTES");
	seed = parse_number(argv[3], "SEED");
	if (argc > 4)
		offset = parse_number(argv[4], "OFFSET");
	if (argc > 5) {
		piece = parse_number(argv[5], "PIECE");
		skip = parse_number(argv[6], "SKIP");
	}
	if (offset % CELL || piece == 0 || (skip && piece % CELL) || skip % CELL)
		error(2, 0, "OFFSET, PIECE and SKIP are multiples of %d, PIECE is not 0", CELL);

	fd = open(argv[1], O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || fstat(fd, &st))
		error(1, errno, "%s", argv[1]);
	for (done = 0; done < bytes;) {
		uint64_t in_piece = done % (piece + skip), length = CHUNK;

		if (in_piece >= piece) {
			done += piece + skip - in_piece;
			continue;
		}
		if (length > piece - in_piece)
			length = piece - in_piece;
		if (length > bytes - done)
			length = bytes - done;
		for (i = 0; i * CELL < length; i++)
			cell_fill(&cells[i], seed, st.st_ino, (offset + done) / CELL + i, 0);
		if (write_fully(fd, cells, length, offset + done) != (ssize_t)length)
			error(1, errno, "%s", argv[1]);
		done += length;
	}
	if (close(fd))
		error(1, errno, "%s", argv[1]);
	return 0;
}
