/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the data path has to say to the node's agent. Whoever starts the worker
 * gives these two functions; they never block and may be called by any thread.
 */
#ifndef KP_PROXY_UPSTREAM_REPORTS_H
#define KP_PROXY_UPSTREAM_REPORTS_H

#include "proxy/upstream/topology.h"

struct kp_reports {
	/* Node advertises this address: to be persisted and resolved. */
	void (*learned)(
	    void *context, const char *cluster, const struct kp_node *node);
	/* Resolve host now; may be said again and again. */
	void (*want_host)(void *context, const char *host);
	void *context;
};

#endif
