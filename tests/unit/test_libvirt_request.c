/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each option of a migration as libvirt gets it: flags and typed parameters. */
#include "common/libvirt_request.h"

#define URI "qemu+ssh://host2/system"

static const char *const disks[] = { "vda", "vdb", NULL };

static void
test_each_choice_is_one_flag(void)
{
    static const struct {
        MigrationRequest request;
        unsigned flags;
    } cases[] = {
        { { .mode = MIGRATION_LIVE }, VIR_MIGRATE_LIVE },
        { { .mode = MIGRATION_SUSPENDED }, 0 },
        { { .mode = MIGRATION_OFFLINE, .persist = TRUE },
          VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PERSIST_DEST },
        { { .copy_disks = disks }, VIR_MIGRATE_LIVE | VIR_MIGRATE_NON_SHARED_DISK },
        { { .copy_disks = disks, .incremental = TRUE },
          VIR_MIGRATE_LIVE | VIR_MIGRATE_NON_SHARED_INC },
        { { .copy_disks = disks + 2, .incremental = TRUE }, VIR_MIGRATE_LIVE },
        { { .undefine_source = TRUE }, VIR_MIGRATE_LIVE | VIR_MIGRATE_UNDEFINE_SOURCE },
        { { .auto_converge = TRUE }, VIR_MIGRATE_LIVE | VIR_MIGRATE_AUTO_CONVERGE },
        { { .parallel_connections = 1 }, VIR_MIGRATE_LIVE | VIR_MIGRATE_PARALLEL },
        { { .compression = "zstd" }, VIR_MIGRATE_LIVE | VIR_MIGRATE_COMPRESSED },
        { { .post_copy = TRUE }, VIR_MIGRATE_LIVE | VIR_MIGRATE_POSTCOPY },
        { { .tls = TRUE }, VIR_MIGRATE_LIVE | VIR_MIGRATE_TLS },
        { { .tunnelled = TRUE }, VIR_MIGRATE_LIVE | VIR_MIGRATE_TUNNELLED },
        { { .unsafe = TRUE }, VIR_MIGRATE_LIVE | VIR_MIGRATE_UNSAFE },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmphex(libvirt_request_flags(&cases[i].request), ==,
                        cases[i].flags | VIR_MIGRATE_PEER2PEER);
}

static void
test_nothing_asked_for_is_no_parameter(void)
{
    const MigrationRequest request = { .destination_uri = URI };
    g_auto(LibvirtParameters) parameters = { 0 };

    g_assert_true(libvirt_request_parameters(&request, &parameters));
    g_assert_cmpint(parameters.count, ==, 0);
}

static void
test_each_value_is_a_parameter_of_its_type(void)
{
    const MigrationRequest request = {
        .destination_uri = URI,
        .copy_disks = disks,
        .destination_xml = "<domain/>",
        .persistent_xml = "<domain id='2'/>",
        .bandwidth_mebibytes = 70,
        .parallel_connections = 4,
        .compression = "zstd",
    };
    g_auto(LibvirtParameters) parameters = { 0 };
    unsigned long long bandwidth;
    const char *text;
    int connections;

    g_assert_true(libvirt_request_parameters(&request, &parameters));
    g_assert_cmpint(parameters.count, ==, 7);
    g_assert_cmpstr(parameters.list[0].field, ==, VIR_MIGRATE_PARAM_MIGRATE_DISKS);
    g_assert_cmpstr(parameters.list[0].value.s, ==, "vda");
    g_assert_cmpstr(parameters.list[1].value.s, ==, "vdb");
    virTypedParameterPtr list = parameters.list;
    g_assert_cmpint(virTypedParamsGetULLong(list, 7, VIR_MIGRATE_PARAM_BANDWIDTH, &bandwidth), ==,
                    1);
    g_assert_cmpuint(bandwidth, ==, 70);
    g_assert_cmpint(
        virTypedParamsGetInt(list, 7, VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS, &connections), ==, 1);
    g_assert_cmpint(connections, ==, 4);
    g_assert_cmpint(virTypedParamsGetString(list, 7, VIR_MIGRATE_PARAM_COMPRESSION, &text), ==, 1);
    g_assert_cmpstr(text, ==, "zstd");
    g_assert_cmpint(virTypedParamsGetString(list, 7, VIR_MIGRATE_PARAM_DEST_XML, &text), ==, 1);
    g_assert_cmpstr(text, ==, "<domain/>");
    g_assert_cmpint(virTypedParamsGetString(list, 7, VIR_MIGRATE_PARAM_PERSIST_XML, &text), ==, 1);
    g_assert_cmpstr(text, ==, "<domain id='2'/>");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(virInitialize(), ==, 0); /* it keeps its errors per thread */
    g_test_add_func("/libvirt-request/each-choice-is-one-flag", test_each_choice_is_one_flag);
    g_test_add_func("/libvirt-request/nothing-asked-for-is-no-parameter",
                    test_nothing_asked_for_is_no_parameter);
    g_test_add_func("/libvirt-request/each-value-is-a-parameter-of-its-type",
                    test_each_value_is_a_parameter_of_its_type);
    return g_test_run();
}
