/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/faulty_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/child.h"
#include "common/fault.h"
#include "common/hypervisor.h"
#include "common/program.h"
#include "storprep/firewall.h"
#include "storprep/mount_table.h"
#include "storprep/nfs_server.h"

/* The linker leads calls of NAME to __wrap_NAME, and calls of __real_NAME to NAME. */
#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

static Injector *used; /* the wrapped calls know nothing but their arguments */

void
faulty_calls_use(Injector *injector)
{
    g_atomic_pointer_set(&used, injector);
}

static Deed
reach(InjectorPoint point, int *ret_errno)
{
    Injector *injector = g_atomic_pointer_get(&used);

    return injector ? injector_pass(injector, point, ret_errno) : DEED_DONE;
}

/* Calls of the kernel. A deed that is lost fails as well. */

static int
fail(int number)
{
    errno = number;
    return -1;
}

#define KERNEL(call)                                                                               \
    int number = EIO;                                                                              \
    Deed deed = reach(POINT_KERNEL, &number);                                                      \
    int status = deed == DEED_FAILS ? -1 : (call);                                                 \
    return deed == DEED_DONE ? status : fail(number)

WRAP(int, ftruncate64, int fd, off_t length)
{
    KERNEL(__real_ftruncate64(fd, length));
}

WRAP(ssize_t, sendfile64, int fd, int from_fd, off_t *offset, size_t count)
{
    KERNEL((int)__real_sendfile64(fd, from_fd, offset, count));
}

WRAP(int, fsync, int fd)
{
    KERNEL(__real_fsync(fd));
}

WRAP(int, fchown, int fd, uid_t owner, gid_t group)
{
    KERNEL(__real_fchown(fd, owner, group));
}

WRAP(int, fchmod, int fd, mode_t mode)
{
    KERNEL(__real_fchmod(fd, mode));
}

WRAP(int, mkdirat, int fd, const char *name, mode_t mode)
{
    KERNEL(__real_mkdirat(fd, name, mode));
}

WRAP(int, linkat, int old_fd, const char *old_name, int fd, const char *name, int flags)
{
    KERNEL(__real_linkat(old_fd, old_name, fd, name, flags));
}

WRAP(int, unlinkat, int fd, const char *name, int flags)
{
    KERNEL(__real_unlinkat(fd, name, flags));
}

WRAP(int, renameat2, int old_fd, const char *old_name, int fd, const char *name, unsigned flags)
{
    KERNEL(__real_renameat2(old_fd, old_name, fd, name, flags));
}

int __real_openat64(int fd, const char *name, int flags, ...);
int __wrap_openat64(int fd, const char *name, int flags, ...);

/* Opening what is there changes nothing. */
int
__wrap_openat64(int fd, const char *name, int flags, ...)
{
    int number = EIO;
    mode_t mode = 0;

    if (!(flags & O_CREAT))
        return __real_openat64(fd, name, flags);
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    Deed deed = reach(POINT_KERNEL, &number);
    int made = deed == DEED_FAILS ? -1 : __real_openat64(fd, name, flags, mode);

    if (deed == DEED_DONE)
        return made;
    if (made >= 0)
        close(made);
    return fail(number);
}

/* Calls of others. */

static gboolean
spoil(GError **error)
{
    fault_set(error, FAULT_PROGRAM_FAILED, "this host", "mend it", "failed on purpose");
    return FALSE;
}

#define REMOTE(call)                                                                               \
    int number;                                                                                    \
    Deed deed = reach(POINT_REMOTE, &number);                                                      \
    GError **asked = error;                                                                        \
    error = deed == DEED_DONE ? asked : NULL;                                                      \
    gboolean status = deed != DEED_FAILS && (call);                                                \
    return deed == DEED_DONE ? status : spoil(asked)

/* What only asks loses nothing but its answer. */
#define QUESTION(call)                                                                             \
    int number;                                                                                    \
    if (reach(POINT_REMOTE, &number) == DEED_DONE)                                                 \
        return (call);                                                                             \
    spoil(error);                                                                                  \
    return 0

/* Likewise for what ends with a result. */
#define RUN(name, ...)                                                                             \
    int number;                                                                                    \
    Deed deed = reach(POINT_REMOTE, &number);                                                      \
    ProgramResult lost = { 0 };                                                                    \
    if (deed == DEED_DONE)                                                                         \
        return name(__VA_ARGS__, ret_result, error);                                               \
    if (deed == DEED_LOST && name(__VA_ARGS__, &lost, NULL))                                       \
        program_result_clear(&lost);                                                               \
    return spoil(error)

WRAP(gboolean, program_run, const char *const *argv, const char *input, unsigned timeout_seconds,
     GCancellable *cancellable, ProgramResult *ret_result, GError **error)
{
    RUN(__real_program_run, argv, input, timeout_seconds, cancellable);
}

WRAP(gboolean, program_perform, const ProgramTask *task, ProgramResult *ret_result, GError **error)
{
    RUN(__real_program_perform, task);
}

/* A child of a daemon that does not know of it ends with the daemon's control group. */
WRAP(gboolean, child_start, const char *const *argv, const char *const *environment,
     const int descriptors[3], Child *ret_child, GError **error)
{
    QUESTION(__real_child_start(argv, environment, descriptors, ret_child, error));
}

WRAP(GPtrArray *, nfs_server_list, NfsServer *server, GError **error)
{
    QUESTION(__real_nfs_server_list(server, error));
}

WRAP(gboolean, nfs_server_add, NfsServer *server, const char *client, const char *path,
     const char *options, GError **error)
{
    REMOTE(__real_nfs_server_add(server, client, path, options, error));
}

WRAP(gboolean, nfs_server_remove, NfsServer *server, const char *client, const char *path,
     GError **error)
{
    REMOTE(__real_nfs_server_remove(server, client, path, error));
}

WRAP(gboolean, mount_table_find, MountTable *table, const char *target, MountEntry **ret_entry,
     GError **error)
{
    QUESTION(__real_mount_table_find(table, target, ret_entry, error));
}

WRAP(gboolean, mount_table_mount, MountTable *table, const char *source, const char *target,
     const char *options, GError **error)
{
    REMOTE(__real_mount_table_mount(table, source, target, options, error));
}

WRAP(gboolean, mount_table_unmount, MountTable *table, const MountEntry *entry, GError **error)
{
    REMOTE(__real_mount_table_unmount(table, entry, error));
}

WRAP(gboolean, firewall_set_open, Firewall *firewall, gboolean open, GError **error)
{
    REMOTE(__real_firewall_set_open(firewall, open, error));
}

WRAP(Guest *, hypervisor_get_guest, Hypervisor *hypervisor, const char *guest, GError **error)
{
    QUESTION(__real_hypervisor_get_guest(hypervisor, guest, error));
}

WRAP(GPtrArray *, hypervisor_list_guests, Hypervisor *hypervisor, GError **error)
{
    QUESTION(__real_hypervisor_list_guests(hypervisor, error));
}

WRAP(GPtrArray *, hypervisor_list_pools, Hypervisor *hypervisor, GError **error)
{
    QUESTION(__real_hypervisor_list_pools(hypervisor, error));
}

WRAP(gboolean, hypervisor_create_pool, Hypervisor *hypervisor, const StoragePool *pool,
     GError **error)
{
    REMOTE(__real_hypervisor_create_pool(hypervisor, pool, error));
}

WRAP(gboolean, hypervisor_destroy_pool, Hypervisor *hypervisor, const char *name, GError **error)
{
    REMOTE(__real_hypervisor_destroy_pool(hypervisor, name, error));
}

WRAP(gboolean, hypervisor_migrate, Hypervisor *hypervisor, const char *uuid,
     const MigrationRequest *request, GError **error)
{
    REMOTE(__real_hypervisor_migrate(hypervisor, uuid, request, error));
}

WRAP(gboolean, hypervisor_abort_job, Hypervisor *hypervisor, const char *uuid, GError **error)
{
    REMOTE(__real_hypervisor_abort_job(hypervisor, uuid, error));
}

WRAP(gboolean, hypervisor_get_progress, Hypervisor *hypervisor, const char *uuid,
     MigrationProgress *ret_progress, GError **error)
{
    QUESTION(__real_hypervisor_get_progress(hypervisor, uuid, ret_progress, error));
}

WRAP(char *, hypervisor_agent_command, Hypervisor *hypervisor, const char *uuid,
     const char *command, unsigned timeout_seconds, GError **error)
{
    int number;
    Deed deed = reach(POINT_REMOTE, &number);
    char *reply = NULL;

    if (deed != DEED_FAILS)
        reply = __real_hypervisor_agent_command(hypervisor, uuid, command, timeout_seconds,
                                                deed == DEED_DONE ? error : NULL);
    if (deed == DEED_DONE)
        return reply;
    g_free(reply);
    spoil(error);
    return NULL;
}

WRAP(gboolean, hypervisor_set_metadata, Hypervisor *hypervisor, const char *uuid, const char *uri,
     const char *prefix, const char *xml, DeviceScope scope, GError **error)
{
    REMOTE(__real_hypervisor_set_metadata(hypervisor, uuid, uri, prefix, xml, scope, error));
}

WRAP(gboolean, hypervisor_save, Hypervisor *hypervisor, const char *uuid, GError **error)
{
    REMOTE(__real_hypervisor_save(hypervisor, uuid, error));
}

WRAP(gboolean, hypervisor_shut_down, Hypervisor *hypervisor, const char *uuid, GError **error)
{
    REMOTE(__real_hypervisor_shut_down(hypervisor, uuid, error));
}

WRAP(gboolean, hypervisor_start, Hypervisor *hypervisor, const char *uuid, GError **error)
{
    REMOTE(__real_hypervisor_start(hypervisor, uuid, error));
}
