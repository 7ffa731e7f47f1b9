/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Shared by the two files of functions. */
#ifndef AMPARO_FFUNC_INT_H
#define AMPARO_FFUNC_INT_H

#include "feval.h"

/* The i-th argument, from 0; NULL: there is none. */
const struct fexpr *ffunc_arg(const struct fexpr *e, unsigned i);
double ffunc_number(struct feval *ev, const struct fexpr *e, unsigned i);
const char *ffunc_string(struct feval *ev, const struct fexpr *e, unsigned i);
long ffunc_index(double v);

/* ffunc_number.c: numbers, geography, randomness */
const struct ffunc *ffunc_find_number(const char *name);

#endif
