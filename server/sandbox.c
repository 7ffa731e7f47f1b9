/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum perr sandbox_begin(void)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return PERR_UNKNOWN;
	return PERR_OK;
}

#if SANDBOX_BUILT

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* ---- files: Landlock --------------------------------------------------------------------- */

/* Debian 12's header ends at ABI 2 and its C library knows no wrapper, so both are here, as in
 * Documentation/userspace-api/landlock.rst.  The numbers are the same on every machine. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif
#define RULESET_VERSION  1u
#define RULE_PATH        1

#define FS_EXECUTE       (UINT64_C(1) << 0)
#define FS_WRITE_FILE    (UINT64_C(1) << 1)
#define FS_READ_FILE     (UINT64_C(1) << 2)
#define FS_READ_DIR      (UINT64_C(1) << 3)
#define FS_REMOVE_DIR    (UINT64_C(1) << 4)
#define FS_REMOVE_FILE   (UINT64_C(1) << 5)
#define FS_MAKE_DIR      (UINT64_C(1) << 7)
#define FS_MAKE_REG      (UINT64_C(1) << 8)
#define FS_MAKE_SOCK     (UINT64_C(1) << 9)
#define FS_REFER         (UINT64_C(1) << 13)     /* ABI 2 */
#define FS_TRUNCATE      (UINT64_C(1) << 14)     /* ABI 3 */
#define FS_OF_FILES      (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)
#define NET_ALL          UINT64_C(3)             /* ABI 4: bind, connect */
#define SCOPE_ALL        UINT64_C(3)             /* ABI 6: abstract sockets, signals */

/* a kernel takes as much of it as it knows */
struct ruleset_attr {
	uint64_t fs, net, scoped;
};
struct path_attr {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* everything a version can forbid is forbidden: the rights it knows are the lowest bits */
static uint64_t fs_known(unsigned abi)
{
	unsigned n = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;

	return (UINT64_C(1) << n) - 1;
}

static uint64_t rights_of(enum sandbox_rights r)
{
	switch (r) {
	case SANDBOX_LIST:
		return FS_READ_DIR;
	case SANDBOX_SOCKET:
		return FS_MAKE_SOCK;
	case SANDBOX_STORE:
		return FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | FS_REMOVE_DIR |
		       FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SOCK | FS_REFER |
		       FS_TRUNCATE;
	}
	return 0;
}

static enum perr allow(int ruleset, const struct sandbox_folder *f, uint64_t known)
{
	struct path_attr rule = { .allowed = rights_of(f->rights) & known };
	enum perr err = PERR_OK;

	rule.fd = open(f->path, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (rule.fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? PERR_OK : PERR_IO;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0) != 0)
		err = PERR_IO;
	(void)close(rule.fd);
	return err;
}

enum perr sandbox_files(const struct sandbox_folder *folders, size_t n, unsigned max_abi,
                        unsigned *abi)
{
	struct ruleset_attr attr = { 0 };
	size_t i, size;
	enum perr err = PERR_OK;
	long v;
	int fd;

	*abi = 0;
	v = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
	if (v < 1)
		return PERR_UNKNOWN;
	if (max_abi != 0 && v > (long)max_abi)
		v = max_abi;
	attr.fs = fs_known((unsigned)v);
	attr.net = v >= 4 ? NET_ALL : 0;
	attr.scoped = v >= 6 ? SCOPE_ALL : 0;
	size = v >= 6 ? sizeof attr : v >= 4 ? 2 * sizeof attr.fs : sizeof attr.fs;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0)
		return PERR_IO;
	for (i = 0; err == PERR_OK && i < n; i++)
		if (folders[i].path != NULL)
			err = allow(fd, &folders[i], attr.fs);
	if (err == PERR_OK && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		err = PERR_IO;
	(void)close(fd);
	if (err == PERR_OK)
		*abi = (unsigned)v;
	return err;
}

/* ---- system calls: seccomp --------------------------------------------------------------- */

/* whatever their arguments: they act on what is open already, on own memory, or on nothing */
static const int plain[] = {
	/* open files; Landlock bounds which can be opened */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(preadv2),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev),
	SCMP_SYS(pwritev2),
	SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(dup), SCMP_SYS(lseek), SCMP_SYS(flock),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(fstatfs),
	SCMP_SYS(getdents64), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fadvise64),
	SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(fchmod), SCMP_SYS(mkdirat),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(linkat),
	/* memory; what makes it executable is below */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock),
	SCMP_SYS(munlock), SCMP_SYS(msync),
	/* the threads that are there */
	SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(gettid), SCMP_SYS(getpid),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* signals to oneself are below */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
	/* time and chance; on most machines the first never reach the kernel */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(getrandom),
	/* about itself: the C library asks at odd moments */
	SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
};

/* connections are taken, never made; on them read and write are enough */
static const int serving[] = {
	SCMP_SYS(accept4), SCMP_SYS(shutdown), SCMP_SYS(getpeername), SCMP_SYS(getsockname),
	SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(poll),
	SCMP_SYS(ppoll),
};

/* a command opens the store after this step, a server before it */
static const int commanding[] = {
	SCMP_SYS(mkdir), SCMP_SYS(readlink),
};

/* one argument, masked, must have this value; a second one too unless its mask is 0 */
struct when {
	int call;
	unsigned arg;
	uint64_t mask, value;
	unsigned arg2;
	uint64_t mask2, value2;
};

#define ALL UINT64_C(0xffffffff)         /* an int: the upper half is nobody's */

static const struct when checked[] = {
	/* never executable, so that what is written can never be run */
	{ SCMP_SYS(mmap), 2, PROT_EXEC, 0, 0, 0, 0 },
	{ SCMP_SYS(mprotect), 2, PROT_EXEC, 0, 0, 0, 0 },
	{ SCMP_SYS(fcntl), 1, ALL, F_GETFL, 0, 0, 0 },
	{ SCMP_SYS(fcntl), 1, ALL, F_SETFL, 0, 0, 0 },
	{ SCMP_SYS(fcntl), 1, ALL, F_GETFD, 0, 0, 0 },
	{ SCMP_SYS(fcntl), 1, ALL, F_SETFD, 0, 0, 0 },
	{ SCMP_SYS(fcntl), 1, ALL, F_DUPFD_CLOEXEC, 0, 0, 0 },
	{ SCMP_SYS(ioctl), 1, ALL, TCGETS, 0, 0, 0 },
	{ SCMP_SYS(ioctl), 1, ALL, FIONBIO, 0, 0, 0 },
	{ SCMP_SYS(ioctl), 1, ALL, FIOCLEX, 0, 0, 0 },
	/* limits are read, not set */
	{ SCMP_SYS(prlimit64), 2, UINT64_MAX, 0, 0, ALL, 0 },
};

static const struct when serving_checked[] = {
	{ SCMP_SYS(setsockopt), 1, ALL, IPPROTO_TCP, 2, ALL, TCP_NODELAY },
	{ SCMP_SYS(getsockopt), 1, ALL, SOL_SOCKET, 2, ALL, SO_ERROR },
};

static int add_when(scmp_filter_ctx ctx, const struct when *w)
{
	struct scmp_arg_cmp c[2] = {
		SCMP_CMP64(w->arg, SCMP_CMP_MASKED_EQ, w->mask, w->value),
		SCMP_CMP64(w->arg2, SCMP_CMP_MASKED_EQ, w->mask2, w->value2)
	};

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, w->call, w->mask2 != 0 ? 2 : 1, c);
}

static int add_list(scmp_filter_ctx ctx, const int *calls, size_t n, const struct when *when,
                    size_t n_when, unsigned *total)
{
	size_t i;

	for (i = 0; i < n; i++, ++*total)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0) != 0)
			return -1;
	for (i = 0; i < n_when; i++) {
		if (i == 0 || when[i].call != when[i - 1].call)
			++*total;
		if (add_when(ctx, &when[i]) != 0)
			return -1;
	}
	return 0;
}

#define LIST(calls, when) \
	calls, sizeof calls / sizeof calls[0], when, sizeof when / sizeof when[0]

enum perr sandbox_calls(enum sandbox_use use, unsigned *n_calls)
{
	/* abort() sends itself a signal; it must not become a way to send others one */
	const struct when to_self = { SCMP_SYS(tgkill), 0, ALL, (uint64_t)getpid(), 0, 0, 0 };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	enum perr err = PERR_NOMEM;

	*n_calls = 0;
	if (ctx == NULL)
		return err;
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) != 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0)
		goto out;
	if (add_list(ctx, LIST(plain, checked), n_calls) != 0 ||
	    add_list(ctx, NULL, 0, &to_self, 1, n_calls) != 0)
		goto out;
	if (use == SANDBOX_SERVE ?
	    add_list(ctx, LIST(serving, serving_checked), n_calls) != 0 :
	    add_list(ctx, commanding, sizeof commanding / sizeof commanding[0], NULL, 0,
	             n_calls) != 0)
		goto out;
	err = seccomp_load(ctx) == 0 ? PERR_OK : PERR_UNKNOWN;
out:
	seccomp_release(ctx);
	if (err != PERR_OK)
		*n_calls = 0;
	return err;
}

#else

enum perr sandbox_files(const struct sandbox_folder *folders, size_t n, unsigned max_abi,
                        unsigned *abi)
{
	(void)folders;
	(void)n;
	(void)max_abi;
	*abi = 0;
	return PERR_UNKNOWN;
}

enum perr sandbox_calls(enum sandbox_use use, unsigned *n_calls)
{
	(void)use;
	*n_calls = 0;
	return PERR_UNKNOWN;
}

#endif
