/* SPDX-License-Identifier: Apache-2.0 */
/* The object `log` of node.yaml and kpserver.yaml. @thread any */
#ifndef KP_RULES_LOG_SETTINGS_H
#define KP_RULES_LOG_SETTINGS_H

#include "rules/setting.h"

/* format, of enum kp_log_format, and level, of enum kp_log_level. */
extern const struct kp_setting kp_log_settings[];

#endif
