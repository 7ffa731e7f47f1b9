/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "custody.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

/* items of `size` bytes, each above the one before in its first `key` bytes? */
static bool is_rising(struct doc_bytes b, size_t size, size_t key)
{
	for (size_t i = size; i < b.len; i += size)
		if (memcmp(b.p + i - size, b.p + i, key) >= 0)
			return false;
	return true;
}

static bool ranges_are_sound(const struct custody *k)
{
	uint64_t total = 0;

	if (k->ranges.len % CUSTODY_RANGE != 0 || k->ranges.len / CUSTODY_RANGE > CUSTODY_RANGES)
		return false;
	for (size_t i = 0; i < custody_n_ranges(k); i++) {
		struct custody_range r = custody_range(k, i);

		if (r.first > r.last || r.count == 0 ||
		    (i > 0 && r.first <= custody_range(k, i - 1).last))
			return false;
		total += r.count;
	}
	return total == k->n_held;
}

bool custody_is_sound(const struct custody *k)
{
	size_t n = 0;

	if (!ranges_are_sound(k) || k->n_lists > CUSTODY_LISTS)
		return false;
	for (uint32_t i = 0; i < k->n_lists; i++) {
		const struct custody_list *l = &k->lists[i];

		if (l->first > l->last || l->low > l->high ||
		    l->elements.len % CUSTODY_ELEMENT != 0 ||
		    !is_rising(l->elements, CUSTODY_ELEMENT, CUSTODY_HASH))
			return false;
		if (l->elements.len > 0 &&
		    (l->elements.p[0] < l->low ||
		     l->elements.p[l->elements.len - CUSTODY_ELEMENT] > l->high))
			return false;
		n += l->elements.len / CUSTODY_ELEMENT;
	}
	return n <= CUSTODY_ELEMENTS && k->erased.len % CUSTODY_RECORD == 0 &&
	       k->erased.len / CUSTODY_RECORD <= CUSTODY_ERASED &&
	       is_rising(k->erased, CUSTODY_RECORD, CUSTODY_RECORD);
}

size_t custody_n_ranges(const struct custody *k)
{
	return k->ranges.len / CUSTODY_RANGE;
}

struct custody_range custody_range(const struct custody *k, size_t i)
{
	const uint8_t *p = k->ranges.p + i * CUSTODY_RANGE;
	struct custody_range r = {
		.first = doc_get_u32(p), .last = doc_get_u32(p + 4), .count = doc_get_u32(p + 8)
	};

	memcpy(r.digest, p + 12, CUSTODY_DIGEST);
	return r;
}

void custody_put_range(uint8_t out[CUSTODY_RANGE], const struct custody_range *r)
{
	doc_u32(out, r->first);
	doc_u32(out + 4, r->last);
	doc_u32(out + 8, r->count);
	memcpy(out + 12, r->digest, CUSTODY_DIGEST);
}

bool custody_range_of(const struct custody *k, uint32_t day, struct custody_range *r)
{
	for (size_t i = 0; i < custody_n_ranges(k); i++) {
		*r = custody_range(k, i);
		if (day >= r->first && day <= r->last)
			return true;
	}
	return false;
}

void custody_element(uint8_t out[CUSTODY_ELEMENT], const uint8_t hash[CUSTODY_HASH],
                     uint64_t missing)
{
	memcpy(out, hash, CUSTODY_HASH);
	doc_u32(out + CUSTODY_HASH, (uint32_t)(missing >> 32));
	doc_u32(out + CUSTODY_HASH + 4, (uint32_t)missing);
}

void custody_digest(uint8_t digest[CUSTODY_DIGEST], const uint8_t (*elements)[CUSTODY_ELEMENT],
                    size_t n)
{
	crypto_generichash_state st;
	uint8_t h[32];

	crypto_generichash_init(&st, NULL, 0, sizeof h);
	for (size_t i = 0; i < n; i++) {
		assert(i == 0 || memcmp(elements[i - 1], elements[i], CUSTODY_ELEMENT) < 0);
		crypto_generichash_update(&st, elements[i], CUSTODY_ELEMENT);
	}
	crypto_generichash_final(&st, h, sizeof h);
	memcpy(digest, h, CUSTODY_DIGEST);
}

/* place of a key among sorted items, or NULL */
static const uint8_t *find(struct doc_bytes b, size_t size, const uint8_t *key, size_t key_len)
{
	size_t from = 0, to = b.len / size;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int d = memcmp(b.p + mid * size, key, key_len);

		if (d == 0)
			return b.p + mid * size;
		if (d < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

enum custody_listed custody_listed(const struct custody *k, uint32_t day,
                                   const uint8_t hash[CUSTODY_HASH], uint64_t *missing)
{
	enum custody_listed is = CUSTODY_NOT_LISTED;

	*missing = 0;
	for (uint32_t i = 0; i < k->n_lists; i++) {
		const struct custody_list *l = &k->lists[i];
		const uint8_t *at;

		if (day < l->first || day > l->last || hash[0] < l->low || hash[0] > l->high)
			continue;
		at = find(l->elements, CUSTODY_ELEMENT, hash, CUSTODY_HASH);
		if (at != NULL) {
			*missing = (uint64_t)doc_get_u32(at + CUSTODY_HASH) << 32 |
			           doc_get_u32(at + CUSTODY_HASH + 4);
			return CUSTODY_LISTED;
		}
		is = CUSTODY_LACKED;
	}
	return is;
}

bool custody_says_erased(const struct custody *k, const uint8_t record[CUSTODY_RECORD])
{
	return find(k->erased, CUSTODY_RECORD, record, CUSTODY_RECORD) != NULL;
}

/* ---- in a statement ---------------------------------------------------------------------- */

void custody_get(struct mp_reader *r, struct doc_map *m, struct custody *k)
{
	doc_need(m, 0);
	k->through_day = doc_get_uint(r, UINT32_MAX);
	doc_need(m, 1);
	k->n_held = doc_get_uint(r, UINT32_MAX);
	doc_need(m, 2);
	k->ranges = doc_get_bytes(r, 0, CUSTODY_RANGES * CUSTODY_RANGE);
	doc_need(m, 3);
	k->n_lists = mp_array_var(r, 0, CUSTODY_LISTS);
	for (uint32_t i = 0; i < k->n_lists; i++) {
		struct custody_list *l = &k->lists[i];

		mp_array(r, 5);
		l->first = doc_get_uint(r, UINT32_MAX);
		l->last = doc_get_uint(r, UINT32_MAX);
		l->low = (uint8_t)doc_get_uint(r, UINT8_MAX);
		l->high = (uint8_t)doc_get_uint(r, UINT8_MAX);
		l->elements = doc_get_bytes(r, 0, CUSTODY_ELEMENTS * CUSTODY_ELEMENT);
	}
	doc_need(m, 4);
	k->erased = doc_get_bytes(r, 0, CUSTODY_ERASED * CUSTODY_RECORD);
	if (!custody_is_sound(k))
		mp_fail(r, PERR_FORMAT);
}

void custody_put(struct mp_writer *w, const struct custody *k)
{
	mp_put_map(w, 5);
	mp_put_key(w, 0);
	mp_put_uint(w, k->through_day);
	mp_put_key(w, 1);
	mp_put_uint(w, k->n_held);
	mp_put_key(w, 2);
	doc_put_bytes(w, k->ranges);
	mp_put_key(w, 3);
	mp_put_array(w, k->n_lists);
	for (uint32_t i = 0; i < k->n_lists; i++) {
		const struct custody_list *l = &k->lists[i];

		mp_put_array(w, 5);
		mp_put_uint(w, l->first);
		mp_put_uint(w, l->last);
		mp_put_uint(w, l->low);
		mp_put_uint(w, l->high);
		doc_put_bytes(w, l->elements);
	}
	mp_put_key(w, 4);
	doc_put_bytes(w, k->erased);
}
