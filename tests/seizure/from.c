/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * from.so: loaded before a client, it gives each of the client's TCP connections the source
 * address in $SEIZURE_FROM, as if that device stood there.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	int (*next)(int, const struct sockaddr *, socklen_t);
	void *found = dlsym(RTLD_NEXT, "connect");
	struct sockaddr_in own = { .sin_family = AF_INET };
	const char *from = getenv("SEIZURE_FROM");
	int one = 1;

	memcpy(&next, &found, sizeof next);
	if (from != NULL && to->sa_family == AF_INET &&
	    inet_pton(AF_INET, from, &own.sin_addr) == 1) {
		(void)setsockopt(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
		if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0)
			return -1;
	}
	return next(fd, to, len);
}
