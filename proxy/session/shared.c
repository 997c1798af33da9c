/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/session/shared.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/account/records.h"
#include "proxy/rename/answer.h"

/* Up to four descriptors each; as many large frames are on their way at one
 * moment. */
#define MAX_PIPES 32

/* Nobody is connected before tables say what the limit is. */
#define MEMORY_BEFORE_TABLES ((uint64_t)64 * 1024 * 1024)

/* What admit wants to see of requests: the SASL exchange. */
#define ADMIT_REQUESTS \
	(KP_ENTITY_BIT(KP_E_SASL_MECHANISM) | KP_ENTITY_BIT(KP_E_SASL_BYTES))
/* … and of answers, with the versions that frame narrows. */
#define ADMIT_ANSWERS \
	(KP_ENTITY_BIT(KP_E_SASL_MECHANISM) | KP_ENTITY_BIT(KP_E_SASL_BYTES) | \
	    KP_ENTITY_BIT(KP_E_API_KEY))

void
kp_shared_init(struct kp_shared *shared, struct kp_metrics *metrics,
    const struct kp_reports *reports)
{
	kp_snapshot_store_init(&shared->snapshots);
	kp_roster_init(&shared->roster);
	shared->pool = kp_pool_new(MEMORY_BEFORE_TABLES);
	shared->pipes = kp_pipes_new(MAX_PIPES);
	shared->names = kp_names_new(reports);
	shared->metrics = metrics;
	shared->reports = *reports;
	shared->ended_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	kp_assert(shared->ended_event >= 0);
	atomic_init(&shared->is_draining, false);
	atomic_init(&shared->hard_stop_ms, KP_NEVER);
	atomic_init(&shared->next_id, 0);
	kp_plan_make(&shared->plan, ADMIT_REQUESTS | KP_RECORD_ACCOUNT_INTEREST,
	    ADMIT_ANSWERS | KP_RENAME_ANSWER_TRIGGER |
		KP_RECORD_ACCOUNT_INTEREST);
}

void
kp_shared_fini(struct kp_shared *shared)
{
	kp_snapshot_store_fini(&shared->snapshots);
	kp_roster_fini(&shared->roster);
	kp_names_free(shared->names);
	kp_pipes_free(shared->pipes);
	kp_pool_free(shared->pool);
	(void)close(shared->ended_event);
}
