/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for Criterion under ThreadSanitizer, where its fork sandbox does not
 * start: all tests in one process, one after the other. Offers what our tests
 * use and no more.
 */
#ifndef KP_STANDIN_CRITERION_H
#define KP_STANDIN_CRITERION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kp_standin_test {
	const char *suite, *name;
	void (*run)(void);
	struct kp_standin_test *next;
};

extern struct kp_standin_test *kp_standin_tests;
extern int kp_standin_failed;
void kp_standin_fail(const char *file, int line, const char *what);

#define Test(suite_, name_) \
	static void kp_test_##suite_##_##name_(void); \
	__attribute__(( \
	    constructor)) static void kp_register_##suite_##_##name_(void) \
	{ \
		static struct kp_standin_test t = { #suite_, #name_, \
			kp_test_##suite_##_##name_, NULL }; \
		t.next = kp_standin_tests; \
		kp_standin_tests = &t; \
	} \
	static void kp_test_##suite_##_##name_(void)

#define cr_expect(cond, ...) \
	((cond) ? (void)0 : kp_standin_fail(__FILE__, __LINE__, #cond))
#define cr_assert(cond, ...) \
	do { \
		if (!(cond)) { \
			kp_standin_fail(__FILE__, __LINE__, #cond); \
			exit(1); \
		} \
	} while (0)
#define cr_assert_eq(a, b, ...) cr_assert((a) == (b))
#define cr_assert_neq(a, b, ...) cr_assert((a) != (b))
#define cr_assert_lt(a, b, ...) cr_assert((a) < (b))
#define cr_assert_leq(a, b, ...) cr_assert((a) <= (b))
#define cr_assert_gt(a, b, ...) cr_assert((a) > (b))
#define cr_assert_geq(a, b, ...) cr_assert((a) >= (b))
#define cr_assert_str_empty(a, ...) cr_assert((a)[0] == '\0')
#define cr_assert_str_eq(a, b, ...) cr_assert(strcmp((a), (b)) == 0)
#define cr_assert_null(a, ...) cr_assert((a) == NULL)
#define cr_assert_not_null(a, ...) cr_assert((a) != NULL)

#endif
