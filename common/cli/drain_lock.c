/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/drain_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/fault.h"

#define LOCK_PATH "/run/migprep/drain.lock"

struct DrainLock {
    int fd;
};

static int
open_lock(const char *root, char **ret_path)
{
    g_autofree char *path = g_strconcat(root, LOCK_PATH, NULL);
    g_autofree char *directory = g_path_get_dirname(path);

    g_mkdir_with_parents(directory, 0755);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    *ret_path = g_steal_pointer(&path);
    return fd;
}

/* 0: nobody wrote one. */
static pid_t
read_holder(int fd)
{
    char text[32] = "";
    guint64 pid = 0;
    ssize_t length = pread(fd, text, sizeof text - 1, 0);

    if (length > 0)
        (void)g_ascii_string_to_unsigned(g_strchomp(text), 10, 1, G_MAXINT, &pid, NULL);
    return (pid_t)pid;
}

static gboolean
write_holder(int fd)
{
    char text[32];
    int length = g_snprintf(text, sizeof text, "%d\n", (int)getpid());

    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)length, 0) == length;
}

DrainLock *
drain_lock_take(const char *root, GError **error)
{
    g_autofree char *path = NULL;
    int fd = open_lock(root, &path);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && write_holder(fd)) {
        DrainLock *lock = g_new0(DrainLock, 1);
        lock->fd = fd;
        return lock;
    }
    if (fd >= 0 && errno == EWOULDBLOCK)
        fault_set(error, FAULT_GUEST_BUSY, "this host",
                  "wait for it, or stop it with 'migprep drain --cancel'",
                  "process %d is emptying it, or bringing guests back", (int)read_holder(fd));
    else
        fault_set(error, FAULT_STORE_FAILED, path, "run the command as root", "cannot lock it: %s",
                  g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

void
drain_lock_free(DrainLock *lock)
{
    if (!lock)
        return;
    close(lock->fd);
    g_free(lock);
}

/* Whoever is found has to have the lock still after it was made sure who that is: process numbers
 * are used again. */
static int
open_holder(int fd, pid_t holder)
{
    int process = holder > 0 ? (int)syscall(SYS_pidfd_open, holder, 0) : -1;

    if (process >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && read_holder(fd) == holder)
        return process;
    if (process >= 0)
        close(process);
    return -1;
}

gboolean
drain_lock_interrupt(const char *root, gboolean *ret_running, GError **error)
{
    g_autofree char *path = NULL;
    int fd = open_lock(root, &path);
    gboolean locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
    int process = locked ? open_holder(fd, read_holder(fd)) : -1;
    gboolean sent = FALSE;

    *ret_running = process >= 0;
    if (process >= 0) {
        sent = syscall(SYS_pidfd_send_signal, process, SIGINT, NULL, 0) == 0;
        if (!sent)
            fault_set(error, FAULT_PERMISSION_DENIED, "the drain of this host",
                      "run the command as root", "cannot be interrupted: %s", g_strerror(errno));
        close(process);
    }
    if (fd >= 0)
        close(fd);
    return sent;
}
