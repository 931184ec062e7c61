/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PATTERN_BYTE_H
#define PATTERN_BYTE_H

/* A byte that depends on where in which file it lies. */
static inline unsigned char pattern_byte(unsigned long long at, unsigned int seed)
{
	unsigned long long x = (at >> 3) * 0x9e3779b97f4a7c15ULL + seed * 0xff51afd7ed558ccdULL;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ULL;
	return (x >> (8 * (at & 7))) | 1;
}

#endif
