/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks what CreateTargets would ask, and creates nothing. */
#include "storprep/target_check.h"

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/image_identity.h"
#include "storprep/image_place.h"
#include "storprep/target_files.h"
#include "storprep/target_lease.h"
#include "storprep/target_space.h"

#define HOST "this host"

typedef struct {
    const StorageChecks *checks; /* borrowed */
    GuestFacts *facts;
    TargetRequest *request; /* of what is to be copied; NULL: nothing is */
    GPtrArray *shared;      /* of char *: paths where the guest's own images are */
} Context;

static void
context_free(void *data)
{
    Context *context = data;

    guest_facts_free(context->facts);
    target_request_free(context->request);
    g_clear_pointer(&context->shared, g_ptr_array_unref);
    g_free(context);
}

/* The members that a Target has in common with a Disk. */
static json_t *
target_of(const json_t *disk)
{
    static const char *const members[] = {
        "path",   "format",     "virtualSizeBytes", "clusterSizeBytes",
        "compat", "extendedL2", "lazyRefcounts",    "refcountBits"
    };
    json_t *target = json_object();

    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        json_t *value = json_object_get(disk, members[i]);

        if (value && !json_is_null(value))
            json_object_set(target, members[i], value);
    }
    return target;
}

/* What the guest's host told of the image at @path; NULL: nothing. Borrowed. */
static const json_t *
find_told(const json_t *images, const char *path)
{
    size_t i;
    json_t *image;

    json_array_foreach ((json_t *)images, i, image) {
        if (g_strcmp0(json_string_value(json_object_get(image, "path")), path) == 0)
            return image;
    }
    return NULL;
}

/* Whether what is at @path is the guest's own image, on storage that both hosts have. Only a file
 * that is there is worth a look. */
static gboolean
is_shared(const Context *context, const char *path)
{
    const char *const *directories = context->checks->directories;
    const json_t *told = find_told(context->facts->images, path);
    g_auto(ImagePlace) place = { .directory_fd = -1 };

    if (!told || !image_place_open(path, directories, &place, NULL) ||
        image_place_check_free(&place, NULL))
        return FALSE;
    json_auto_t *paths = json_pack("[s]", path);
    json_auto_t *found = image_identity_list(paths, directories, NULL);
    return found && image_identity_is_same(told, json_array_get(found, 0));
}

/* Adds what is shared to the context, and returns what is to be copied. */
static json_t *
sort_disks(Context *context)
{
    json_t *targets = json_array();
    size_t i;
    json_t *disk;

    json_array_foreach (context->facts->disks, i, disk) {
        const char *path = json_string_value(json_object_get(disk, "path"));
        const char *migration = json_string_value(json_object_get(disk, "migration"));

        if (g_strcmp0(migration, "copy") != 0 || !path)
            continue;
        if (is_shared(context, path))
            g_ptr_array_add(context->shared, g_strdup(path));
        else
            json_array_append_new(targets, target_of(disk));
    }
    return targets;
}

/* Whether the servers answer that the disks' paths lie on here. */
static gboolean
reach_disks(const Context *context, GError **error)
{
    const StorageChecks *checks = context->checks;
    size_t i;
    json_t *disk;

    json_array_foreach (context->facts->disks, i, disk) {
        const char *path = json_string_value(json_object_get(disk, "path"));

        if (path && *path == '/' &&
            !storage_pulse_check(checks->pulse, path, checks->mount_info, error))
            return FALSE;
    }
    return TRUE;
}

static CheckReadiness
prepare(void *data, GError **error)
{
    Context *context = data;
    const GuestFacts *facts = context->facts;

    if (!facts->disks || !facts->uuid) {
        fault_set(error, FAULT_INVALID_ARGUMENT, "facts", NULL,
                  "the guest's host did not tell what disks it has");
        return CHECK_HINDERED;
    }
    if (!reach_disks(context, error))
        return CHECK_HINDERED;
    json_auto_t *targets = sort_disks(context);
    if (json_array_size(targets) == 0)
        return context->shared->len > 0 ? CHECK_READY : CHECK_NOTHING;
    json_auto_t *parameters =
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:O, s:i}", "owner", "check", "token", "check", "guest",
                  "name", facts->name, "uuid", facts->uuid, "targets", targets, "timeoutSeconds",
                  LEASE_SECONDS_DEFAULT);
    context->request = target_request_new(parameters, error);
    return context->request ? CHECK_READY : CHECK_HINDERED;
}

/* The fault of an operation that only looks at @path: what it found wrong, or why it could not
 * look. @remedy is a command to begin with there. */
static void
report_fault(CheckReport *report, const char *path, const char *remedy, FaultCode expected,
             const GError *error)
{
    g_autofree char *object = g_strdup_printf("path '%s'", path);
    g_autofree char *advice = g_strdup_printf("%s  # %s", remedy, fault_remedy(error));

    if (fault_code(error) == expected)
        check_fail(report, object, advice, "%s", fault_cause(error));
    else
        check_unknown(report, object, "%s", error->message);
}

/* Its directory may be missing, or not be among those for images. */
static void
report_refused_path(CheckReport *report, const char *path, const GError *error)
{
    g_autofree char *directory = g_path_get_dirname(path);
    g_autofree char *word = check_word(directory);
    g_autofree char *remedy = g_strdup_printf("mkdir -p %s", word);

    report_fault(report, path, remedy, FAULT_TARGET_REFUSED, error);
}

static void
report_unwritable(CheckReport *report, const ImagePlace *place, const GError *error)
{
    g_autofree char *word = check_word(place->directory);
    g_autofree char *remedy = g_strdup_printf("findmnt -T %s", word);

    report_fault(report, place->path, remedy, FAULT_TARGET_REFUSED, error);
}

static void
report_taken(CheckReport *report, const char *path, const GError *error)
{
    g_autofree char *word = check_word(path);
    g_autofree char *remedy = g_strdup_printf("ls -l %s", word);

    report_fault(report, path, remedy, FAULT_TARGET_EXISTS, error);
}

static void
check_path(void *data, CheckReport *report)
{
    const Context *context = data;

    for (guint i = 0; context->request && i < context->request->images->len; i++) {
        const TargetImage *image = context->request->images->pdata[i];
        g_autofree char *object = g_strdup_printf("path '%s'", image->path);
        g_auto(ImagePlace) place = { .directory_fd = -1 };
        g_autoptr(GError) error = NULL;

        if (!image_place_open(image->path, context->checks->directories, &place, &error))
            report_refused_path(report, image->path, error);
        else if (!image_place_check_writable(&place, &error))
            report_unwritable(report, &place, error);
        else
            check_pass(report, object, "is in image directory %s", place.root);
    }
}

static void
check_absent(void *data, CheckReport *report)
{
    const Context *context = data;

    for (guint i = 0; i < context->shared->len; i++) {
        g_autofree char *object = g_strdup_printf("path '%s'", (char *)context->shared->pdata[i]);

        check_pass(report, object, "has the guest's own image, on storage that both hosts share");
    }

    for (guint i = 0; context->request && i < context->request->images->len; i++) {
        const TargetImage *image = context->request->images->pdata[i];
        g_autofree char *object = g_strdup_printf("path '%s'", image->path);
        g_auto(ImagePlace) place = { .directory_fd = -1 };
        g_autoptr(GError) error = NULL;

        if (!image_place_open(image->path, context->checks->directories, &place, NULL))
            check_unknown(report, object, "its directory cannot be opened");
        else if (image_place_check_free(&place, &error))
            check_pass(report, object, "nothing is there");
        else
            report_taken(report, image->path, error);
    }
}

static gboolean
fits(const Context *context, GError **error)
{
    g_autoptr(GPtrArray) leases = target_leases_read(context->checks->store, error);
    GPtrArray *assets =
        leases ? target_files_plan(context->request, context->checks->directories, error) : NULL;
    const Lease draft = { .id = (char *)"", .assets = assets };
    gboolean fit = assets && target_space_check(&draft, leases, error);

    g_clear_pointer(&assets, g_ptr_array_unref);
    return fit;
}

static void
judge_space(const GError *error, CheckReport *report)
{
    if (fault_code(error) == FAULT_NO_SPACE)
        check_fail_advised(report, fault_object(error), fault_remedy(error), "%s",
                           fault_cause(error));
    else
        check_unknown(report, HOST, "%s", error->message);
}

static void
check_space(void *data, CheckReport *report)
{
    const Context *context = data;
    g_autoptr(GError) error = NULL;

    if (!context->request)
        return;
    if (fits(context, &error))
        check_pass(report, HOST, "the disks to be copied fit, fully written");
    else
        judge_space(error, report);
}

CheckGroup
target_check(const StorageChecks *checks, const GuestFacts *facts)
{
    static const Check list[] = { { "storage.path-allowed", check_path },
                                  { "storage.target-absent", check_absent },
                                  { "storage.space-enough", check_space },
                                  { 0 } };
    Context *context = g_new0(Context, 1);

    context->checks = checks;
    context->facts = guest_facts_copy(facts);
    context->shared = g_ptr_array_new_with_free_func(g_free);
    return (CheckGroup) { .object = HOST,
                          .checks = list,
                          .prepare = prepare,
                          .context = context,
                          .free_context = context_free };
}
