/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting one child process by posix_spawn, and ending it. */
#include "common/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fault.h"

static void
set_start_fault(GError **error, const char *name, const char *cause)
{
    g_autofree char *object = g_strdup_printf("program '%s'", name);
    g_autofree char *remedy = g_strdup_printf("install the package that provides '%s'", name);

    fault_set(error, FAULT_PROGRAM_FAILED, object, remedy, "%s", cause);
}

static char *
find_program(const char *name, const char *const *environment, GError **error)
{
    const char *path = g_environ_getenv((char **)environment, "PATH");

    if (strchr(name, '/'))
        return g_strdup(name);
    g_auto(GStrv) directories = g_strsplit(path ? path : "", ":", -1);
    for (char **directory = directories; *directory; directory++) {
        g_autofree char *file = g_build_filename(*directory, name, NULL);
        if (g_file_test(file, G_FILE_TEST_IS_REGULAR) && access(file, X_OK) == 0)
            return g_steal_pointer(&file);
    }
    g_autofree char *cause = g_strdup_printf("not found in %s", path ? path : "an empty PATH");
    set_start_fault(error, name, cause);
    return NULL;
}

/* The new process moves @descriptors to 0, 1, 2 and closes the rest. Two steps, since a source may
 * lie where another one has to go: they are first lifted above all of them. */
static int
describe_descriptors(posix_spawn_file_actions_t *actions, const int descriptors[3])
{
    const int lifted = MAX(MAX(descriptors[0], descriptors[1]), MAX(descriptors[2], 2)) + 1;
    int result = 0;

    for (int i = 0; i < 3 && result == 0; i++)
        result = posix_spawn_file_actions_adddup2(actions, descriptors[i], lifted + i);
    for (int i = 0; i < 3 && result == 0; i++)
        result = posix_spawn_file_actions_adddup2(actions, lifted + i, i);
    return result ? result : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

static int
describe_process(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

static int
spawn(const char *file, const char *const *argv, const char *const *environment,
      const int descriptors[3], pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int result;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    result = describe_descriptors(&actions, descriptors);
    if (result == 0)
        result = describe_process(&attributes);
    if (result == 0)
        result = posix_spawn(ret_pid, file, &actions, &attributes, (char *const *)argv,
                             (char *const *)environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

gboolean
child_start(const char *const *argv, const char *const *environment, const int descriptors[3],
            Child *ret_child, GError **error)
{
    g_autofree char *file = find_program(argv[0], environment, error);
    Child child;

    if (!file)
        return FALSE;
    int result = spawn(file, argv, environment, descriptors, &child.pid);
    if (result != 0) {
        set_start_fault(error, argv[0], g_strerror(result));
        return FALSE;
    }
    child.pidfd = (int)syscall(SYS_pidfd_open, child.pid, 0);
    if (child.pidfd < 0) {
        int code = errno;
        child_end(&child);
        fault_set(error, FAULT_PROGRAM_FAILED, argv[0], NULL, "cannot watch it: %s",
                  g_strerror(code));
        return FALSE;
    }
    *ret_child = child;
    return TRUE;
}

int
child_end(Child *child)
{
    /* Before reaping: until then the number cannot belong to another group. */
    kill(-child->pid, SIGKILL);
    return child_reap(child);
}

int
child_reap(Child *child)
{
    int status = 0;
    pid_t pid;

    do
        pid = waitpid(child->pid, &status, 0);
    while (pid < 0 && errno == EINTR);
    if (child->pidfd >= 0)
        close(child->pidfd);
    child->pidfd = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
