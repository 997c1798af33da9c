/* SPDX-License-Identifier: Apache-2.0 */
/* docs/policies.md, from the tables that policies are made with. @thread any */
#ifndef KP_RULES_GOVERN_PAGE_H
#define KP_RULES_GOVERN_PAGE_H

#include "base/bytes.h"

void kp_govern_page(struct kp_buf *out);

#endif
