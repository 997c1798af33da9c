/* SPDX-License-Identifier: Apache-2.0 */
/* The agent process from its first to its last line. @thread main */
#ifndef KP_CONTROL_AGENT_AGENT_H
#define KP_CONTROL_AGENT_AGENT_H

/* Exit code for a configuration that is refused. */
#define KP_AGENT_EXIT_REFUSED 3

/*
 * kp_agent_main serves the node that config_path describes until the supervisor
 * says stop. Takes over both descriptors. Returns the exit code: 0, 1 if
 * something failed, KP_AGENT_EXIT_REFUSED if there is nothing to serve from.
 */
int kp_agent_main(const char *config_path, int supervisor_fd, int metrics_fd);

/* kp_agent_check says what is wrong with the files; returns the exit code. */
int kp_agent_check(const char *config_path);

#endif
