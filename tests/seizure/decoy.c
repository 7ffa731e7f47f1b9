/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * seizure_decoy: forty canaries that are put where they must be found.  A hunt that misses
 * one of them proves nothing.
 *
 *	seizure_decoy SEED plan              the lines of a plan (canary.h), classes "decoy 1" …
 *	seizure_decoy SEED emit N            decoy N in its shape, to standard output
 *	seizure_decoy SEED disk FOLDER       those of the disk, into a mounted file system
 *	seizure_decoy SEED hold FILE PORT    be the process whose memory holds decoys: opens FILE,
 *	                                     connects to PORT, prints one line, waits for its
 *	                                     standard input to end
 *	seizure_decoy SEED visit PORT        connect once from the address of decoy 40, and end
 *	seizure_decoy SEED judge FILE        hits as seizure_hunt prints them: which were found
 *
 * Times are taken from the seed and the day on which `plan` runs: $SEIZURE_NOW, seconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "canary.h"

enum kind { TEXT, KEY, WORD, IP4, IP6, WHEN };

static const struct decoy {
	enum kind kind;
	enum shape shape;
	const char *where;       /* as seizure_hunt is told */
	const char *place;       /* for people */
} decoys[] = {
	{ TEXT, SHAPE_PLAIN,       "disk", "a file" },
	{ TEXT, SHAPE_LOWER,       "disk", "a file" },
	{ TEXT, SHAPE_UPPER,       "disk", "a file" },
	{ TEXT, SHAPE_UTF16LE,     "disk", "a file" },
	{ TEXT, SHAPE_UTF16BE,     "disk", "a file" },
	{ TEXT, SHAPE_REVERSED,    "disk", "a file" },
	{ TEXT, SHAPE_HEX,         "disk", "a deleted file" },
	{ TEXT, SHAPE_HEX_UPPER,   "disk", "a deleted file" },
	{ TEXT, SHAPE_BASE64_0,    "disk", "a deleted file" },
	{ TEXT, SHAPE_BASE64_1,    "disk", "a deleted file" },
	{ TEXT, SHAPE_BASE64_2,    "disk", "a deleted file" },
	{ KEY,  SHAPE_BASE64URL_0, "disk", "a deleted file" },
	{ KEY,  SHAPE_BASE64URL_1, "disk", "a deleted file" },
	{ KEY,  SHAPE_BASE64URL_2, "disk", "a deleted file" },
	{ IP4,  SHAPE_BINARY,      "disk", "a deleted file" },
	{ IP4,  SHAPE_BINARY_LE,   "disk", "a deleted file" },
	{ IP6,  SHAPE_BINARY,      "disk", "a deleted file" },
	{ IP6,  SHAPE_WORDS,       "disk", "a deleted file" },
	{ WHEN, SHAPE_MS_LE,       "disk", "a deleted file" },
	{ WHEN, SHAPE_US_BE,       "disk", "a deleted file" },
	{ WHEN, SHAPE_S_BE,        "disk", "a deleted file" },
	{ TEXT, SHAPE_PLAIN,       "disk", "the name of a deleted file" },
	{ TEXT, SHAPE_PLAIN,       "disk", "the journal, after the file was overwritten" },
	{ TEXT, SHAPE_UTF16LE,     "disk", "the journal, after the file was overwritten" },
	{ TEXT, SHAPE_PLAIN,       "disk", "lock.mdb" },
	{ TEXT, SHAPE_PLAIN,       "disk", "an extended attribute" },
	{ TEXT, SHAPE_PLAIN,       "helper", "heap" },
	{ KEY,  SHAPE_PLAIN,       "helper", "memory that sodium_malloc guards" },
	{ KEY,  SHAPE_PLAIN,       "helper", "a public key, derived, in a mapping nobody may read" },
	{ TEXT, SHAPE_UTF16BE,     "helper", "stack" },
	{ TEXT, SHAPE_BASE64_1,    "helper", "stack of another thread" },
	{ WORD, SHAPE_PLAIN,       "helper", "a register" },
	{ TEXT, SHAPE_REVERSED,    "helper", "shared memory" },
	{ TEXT, SHAPE_PLAIN,       "environment", "the server's environment" },
	{ TEXT, SHAPE_HEX_UPPER,   "command line", "a command line" },
	{ TEXT, SHAPE_PLAIN,       "logs", "a line of the log" },
	{ TEXT, SHAPE_BASE64_2,    "logs", "a line of the log" },
	{ TEXT, SHAPE_PLAIN,       "kernel", "the name of an open file" },
	{ IP4,  SHAPE_WORDS_HEX,   "kernel", "an open connection" },
	{ IP4,  SHAPE_PLAIN,       "kernel", "TCP metrics of a connection that ended" },
};
#define N (sizeof decoys / sizeof decoys[0])
_Static_assert(N == 40, "forty decoys");

enum { D_FILE_NAME = 21, D_JOURNAL = 22, D_LOCK = 24, D_XATTR = 25, D_HEAP = 26, D_GUARDED = 27,
       D_PUBLIC = 28, D_STACK = 29, D_THREAD = 30, D_REGISTER = 31, D_SHARED = 32,
       D_ENVIRONMENT = 33, D_COMMAND = 34, D_OPEN_FILE = 37, D_OPEN = 38, D_METRICS = 39 };

static uint8_t seed[32];

static void fail(const char *what)
{
	fprintf(stderr, "seizure_decoy: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void bytes_of(uint8_t out[32], size_t i)
{
	uint8_t key[32];

	memcpy(key, seed, sizeof key);
	key[31] ^= (uint8_t)(i + 1);
	randombytes_buf_deterministic(out, 32, key);
}

/* what it is, before any shape */
static void make(struct canary *c, size_t i)
{
	static char text[64];
	static uint8_t b[32];
	const char *now = getenv("SEIZURE_NOW");

	bytes_of(b, i);
	memset(c, 0, sizeof *c);
	c->v = b;
	switch (decoys[i].kind) {
	case TEXT:
		c->type = CANARY_TEXT;
		snprintf(text, sizeof text, "Señuelo %02zu ", i + 1);
		for (size_t k = 0, n = strlen(text); k < 16; k++, n++) {
			text[n] = (char)((k % 2 ? 'a' : 'A') + b[k] % 26);
			text[n + 1] = '\0';
		}
		c->v = (uint8_t *)text;
		c->len = strlen(text);
		break;
	case KEY:
		c->type = CANARY_HEX;
		c->len = 32;
		if (i == D_PUBLIC) {
			uint8_t sk[32];

			memcpy(sk, b, sizeof sk);
			(void)crypto_scalarmult_base(b, sk);
		}
		break;
	case WORD:
		c->type = CANARY_HEX;
		c->len = 16;
		break;
	case IP4:
		c->type = CANARY_IP;
		c->len = 4;
		b[0] = 127;
		b[1] |= 1;               /* none of those that machines have */
		c->text = text;
		(void)inet_ntop(AF_INET, b, text, sizeof text);
		break;
	case IP6:
		c->type = CANARY_IP;
		c->len = 16;
		b[0] = 0xfd;
		c->text = text;
		(void)inet_ntop(AF_INET6, b, text, sizeof text);
		break;
	case WHEN:
		c->type = CANARY_TIME;
		/* some day before the drill's, so that nothing else has it */
		c->from_us = ((uint64_t)(now != NULL ? atoll(now) : 1764000000) - 864000 -
		              (uint64_t)(b[0] << 8 | b[1])) * 1000000;
		c->to_us = c->from_us + 900000;
		break;
	}
}

static size_t emit(uint8_t *out, size_t i)
{
	struct canary c;
	uint64_t v;
	size_t n = 8;

	make(&c, i);
	if (c.type != CANARY_TIME)
		return shape_make(out, &c, decoys[i].shape);
	v = c.from_us + 123456;
	if (decoys[i].shape == SHAPE_MS_LE)
		v /= 1000;
	if (decoys[i].shape == SHAPE_S_BE) {
		v /= 1000000;
		n = 4;
	}
	for (size_t k = 0; k < n; k++)
		out[k] = (uint8_t)(v >> 8 * (decoys[i].shape == SHAPE_MS_LE ? k : n - 1 - k));
	return n;
}

static void print_plan(void)
{
	struct canary c;
	char hex[65];

	for (size_t i = 0; i < N; i++) {
		make(&c, i);
		printf("decoy %zu\t", i + 1);
		switch (c.type) {
		case CANARY_TEXT:
			printf("text\t%s\n", (char *)c.v);
			break;
		case CANARY_HEX:
			printf("hex\t%s\n", sodium_bin2hex(hex, sizeof hex, c.v, c.len));
			break;
		case CANARY_IP:
			printf("ip\t%s\n", c.text);
			break;
		case CANARY_TIME:
			printf("time\t%llu %llu\n", (unsigned long long)c.from_us,
			       (unsigned long long)c.to_us);
			break;
		}
	}
}

/* ---- the disk ---------------------------------------------------------------------------- */

static int create(const char *dir, const char *name)
{
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		fail(path);
	return fd;
}

static void put(int fd, const void *p, size_t len)
{
	if (write(fd, p, len) != (ssize_t)len)
		fail("write");
}

/* decoys from..to-1, each with something around it, of which some looks random */
static void write_file(const char *dir, const char *name, size_t from, size_t to, bool deleted)
{
	int fd = create(dir, name);
	uint8_t buf[512], around[64];
	char path[512];

	for (size_t i = from; i < to; i++) {
		size_t len = emit(buf, i);

		memset(around, 0, sizeof around);
		randombytes_buf(around, 23);
		put(fd, around, sizeof around);
		put(fd, buf, len);
		put(fd, "\0\0\0\n", 4);
		put(fd, around, 61);
	}
	if (fsync(fd) != 0)
		fail(name);
	(void)close(fd);
	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (deleted && unlink(path) != 0)
		fail(path);
}

/* a file whose data is journaled, written, then overwritten: the old bytes are in the journal
 * alone.  Other file systems have no such files; there it is one more deleted file */
static void write_journal(const char *dir)
{
	static const uint8_t zeros[4096];
	uint8_t buf[512];
	int fd = create(dir, "journaled"), flags = 0, is_ext4;
	char path[512];

	is_ext4 = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	          (flags |= FS_JOURNAL_DATA_FL, ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
	for (size_t i = D_JOURNAL; i < D_JOURNAL + 2; i++) {
		size_t len = emit(buf, i);

		put(fd, "..........", 10);
		put(fd, buf, len);
	}
	if (fsync(fd) != 0)
		fail("fsync");
	if (is_ext4 && (pwrite(fd, zeros, sizeof zeros, 0) != sizeof zeros || fsync(fd) != 0))
		fail("overwrite");
	(void)close(fd);
	snprintf(path, sizeof path, "%s/journaled", dir);
	(void)unlink(path);
	printf("journal\t%s\n", is_ext4 ? "data of one file" : "metadata only");
}

static void plant_disk(const char *dir)
{
	uint8_t buf[512];
	char name[512];
	size_t len;
	int fd;

	write_file(dir, "decoys", 0, 6, false);
	write_file(dir, "decoys.gone", 6, 14, true);
	write_file(dir, "decoys.numbers", 14, 21, true);
	len = emit(buf, D_FILE_NAME);
	snprintf(name, sizeof name, "%.*s", (int)len, buf);
	fd = create(dir, name);
	if (fsync(fd) != 0)
		fail(name);
	(void)close(fd);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || fsync(fd) != 0 || unlinkat(fd, name, 0) != 0)
		fail(name);
	(void)close(fd);
	write_journal(dir);
	write_file(dir, "lock.mdb", D_LOCK, D_LOCK + 1, false);
	fd = create(dir, "attributed");
	len = emit(buf, D_XATTR);
	if (fsetxattr(fd, "user.decoy", buf, len, 0) != 0 || fsync(fd) != 0)
		fail("an extended attribute");
	(void)close(fd);
}

/* ---- a process --------------------------------------------------------------------------- */

/* One try, with the call that failed: NULL if none did.  The kernel may be left to find a port only
   when both ends are known. */
static const char *dial_once(int *fd, const struct sockaddr_in *own, const struct sockaddr_in *to,
                             int is_late)
{
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return "a socket";
	(void)setsockopt(*fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &is_late, sizeof is_late);
	if (bind(*fd, (const struct sockaddr *)own, sizeof *own) != 0)
		return "an address of its own";
	if (connect(*fd, (const struct sockaddr *)to, sizeof *to) != 0)
		return "a connection";
	return NULL;
}

/* A machine that runs much else was once without a port to give (EADDRNOTAVAIL): the day goes on as
   soon as there is one, within ten seconds. */
static int dial(size_t decoy, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in own = { .sin_family = AF_INET };
	const struct timespec pause = { .tv_nsec = 100000000 };
	const char *failed = NULL;
	struct canary c;
	int fd = -1;

	make(&c, decoy);
	memcpy(&own.sin_addr, c.v, 4);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 100; i++) {
		failed = dial_once(&fd, &own, &to, i % 2 == 0);
		if (failed == NULL)
			return fd;
		if (errno != EADDRNOTAVAIL)
			break;
		(void)close(fd);
		(void)nanosleep(&pause, NULL);
		errno = EADDRNOTAVAIL;
	}
	fail(failed);
	return -1;
}

/* ends in order, so that the kernel notes what it learnt of the way */
static void visit(uint16_t port)
{
	struct timeval tv = { .tv_sec = 20 };
	int fd = dial(D_METRICS, port);
	char byte;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	if (send(fd, "x", 1, MSG_NOSIGNAL) != 1 || shutdown(fd, SHUT_WR) != 0)
		fail("a connection");
	(void)recv(fd, &byte, 1, 0);
	(void)close(fd);
}

/* emit works in buffers of its own, one for all */
static pthread_mutex_t emitting = PTHREAD_MUTEX_INITIALIZER;

static size_t emit_alone(uint8_t *out, int which)
{
	size_t len;

	pthread_mutex_lock(&emitting);
	len = emit(out, which);
	pthread_mutex_unlock(&emitting);
	return len;
}

static void *thread_main(void *arg)
{
	volatile uint8_t stack[512];
	uint8_t buf[512];
	size_t len = emit_alone(buf, D_THREAD);

	for (size_t i = 0; i < len; i++)
		stack[64 + i] = buf[i];
	sodium_memzero(buf, sizeof buf);
	(void)pthread_barrier_wait(arg);
	for (;;)
		(void)pause();
	return stack[64] == 0 ? arg : NULL;
}

/* sixteen bytes that are nowhere but in a register while the thread sleeps */
static void *register_main(void *arg)
{
	uint8_t buf[512];

	(void)emit_alone(buf, D_REGISTER);
#if defined(__x86_64__)
	{
		register long nr __asm__("rax");

		__asm__ volatile("movdqu (%0), %%xmm15" : : "r"(buf) : "xmm15");
		sodium_memzero(buf, sizeof buf);
		(void)pthread_barrier_wait(arg);
		/* whatever the calls above did to it, it is loaded again before the sleep */
		(void)emit_alone(buf, D_REGISTER);
		__asm__ volatile("movdqu (%0), %%xmm15" : : "r"(buf) : "xmm15");
		for (size_t i = 0; i < sizeof buf; i++)
			((volatile uint8_t *)buf)[i] = 0;
		for (;;) {
			nr = SYS_pause;
			__asm__ volatile("syscall" : "+r"(nr) : : "rcx", "r11", "memory");
		}
	}
#else
	(void)pthread_barrier_wait(arg);
	for (;;)
		(void)pause();
#endif
	return NULL;
}

static void hold(const char *path, uint16_t port)
{
	pthread_barrier_t barrier;
	pthread_t thread[2];
	volatile uint8_t stack[512];
	uint8_t buf[512], *heap, *guarded, *hidden, *shared;
	size_t len;
	int fd = open(path, O_RDONLY | O_CLOEXEC), mfd, conn, c;

	if (fd < 0)
		fail(path);
	len = emit(buf, D_HEAP);
	heap = need(malloc(4096));
	memcpy(heap + 100, buf, len);
	guarded = need(sodium_malloc(32));
	(void)emit(guarded, D_GUARDED);
	if (sodium_mprotect_noaccess(guarded) != 0)
		fail("guarded memory");
	hidden = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mfd = memfd_create("decoy", MFD_CLOEXEC);
	if (hidden == MAP_FAILED || mfd < 0 || ftruncate(mfd, 4096) != 0)
		fail("a mapping");
	(void)emit(hidden + 200, D_PUBLIC);
	if (mprotect(hidden, 4096, PROT_NONE) != 0)
		fail("a mapping");
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mfd, 0);
	if (shared == MAP_FAILED)
		fail("shared memory");
	(void)emit(shared + 300, D_SHARED);
	len = emit(buf, D_STACK);
	for (size_t i = 0; i < len; i++)
		stack[i + 32] = buf[i];
	sodium_memzero(buf, sizeof buf);
	if (pthread_barrier_init(&barrier, NULL, 3) != 0 ||
	    pthread_create(&thread[0], NULL, thread_main, &barrier) != 0 ||
	    pthread_create(&thread[1], NULL, register_main, &barrier) != 0)
		fail("a thread");
	(void)pthread_barrier_wait(&barrier);
	conn = dial(D_OPEN, port);
	puts("holding");
	(void)fflush(stdout);
	while ((c = getchar()) != EOF)
		;
	(void)close(conn);
	(void)close(fd);
	exit(stack[32] == 1 ? 1 : 0);
}

/* ---- judging ----------------------------------------------------------------------------- */

static void judge(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0, n_found = 0;
	bool found[N] = { false };

	if (f == NULL)
		fail(path);
	while (getline(&line, &room, f) > 0) {
		char *save, *field[6];
		size_t k, n;

		field[0] = strtok_r(line, "\t\n", &save);
		for (k = 1; k < 6 && field[k - 1] != NULL; k++)
			field[k] = strtok_r(NULL, "\t\n", &save);
		if (k < 6 || field[5] == NULL || strcmp(field[0], "hit") != 0 ||
		    sscanf(field[1], "decoy %zu", &n) != 1 || n < 1 || n > N)
			continue;
		if (strcmp(field[3], shape_text(decoys[n - 1].shape)) == 0 &&
		    strcmp(field[4], decoys[n - 1].where) == 0)
			found[n - 1] = true;
	}
	free(line);
	fclose(f);
	for (size_t i = 0; i < N; i++) {
		n_found += found[i];
		if (!found[i])
			printf("missed\tdecoy %zu: %s, in %s\n", i + 1, shape_text(decoys[i].shape),
			       decoys[i].place);
	}
	printf("decoys\t%zu\t%zu\n", n_found, N);
	exit(n_found == N ? 0 : 1);
}

int main(int argc, char **argv)
{
	uint8_t buf[512];

	if (argc < 3 || sodium_init() < 0)
		goto usage;
	crypto_generichash(seed, sizeof seed, (const uint8_t *)argv[1], strlen(argv[1]),
	                   (const uint8_t *)"decoys of a seizure", 19);
	if (strcmp(argv[2], "plan") == 0)
		print_plan();
	else if (strcmp(argv[2], "emit") == 0 && argc == 4 && atoi(argv[3]) >= 1 &&
	         atoi(argv[3]) <= (int)N)
		(void)fwrite(buf, 1, emit(buf, (size_t)atoi(argv[3]) - 1), stdout);
	else if (strcmp(argv[2], "disk") == 0 && argc == 4)
		plant_disk(argv[3]);
	else if (strcmp(argv[2], "hold") == 0 && argc >= 5)
		hold(argv[3], (uint16_t)atoi(argv[4]));
	else if (strcmp(argv[2], "visit") == 0 && argc == 4)
		visit((uint16_t)atoi(argv[3]));
	else if (strcmp(argv[2], "judge") == 0 && argc == 4)
		judge(argv[3]);
	else
		goto usage;
	return fflush(stdout) == 0 ? 0 : 2;
usage:
	fputs("Use: seizure_decoy SEED plan | emit N | disk FOLDER | hold FILE PORT | visit PORT | "
	      "judge FILE\n", stderr);
	return 2;
}
