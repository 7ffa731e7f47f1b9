/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * export_list: which cases an export takes, in the order of their interviews: two exports of
 * the same cases are the same files.
 */
#ifndef AMPARO_EXPORT_LIST_H
#define AMPARO_EXPORT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "case.h"
#include "client.h"
#include "perr.h"

struct export_item {
	uint8_t record[STATEMENT_RECORD_SIZE];
	char code[CASE_CODE_LEN + 1];
	uint32_t day;
};
/* zero-initialised at first */
struct export_list {
	struct export_item *at;
	size_t n, room;
	unsigned n_kept;                 /* left out by export_list_all: a legal hold alone keeps them */
};
/* One case.  Errors of case_summary */
PERR_MUST_CHECK enum perr export_list_one(struct client *c, struct export_list *l,
                                          const uint8_t record[STATEMENT_RECORD_SIZE]);
/*
 * Every case of this device that is not kept under a legal hold alone.
 * open_only  in: without those that this member recused themselves from
 */
PERR_MUST_CHECK enum perr export_list_all(struct client *c, struct export_list *l,
                                          bool open_only);
void export_list_sort(struct export_list *l);
/* how many before number i have its code (export_case's `same`) */
unsigned export_list_same(const struct export_list *l, size_t i);
void export_list_free(struct export_list *l);

#endif
