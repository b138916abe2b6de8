/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forks a hook, drops what it must not have, reads what it says, ends it at its deadline. */
#include "netprep/guest/hook_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NOT_RUN 126
#define NOBODY       65534 /* the kernel's overflowuid */

typedef struct {
    uid_t user;
    gid_t group;
} Account;

/* A small guest may have no list of users: then it is who the kernel takes for nobody. */
static Account
find_account(void)
{
    const struct passwd *entry = getpwnam(HOOK_USER);

    return entry ? (Account) { entry->pw_uid, entry->pw_gid } : (Account) { NOBODY, NOBODY };
}

/* In the child, where only async-signal-safe functions are called: the user was looked up before.
 */
static void
become(const char *path, const HookProcess *process, const Account *account, int output)
{
    char phase[64];
    char search[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
    char *const environment[] = { search, locale, phase, NULL };
    char *const argv[] = { (char *)path, NULL };
    int input = open("/dev/null", O_RDONLY);

    snprintf(phase, sizeof(phase), "NETPREP_PHASE=%s", process->phase);
    setpgid(0, 0);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0 || chdir("/") < 0)
        _exit(EXIT_NOT_RUN);
    closefrom(STDERR_FILENO + 1);
    if (account &&
        (setgroups(0, NULL) < 0 || setgid(account->group) < 0 || setuid(account->user) < 0))
        _exit(EXIT_NOT_RUN);
    if (account)
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    execve(path, argv, environment);
    _exit(EXIT_NOT_RUN);
}

static int
milliseconds_until(const struct timespec *deadline)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    const long left =
        (deadline->tv_sec - now.tv_sec) * 1000L + (deadline->tv_nsec - now.tv_nsec) / 1000000L;
    return left > 0 ? (int)left : 0;
}

/* Takes what there is; what does not fit is read and dropped, so that nobody blocks on us. False at
 * the end. */
static bool
take_output(int fd, HookProcess *process, size_t *length)
{
    char chunk[1024];
    ssize_t count = read(fd, chunk, sizeof(chunk));

    if (count <= 0)
        return count < 0 && errno == EINTR;
    for (ssize_t i = 0; i < count && *length < HOOK_OUTPUT_BYTES_MAX; i++) {
        const unsigned char byte = (unsigned char)chunk[i];

        /* JSON takes UTF-8 only, and a hook may print anything. */
        process->output[(*length)++] = byte == 0 || byte >= 0x80 ? '?' : chunk[i];
    }
    process->output[*length] = '\0';
    return true;
}

/* False at the deadline. Its end is the end of its output, by whoever holds that, or its death. */
static bool
follow(int fd, int pidfd, HookProcess *process)
{
    struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
    size_t length = 0;

    for (;;) {
        const int left = milliseconds_until(&process->deadline);
        const int ready = left > 0 ? poll(fds, 2, left) : 0;

        if (ready == 0)
            return false;
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready > 0 && fds[0].revents && !take_output(fd, process, &length))
            fds[0].fd = -1;
        else if (ready > 0 && !fds[0].revents && fds[1].revents)
            return true;
    }
}

static void
judge(int status, bool in_time, Failure *failure)
{
    if (!in_time)
        failure_set(failure, "it did not end in time");
    else if (WIFSIGNALED(status))
        failure_set(failure, "it was killed by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == EXIT_NOT_RUN)
        failure_set(failure, "it cannot be run");
    else if (WEXITSTATUS(status) != 0)
        failure_set(failure, "it failed with status %d", WEXITSTATUS(status));
}

static void
attend(pid_t pid, int fd, HookProcess *process)
{
    int status = 0;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    bool in_time = pidfd >= 0 && follow(fd, pidfd, process);

    kill(-pid, SIGKILL); /* before it is reaped: until then the number is its own */
    kill(pid, SIGKILL);  /* if it had no time to make a group */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (pidfd >= 0)
        close(pidfd);
    judge(status, in_time, &process->failure);
}

void
hook_process_run(const char *path, HookProcess *process)
{
    const bool drops = !process->privileged && geteuid() == 0;
    const Account account = find_account();
    int ends[2] = { -1, -1 };

    process->output = calloc(1, HOOK_OUTPUT_BYTES_MAX + 1);
    if (!process->output)
        abort();
    if (pipe2(ends, O_CLOEXEC) < 0) {
        failure_set(&process->failure, "no pipe: %s", strerror(errno));
        return;
    }
    const pid_t pid = fork();
    if (pid == 0)
        become(path, process, drops ? &account : NULL, ends[1]);
    close(ends[1]);
    if (pid < 0)
        failure_set(&process->failure, "it cannot be started: %s", strerror(errno));
    else
        attend(pid, ends[0], process);
    close(ends[0]);
}
