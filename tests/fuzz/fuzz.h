/* SPDX-License-Identifier: GPL-2.0-only */
/* What the libFuzzer harnesses share: the input taken apart, and claims that must hold. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unlike assert(3) it says what it compared with, and is never compiled out. */
#define MUST(claim)                                                                         \
	do {                                                                                \
		if (!(claim)) {                                                             \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim); \
			abort();                                                            \
		}                                                                           \
	} while (0)

struct input {
	const uint8_t *at, *end;
};

/* The next byte, 0 behind the end. */
static inline uint32_t take_byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* A number of any size, small ones from few bytes. */
static inline uint32_t take_number(struct input *in)
{
	uint32_t first = take_byte(in), value = first & 63, more = first >> 6;

	while (more--)
		value = value << 8 | take_byte(in);
	return value;
}

#endif
