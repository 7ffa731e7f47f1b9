/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "charter.h"
#include "formpack.h"

struct known_form {
	uint8_t part[32];
	struct xform *form;              /* NULL: it is here and cannot be read */
	unsigned holds;
};

struct cache {
	size_t n_forms, forms_cap;
	struct known_form *forms;
	/* of the roster with this header */
	uint8_t header_hash[32];
	bool has_desks;
	size_t n_desks;
	struct desk *desks;
	size_t n_held;
	uint8_t held[ROSTER_DESKS_MAX][32];
	size_t n_left;
	uint8_t left[ROSTER_DESKS_MAX][32];
	size_t n_taken;
	uint8_t taken[ROSTER_DESKS_MAX][32];
};

void cache_free(struct cache *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->n_forms; i++)
		xform_free(k->forms[i].form);
	free(k->forms);
	free(k->desks);
	free(k);
}

static struct cache *cache_of(struct client *c)
{
	if (c->cache == NULL)
		c->cache = calloc(1, sizeof *c->cache);
	return c->cache;
}

/* ---- forms -------------------------------------------------------------------------- */

const struct roster_form *cache_form_entry(const struct client *c, const char *id,
                                           const char *version)
{
	const struct roster_field *f = c->field;

	if (f == NULL)
		return NULL;
	if (version == NULL)
		return roster_form_find(f, id, NULL);
	/* an older version is inactive, and still what its answers are read with */
	for (uint32_t i = 0; i < f->n_forms; i++)
		if (strcmp(f->forms[i].id, id) == 0 && strcmp(f->forms[i].version, version) == 0)
			return &f->forms[i];
	return NULL;
}

static struct known_form *known(struct cache *k, const uint8_t part[32])
{
	for (size_t i = 0; i < k->n_forms; i++)
		if (memcmp(k->forms[i].part, part, 32) == 0)
			return &k->forms[i];
	return NULL;
}

static bool is_listed(const struct client *c, const uint8_t part[32])
{
	for (uint32_t i = 0; i < c->field->n_forms; i++)
		if (memcmp(c->field->forms[i].part, part, 32) == 0)
			return true;
	return false;
}

/* what nobody can ask for any more and nobody holds; what is listed may be borrowed */
static void drop_old(const struct client *c, struct cache *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n_forms; i++)
		if (k->forms[i].holds > 0 || is_listed(c, k->forms[i].part))
			k->forms[n++] = k->forms[i];
		else
			xform_free(k->forms[i].form);
	k->n_forms = n;
}

/* one more, empty; NULL: no memory.  More than a roster lists are there only as far as held. */
static struct known_form *room(const struct client *c, struct cache *k)
{
	struct known_form *more;

	if (k->n_forms == k->forms_cap)
		drop_old(c, k);
	if (k->n_forms == k->forms_cap) {
		more = realloc(k->forms, (k->forms_cap + ROSTER_FORMS_MAX) * sizeof *more);
		if (more == NULL)
			return NULL;
		k->forms = more;
		k->forms_cap += ROSTER_FORMS_MAX;
	}
	more = &k->forms[k->n_forms++];
	memset(more, 0, sizeof *more);
	return more;
}

/* *out: valid until the next call; its form may be NULL */
static enum perr find(struct client *c, const char *id, const char *version,
                      struct known_form **out)
{
	const struct roster_form *entry = cache_form_entry(c, id, version);
	struct cache *k = cache_of(c);
	struct known_form *f;
	char why[XFORM_WHY_SIZE], name[96];
	struct xform *form = NULL;
	uint8_t *xml = NULL;
	size_t len;
	enum perr err;

	*out = NULL;
	if (entry == NULL)
		return PERR_NOTFOUND;
	if (k == NULL)
		return PERR_NOMEM;
	f = known(k, entry->part);
	if (f == NULL) {
		client_key_name(name, "form/", entry->part, 32);
		err = kv_get(c->kv, name, &xml, &len);
		if (err != PERR_OK)
			return err;
		err = formpack_form(&form, xml, len, why);
		kv_free(xml);
		if (err == PERR_NOMEM)
			return err;
		f = room(c, k);
		if (f == NULL) {
			xform_free(form);
			return PERR_NOMEM;
		}
		memcpy(f->part, entry->part, 32);
		f->form = form;
	}
	*out = f;
	return f->form == NULL ? PERR_UNKNOWN : PERR_OK;
}

enum perr cache_form(struct client *c, const char *id, const char *version,
                     const struct xform **out)
{
	struct known_form *f;
	enum perr err = find(c, id, version, &f);

	*out = err == PERR_OK ? f->form : NULL;
	return err;
}

enum perr cache_form_hold(struct client *c, const char *id, const char *version,
                          const struct xform **out)
{
	struct known_form *f;
	enum perr err = find(c, id, version, &f);

	*out = NULL;
	if (err == PERR_OK) {
		f->holds++;
		*out = f->form;
	}
	return err;
}

void cache_form_drop(struct client *c, const struct xform *form)
{
	struct cache *k = form == NULL ? NULL : c->cache;

	for (size_t i = 0; k != NULL && i < k->n_forms; i++)
		if (k->forms[i].form == form) {
			assert(k->forms[i].holds > 0);
			k->forms[i].holds--;
			return;
		}
}

/* ---- desks -------------------------------------------------------------------------- */

/* whoever restores a desk takes its records in before the charter names them */
static enum perr is_recovered(struct client *c, const uint8_t desk[32], bool *is)
{
	uint8_t *value;
	char name[96];
	enum perr err;

	client_key_name(name, "recovered/", desk, 32);
	err = kv_get(c->kv, name, &value, NULL);
	*is = err == PERR_OK;
	kv_free(value);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static enum perr load_desks(struct client *c)
{
	struct cache *k = cache_of(c);
	size_t n = c->field == NULL ? 0 : c->field->n_desks;

	if (k == NULL)
		return PERR_NOMEM;
	if (k->has_desks && memcmp(k->header_hash, c->header_hash, 32) == 0)
		return PERR_OK;
	free(k->desks);
	k->has_desks = false;
	k->n_desks = 0;
	k->n_held = 0;
	k->n_left = 0;
	k->n_taken = 0;
	k->desks = calloc(n + 1, sizeof *k->desks);
	if (k->desks == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < n; i++) {
		enum perr err = client_desk(c, i, &k->desks[k->n_desks]);
		bool recovered;

		if (err == PERR_NOMEM)
			return err;
		if (err != PERR_OK)
			continue;        /* one that does not verify is no desk */
		err = is_recovered(c, k->desks[k->n_desks].id, &recovered);
		if (err != PERR_OK)
			return err;
		if ((recovered || charter_has_holder(&k->desks[k->n_desks].now, c->me->sign_pk)) &&
		    k->n_taken < ROSTER_DESKS_MAX)
			memcpy(k->taken[k->n_taken++], k->desks[k->n_desks].id, 32);
		if (charter_has_holder(&k->desks[k->n_desks].now, c->me->sign_pk) &&
		    k->n_held < ROSTER_DESKS_MAX)
			memcpy(k->held[k->n_held++], k->desks[k->n_desks].id, 32);
		else if (desk_had_holder(&k->desks[k->n_desks], c->me->sign_pk) &&
		         k->n_left < ROSTER_DESKS_MAX)
			memcpy(k->left[k->n_left++], k->desks[k->n_desks].id, 32);
		k->n_desks++;
	}
	memcpy(k->header_hash, c->header_hash, 32);
	k->has_desks = true;
	return PERR_OK;
}

void cache_forget_desks(struct client *c)
{
	if (c->cache != NULL)
		c->cache->has_desks = false;
}

enum perr cache_desk(struct client *c, const uint8_t desk_id[32], const struct desk **out)
{
	enum perr err = load_desks(c);

	*out = NULL;
	for (size_t i = 0; err == PERR_OK && i < c->cache->n_desks; i++)
		if (memcmp(c->cache->desks[i].id, desk_id, 32) == 0)
			*out = &c->cache->desks[i];
	return err == PERR_OK && *out == NULL ? PERR_NOTFOUND : err;
}

enum perr cache_held(struct client *c, const uint8_t (**ids)[32], size_t *n)
{
	enum perr err = load_desks(c);

	*ids = NULL;
	*n = 0;
	if (err == PERR_OK) {
		*ids = (const uint8_t (*)[32])c->cache->held;
		*n = c->cache->n_held;
	}
	return err;
}

enum perr cache_taken(struct client *c, const uint8_t (**ids)[32], size_t *n)
{
	enum perr err = load_desks(c);

	*ids = NULL;
	*n = 0;
	if (err == PERR_OK) {
		*ids = (const uint8_t (*)[32])c->cache->taken;
		*n = c->cache->n_taken;
	}
	return err;
}

bool cache_is_taken(struct client *c, const uint8_t desk_id[32])
{
	const uint8_t (*ids)[32];
	size_t n;

	return cache_taken(c, &ids, &n) == PERR_OK && doc_find(ids, n, desk_id) < n;
}

bool cache_is_holder(struct client *c, const uint8_t desk_id[32], const uint8_t key[32])
{
	const struct desk *d;

	return cache_desk(c, desk_id, &d) == PERR_OK && charter_has_holder(&d->now, key);
}

bool cache_was_holder(struct client *c, const uint8_t desk_id[32], const uint8_t key[32])
{
	const struct desk *d;

	return cache_desk(c, desk_id, &d) == PERR_OK && desk_had_holder(d, key);
}

enum perr cache_left(struct client *c, const uint8_t (**ids)[32], size_t *n)
{
	enum perr err = load_desks(c);

	*ids = NULL;
	*n = 0;
	if (err == PERR_OK) {
		*ids = (const uint8_t (*)[32])c->cache->left;
		*n = c->cache->n_left;
	}
	return err;
}

bool cache_is_member(struct client *c, const uint8_t key[32])
{
	if (memcmp(key, c->me->sign_pk, 32) == 0)
		return true;
	/* what somebody wrote who was a member stays what it is */
	if (c->staff != NULL && (roster_staff_find(c->staff, key) != NULL ||
	                         roster_volunteer_find(c->staff, key) != NULL ||
	                         roster_former_find(c->staff, key) != NULL))
		return true;
	if (c->admin != NULL && roster_admin_find(c->admin, key) != NULL)
		return true;
	if (load_desks(c) != PERR_OK)
		return false;
	for (size_t i = 0; i < c->cache->n_desks; i++)
		if (charter_has_holder(&c->cache->desks[i].now, key))
			return true;
	return false;
}
