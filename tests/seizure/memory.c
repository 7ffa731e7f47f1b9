/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * seizure_memory PID FOLDER: what whoever takes a running machine has of one process.
 *
 *	FOLDER/memory       every readable and unreadable mapping, as /proc/PID/mem gives it: that
 *	                    passes over page protection, so that what sodium_malloc guards is
 *	                    here too; then the registers of every thread.  Pages of zeros are
 *	                    left out.
 *	FOLDER/memory.map   offset in that file, address, length, mapping
 *	FOLDER/environment  FOLDER/command-line
 *	FOLDER/kernel       the kernel's account of it: /proc/PID, each thread, each descriptor,
 *	                    each mapping's name
 *
 * All threads stand still meanwhile.  Prints "memory BYTES MAPPINGS UNREADABLE REGISTERS".
 * Exit code 0, or 2 if the process could not be stopped and read.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u
#define THREADS_MAX 512
#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif

static int pid;
static pid_t threads[THREADS_MAX];
static size_t n_threads;
static unsigned long long n_bytes, n_mappings, n_unreadable, n_registers;

static void die(const char *what)
{
	fprintf(stderr, "seizure_memory: %s: %s\n", what, strerror(errno));
	exit(2);
}

static FILE *create(const char *dir, const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (f == NULL)
		die(path);
	return f;
}

/* ---- standing still ---------------------------------------------------------------------- */

static bool known(pid_t tid)
{
	for (size_t i = 0; i < n_threads; i++)
		if (threads[i] == tid)
			return true;
	return false;
}

/* until a look finds no thread that is not stopped yet */
static void stop_all(void)
{
	bool more = true;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	while (more) {
		struct dirent *e;
		DIR *d = opendir(path);

		more = false;
		if (d == NULL)
			die(path);
		while ((e = readdir(d)) != NULL) {
			pid_t tid = (pid_t)atoi(e->d_name);
			int status;

			if (tid <= 0 || known(tid))
				continue;
			if (n_threads == THREADS_MAX ||
			    ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0 ||
			    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0 ||
			    waitpid(tid, &status, __WALL) != tid)
				die("a thread cannot be stopped");
			threads[n_threads++] = tid;
			more = true;
		}
		closedir(d);
	}
}

/* ---- memory ------------------------------------------------------------------------------ */

static bool is_zero(const uint8_t *p)
{
	return p[0] == 0 && memcmp(p, p + 1, PAGE - 1) == 0;
}

static void dump_mapping(int mem, FILE *out, FILE *map, unsigned long long from,
                         unsigned long long to, const char *what)
{
	static uint8_t buf[256 * PAGE];
	bool any = false;

	for (unsigned long long at = from; at < to;) {
		size_t want = to - at < sizeof buf ? (size_t)(to - at) : sizeof buf;
		ssize_t got = pread(mem, buf, want, (off_t)at);

		if (got < (ssize_t)PAGE) {
			/* beyond the end of a mapped file, or a page that nobody touched */
			at += PAGE;
			continue;
		}
		any = true;
		n_bytes += (unsigned long long)got;
		for (size_t i = 0; i + PAGE <= (size_t)got; i += PAGE) {
			if (is_zero(buf + i))
				continue;
			fprintf(map, "%llx %llx %x %s\n", (unsigned long long)ftello(out), at + i,
			        PAGE, what);
			if (fwrite(buf + i, 1, PAGE, out) != PAGE)
				die("memory");
		}
		at += (unsigned long long)got / PAGE * PAGE;
	}
	n_mappings++;
	n_unreadable += !any;
}

static void dump_memory(const char *dir)
{
	FILE *out = create(dir, "memory"), *map = create(dir, "memory.map"), *maps;
	char path[64], line[1024];
	int mem;

	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (mem < 0 || maps == NULL)
		die(path);
	while (fgets(line, sizeof line, maps) != NULL) {
		unsigned long long from, to;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%llx-%llx", &from, &to) == 2 && (from >> 63) == 0)
			dump_mapping(mem, out, map, from, to, line);
	}
	for (size_t i = 0; i < n_threads; i++) {
		static uint8_t regs[16384];
		const int kinds[] = { NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE };

		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
			struct iovec iov = { regs, sizeof regs };

			if (ptrace(PTRACE_GETREGSET, threads[i], kinds[k], &iov) != 0)
				continue;
			fprintf(map, "%llx registers of thread %d\n", (unsigned long long)ftello(out),
			        (int)threads[i]);
			n_registers += iov.iov_len;
			if (fwrite(regs, 1, iov.iov_len, out) != iov.iov_len)
				die("memory");
		}
	}
	(void)close(mem);
	fclose(maps);
	fclose(map);
	if (fclose(out) != 0)
		die("memory");
}

/* ---- the kernel's account ---------------------------------------------------------------- */

static void copy(FILE *out, const char *from)
{
	char buf[65536];
	ssize_t n;
	int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	fprintf(out, "== %s\n", from);
	while (fd >= 0 && (n = read(fd, buf, sizeof buf)) > 0)
		(void)fwrite(buf, 1, (size_t)n, out);
	if (fd >= 0)
		(void)close(fd);
	fputc('\n', out);
}

static void copy_link(FILE *out, const char *from)
{
	char to[4096];
	ssize_t n = readlink(from, to, sizeof to - 1);

	if (n > 0) {
		to[n] = '\0';
		fprintf(out, "%s -> %s\n", from, to);
	}
}

static void each(FILE *out, const char *folder, const char *below, bool links)
{
	char path[512];
	struct dirent *e;
	DIR *d = opendir(folder);

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s%s", folder, e->d_name, below);
		if (links)
			copy_link(out, path);
		else
			copy(out, path);
	}
	if (d != NULL)
		closedir(d);
}

static void dump_kernel(const char *dir)
{
	static const char *const files[] = {
		"auxv", "cgroup", "comm", "coredump_filter", "io", "limits", "maps", "mountinfo",
		"numa_maps", "oom_score", "personality", "sched", "schedstat", "smaps", "stack",
		"stat", "statm", "status", "syscall", "timers", "timerslack_ns", "wchan",
		"net/unix", "net/udp", "net/udp6", "net/sockstat", "net/arp", "net/route"
	};
	static const char *const of_threads[] = { "comm", "sched", "stack", "status", "syscall",
	                                          "wchan" };
	FILE *out = create(dir, "kernel"), *f;
	char path[128], below[32];

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
		copy(out, path);
	}
	snprintf(path, sizeof path, "/proc/%d/task", pid);
	for (size_t i = 0; i < sizeof of_threads / sizeof of_threads[0]; i++) {
		snprintf(below, sizeof below, "/%s", of_threads[i]);
		each(out, path, below, false);
	}
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	each(out, path, "", true);
	snprintf(path, sizeof path, "/proc/%d/fdinfo", pid);
	each(out, path, "", false);
	snprintf(path, sizeof path, "/proc/%d/map_files", pid);
	each(out, path, "", true);
	copy(out, "/proc/locks");
	fclose(out);
	f = create(dir, "environment");
	snprintf(path, sizeof path, "/proc/%d/environ", pid);
	copy(f, path);
	fclose(f);
	f = create(dir, "command-line");
	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	copy(f, path);
	fclose(f);
}

int main(int argc, char **argv)
{
	if (argc != 3 || (pid = atoi(argv[1])) <= 1) {
		fputs("Use: seizure_memory PID FOLDER\n", stderr);
		return 2;
	}
	if (mkdir(argv[2], 0700) != 0 && errno != EEXIST)
		die(argv[2]);
	dump_kernel(argv[2]);    /* where it waits while nobody holds it */
	stop_all();
	dump_memory(argv[2]);
	for (size_t i = 0; i < n_threads; i++)
		(void)ptrace(PTRACE_DETACH, threads[i], NULL, NULL);
	printf("memory\t%llu\t%llu\t%llu\t%llu\n", n_bytes, n_mappings, n_unreadable, n_registers);
	return n_bytes > 0 ? 0 : 2;
}
