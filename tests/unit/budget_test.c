// SPDX-License-Identifier: GPL-2.0-only
/* Budgets, without a filesystem: steps, bytes, and the flag. */
#include "lib/clock.h"
#include "pacing/budget.h"

#include "lib/util.h"
#include "tap.h"

static void times(void)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} good[] = { { "0", 0 },
		     { "1", 1 },
		     { "90", 90 },
		     { "90s", 90 },
		     { "30m", 1800 },
		     { "5h", 18000 },
		     { "1000h", 3600000 },
		     { "3600000", 3600000 },
		     { "7d", 604800 },
		     { "10000d", 864000000 },
		     { "864000000", 864000000 } };
	static const char *const bad[] = { "",
					   "h",
					   " 1",
					   "1 ",
					   "+1",
					   "-1",
					   "1.5h",
					   "1hh",
					   "240001h",
					   "10001d",
					   "864000001",
					   "5w",
					   "18446744073709551616" };
	uint64_t seconds;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++)
		ok(parse_time(good[i].text, &seconds) && seconds == good[i].seconds,
		   "the time '%s'", good[i].text);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		seconds = 77;
		ok(!parse_time(bad[i], &seconds) && seconds == 77, "'%s' is no time", bad[i]);
	}
}

void test_budget(void)
{
	volatile int stop = STOP_NOT;
	struct budget budget;
	uint64_t start;

	times();

	budget_start(&budget, 0, 0, 0, &stop);
	is(budget_step(&budget, 16 << 20, 4096), 16 << 20, "no bound: the largest step");
	budget_stepped(&budget, 1ULL << 40, 1);
	is(stop, STOP_NOT, "no bound: no end");

	budget_start(&budget, 0, 100000, 0, &stop);
	is(budget_step(&budget, 16 << 20, 4096), 100000, "a step is no larger than what is left");
	is(budget_step(&budget, 65536, 4096), 65536, "nor than it may be");
	budget_stepped(&budget, 98304, 1);
	is(stop, STOP_NOT, "some is left");
	is(budget_step(&budget, 65536, 4096), 4096, "less than a block is left: a block");
	budget_stepped(&budget, 4096, 1);
	is(stop, STOP_BYTES, "all has been moved");
	is(budget_step(&budget, 65536, 4096), 4096, "more than all: still a block");

	stop = STOP_SIGNAL;
	budget_stepped(&budget, 4096, 1);
	is(stop, STOP_SIGNAL, "the first cause is told");

	stop = STOP_NOT;
	budget_start(&budget, 0, 0, 1 << 20, &stop);
	is(budget_step(&budget, 16 << 20, 4096), 256 << 10, "a rate: four steps a second");
	start = clock_now();
	budget_stepped(&budget, 100 << 10, 10);
	budget_stepped(&budget, 100 << 10, 10);
	ok(clock_now() - start > 170000, "200 KiB at 1 MiB a second: a fifth of a second");
	stop = STOP_SIGNAL;
	start = clock_now();
	budget_stepped(&budget, 100 << 20, 10);
	ok(clock_now() - start < 5000000, "nobody waits once it is over");
}
