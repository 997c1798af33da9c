/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/yaml.h"
#include "cli/output.h"
#include "cli/problems.h"
#include "cli/targets.h"
#include "proto/control/unpack.h"

/* protobuf-c takes texts that it does not change without const. */
static char *
text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

void
kp_request_file(
    struct kp_request *request, const char *name, struct kp_bytes text)
{
	Kproxy__Control__V1__File *file = kp_alloc(1, sizeof(*file));

	kproxy__control__v1__file__init(file);
	file->name = text_of(name);
	file->text =
	    (ProtobufCBinaryData){ text.len, (uint8_t *)(uintptr_t)text.data };
	request->files =
	    kp_realloc(request->files, request->num_files + 1, sizeof(void *));
	request->files[request->num_files++] = file;
}

void
kp_request_files(struct kp_request *request, const struct kp_input *input)
{
	for (size_t i = 0; i < input->num_files; i++)
		kp_request_file(request, input->files[i].name,
		    kp_buf_bytes(&input->files[i].text));
}

void
kp_request_delete(
    struct kp_request *request, const char *kind, const char *name)
{
	Kproxy__Control__V1__ResourceName *deletion =
	    kp_alloc(1, sizeof(*deletion));

	kproxy__control__v1__resource_name__init(deletion);
	deletion->kind = text_of(kind);
	deletion->name = text_of(name);
	request->deletions = kp_realloc(
	    request->deletions, request->num_deletions + 1, sizeof(void *));
	request->deletions[request->num_deletions++] = deletion;
}

void
kp_request_if(struct kp_request *request, const char *kind, const char *name,
    uint64_t revision)
{
	Kproxy__Control__V1__Precondition *condition =
	    kp_alloc(1, sizeof(*condition));

	kproxy__control__v1__precondition__init(condition);
	condition->kind = text_of(kind);
	condition->name = text_of(name);
	condition->resource_version = revision;
	request->preconditions = kp_realloc(request->preconditions,
	    request->num_preconditions + 1, sizeof(void *));
	request->preconditions[request->num_preconditions++] = condition;
}

void
kp_request_fini(struct kp_request *request)
{
	for (size_t i = 0; i < request->num_files; i++)
		free(request->files[i]);
	for (size_t i = 0; i < request->num_deletions; i++)
		free(request->deletions[i]);
	for (size_t i = 0; i < request->num_preconditions; i++)
		free(request->preconditions[i]);
	free(request->files);
	free(request->deletions);
	free(request->preconditions);
	*request = (struct kp_request){ 0 };
}

/* What is still there of listed: NULL where the files say it. */
static int
compare(const void *a, const void *b)
{
	const Kproxy__Control__V1__Resource *const *x = a, *const *y = b;
	int order = strcmp((*x)->kind, (*y)->kind);

	return order != 0 ? order : strcmp((*x)->name, (*y)->name);
}

static void
mark_document(const struct kp_listed *listed, bool *is_said,
    const struct kp_yaml *document)
{
	const struct kp_yaml *kind = NULL, *metadata = NULL, *name = NULL;
	Kproxy__Control__V1__Resource wanted, *key = &wanted, **found;

	if (document->kind == KP_YAML_MAP) {
		kind = kp_yaml_get(document, "kind");
		metadata = kp_yaml_get(document, "metadata");
	}
	if (metadata != NULL && metadata->kind == KP_YAML_MAP)
		name = kp_yaml_get(metadata, "name");
	/* what is no resource the server refuses */
	if (kind == NULL || kind->text == NULL || name == NULL ||
	    name->text == NULL)
		return;
	kproxy__control__v1__resource__init(&wanted);
	wanted.kind = kind->text;
	wanted.name = name->text;
	found = listed->num == 0 ? NULL
				 : bsearch(&key, listed->list, listed->num,
				       sizeof(*listed->list), compare);
	if (found != NULL)
		is_said[found - listed->list] = true;
}

/* A file that cannot be read says nothing, and the server refuses it: but not
 * if there is no memory for it here. */
static bool
mark_file(const struct kp_listed *listed, bool *is_said,
    const Kproxy__Control__V1__File *file)
{
	const struct kp_bytes text = { file->text.data, file->text.len };
	struct kp_yaml_stream stream;
	struct kp_error err;

	if (!kp_yaml_parse(&stream, text, &err)) {
		if (err.kind == KP_ERR_SYSTEM)
			kp_output_problem("%s: %s", file->name, err.text);
		return err.kind != KP_ERR_SYSTEM;
	}
	for (size_t i = 0; i < stream.num_documents; i++)
		mark_document(listed, is_said, stream.documents[i]);
	kp_yaml_stream_fini(&stream);
	return true;
}

bool
kp_request_prune(struct kp_request *request, const struct kp_listed *listed)
{
	bool *is_said = kp_alloc(listed->num + 1, sizeof(*is_said));
	bool is_ok = true;

	if (listed->num > 0)
		qsort(
		    listed->list, listed->num, sizeof(*listed->list), compare);
	for (size_t i = 0; is_ok && i < request->num_files; i++)
		is_ok = mark_file(listed, is_said, request->files[i]);
	for (size_t i = 0; is_ok && i < listed->num; i++) {
		const Kproxy__Control__V1__Resource *item = listed->list[i];

		if (is_said[i])
			continue;
		kp_request_delete(request, item->kind, item->name);
		kp_request_if(
		    request, item->kind, item->name, item->resource_version);
	}
	free(is_said);
	return is_ok;
}

enum kp_dry_run
kp_request_dry_run(const struct kp_args *args)
{
	const char *word = kp_args_text(args, "dry-run");

	if (strcmp(word, "server") == 0)
		return KP_DRY_RUN_SERVER;
	return strcmp(word, "client") == 0 ? KP_DRY_RUN_CLIENT
					   : KP_DRY_RUN_NONE;
}

static bool
is_short_enough(const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	if (len <= KP_API_MAX_REQUEST)
		return true;
	kp_output_problem("%zu MiB of resources are too many for one request; "
			  "a server takes %u MiB",
	    len >> 20, KP_API_MAX_REQUEST >> 20);
	return false;
}

enum kp_exit
kp_request_apply(const struct kp_request *request,
    struct kp_connection *connection, const struct kp_request_how *how,
    Kproxy__Control__V1__ApplyResponse **out, struct kp_rpc_status *status)
{
	Kproxy__Control__V1__ApplyRequest message;
	struct kp_rpc_result result;
	enum kp_exit code = KP_EXIT_OK;

	*out = NULL;
	kproxy__control__v1__apply_request__init(&message);
	message.files = request->files;
	message.n_files = request->num_files;
	message.deletions = request->deletions;
	message.n_deletions = request->num_deletions;
	message.preconditions = request->preconditions;
	message.n_preconditions = request->num_preconditions;
	message.dry_run = how->is_dry_run;
	message.with_differences = how->has_differences;
	if (how->reason != NULL)
		message.reason = text_of(how->reason);
	if (!is_short_enough(&message.base))
		return KP_EXIT_FAILED;
	if (kp_connection_ask(connection, &kp_api_apply, &result, &message.base,
		kp_connection_deadline(connection, &kp_api_apply))) {
		*out = (Kproxy__Control__V1__ApplyResponse *)result.answer;
		result.answer = NULL;
	} else if (status != NULL) {
		kp_rpc_status_copy(status, &result.status);
		code = KP_EXIT_FAILED;
	} else {
		code = kp_request_refused(request, connection, &result.status);
	}
	kp_rpc_result_fini(&result);
	return code;
}

enum kp_exit
kp_request_ask_validate(const struct kp_request *request,
    struct kp_connection *connection,
    Kproxy__Control__V1__ValidateResponse **out)
{
	Kproxy__Control__V1__ValidateRequest message;
	ProtobufCMessage *answer = NULL;
	enum kp_exit result = KP_EXIT_FAILED;

	kproxy__control__v1__validate_request__init(&message);
	message.files = request->files;
	message.n_files = request->num_files;
	message.deletions = request->deletions;
	message.n_deletions = request->num_deletions;
	if (is_short_enough(&message.base))
		result = kp_connection_call(
		    connection, &kp_api_validate, &answer, &message.base);
	*out = (Kproxy__Control__V1__ValidateResponse *)answer;
	return result;
}

/* Says all that is wrong; KP_EXIT_OK if that is nothing. */
static enum kp_exit
validate(const struct kp_request *request, struct kp_connection *connection)
{
	Kproxy__Control__V1__ValidateResponse *answer;
	enum kp_exit result =
	    kp_request_ask_validate(request, connection, &answer);

	if (result != KP_EXIT_OK)
		return result;
	if (kp_problems_count(answer->problems) > 0)
		result = kp_problems_refuse(answer->problems);
	kp_unpacked_free(&answer->base);
	return result;
}

/* Does the status name fewer problems than there are? */
static bool
is_cut(const struct kp_rpc_status *status)
{
	ProtobufCMessage *detail = kp_rpc_status_detail(
	    status, &kproxy__control__v1__problems__descriptor, 0);
	bool is_it =
	    detail != NULL &&
	    ((const Kproxy__Control__V1__Problems *)detail)->left_out > 0;

	kp_unpacked_free(detail);
	return is_it;
}

enum kp_exit
kp_request_refused(const struct kp_request *request,
    struct kp_connection *connection, const struct kp_rpc_status *status)
{
	/* a status is short: the others are to be asked for */
	if (is_cut(status) && validate(request, connection) == KP_EXIT_REFUSED)
		return KP_EXIT_REFUSED;
	return kp_connection_complain(connection, status);
}
