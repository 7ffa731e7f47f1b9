/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The same server with the clock of clock_file.h. */
#include "clock_file.h"
#include "command.h"

int main(int argc, char **argv)
{
	clock_file_open();
	return command_main(argc, argv);
}
