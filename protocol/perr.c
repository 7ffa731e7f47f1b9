/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "perr.h"

const char *perr_text(enum perr err)
{
	static const char *const texts[] = {
#define PERR_TEXT(name, text) text,
		PERR_LIST(PERR_TEXT)
#undef PERR_TEXT
	};

	if ((unsigned)err >= PERR_COUNT)
		return "an unknown error";
	return texts[err];
}

const char *perr_name(enum perr err)
{
	static const char *const names[] = {
#define PERR_NAME(name, text) #name,
		PERR_LIST(PERR_NAME)
#undef PERR_NAME
	};

	if ((unsigned)err >= PERR_COUNT)
		return "PERR_?";
	return names[err];
}
