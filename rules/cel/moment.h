/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timestamps and durations: their texts, their limits, their parts. A timestamp
 * lies in the years 1 to 9999. A duration is nanoseconds in 64 bits, 292 years
 * either way. There is no clock here, and no database of time zones.
 * @thread any
 */
#ifndef KP_RULES_CEL_MOMENT_H
#define KP_RULES_CEL_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "rules/cel/value.h"

/* kp_cel_timestamp_parse reads RFC 3339: "2009-02-13T23:31:30.5+01:00". */
bool kp_cel_timestamp_parse(
    struct kp_bytes text, struct kp_cel_value *out) KP_MUST_CHECK;

/* kp_cel_timestamp_make refuses seconds outside of the years 1 to 9999. */
bool kp_cel_timestamp_make(int64_t seconds, int64_t nanoseconds,
    struct kp_cel_value *out) KP_MUST_CHECK;

/* kp_cel_duration_parse reads "1h30m", "-1.5s", "10ms", "0". */
bool kp_cel_duration_parse(
    struct kp_bytes text, struct kp_cel_value *out) KP_MUST_CHECK;

/* The way back; the length of what is in out. */
#define KP_CEL_MOMENT_SIZE 48
size_t kp_cel_timestamp_print(
    char out[KP_CEL_MOMENT_SIZE], struct kp_cel_value timestamp);
size_t kp_cel_duration_print(
    char out[KP_CEL_MOMENT_SIZE], struct kp_cel_value duration);

/* kp_cel_zone_parse reads "UTC", "", "+01:00", "-02:30", "02:00" as seconds. */
bool kp_cel_zone_parse(
    struct kp_bytes text, int32_t *out_seconds) KP_MUST_CHECK;

enum kp_cel_part {
	KP_CEL_YEAR,
	KP_CEL_MONTH, /* from 0, as the rest of the calendar's parts */
	KP_CEL_DATE,  /* from 1 */
	KP_CEL_DAY_OF_MONTH,
	KP_CEL_DAY_OF_WEEK, /* 0 is Sunday */
	KP_CEL_DAY_OF_YEAR,
	KP_CEL_HOURS,
	KP_CEL_MINUTES,
	KP_CEL_SECONDS,
	KP_CEL_MILLISECONDS,
};

/* A part of a timestamp where clocks are ahead of UTC by zone_seconds. */
int64_t kp_cel_timestamp_part(
    struct kp_cel_value timestamp, enum kp_cel_part part, int32_t zone_seconds);

/* Hours, minutes and seconds of a duration are all of it; milliseconds are
 * those of its last second. Other parts are 0. */
int64_t kp_cel_duration_part(
    struct kp_cel_value duration, enum kp_cel_part part);

#endif
