/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * sandbox_acts DIR: a process in the server's own sandbox (server/sandbox.c) tries what whoever
 * broke into it would try, each act in a process of its own, from the main thread and from one
 * that was there before.  It is refused when the act fails or the process is ended (SIGSYS).
 * Controls: the same acts without the sandbox succeed, so each could have succeeded; and what
 * a server does all day succeeds inside it.  Landlock is also tried alone, at every ABI up
 * to the kernel's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"

/* folders: the store, where a local socket may be made, anybody's */
static char inside[300], sockets[300], outside[300];
static char victim_file[340], beside[340], target[340];
static pid_t victim;                     /* a process that lets anybody trace it */
static char victim_secret[16] = "victim's secret";
static int tcp, udp, bound, pair[2];     /* made before the sandbox */
static int listener;                     /* of the parent, on loopback */
static struct sockaddr_in listen_at;

#define SYS(...) (syscall(__VA_ARGS__) >= 0)

/* ---- acts: true when they succeeded ------------------------------------------------------ */

static bool act_execve(void)
{
	static char *const argv[] = { (char *)"true", NULL }, *const envp[] = { NULL };

	return SYS(SYS_execve, "/bin/true", argv, envp);
}
static bool act_execveat(void)
{
	static char *const argv[] = { (char *)"true", NULL }, *const envp[] = { NULL };

	return SYS(SYS_execveat, AT_FDCWD, "/bin/true", argv, envp, 0);
}
static bool act_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}
static bool act_clone3(void)
{
	struct clone_args a = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &a, sizeof a);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}
static void *idle(void *arg)
{
	return arg;
}
static bool act_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, idle, NULL) == 0;
}
static bool act_tcp(void)      { return SYS(SYS_socket, AF_INET, SOCK_STREAM, 0); }
static bool act_tcp6(void)     { return SYS(SYS_socket, AF_INET6, SOCK_STREAM, 0); }
static bool act_udp(void)      { return SYS(SYS_socket, AF_INET, SOCK_DGRAM, 0); }
static bool act_unix(void)     { return SYS(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }
static bool act_netlink(void)  { return SYS(SYS_socket, AF_NETLINK, SOCK_RAW, 0); }
static bool act_pair(void)
{
	int fd[2];

	return SYS(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, fd);
}
static bool act_connect(void)
{
	return SYS(SYS_connect, tcp, &listen_at, sizeof listen_at);
}
static bool act_connect_udp(void)
{
	return SYS(SYS_connect, udp, &listen_at, sizeof listen_at);
}
static bool act_sendto(void)
{
	return SYS(SYS_sendto, udp, "x", 1, 0, &listen_at, sizeof listen_at);
}
static bool act_sendmsg(void)
{
	struct iovec iov = { (char *)"x", 1 };
	struct msghdr m = { .msg_name = &listen_at, .msg_namelen = sizeof listen_at,
	                    .msg_iov = &iov, .msg_iovlen = 1 };

	return SYS(SYS_sendmsg, udp, &m, 0);
}
static bool act_bind(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return SYS(SYS_bind, tcp, &any, sizeof any);
}
static bool act_listen(void)   { return SYS(SYS_listen, bound, 1); }
static bool act_pass_fd(void)
{
	char room[CMSG_SPACE(sizeof (int))] = { 0 };
	struct iovec iov = { (char *)"x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room,
	                    .msg_controllen = sizeof room };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof (int));
	memcpy(CMSG_DATA(c), &tcp, sizeof (int));
	return SYS(SYS_sendmsg, pair[0], &m, 0);
}
static bool act_keepalive(void)
{
	int one = 1;

	return SYS(SYS_setsockopt, tcp, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
}

/* files: these Landlock has to refuse alone */
static bool open_at(const char *path, int flags)
{
	return SYS(SYS_openat, AT_FDCWD, path, flags, 0600);
}
static bool act_passwd(void)    { return open_at("/etc/passwd", O_RDONLY); }
static bool act_root(void)      { return open_at("/", O_RDONLY | O_DIRECTORY); }
static bool act_read_out(void)  { return open_at(victim_file, O_RDONLY); }
static bool act_write_out(void) { return open_at(victim_file, O_WRONLY); }
static bool act_make_out(void)  { return open_at(target, O_WRONLY | O_CREAT | O_EXCL); }
static bool act_tmp(void)       { return open_at(outside, O_TMPFILE | O_RDWR); }
static bool act_dotdot(void)
{
	char path[400];

	snprintf(path, sizeof path, "%s/../outside/victim", inside);
	return open_at(path, O_RDONLY);
}
static bool act_mkdir_out(void) { return SYS(SYS_mkdirat, AT_FDCWD, target, 0700); }
static bool act_unlink_out(void){ return SYS(SYS_unlinkat, AT_FDCWD, victim_file, 0); }
static bool act_unlink_beside(void) { return SYS(SYS_unlinkat, AT_FDCWD, beside, 0); }
static bool act_write_beside(void)  { return open_at(beside, O_WRONLY); }
static bool act_rename_out(void)
{
	char path[400];

	snprintf(path, sizeof path, "%s/own", inside);
	return SYS(SYS_renameat, AT_FDCWD, path, AT_FDCWD, target);
}
static bool act_link_in(void)
{
	char path[400];

	snprintf(path, sizeof path, "%s/stolen", inside);
	return SYS(SYS_linkat, AT_FDCWD, victim_file, AT_FDCWD, path, 0);
}
static bool act_own_mem(void)   { return open_at("/proc/self/mem", O_RDWR); }
static bool act_own_maps(void)  { return open_at("/proc/self/maps", O_RDONLY); }
static bool act_other_mem(void)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/mem", (int)victim);
	return open_at(path, O_RDONLY);
}
static bool act_device(void)    { return open_at("/dev/urandom", O_RDONLY); }
static bool act_pty(void)       { return open_at("/dev/ptmx", O_RDWR | O_NOCTTY); }
static bool act_symlink(void)
{
	char path[400];

	snprintf(path, sizeof path, "%s/way-out", inside);
	return SYS(SYS_symlinkat, "/etc/passwd", AT_FDCWD, path);
}
static bool act_fifo(void)
{
	char path[400];

	snprintf(path, sizeof path, "%s/fifo", inside);
	return SYS(SYS_mknodat, AT_FDCWD, path, S_IFIFO | 0600, 0);
}

/* files, by system calls that are not there any more */
static bool act_truncate(void)  { return SYS(SYS_truncate, victim_file, 0); }
static bool act_chmod(void)     { return SYS(SYS_fchmodat, AT_FDCWD, victim_file, 0666); }
static bool act_chown(void)
{
	return SYS(SYS_fchownat, AT_FDCWD, victim_file, geteuid(), getegid(), 0);
}
static bool act_utimes(void)
{
	return SYS(SYS_utimensat, AT_FDCWD, victim_file, NULL, 0);
}
static bool act_chdir(void)     { return SYS(SYS_chdir, "/"); }
static bool act_watch(void)     { return SYS(SYS_inotify_init1, 0); }
static bool act_memfd(void)     { return SYS(SYS_memfd_create, "x", 0); }
static bool act_pipe(void)
{
	int fd[2];

	return SYS(SYS_pipe2, fd, 0);
}
static bool act_setown(void)    { return SYS(SYS_fcntl, pair[0], F_SETOWN, getpid()); }

/* other processes */
static bool act_ptrace(void)
{
	if (syscall(SYS_ptrace, PTRACE_SEIZE, victim, 0, 0) != 0)
		return false;
	(void)syscall(SYS_ptrace, PTRACE_DETACH, victim, 0, 0);
	return true;
}
static bool act_traceme(void)   { return SYS(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }
static bool act_vm_read(void)
{
	char got[16];
	struct iovec to = { got, sizeof got }, from = { victim_secret, sizeof got };

	return syscall(SYS_process_vm_readv, victim, &to, 1, &from, 1, 0) == sizeof got;
}
static bool act_vm_write(void)
{
	struct iovec from = { (char *)"broken into now", 16 }, to = { victim_secret, 16 };

	return syscall(SYS_process_vm_writev, victim, &from, 1, &to, 1, 0) == 16;
}
static bool act_kill(void)      { return SYS(SYS_kill, victim, SIGCONT); }
static bool act_tgkill(void)    { return SYS(SYS_tgkill, victim, victim, SIGCONT); }
static bool act_tkill(void)     { return SYS(SYS_tkill, victim, SIGCONT); }
static bool act_pidfd(void)     { return SYS(SYS_pidfd_open, victim, 0); }
static bool act_priority(void)  { return SYS(SYS_setpriority, PRIO_PROCESS, victim, 19); }
static bool act_others_limit(void)
{
	struct rlimit lim;

	return SYS(SYS_prlimit64, victim, RLIMIT_CORE, NULL, &lim) &&
	       SYS(SYS_prlimit64, victim, RLIMIT_CORE, &lim, NULL);
}

/* memory */
static bool map(int prot, int flags, int fd)
{
	return (void *)syscall(SYS_mmap, NULL, 4096, prot, flags, fd, 0) != MAP_FAILED;
}
static bool act_mmap_exec(void)
{
	return map(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}
static bool act_mmap_rwx(void)
{
	return map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}
static void *own_page(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static bool act_mprotect(void)
{
	return SYS(SYS_mprotect, own_page(), 4096, PROT_READ | PROT_EXEC);
}
static bool act_pkey_mprotect(void)
{
	return SYS(SYS_pkey_mprotect, own_page(), 4096, PROT_READ | PROT_EXEC, -1);
}
static bool act_implies_exec(void) { return SYS(SYS_personality, READ_IMPLIES_EXEC); }

/* itself */
static bool act_dumpable(void)  { return SYS(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }
static bool act_core(void)
{
	struct rlimit lim = { 0, 0 };

	return SYS(SYS_setrlimit, RLIMIT_CORE, &lim);
}
static bool act_limit(void)
{
	struct rlimit lim = { 0, 0 };

	return SYS(SYS_prlimit64, 0, RLIMIT_CORE, &lim, NULL);
}
static bool act_setuid(void)    { return SYS(SYS_setuid, geteuid()); }
static bool act_setgroups(void) { return SYS(SYS_setresgid, -1, getegid(), -1); }
static bool act_userns(void)    { return SYS(SYS_unshare, CLONE_FS); }
static bool act_affinity(void)
{
	uint64_t cpus[16];
	long n = syscall(SYS_sched_getaffinity, 0, sizeof cpus, cpus);

	return n > 0 && SYS(SYS_sched_setaffinity, 0, n, cpus);
}
static bool act_timer(void)
{
	int id;

	return SYS(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id);
}
static bool act_uring(void)
{
	char params[256] = { 0 };

	return SYS(SYS_io_uring_setup, 1, params);
}
static bool act_fork_vfork(void)
{
	struct clone_args a = { .flags = CLONE_VFORK, .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &a, sizeof a);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}
#ifdef __x86_64__
/* the 32-bit door of a 64-bit kernel: getpid is 20 there */
static bool act_int80(void)
{
	long r;

	__asm__ volatile ("int $0x80" : "=a" (r) : "a" (20L) : "memory", "r8", "r9", "r10",
	                  "r11");
	return r > 0;
}
#endif

enum { ANY, FILES, TCP_ABI4 };

static const struct act {
	const char *name;
	bool (*run)(void);
	int alone;               /* what Landlock alone must refuse: FILES; from ABI 4: TCP_ABI4 */
	bool may_lack;           /* a kernel may be built without it */
} acts[] = {
	{ "execve", act_execve, FILES, false }, { "execveat", act_execveat, FILES, false },
	{ "fork", act_fork, ANY, false }, { "clone3", act_clone3, ANY, false },
	{ "vfork", act_fork_vfork, ANY, false }, { "a new thread", act_thread, ANY, false },
	{ "socket, TCP", act_tcp, ANY, false }, { "socket, TCP over IPv6", act_tcp6, ANY, true },
	{ "socket, UDP", act_udp, ANY, false }, { "socket, local", act_unix, ANY, false },
	{ "socket, netlink", act_netlink, ANY, false }, { "socketpair", act_pair, ANY, false },
	{ "connect, TCP", act_connect, TCP_ABI4, false },
	{ "connect, UDP", act_connect_udp, ANY, false },
	{ "sendto an address", act_sendto, ANY, false },
	{ "sendmsg to an address", act_sendmsg, ANY, false },
	{ "bind", act_bind, TCP_ABI4, false }, { "listen", act_listen, ANY, false },
	{ "hand a descriptor on", act_pass_fd, ANY, false },
	{ "setsockopt", act_keepalive, ANY, false },
	{ "open /etc/passwd", act_passwd, FILES, false }, { "list /", act_root, FILES, false },
	{ "read a file outside", act_read_out, FILES, false },
	{ "write a file outside", act_write_out, FILES, false },
	{ "make a file outside", act_make_out, FILES, false },
	{ "a nameless file outside", act_tmp, FILES, true },
	{ "a way out by ..", act_dotdot, FILES, false },
	{ "make a folder outside", act_mkdir_out, FILES, false },
	{ "remove a file outside", act_unlink_out, FILES, false },
	{ "remove a file beside the local socket", act_unlink_beside, FILES, false },
	{ "write a file beside the local socket", act_write_beside, FILES, false },
	{ "move a file out", act_rename_out, FILES, false },
	{ "link a file in", act_link_in, FILES, false },
	{ "write its own memory by /proc", act_own_mem, FILES, false },
	{ "read its own map", act_own_maps, FILES, false },
	{ "read another's memory by /proc", act_other_mem, FILES, false },
	{ "open a device", act_device, FILES, false },
	{ "open a terminal", act_pty, FILES, true },
	{ "make a symbolic link", act_symlink, FILES, false },
	{ "make a fifo", act_fifo, FILES, false },
	{ "truncate a file outside", act_truncate, ANY, false },
	{ "chmod a file outside", act_chmod, ANY, false },
	{ "chown a file outside", act_chown, ANY, false },
	{ "touch a file outside", act_utimes, ANY, false }, { "chdir", act_chdir, ANY, false },
	{ "inotify", act_watch, ANY, true }, { "memfd", act_memfd, ANY, false },
	{ "pipe", act_pipe, ANY, false }, { "fcntl F_SETOWN", act_setown, ANY, false },
	{ "ptrace another", act_ptrace, ANY, false }, { "ptrace TRACEME", act_traceme, ANY, false },
	{ "read another's memory", act_vm_read, ANY, false },
	{ "write another's memory", act_vm_write, ANY, false },
	{ "kill", act_kill, ANY, false }, { "tgkill another", act_tgkill, ANY, false },
	{ "tkill another", act_tkill, ANY, false }, { "pidfd", act_pidfd, ANY, false },
	{ "another's priority", act_priority, ANY, false },
	{ "another's limits", act_others_limit, ANY, false },
	{ "executable memory", act_mmap_exec, ANY, false },
	{ "memory to write and run", act_mmap_rwx, ANY, false },
	{ "mprotect to executable", act_mprotect, ANY, false },
	{ "pkey_mprotect to executable", act_pkey_mprotect, ANY, false },
	{ "all memory executable", act_implies_exec, ANY, false },
	{ "dumpable again", act_dumpable, ANY, false }, { "setrlimit", act_core, ANY, false },
	{ "prlimit", act_limit, ANY, false }, { "setuid", act_setuid, ANY, false },
	{ "setgid", act_setgroups, ANY, false }, { "unshare", act_userns, ANY, false },
	{ "sched_setaffinity", act_affinity, ANY, false }, { "a timer", act_timer, ANY, false },
	{ "io_uring", act_uring, ANY, true },
#ifdef __x86_64__
	{ "a 32-bit system call", act_int80, ANY, true },
#endif
};
#define N_ACTS (sizeof acts / sizeof acts[0])

/* ---- what a server does all day ---------------------------------------------------------- */

static bool day_files(void)
{
	char a[400], b[400], sub[400];
	int fd, dfd;
	bool ok;

	snprintf(a, sizeof a, "%s/a", inside);
	snprintf(b, sizeof b, "%s/b", inside);
	snprintf(sub, sizeof sub, "%s/sub", inside);
	fd = open(a, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	dfd = open(inside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && dfd >= 0 && pwrite(fd, "12345678", 8, 0) == 8 && ftruncate(fd, 4) == 0 &&
	     fdatasync(fd) == 0 && fsync(dfd) == 0 && linkat(dfd, "a", dfd, "c", 0) == 0 &&
	     renameat(dfd, "a", dfd, "b") == 0 && mkdirat(dfd, "sub", 0700) == 0 &&
	     unlinkat(dfd, "sub", AT_REMOVEDIR) == 0 && unlinkat(dfd, "b", 0) == 0 &&
	     unlinkat(dfd, "c", 0) == 0;
	ok = ok && mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED;
	return ok && close(fd) == 0 && close(dfd) == 0;
}

static bool day_memory(void)
{
	char *p = malloc(8 << 20);
	bool ok = p != NULL;

	if (ok)
		memset(p, 1, 8 << 20);
	free(p);
	return ok && mprotect(own_page(), 4096, PROT_READ) == 0;
}

static bool day_connection(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = pair[1], fd;            /* an epoll descriptor here: see prepare() */
	char byte;

	if (epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev) != 0 || epoll_wait(ep, &ev, 1, 5000) != 1)
		return false;
	/* before it stand those of the acts, ended long ago */
	do
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	while (fd >= 0 && read(fd, &byte, 1) != 1);
	return fd >= 0 && write(fd, &byte, 1) == 1 &&
	       shutdown(fd, SHUT_WR) == 0 && close(fd) == 0;
}

static const struct act day[] = {
	{ "files of the folder", day_files, ANY, false },
	{ "memory", day_memory, ANY, false },
	{ "a connection taken and answered", day_connection, ANY, false },
};

/* ---- running one ------------------------------------------------------------------------- */

enum how { FREE, BOUND, BOUND_THREAD, LANDLOCK };

static const struct act *running;
static pthread_barrier_t go;

static void *in_thread(void *arg)
{
	(void)pthread_barrier_wait(&go);
	_exit(running->run() ? 0 : 10);
}

/* the same start as the server's */
static void confine(enum how how, unsigned abi)
{
	const struct sandbox_folder folders[] = {
		{ inside, SANDBOX_STORE }, { sockets, SANDBOX_SOCKET }
	};
	unsigned got, calls;
	pthread_t t;

	if (sandbox_begin() != PERR_OK || sandbox_files(folders, 2, abi, &got) != PERR_OK)
		_exit(20);
	if (how == BOUND_THREAD) {
		(void)pthread_barrier_init(&go, NULL, 2);
		if (pthread_create(&t, NULL, in_thread, NULL) != 0)
			_exit(20);
	}
	if (how != LANDLOCK && sandbox_calls(SANDBOX_SERVE, &calls) != PERR_OK)
		_exit(20);
	if (how == BOUND_THREAD) {
		(void)pthread_barrier_wait(&go);
		for (;;)
			(void)sched_yield();
	}
}

static int loopback(int type)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, type, 0);

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return bind(fd, (struct sockaddr *)&any, sizeof any) == 0 ? fd : -1;
}

static bool touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	return fd >= 0 && close(fd) == 0;
}

/* each attempt finds the same world */
static bool prepare(void)
{
	char path[400];
	static const char *const left[] = { "stolen", "way-out", "fifo" };
	size_t i;

	(void)close(tcp);
	(void)close(udp);
	(void)close(bound);
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	udp = socket(AF_INET, SOCK_DGRAM, 0);
	bound = loopback(SOCK_STREAM);
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", inside, left[i]);
		(void)unlink(path);
	}
	snprintf(path, sizeof path, "%s/own", inside);
	(void)unlink(target);
	(void)rmdir(target);
	return touch(path) && touch(victim_file) && touch(beside);
}

static int look_after(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* 0: it succeeded; 10: it failed; 20: the sandbox could not be made; a signal as 100 + n */
static int attempt(const struct act *a, enum how how, unsigned abi)
{
	pid_t pid;
	int status;

	if (!prepare())
		return 20;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)alarm(20);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		running = a;
		if (how != FREE)
			confine(how, abi);
		_exit(a->run() ? 0 : 10);
	}
	status = look_after(pid);
	return WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int bad;

static void claim(bool ok, const char *text)
{
	printf("%s %s\n", ok ? "ok" : "FAIL", text);
	bad += !ok;
}

static bool is_refused(int r)
{
	return r == 10 || r == 100 + SIGSYS;
}

static void controls(bool *possible, unsigned *n)
{
	size_t i;

	*n = 0;
	for (i = 0; i < N_ACTS; i++) {
		possible[i] = attempt(&acts[i], FREE, 0) == 0;
		*n += possible[i];
		if (!possible[i] && !acts[i].may_lack) {
			printf("FAIL control: without the sandbox this should succeed: %s\n",
			       acts[i].name);
			bad++;
		} else if (!possible[i]) {
			printf("not possible on this machine anyway: %s\n", acts[i].name);
		}
	}
}

static void both(const bool *possible, unsigned n)
{
	unsigned refused = 0, killed = 0, tried = 0;
	size_t i;
	int how, r;

	for (i = 0; i < N_ACTS; i++) {
		for (how = BOUND; how <= BOUND_THREAD; how++) {
			if (!possible[i])
				continue;
			r = attempt(&acts[i], how, 0);
			tried++;
			refused += is_refused(r);
			killed += r == 100 + SIGSYS;
			if (!is_refused(r)) {
				printf("FAIL in the sandbox%s: %s (%d)\n",
				       how == BOUND ? "" : ", another thread", acts[i].name, r);
				bad++;
			}
		}
	}
	printf("figure: forbidden acts refused: %u/%u (%u acts, from two threads; %u ended the "
	       "process); control without the sandbox: %u/%u succeed\n", refused, tried, n, killed,
	       n, n);
	claim(refused == tried && n >= 60, "every forbidden act is refused, in every thread");
}

static void by_abi(const bool *possible, unsigned newest)
{
	unsigned abi, refused = 0, tried = 0, worked = 0;
	size_t i;

	for (abi = 1; abi <= newest; abi++) {
		for (i = 0; i < N_ACTS; i++) {
			int r;

			if (!possible[i] || acts[i].alone == ANY ||
			    (acts[i].alone == TCP_ABI4 && abi < 4))
				continue;
			r = attempt(&acts[i], LANDLOCK, abi);
			tried++;
			refused += r == 10;
			if (r != 10) {
				printf("FAIL Landlock alone, ABI %u: %s (%d)\n", abi,
				       acts[i].name, r);
				bad++;
			}
		}
		worked += attempt(&day[0], LANDLOCK, abi) == 0;
	}
	printf("figure: Landlock alone, ABI 1 to %u: acts refused: %u/%u; a store works: %u/%u\n",
	       newest, refused, tried, worked, newest);
	claim(refused == tried && tried > 0 && worked == newest,
	      "each version of Landlock closes the rest of the machine and lets a store work");
}

static void all_day(void)
{
	unsigned done = 0;
	size_t i;
	int ep = epoll_create1(EPOLL_CLOEXEC), c, keep = pair[1];
	char byte = 'x';

	c = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(c, (struct sockaddr *)&listen_at, sizeof listen_at) != 0 ||
	    write(c, &byte, 1) != 1)
		bad++;
	pair[1] = ep;
	for (i = 0; i < sizeof day / sizeof day[0]; i++) {
		int r = attempt(&day[i], BOUND, 0);

		done += r == 0;
		if (r != 0)
			printf("FAIL a server could not: %s (%d)\n", day[i].name, r);
	}
	pair[1] = keep;
	(void)close(c);
	(void)close(ep);
	claim(done == sizeof day / sizeof day[0], "what a server needs still works");
}

/* abort() must still end it at once, as it would without */
static bool act_abort(void)
{
	abort();
}

static bool world(const char *dir)
{
	socklen_t len = sizeof listen_at;

	snprintf(inside, sizeof inside, "%s/inside", dir);
	snprintf(outside, sizeof outside, "%s/outside", dir);
	snprintf(sockets, sizeof sockets, "%s/sockets", dir);
	snprintf(beside, sizeof beside, "%s/beside", sockets);
	snprintf(victim_file, sizeof victim_file, "%s/victim", outside);
	snprintf(target, sizeof target, "%s/new", outside);
	if (mkdir(inside, 0700) != 0 || mkdir(sockets, 0700) != 0 || mkdir(outside, 0700) != 0)
		return false;
	tcp = udp = bound = -1;
	listener = loopback(SOCK_STREAM);
	if (listener < 0 || listen(listener, 64) != 0 ||
	    getsockname(listener, (struct sockaddr *)&listen_at, &len) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return false;
	victim = fork();
	if (victim == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
		if (write(pair[1], "", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	/* it lets itself be traced before anybody tries */
	return victim > 0 && read(pair[0], victim_secret + 15, 1) == 1;
}

int main(int argc, char **argv)
{
	static const struct act dies = { "abort", act_abort, ANY, false };
	static bool possible[N_ACTS];
	unsigned n, abi = 0, calls;
	pid_t pid;

	if (argc != 2)
		return 2;
	if (!SANDBOX_BUILT) {
		printf("SKIP a sanitizer's build has no sandbox\n");
		return 0;
	}
	if (!world(argv[1])) {
		printf("FAIL the world of the test could not be made\n");
		return 1;
	}
	/* what this kernel has, asked in a child: none of it can be taken back */
	pid = fork();
	if (pid == 0) {
		if (sandbox_begin() != PERR_OK || sandbox_files(NULL, 0, 0, &abi) != PERR_OK)
			abi = 0;
		if (sandbox_calls(SANDBOX_SERVE, &calls) != PERR_OK)
			abi = 250;
		_exit((int)abi);
	}
	abi = (unsigned)WEXITSTATUS(look_after(pid));
	if (abi == 0 || abi == 250) {
		printf("SKIP THIS MACHINE HAS NO %s: THE SANDBOX IS NOT TESTED HERE\n",
		       abi == 0 ? "LANDLOCK" : "SECCOMP FILTER");
		(void)kill(victim, SIGKILL);
		return 0;
	}
	controls(possible, &n);
	both(possible, n);
	by_abi(possible, abi);
	all_day();
	claim(attempt(&dies, BOUND, 0) == 100 + SIGABRT, "an assertion that fails ends it at once");
	(void)kill(victim, SIGKILL);
	return bad != 0;
}
