/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * No memory is no damage: a vault is opened and an intake sealed with the n-th request for
 * memory failing, for each n (a sample of them in the short run).  It never says that
 * something is damaged or that the answers are wrong, never ends the process, and the vault
 * is as before or holds the whole intake.
 */
#include "fixture_org.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "intake.h"
#include "outbox.h"
#include "starve.h"
#include "vault.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define PASS "lime river cotton basket window seven"

static char root[64], home[80], file[96];
static struct vault_key key;
static uint8_t *image;
static size_t image_len;

static uint8_t *slurp(size_t *len)
{
	struct stat st;
	FILE *f = fopen(file, "rb");
	uint8_t *p;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	p = malloc((size_t)st.st_size + 1);
	assert_non_null(p);
	*len = fread(p, 1, (size_t)st.st_size, f);
	fclose(f);
	return p;
}

static void put_back(void)
{
	FILE *f = fopen(file, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(image, 1, image_len, f), image_len);
	fclose(f);
}

static enum perr copy_record(void *arg, const char *name, const uint8_t *value, size_t len)
{
	return kv_put(arg, name, value, len);
}

/* the volunteer's store, as a vault on disk */
static void vault_of(struct kv *from)
{
	struct vault *v;

	strcpy(root, access("/dev/shm", W_OK) == 0 ? "/dev/shm/amparo-starved-XXXXXX"
	       : "/tmp/amparo-starved-XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(home, sizeof home, "%s/home", root);
	snprintf(file, sizeof file, "%s/vault.mdb", home);
	OK(vault_create(home, PASS, strlen(PASS), VAULT_LIGHT));
	OK(vault_derive(&key, home, PASS, strlen(PASS)));
	OK(vault_open(&v, home, &key));
	OK(kv_begin(vault_kv(v)));
	OK(kv_each(from, "", copy_record, vault_kv(v)));
	OK(kv_commit(vault_kv(v)));
	vault_close(v);
	image = slurp(&image_len);
}

static void vault_gone(void)
{
	static const char *const names[] = { "vault.mdb", "vault.lock", "vault.new", "vault.old" };
	char path[160];

	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", home, names[i]);
		unlink(path);
	}
	rmdir(home);
	rmdir(root);
	free(image);
}

static unsigned long sample(unsigned long all)
{
	const char *mode = getenv("AMPARO_TEST_MODE");

	if (mode != NULL && strcmp(mode, "long") == 0)
		return 1;
	return all / 300 + 1;
}

struct open_both {
	struct vault *v;
	struct client *c;
};

static enum perr open_both(struct open_both *o, const struct client_env *env)
{
	enum perr err;

	memset(o, 0, sizeof *o);
	err = vault_open(&o->v, home, &key);
	if (err == PERR_OK)
		err = client_open(&o->c, vault_kv(o->v), env);
	return err;
}

static void close_both(struct open_both *o)
{
	client_free(o->c);
	vault_close(o->v);
	memset(o, 0, sizeof *o);
}

static void opening_a_vault_without_memory_is_no_damage(void **state)
{
	struct fixture *f = fixture_new();
	struct client_env env = fix(f, FIX_VOLUNTEER0)->env;
	unsigned long all, n, tried = 0, failed = 0, step;
	struct open_both o;

	vault_of(f->p[FIX_VOLUNTEER0].kv);
	starve_arm(0);
	OK(open_both(&o, &env));
	starve_disarm();
	all = starve_seen;
	close_both(&o);
	step = sample(all);
	for (n = 1; n <= all; n += step, tried++) {
		enum perr err;
		bool tripped;

		starve_arm(n);
		err = open_both(&o, &env);
		tripped = starve_disarm();
		if (err != PERR_OK && err != PERR_NOMEM)
			fail_msg("request %lu of %lu failed, and opening says %s", n, all,
			         perr_name(err));
		failed += tripped && err == PERR_NOMEM;
		close_both(&o);
	}
	OK(open_both(&o, &env));
	close_both(&o);
	print_message("figure: opening a vault: requests for memory: %lu; failed in turn: %lu; "
	              "said so: %lu; called damage: 0\n", all, tried, failed);
	assert_true(failed > 0);
	vault_gone();
	fixture_free(f);
}

static enum perr seal(struct client *c, const struct fixture *f, struct intake_receipt *r,
                      char why[DISPATCH_WHY])
{
	static const uint8_t photo[9000] = { 0xff, 0xd8, 0xff };
	const struct intake_file given = { .name = "insulina-caja-lucrecia.jpg", .data = photo,
	                                  .len = sizeof photo };
	struct intake in = { .xml = f->xml[1], .xml_len = f->xml_len[1], .files = &given,
	                     .n_files = 1, .language = "es" };

	return intake_seal(c, &in, r, why);
}

static void sealing_without_memory_is_whole_or_not_at_all(void **state)
{
	struct fixture *f = fixture_new();
	struct client_env env = fix(f, FIX_VOLUNTEER0)->env;
	unsigned long all, n, tried = 0, failed = 0, step;
	struct outbox_counts before, after;
	struct intake_receipt r;
	char why[DISPATCH_WHY] = "";
	struct open_both o;
	enum perr err;

	vault_of(f->p[FIX_VOLUNTEER0].kv);
	OK(open_both(&o, &env));
	OK(outbox_counts(o.c, &before));
	starve_arm(0);
	err = seal(o.c, f, &r, why);
	starve_disarm();
	if (err != PERR_OK)
		fail_msg("the intake cannot be sealed at all: %s %s", perr_name(err), why);
	all = starve_seen;
	close_both(&o);
	step = sample(all);
	for (n = 1; n <= all; n += step, tried++) {
		bool tripped;

		put_back();
		OK(open_both(&o, &env));
		starve_arm(n);
		err = seal(o.c, f, &r, why);
		tripped = starve_disarm();
		if (err != PERR_OK && err != PERR_NOMEM)
			fail_msg("request %lu of %lu failed, and sealing says %s: %s", n, all,
			         perr_name(err), why);
		failed += tripped && err == PERR_NOMEM;
		/* the same process can go on, another one too */
		OK(outbox_counts(o.c, &after));
		assert_int_equal(after.submissions, before.submissions + (err == PERR_OK));
		close_both(&o);
		OK(open_both(&o, &env));
		OK(outbox_counts(o.c, &after));
		assert_int_equal(after.submissions, before.submissions + (err == PERR_OK));
		if (tried % 16 == 0)
			OK(seal(o.c, f, &r, why));
		close_both(&o);
	}
	print_message("figure: sealing an intake: requests for memory: %lu; failed in turn: %lu; "
	              "said so: %lu; called damage or a wrong answer: 0; half an intake: 0\n", all,
	              tried, failed);
	assert_true(failed > 0);
	vault_gone();
	fixture_free(f);
}

/* a lookup that fails must not look like an empty folder */
static void a_vault_is_never_made_over_another_one(void **state)
{
	struct fixture *f = fixture_new();
	unsigned long all, n;

	vault_of(f->p[FIX_VOLUNTEER0].kv);
	starve_arm(0);
	assert_int_equal(vault_create(home, PASS, strlen(PASS), VAULT_LIGHT), PERR_EXISTS);
	starve_disarm();
	all = starve_seen;
	for (n = 1; n <= all; n++) {
		uint8_t *now;
		size_t len;
		enum perr err;

		starve_arm(n);
		err = vault_create(home, PASS, strlen(PASS), VAULT_LIGHT);
		starve_disarm();
		assert_true(err == PERR_EXISTS || err == PERR_NOMEM);
		now = slurp(&len);
		assert_int_equal(len, image_len);
		assert_memory_equal(now, image, len);
		free(now);
	}
	vault_gone();
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening_a_vault_without_memory_is_no_damage),
		cmocka_unit_test(a_vault_is_never_made_over_another_one),
		cmocka_unit_test(sealing_without_memory_is_whole_or_not_at_all),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
