/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls wait for a libvirt that is about to come, and not for one that stays away. */
#include <glib/gstdio.h>
#include <libvirt-glib/libvirt-glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "common/fault.h"
#include "common/hypervisor_libvirt.h"

/* Long enough for any machine: what is waited for comes at once. */
#define PATIENT_SECONDS   600
#define IMPATIENT_SECONDS 1

#define DOMAIN(name, last)                                                                         \
    "<domain type='test'><name>" name "</name><uuid>7c8a1f9e-6f0e-4d5b-9c39-0d0a3c7b1a5" last      \
    "</uuid><memory>8192</memory><os><type>hvm</type></os></domain>"

static const char node_text[] = "<node>" DOMAIN("web1", "5") "</node>";
#define POOL(name)                                                                                 \
    "<pool type='dir'><name>" name "</name><target><path>/srv/" name "</path></target></pool>"
static const char pools_text[] = "<node>" POOL("isos") POOL("images") "</node>";
static const char two_guests_text[] = "<node>" DOMAIN("web1", "5") DOMAIN("web2", "6") "</node>";

/* Freed by the thread of the loop, as a daemon does it: there it cannot be in the middle of telling
 * an event. */
typedef Hypervisor *LoopedHypervisor;

typedef struct {
    Hypervisor *hypervisor;
    GAsyncQueue *freed;
} Farewell;

static gboolean
free_in_loop(gpointer data)
{
    Farewell *farewell = data;

    hypervisor_free(farewell->hypervisor);
    g_async_queue_push(farewell->freed, farewell);
    return G_SOURCE_REMOVE;
}

static void
free_by_loop(LoopedHypervisor hypervisor)
{
    g_autoptr(GAsyncQueue) freed = g_async_queue_new();
    Farewell farewell = { hypervisor, freed };

    g_idle_add(free_in_loop, &farewell);
    g_async_queue_pop(freed);
}
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(LoopedHypervisor, free_by_loop, NULL)

/* What becomes of web1 between a list of guests and the look at each. */
static enum { READABLE, UNREADABLE, GONE } web1;

/* The linker leads ours here. */
char *__real_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags);
char *__wrap_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags);

char *
__wrap_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
    gboolean meant = g_strcmp0(virDomainGetName(domain), "web1") == 0;

    if (meant && web1 == UNREADABLE)
        return __real_virDomainGetXMLDesc(NULL, flags);
    if (meant && web1 == GONE) {
        virDomainDestroy(domain);
        virDomainUndefine(domain);
    }
    return __real_virDomainGetXMLDesc(domain, flags);
}

/* Likewise of the pool isos; STRANGE is a description that nobody understands. */
static enum { POOL_READABLE, POOL_UNREADABLE, POOL_STRANGE, POOL_GONE } isos;

char *__real_virStoragePoolGetXMLDesc(virStoragePoolPtr pool, unsigned flags);
char *__wrap_virStoragePoolGetXMLDesc(virStoragePoolPtr pool, unsigned flags);

char *
__wrap_virStoragePoolGetXMLDesc(virStoragePoolPtr pool, unsigned flags)
{
    gboolean meant = g_strcmp0(virStoragePoolGetName(pool), "isos") == 0;

    if (meant && isos == POOL_UNREADABLE)
        return __real_virStoragePoolGetXMLDesc(NULL, flags);
    if (meant && isos == POOL_STRANGE)
        return strdup("<pool/>");
    if (meant && isos == POOL_GONE) {
        virStoragePoolDestroy(pool);
        virStoragePoolUndefine(pool);
    }
    return __real_virStoragePoolGetXMLDesc(pool, flags);
}

/* What libvirt says when it is asked for a guest's job. */
static int job_error;

int __wrap_virDomainGetJobInfo(virDomainPtr domain, virDomainJobInfoPtr info);
int __real_virDomainGetJobInfo(virDomainPtr domain, virDomainJobInfoPtr info);
int __wrap_virGetLastErrorCode(void);
int __real_virGetLastErrorCode(void);

int
__wrap_virDomainGetJobInfo(virDomainPtr domain, virDomainJobInfoPtr info)
{
    return __real_virDomainGetJobInfo(job_error ? NULL : domain, info);
}

int
__wrap_virGetLastErrorCode(void)
{
    return job_error ? job_error : __real_virGetLastErrorCode();
}

/* A libvirt of the test driver, which is there as soon as its file is. */
typedef struct {
    char *directory;
    char *node;
    char *uri;
} Place;

static void
set_up(Place *place, const void *unused)
{
    place->directory = g_dir_make_tmp("libvirt-XXXXXX", NULL);
    place->node = g_build_filename(place->directory, "node.xml", NULL);
    place->uri = g_strdup_printf("test://%s", place->node);
}

static void
tear_down(Place *place, const void *unused)
{
    g_unlink(place->node);
    g_assert_cmpint(g_rmdir(place->directory), ==, 0);
    g_free(place->uri);
    g_free(place->node);
    g_free(place->directory);
}

/* The link tells of each attempt that fails: libvirt comes after the first. */
static void
come(const char *log_domain, GLogLevelFlags level, const char *message, void *data)
{
    const Place *place = data;

    if (g_str_has_prefix(message, "libvirt at") && !g_file_test(place->node, G_FILE_TEST_EXISTS))
        g_assert_true(g_file_set_contents(place->node, node_text, -1, NULL));
}

static void
test_call_waits_for_libvirt(Place *place, const void *unused)
{
    guint handler = g_log_set_handler("migprep", G_LOG_LEVEL_DEBUG, come, place);
    g_auto(LoopedHypervisor) hypervisor = hypervisor_new_libvirt(place->uri, PATIENT_SECONDS);
    g_autoptr(GError) error = NULL;
    g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, "web1", &error);

    g_assert_no_error(error);
    g_assert_nonnull(guest);
    g_log_remove_handler("migprep", handler);
}

static void
test_calls_do_not_wait_for_ever(Place *place, const void *unused)
{
    g_auto(LoopedHypervisor) hypervisor = hypervisor_new_libvirt(place->uri, IMPATIENT_SECONDS);
    g_autoptr(GError) error = NULL;

    g_assert_null(hypervisor_get_guest(hypervisor, "web1", &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_UNAVAILABLE);
    g_assert_cmpstr(fault_remedy(error), !=, "");
    g_clear_error(&error);
    g_assert_null(hypervisor_list_guests(hypervisor, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_UNAVAILABLE);
}

/* Also a loop that has not begun yet ends by it. */
static gboolean
quit_loop(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static void
test_watch_hears_of_the_connection(Place *place, const void *unused)
{
    g_auto(LoopedHypervisor) hypervisor = hypervisor_new_libvirt(place->uri, PATIENT_SECONDS);
    g_autoptr(HypervisorWatch) watch = hypervisor_watch_new(hypervisor, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(place->node, node_text, -1, NULL));
    gint64 deadline = g_get_monotonic_time() + PATIENT_SECONDS * G_TIME_SPAN_SECOND;
    g_autoptr(HypervisorEvent) event = hypervisor_watch_next(watch, deadline, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(event->type, ==, HYPERVISOR_EVENT_RECONNECTED);
    g_assert_cmpstr(event->uuid, ==, "");
}

/* A migration has begun: what libvirt says when asked for the job. */
static gboolean
ask_for_job(Place *place, int says, gboolean *ret_has_job, GError **error)
{
    g_auto(LoopedHypervisor) hypervisor = hypervisor_new_libvirt(place->uri, PATIENT_SECONDS);

    g_assert_true(g_file_set_contents(place->node, node_text, -1, NULL));
    job_error = says;
    g_autoptr(Guest) guest = hypervisor_get_guest(hypervisor, "web1", error);
    job_error = VIR_ERR_OK;
    *ret_has_job = guest && guest->has_job;
    return guest != NULL;
}

static void
test_job_that_cannot_be_asked_for_is_not_none(Place *place, const void *unused)
{
    g_autoptr(GError) error = NULL;
    gboolean has_job = FALSE;

    g_assert_false(ask_for_job(place, VIR_ERR_RPC, &has_job, &error));
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
    g_assert_true(ask_for_job(place, VIR_ERR_OPERATION_TIMEOUT, &has_job, NULL));
    g_assert_true(has_job);
    g_assert_true(ask_for_job(place, VIR_ERR_OPERATION_INVALID, &has_job, NULL));
    g_assert_false(has_job);
}

static GPtrArray *
list(Place *place, GError **error)
{
    g_auto(LoopedHypervisor) hypervisor = hypervisor_new_libvirt(place->uri, PATIENT_SECONDS);

    g_assert_true(g_file_set_contents(place->node, two_guests_text, -1, NULL));
    return hypervisor_list_guests(hypervisor, error);
}

/* A list without it would be one of a host that has not got it. */
static void
test_list_without_a_guest_that_cannot_be_read_is_none(Place *place, const void *unused)
{
    g_autoptr(GError) error = NULL;

    web1 = UNREADABLE;
    g_autoptr(GPtrArray) guests = list(place, &error);
    web1 = READABLE;
    g_assert_null(guests);
    g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
}

static void
test_guest_that_goes_meanwhile_is_left_out(Place *place, const void *unused)
{
    g_autoptr(GError) error = NULL;

    web1 = GONE;
    g_autoptr(GPtrArray) guests = list(place, &error);
    web1 = READABLE;
    g_assert_no_error(error);
    g_assert_cmpuint(guests->len, ==, 1);
    g_assert_cmpstr(((const Guest *)guests->pdata[0])->name, ==, "web2");
}

static GPtrArray *
list_pools(Place *place, int state, GError **error)
{
    g_autoptr(Hypervisor) hypervisor = hypervisor_new_libvirt(place->uri, PATIENT_SECONDS);

    g_assert_true(g_file_set_contents(place->node, pools_text, -1, NULL));
    isos = state;
    GPtrArray *pools = hypervisor_list_pools(hypervisor, error);
    isos = POOL_READABLE;
    return pools;
}

/* Without it, what lies in it would be in no pool. */
static void
test_list_without_a_pool_that_cannot_be_read_is_none(Place *place, const void *unused)
{
    for (int state = POOL_UNREADABLE; state <= POOL_STRANGE; state++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) pools = list_pools(place, state, &error);

        g_assert_null(pools);
        g_assert_error(error, FAULT, FAULT_HYPERVISOR_FAILED);
        g_assert_nonnull(strstr(fault_object(error), "isos"));
    }
}

static void
test_pool_that_goes_meanwhile_is_left_out(Place *place, const void *unused)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) pools = list_pools(place, POOL_GONE, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(pools->len, ==, 1);
    g_assert_cmpstr(((const StoragePool *)pools->pdata[0])->name, ==, "images");
}

static void *
run_loop(void *loop)
{
    g_main_loop_run(loop);
    return NULL;
}

/* Files that a migration wrote to are known by it. */
static void
test_guest_that_comes_in_is_told(void)
{
    HypervisorEventType type;

    g_assert_true(libvirt_event_of_lifecycle(VIR_DOMAIN_EVENT_STARTED,
                                             VIR_DOMAIN_EVENT_STARTED_MIGRATED, &type));
    g_assert_cmpint(type, ==, HYPERVISOR_EVENT_COMING);
    g_assert_true(libvirt_event_of_lifecycle(VIR_DOMAIN_EVENT_STARTED,
                                             VIR_DOMAIN_EVENT_STARTED_BOOTED, &type));
    g_assert_cmpint(type, ==, HYPERVISOR_EVENT_RESUMED);
}

int
main(int argc, char **argv)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);

    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
    gvir_event_register();
    GThread *thread = g_thread_new("loop", run_loop, loop);
    g_test_add("/libvirt-link/call-waits-for-libvirt", Place, NULL, set_up,
               test_call_waits_for_libvirt, tear_down);
    g_test_add("/libvirt-link/calls-do-not-wait-for-ever", Place, NULL, set_up,
               test_calls_do_not_wait_for_ever, tear_down);
    g_test_add("/libvirt-link/watch-hears-of-the-connection", Place, NULL, set_up,
               test_watch_hears_of_the_connection, tear_down);
    g_test_add("/libvirt-link/list-without-a-guest-that-cannot-be-read-is-none", Place, NULL,
               set_up, test_list_without_a_guest_that_cannot_be_read_is_none, tear_down);
    g_test_add("/libvirt-link/job-that-cannot-be-asked-for-is-not-none", Place, NULL, set_up,
               test_job_that_cannot_be_asked_for_is_not_none, tear_down);
    g_test_add("/libvirt-link/guest-that-goes-meanwhile-is-left-out", Place, NULL, set_up,
               test_guest_that_goes_meanwhile_is_left_out, tear_down);
    g_test_add("/libvirt-link/list-without-a-pool-that-cannot-be-read-is-none", Place, NULL, set_up,
               test_list_without_a_pool_that_cannot_be_read_is_none, tear_down);
    g_test_add("/libvirt-link/pool-that-goes-meanwhile-is-left-out", Place, NULL, set_up,
               test_pool_that_goes_meanwhile_is_left_out, tear_down);
    g_test_add_func("/libvirt-link/guest-that-comes-in-is-told", test_guest_that_comes_in_is_told);
    int status = g_test_run();
    g_idle_add(quit_loop, loop);
    g_thread_join(thread);
    return status;
}
