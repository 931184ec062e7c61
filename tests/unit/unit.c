// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

static int count, failed;
static uint64_t state;

static bool result(bool good, const char *what, va_list args)
{
	printf("%sok %d - ", good ? "" : "not ", ++count);
	vprintf(what, args);
	putchar('\n');
	failed += !good;
	return good;
}

bool ok(bool good, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	result(good, what, args);
	va_end(args);
	return good;
}

bool is_number(long long got, long long wanted, const char *what, ...)
{
	va_list args;

	va_start(args, what);
	result(got == wanted, what, args);
	va_end(args);
	if (got != wanted)
		printf("# got %lld, wanted %lld\n", got, wanted);
	return got == wanted;
}

/* xorshift64* */
uint32_t random_below(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(((state * 0x2545f4914f6cdd1dULL) >> 32) * below >> 32);
}

int main(void)
{
	const char *seed = getenv("SEED");
	unsigned long number = seed && *seed ? strtoul(seed, NULL, 10) :
					       (unsigned long)time(NULL) ^ (unsigned long)getpid();

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n# SEED=%lu\n", number);
	state = (number + 1) * 0x9e3779b97f4a7c15ULL;
	test_text();
	test_layout();
	test_budget();
	test_busy();
	test_names();
	test_names_walk();
	test_score();
	test_filter();
	test_freemap();
	test_mdstat();
	test_order();
	test_plan();
	test_planfile();
	test_claims();
	test_pace();
	test_picture();
	test_report();
	test_report_html();
	test_share();
	test_state();
	test_stretch();
	test_window();
	test_status();
	test_map();
	test_where();
	test_vm();
	printf("1..%d\n", count);
	return failed ? 1 : 0;
}
