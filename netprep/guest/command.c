/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spawns a program and waits for it. */
#include "netprep/guest/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The agent that started us may have a PATH without the directories in which such programs are. */
static const char *const directories[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };

static int
spawn_in(const char *directory, char *const *argv, const posix_spawn_file_actions_t *actions,
         const posix_spawnattr_t *attributes, pid_t *ret_pid)
{
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
    char *const environment[] = { path, locale, NULL };
    char program[PATH_MAX];

    if (snprintf(program, sizeof(program), "%s/%s", directory, argv[0]) >= (int)sizeof(program))
        return ENAMETOOLONG;
    return posix_spawn(ret_pid, program, actions, attributes, argv, environment);
}

static int
spawn(char *const *argv, const sigset_t *mask, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int status = ENOENT;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, mask);
    for (size_t i = 0; status == ENOENT && i < sizeof(directories) / sizeof(directories[0]); i++)
        status = spawn_in(directories[i], argv, &actions, &attributes, ret_pid);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return status;
}

/* A signal that came before the wait began is still pending, as it is blocked. */
static bool
wait_for(pid_t pid, unsigned timeout_seconds, int *ret_status)
{
    struct timespec now, deadline;
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_seconds;
    while (waitpid(pid, ret_status, WNOHANG) == 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= deadline.tv_sec)
            return false;
        const struct timespec left = { .tv_sec = deadline.tv_sec - now.tv_sec };
        (void)sigtimedwait(&child, NULL, &left);
    }
    return true;
}

bool
command_run(char *const *argv, unsigned timeout_seconds, Failure *failure)
{
    sigset_t child, before;
    pid_t pid = 0;
    int status = 0;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &before);
    int spawned = spawn(argv, &before, &pid);
    if (spawned != 0) {
        failure_set(failure, "%s cannot be run: %s", argv[0], strerror(spawned));
    } else if (!wait_for(pid, timeout_seconds, &status)) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        failure_set(failure, "%s did not end within %u seconds", argv[0], timeout_seconds);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        failure_set(failure, "%s failed with status %d", argv[0],
                    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return !failure->text[0];
}
