/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Short words for the columns of the tables, so that a row fits on a line. Only
 * the files of this folder include it: the names are too common for elsewhere.
 *
 *   name     as in Kafka's definition files
 *   type     STRING, ARRAY(STRING), STRUCT(table), STRUCTS(table) for an array
 *   since    first version that has the field
 *   until    last version that has it, or LAST: every later one
 *   null     first version in which it may be null, or NEVER
 *   tag      TAG(number, first version with the tag), or NO_TAG
 *   default  as in the definition file, or NULL
 *   entity   KP_E_... without the prefix
 *
 * Rows stand in the order of the wire; a tagged field stands where the
 * definition file has it. @thread any
 */
#ifndef KP_PROTO_KAFKA_APIS_COLUMNS_H
#define KP_PROTO_KAFKA_APIS_COLUMNS_H

#include <stddef.h>

#include "proto/kafka/schema.h"

/* clang-format off */
#define F(name_, type_, since_, until_, null_, tag_, default_, entity_) \
	{ \
		.name = name_, \
		type_, \
		.since = since_, \
		.until = until_, \
		.nullable_since = null_, \
		tag_, \
		.default_text = default_, \
		.entity = KP_E_##entity_, \
	}
#define END { .kind = KP_END }

#define LAST  KP_LATEST
#define NEVER KP_NEVER_SINCE

#define TAG(number, since_) .tag = number, .tagged_since = since_
#define NO_TAG              .tag = -1, .tagged_since = KP_NEVER_SINCE

#define BOOL    .kind = KP_BOOL
#define INT8    .kind = KP_INT8
#define INT16   .kind = KP_INT16
#define UINT16  .kind = KP_UINT16
#define INT32   .kind = KP_INT32
#define UINT32  .kind = KP_UINT32
#define INT64   .kind = KP_INT64
#define FLOAT64 .kind = KP_FLOAT64
#define UUID    .kind = KP_UUID
#define STRING  .kind = KP_STRING
#define BYTES   .kind = KP_BYTES
#define RECORDS .kind = KP_RECORDS

#define ARRAY(type_)    type_, .is_array = true
#define STRUCT(table_)  .kind = KP_STRUCT, .fields = table_
#define STRUCTS(table_) ARRAY(STRUCT(table_))
/* clang-format on */

#endif
