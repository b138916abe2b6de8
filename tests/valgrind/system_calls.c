/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls that valgrind does not know (3.19, Debian 12's, lacks openat2 and pidfd_open), for
 * programs that run under it: it says that the kernel has none, so they are made without it. Loaded
 * before the C library by `meson test --setup valgrind` only.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

#define ARGUMENTS 6

typedef long (*SystemCall)(long number, ...);

/* Those that never block: no other thread runs meanwhile. They change nothing in memory that
 * valgrind would have to be told of. */
static int
is_made_without(long number)
{
    return number == SYS_openat2 || number == SYS_pidfd_open || number == SYS_pidfd_send_signal;
}

/* Runs on the processor itself, where there is no thread-local storage: errno is left alone. */
static long
call_kernel(long thread, const long *words)
{
    long result;
#if defined(__x86_64__)
    register long fourth __asm__("r10") = words[4];

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(words[0]), "D"(words[1]), "S"(words[2]), "d"(words[3]), "r"(fourth)
                     : "rcx", "r11", "memory");
#else
    result = -ENOSYS;
#endif
    return result;
}

long
syscall(long number, ...)
{
    SystemCall real = (SystemCall)dlsym(RTLD_NEXT, "syscall");
    long words[1 + ARGUMENTS] = { number };
    va_list arguments;

    va_start(arguments, number);
    for (int i = 1; i <= ARGUMENTS; i++)
        words[i] = va_arg(arguments, long);
    va_end(arguments);
    if (!RUNNING_ON_VALGRIND || !is_made_without(number))
        return real(number, words[1], words[2], words[3], words[4], words[5], words[6]);
    long result = (long)VALGRIND_NON_SIMD_CALL1(call_kernel, words);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}
