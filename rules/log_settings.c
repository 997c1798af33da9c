/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/log_settings.h"

#include "base/log.h"

static const struct kp_setting_word formats[] = {
	{ .word = "auto", .value = KP_LOG_AUTO },
	{ .word = "human", .value = KP_LOG_HUMAN },
	{ .word = "json", .value = KP_LOG_JSON },
	{ .word = NULL },
};

static const struct kp_setting_word levels[] = {
	{ .word = "error", .value = KP_LOG_ERROR },
	{ .word = "warn", .value = KP_LOG_WARN },
	{ .word = "info", .value = KP_LOG_INFO },
	{ .word = "debug", .value = KP_LOG_DEBUG },
	{ .word = NULL },
};

const struct kp_setting kp_log_settings[] = {
	{ .name = "format",
	    .type = KP_SETTING_ENUM,
	    .words = formats,
	    .fallback = "auto",
	    .help = "auto: human on a terminal, else json." },
	{ .name = "level",
	    .type = KP_SETTING_ENUM,
	    .words = levels,
	    .fallback = "info",
	    .help = "debug writes a line for every request." },
	{ .type = KP_SETTING_END },
};
