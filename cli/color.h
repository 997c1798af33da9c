/* SPDX-License-Identifier: Apache-2.0 */
/* Colours for people who look at a terminal. @thread any */
#ifndef KP_CLI_COLOR_H
#define KP_CLI_COLOR_H

#include <stdbool.h>

#define KP_COLOR_BOLD "\033[1m"
#define KP_COLOR_RED "\033[31m"
#define KP_COLOR_GREEN "\033[32m"
#define KP_COLOR_CYAN "\033[36m"
#define KP_COLOR_OFF "\033[0m"

/*
 * kp_color_is_wanted: is fd a terminal that knows colours, and has nobody asked
 * for none (NO_COLOR, see no-color.org)?
 */
bool kp_color_is_wanted(int fd);

#endif
