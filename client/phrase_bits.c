/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How strong a passphrase is: a file of its own, since zxcvbn's dictionary is large. */
#include <string.h>
#include <zxcvbn.h>

#include "phrase.h"

/* zxcvbn looks at so many bytes; its time grows with the square. */
#define BITS_LEN_MAX 100

double phrase_bits(const struct phrase *p)
{
	static const char *own[] = { "amparo", "vault", NULL };
	struct phrase *head = phrase_new();
	double bits = 0;

	if (head == NULL)
		return 0;
	head->len = p->len < BITS_LEN_MAX ? p->len : BITS_LEN_MAX;
	memcpy(head->text, p->text, head->len);
	bits = ZxcvbnMatch(head->text, own, NULL);
	phrase_free(head);
	return bits;
}
