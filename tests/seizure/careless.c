/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The drill's control: the same server, but what is retired is only unlinked and never
 * overwritten, as any store does that was not told otherwise.  Linked with
 * --wrap=store_file_retire.
 */
#include <errno.h>
#include <unistd.h>

#include "command.h"
#include "store_file.h"

enum perr __wrap_store_file_retire(int dfd, const char *name);

enum perr __wrap_store_file_retire(int dfd, const char *name)
{
	if (unlinkat(dfd, name, 0) == 0 || errno == ENOENT)
		return PERR_OK;
	return store_file_errno(errno);
}

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
