/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xxHash with 32 bits and seed 0, the checksum of lz4 frames: the lz4 library
 * keeps its own to itself. No protection against intent. @thread any
 */
#ifndef KP_PROTO_KAFKA_RECORDS_XXH32_H
#define KP_PROTO_KAFKA_RECORDS_XXH32_H

#include "base/bytes.h"

uint32_t kp_xxh32(struct kp_bytes bytes);

#endif
