/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * wasi: what wasi-libc would ask its host for, answered here with "there is none".  Only in
 * the WebAssembly build: a module without these imports cannot reach a file, a clock, an
 * environment or a process, whoever loads it.  Randomness and time come by two imports of our
 * own (web_main.c).
 *
 * All of what wasi-libc's __wasilibc_real.o defines and somebody refers to, so that this
 * object of it, which holds the imports, is never taken in.
 */
#include <stdlib.h>
#include <wasi/api.h>

#define NONE(name, ...) \
	__wasi_errno_t __wasi_##name(__VA_ARGS__) \
	{ \
		return __WASI_ERRNO_BADF; \
	}

NONE(environ_get, uint8_t **environ, uint8_t *buf)
NONE(environ_sizes_get, __wasi_size_t *n, __wasi_size_t *size)
NONE(fd_close, __wasi_fd_t fd)
NONE(fd_fdstat_get, __wasi_fd_t fd, __wasi_fdstat_t *out)
NONE(fd_fdstat_set_flags, __wasi_fd_t fd, __wasi_fdflags_t flags)
NONE(fd_prestat_get, __wasi_fd_t fd, __wasi_prestat_t *out)
NONE(fd_prestat_dir_name, __wasi_fd_t fd, uint8_t *path, __wasi_size_t len)
NONE(fd_read, __wasi_fd_t fd, const __wasi_iovec_t *iov, size_t n, __wasi_size_t *done)
NONE(fd_readdir, __wasi_fd_t fd, uint8_t *buf, __wasi_size_t size, __wasi_dircookie_t from,
     __wasi_size_t *done)
NONE(fd_seek, __wasi_fd_t fd, __wasi_filedelta_t by, __wasi_whence_t from, __wasi_filesize_t *at)
/* what an assertion says before it traps */
NONE(fd_write, __wasi_fd_t fd, const __wasi_ciovec_t *iov, size_t n, __wasi_size_t *done)
NONE(path_create_directory, __wasi_fd_t fd, const char *path)
NONE(path_filestat_get, __wasi_fd_t fd, __wasi_lookupflags_t how, const char *path,
     __wasi_filestat_t *out)
NONE(path_filestat_set_times, __wasi_fd_t fd, __wasi_lookupflags_t how, const char *path,
     __wasi_timestamp_t read, __wasi_timestamp_t written, __wasi_fstflags_t flags)
NONE(path_link, __wasi_fd_t fd, __wasi_lookupflags_t how, const char *path, __wasi_fd_t new_fd,
     const char *new_path)
NONE(path_open, __wasi_fd_t fd, __wasi_lookupflags_t how, const char *path, __wasi_oflags_t flags,
     __wasi_rights_t rights, __wasi_rights_t more, __wasi_fdflags_t fd_flags, __wasi_fd_t *out)
NONE(path_readlink, __wasi_fd_t fd, const char *path, uint8_t *buf, __wasi_size_t size,
     __wasi_size_t *done)
NONE(path_remove_directory, __wasi_fd_t fd, const char *path)
NONE(path_rename, __wasi_fd_t fd, const char *path, __wasi_fd_t new_fd, const char *new_path)
NONE(path_symlink, const char *path, __wasi_fd_t fd, const char *new_path)
NONE(path_unlink_file, __wasi_fd_t fd, const char *path)

_Noreturn void __wasi_proc_exit(__wasi_exitcode_t code)
{
	(void)code;
	__builtin_trap();
}

/*
 * What clang puts before a frame's return address elsewhere.  Here return addresses are out of
 * reach of data anyway; it still tells an overrun before its bytes are believed.
 */
__attribute__((import_module("amparo"), import_name("random"))) void amparo_random(uint8_t *out,
                                                                                   size_t len);
uintptr_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
	__builtin_trap();
}

/* first of all constructors */
__attribute__((constructor(101), no_stack_protector)) static void guard_make(void)
{
	amparo_random((uint8_t *)&__stack_chk_guard, sizeof __stack_chk_guard);
}
