/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the tests of requests for targets: what is understood, what is refused, and the limits. */
#include <string.h>

#include "common/fault.h"
#include "common/limits.h"
#include "storprep/target_request.h"

#define GUEST_UUID "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

static json_t *
parameters(void)
{
    return json_pack("{s:s, s:s, s:{s:s, s:s}, s:[{s:s, s:s, s:i}], s:i}", "owner", "test", "token",
                     "t", "guest", "name", "web1", "uuid", GUEST_UUID, "targets", "path", "/i/a",
                     "format", "qcow2", "virtualSizeBytes", 1 << 20, "timeoutSeconds", 60);
}

/* The parameters with @change (stolen) laid over them, over the guest, or over the target. */
static json_t *
change(json_t *change)
{
    json_t *asked = parameters();

    json_object_update(asked, change);
    json_decref(change);
    return asked;
}

static json_t *
change_target(json_t *change)
{
    json_t *asked = parameters();

    json_object_update(json_array_get(json_object_get(asked, "targets"), 0), change);
    json_decref(change);
    return asked;
}

static void
assert_refused(json_t *asked, FaultCode code, const char *object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TargetRequest) request = target_request_new(asked, &error);

    g_assert_null(request);
    g_assert_cmpint(fault_code(error), ==, code);
    g_assert_nonnull(strstr(fault_object(error), object));
    g_assert_cmpstr(fault_remedy(error), !=, "");
    json_decref(asked);
}

static TargetRequest *
accept_request(json_t *asked)
{
    g_autoptr(GError) error = NULL;
    TargetRequest *request = target_request_new(asked, &error);

    g_assert_no_error(error);
    json_decref(asked);
    return request;
}

static void
test_what_is_left_out_is_qemu_imgs_default(void)
{
    g_autoptr(TargetRequest) request = accept_request(parameters());
    const TargetImage *image = request->images->pdata[0];
    const ImageShape usual = { IMAGE_FORMAT_QCOW2, 1 << 20, 65536, 3, 16, FALSE, FALSE };

    g_assert_true(image_shape_equal(&image->recipe.shape, &usual));
    g_assert_cmpuint(request->timeout_seconds, ==, 60);
}

static void
test_every_member_counts(void)
{
    g_autoptr(TargetRequest) old = accept_request(
        change_target(json_pack("{s:s, s:i, s:n, s:n}", "compat", "0.10", "clusterSizeBytes", 512,
                                "lazyRefcounts", "extendedL2")));
    g_autoptr(TargetRequest) new = accept_request(
        change_target(json_pack("{s:s, s:i, s:b, s:b}", "compat", "1.1", "refcountBits", 8,
                                "lazyRefcounts", 1, "extendedL2", 1)));
    const ImageShape old_shape = { IMAGE_FORMAT_QCOW2, 1 << 20, 512, 2, 16, FALSE, FALSE };
    const ImageShape new_shape = { IMAGE_FORMAT_QCOW2, 1 << 20, 65536, 3, 8, TRUE, TRUE };

    g_assert_true(
        image_shape_equal(&((TargetImage *)old->images->pdata[0])->recipe.shape, &old_shape));
    g_assert_true(
        image_shape_equal(&((TargetImage *)new->images->pdata[0])->recipe.shape, &new_shape));
}

static void
test_uuid_is_as_libvirt_writes_it(void)
{
    g_autofree char *upper = g_ascii_strup(GUEST_UUID, -1);
    g_autoptr(TargetRequest) request =
        accept_request(change(json_pack("{s:{s:s, s:s}}", "guest", "name", "web1", "uuid", upper)));

    g_assert_cmpstr(request->guest_uuid, ==, GUEST_UUID);
    assert_refused(change(json_pack("{s:{s:s, s:s}}", "guest", "name", "web1", "uuid", "x")),
                   FAULT_INVALID_ARGUMENT, "uuid");
    assert_refused(change(json_pack("{s:{s:s, s:s}}", "guest", "name", "", "uuid", GUEST_UUID)),
                   FAULT_INVALID_ARGUMENT, "name");
}

static void
test_names_have_limits(void)
{
    static const char *const names[] = { "owner", "token" };
    g_autofree char *longest = g_strnfill(LIMIT_NAME_BYTES, 'x');
    g_autofree char *too_long = g_strnfill(LIMIT_NAME_BYTES + 1, 'x');

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        target_request_free(accept_request(change(json_pack("{s:s}", names[i], longest))));
        assert_refused(change(json_pack("{s:s}", names[i], too_long)), FAULT_INVALID_ARGUMENT,
                       names[i]);
        assert_refused(change(json_pack("{s:s}", names[i], "")), FAULT_INVALID_ARGUMENT, names[i]);
    }
}

static void
test_deadlines_have_limits(void)
{
    const json_int_t good[] = { LIMIT_LEASE_SECONDS_MIN, LIMIT_LEASE_SECONDS_MAX };
    const json_int_t bad[] = { LIMIT_LEASE_SECONDS_MIN - 1, LIMIT_LEASE_SECONDS_MAX + 1, -1,
                               G_MAXINT64 };

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        target_request_free(accept_request(change(json_pack("{s:I}", "timeoutSeconds", good[i]))));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_refused(change(json_pack("{s:I}", "timeoutSeconds", bad[i])), FAULT_INVALID_ARGUMENT,
                       "timeoutSeconds");
}

static json_t *
many_targets(unsigned count)
{
    json_t *targets = json_array();

    for (unsigned i = 0; i < count; i++) {
        g_autofree char *path = g_strdup_printf("/i/disk%u", i);

        json_array_append_new(targets, json_pack("{s:s, s:s, s:i}", "path", path, "format", "raw",
                                                 "virtualSizeBytes", 4096));
    }
    return change(json_pack("{s:o}", "targets", targets));
}

static void
test_targets_are_counted(void)
{
    target_request_free(accept_request(many_targets(LIMIT_DISKS)));
    assert_refused(many_targets(LIMIT_DISKS + 1), FAULT_LIMIT_EXCEEDED, "targets");
    assert_refused(many_targets(0), FAULT_INVALID_ARGUMENT, "targets");
}

static void
test_a_path_is_named_once(void)
{
    json_t *asked = parameters();
    json_t *targets = json_object_get(asked, "targets");

    json_array_append(targets, json_array_get(targets, 0));
    assert_refused(asked, FAULT_INVALID_ARGUMENT, "/i/a");
}

static void
test_impossible_targets_are_refused(void)
{
    g_autofree char *too_long = g_strnfill(LIMIT_PATH_BYTES + 1, '/');

    assert_refused(change_target(json_pack("{s:s}", "path", too_long)), FAULT_INVALID_ARGUMENT,
                   "path");
    assert_refused(change_target(json_pack("{s:s}", "format", "vmdk")), FAULT_INVALID_ARGUMENT,
                   "format");
    assert_refused(change_target(json_pack("{s:s}", "compat", "2.0")), FAULT_INVALID_ARGUMENT,
                   "compat");
    assert_refused(change_target(json_pack("{s:i}", "clusterSizeBytes", -1)),
                   FAULT_INVALID_ARGUMENT, "clusterSizeBytes");
    assert_refused(change_target(json_pack("{s:i}", "clusterSizeBytes", 1000)),
                   FAULT_INVALID_ARGUMENT, "/i/a");
    assert_refused(change_target(json_pack("{s:I}", "refcountBits", (json_int_t)1 << 32)),
                   FAULT_INVALID_ARGUMENT, "refcountBits");
    assert_refused(
        change_target(json_pack("{s:I}", "virtualSizeBytes", (json_int_t)LIMIT_IMAGE_BYTES + 1)),
        FAULT_INVALID_ARGUMENT, "virtualSizeBytes");
    assert_refused(change_target(json_pack("{s:s, s:i}", "format", "raw", "clusterSizeBytes", 512)),
                   FAULT_INVALID_ARGUMENT, "/i/a");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/target-request/defaults", test_what_is_left_out_is_qemu_imgs_default);
    g_test_add_func("/target-request/every-member-counts", test_every_member_counts);
    g_test_add_func("/target-request/uuid", test_uuid_is_as_libvirt_writes_it);
    g_test_add_func("/target-request/names-have-limits", test_names_have_limits);
    g_test_add_func("/target-request/deadlines-have-limits", test_deadlines_have_limits);
    g_test_add_func("/target-request/targets-are-counted", test_targets_are_counted);
    g_test_add_func("/target-request/a-path-is-named-once", test_a_path_is_named_once);
    g_test_add_func("/target-request/impossible-targets", test_impossible_targets_are_refused);
    return g_test_run();
}
