/* SPDX-License-Identifier: GPL-2.0-only */
/* One TAP stream for all unit tests, and random numbers that a seed takes back. */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdint.h>

/* Print "ok" or "not ok" for one more test; @what is formatted. Returns @good. */
bool ok(bool good, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* The same for two numbers; a difference is shown. */
#define is(got, wanted, ...) is_number((long long)(got), (long long)(wanted), __VA_ARGS__)
bool is_number(long long got, long long wanted, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* Up to @below - 1, from the seed that the stream's head shows. */
uint32_t random_below(uint32_t below);

void test_text(void);
void test_layout(void);
void test_budget(void);
void test_busy(void);
void test_names(void);
void test_names_walk(void);
void test_score(void);
void test_filter(void);
void test_freemap(void);
void test_mdstat(void);
void test_order(void);
void test_plan(void);
void test_planfile(void);
void test_claims(void);
void test_pace(void);
void test_picture(void);
void test_report(void);
void test_report_html(void);
void test_share(void);
void test_state(void);
void test_stretch(void);
void test_window(void);
void test_status(void);
void test_map(void);
void test_where(void);
void test_vm(void);

#endif
