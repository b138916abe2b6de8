/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bond is written for the system that configures the guest, beside what was there: a case is a
 * folder of golden/persistence with the files before and after, and what was said. GOLDEN_UPDATE=1
 * writes the latter anew. */
#include <glib/gstdio.h>
#include <linux/if_addr.h>
#include <string.h>
#include <sys/stat.h>

#include "fake/fake_kernel.h"
#include "netprep/guest/verbs.h"

#define BACKUP_MAC "52:54:00:aa:00:01"

typedef struct {
    const char *name;
    gboolean function_has_addresses;
    gboolean static_addresses;
} Case;

static const Case cases[] = {
    { "networkd-dhcp", FALSE, FALSE },     { "networkd-early", FALSE, TRUE },
    { "networkd-bare", FALSE, TRUE },      { "networkmanager-profile", FALSE, TRUE },
    { "networkmanager-any", TRUE, FALSE }, { "networkmanager-bare", FALSE, TRUE },
    { "ifupdown-main", FALSE, TRUE },      { "ifupdown-files", FALSE, FALSE },
    { "ifupdown-bare", FALSE, TRUE },      { "unknown", FALSE, TRUE },
};

static char *
golden(const Case *test, const char *part)
{
    return g_test_build_filename(G_TEST_DIST, "..", "golden", "persistence", test->name, part,
                                 NULL);
}

static gboolean
run(const char *program, ...)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *output = NULL, *errors = NULL;
    int status = -1;
    va_list words;

    g_ptr_array_add(argv, (char *)program);
    va_start(words, program);
    for (char *word = NULL; (word = va_arg(words, char *));)
        g_ptr_array_add(argv, word);
    va_end(words);
    g_ptr_array_add(argv, NULL);
    g_assert_true(g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                               &output, &errors, &status, NULL));
    if (status != 0)
        g_test_message("%s%s", output, errors);
    return status == 0;
}

static void
assert_same_tree(const char *wanted, const char *found)
{
    if (!run("diff", "-rN", "-x", "netprep-guest", wanted, found, NULL))
        g_error("%s and %s differ; run with --verbose to see how", wanted, found);
}

static char *
make_root(const Case *test)
{
    g_autofree char *before = golden(test, "before/.");
    char *root = g_dir_make_tmp("root-XXXXXX", NULL);

    g_assert_true(run("cp", "-R", before, root, NULL));
    return root;
}

static void
add_static(FakeKernel *fake, const char *name)
{
    fake_kernel_add_address(fake, name, "192.0.2.5/24", name, IFA_F_PERMANENT, 0);
    fake_kernel_add_address(fake, name, "2001:db8::5/64", NULL, IFA_F_PERMANENT, 0);
    fake_kernel_add_route(
        fake, &(FakeRoute) {
                  .via = "192.0.2.1", .name = name, .metric = 100, .protocol = RTPROT_STATIC });
    fake_kernel_add_route(
        fake, &(FakeRoute) { .via = "2001:db8::1", .name = name, .protocol = RTPROT_STATIC });
    fake_kernel_add_route(fake, &(FakeRoute) { .to = "198.51.100.0/24",
                                               .via = "192.0.2.2",
                                               .name = name,
                                               .table = 200,
                                               .protocol = RTPROT_BOOT });
    fake_kernel_add_route(
        fake, &(FakeRoute) { .to = "10.9.0.0/16", .name = name, .protocol = RTPROT_BOOT });
}

static void
add_dynamic(FakeKernel *fake, const char *name)
{
    fake_kernel_add_address(fake, name, "192.0.2.5/24", name, 0, 3600);
    fake_kernel_add_address(fake, name, "2001:db8::5/64", NULL, 0, 3600);
    fake_kernel_add_route(
        fake, &(FakeRoute) { .via = "192.0.2.1", .name = name, .protocol = RTPROT_BOOT });
}

static FakeKernel *
make_kernel(const Case *test)
{
    const char *name = test->function_has_addresses ? "ens4" : "ens3";
    FakeKernel *fake = fake_kernel_new();

    fake_kernel_add_nic(fake, "ens3", BACKUP_MAC, "virtio_net", "0000:00:02.2/0000:01:00.0");
    fake_kernel_add_nic(fake, "ens4", "02:00:00:00:00:01", "igbvf", "0000:00:02.3/0000:02:00.0");
    if (test->static_addresses)
        add_static(fake, name);
    else
        add_dynamic(fake, name);
    return fake;
}

static json_t *
create(FakeKernel *fake, const char *root, PersistenceChoice choice, Failure *failure)
{
    uint8_t mac[ETH_ALEN];
    const CreateBond request = { .bond = "bond0",
                                 .primary_path = "02.3/00.0",
                                 .backup_mac = mac,
                                 .choice = choice,
                                 .root = root };

    g_assert_true(link_parse_mac(BACKUP_MAC, mac));
    return verb_create_bond(fake_kernel_get(fake), &request, failure);
}

static void
update(const Case *test, const char *root, json_t *said)
{
    g_autofree char *after = golden(test, "after"), *said_path = golden(test, "said.json");
    g_autofree char *from = g_build_filename(root, ".", NULL);

    run("rm", "-r", after, NULL);
    g_assert_true(run("cp", "-R", from, after, NULL));
    g_autofree char *record = g_build_filename(after, "var", NULL);
    run("rm", "-r", record, NULL);
    g_assert_cmpint(json_dump_file(said, said_path, JSON_INDENT(2) | JSON_SORT_KEYS), ==, 0);
}

static void
check_said(const Case *test, json_t *said)
{
    g_autofree char *path = golden(test, "said.json");
    json_auto_t *wanted = json_load_file(path, 0, NULL);
    g_autofree char *found = json_dumps(said, JSON_INDENT(2) | JSON_SORT_KEYS);

    if (!json_equal(wanted, said))
        g_error("%s differs from\n%s", path, found);
}

static void
check_modes(const char *root, json_t *said)
{
    json_t *path = NULL;
    size_t i = 0;

    json_array_foreach (json_object_get(said, "written"), i, path) {
        g_autofree char *full = g_strconcat(root, json_string_value(path), NULL);
        struct stat about;

        g_assert_cmpint(g_stat(full, &about), ==, 0);
        if (g_str_has_suffix(full, ".nmconnection"))
            g_assert_cmpint(about.st_mode & 07777, ==, 0600);
    }
}

static void
test_case(gconstpointer data)
{
    const Case *test = data;
    g_autoptr(FakeKernel) fake = make_kernel(test);
    g_autofree char *root = make_root(test), *before = golden(test, "before"),
                    *after = golden(test, "after");
    Failure failure = { 0 };
    json_auto_t *bond = create(fake, root, PERSISTENCE_AUTO, &failure);

    g_assert_cmpstr(failure.text, ==, "");
    json_t *said = json_object_get(bond, "persistence");
    if (g_strcmp0(g_getenv("GOLDEN_UPDATE"), "1") == 0)
        update(test, root, said);
    check_said(test, said);
    check_modes(root, said);
    assert_same_tree(after, root);

    /* A repeat writes nothing, and the report knows where the bond comes from. */
    json_auto_t *again = create(fake, root, PERSISTENCE_AUTO, &failure);
    g_assert_true(json_equal(json_object_get(json_object_get(again, "persistence"), "file"),
                             json_object_get(said, "file")));
    assert_same_tree(after, root);
    json_auto_t *report = verb_report(fake_kernel_get(fake), root, &failure);
    json_t *persistence =
        json_object_get(json_array_get(json_object_get(report, "bonds"), 0), "persistence");
    g_assert_true(json_equal(json_object_get(persistence, "file"), json_object_get(said, "file")));

    json_auto_t *removed = verb_unpersist(root, "bond0", &failure);
    g_assert_cmpuint(json_array_size(json_object_get(removed, "instructions")), ==, 0);
    assert_same_tree(before, root);
    g_assert_true(run("rm", "-r", root, NULL));
}

/* A directory where the temporary file of a file would be: that one cannot be written. */
static void
block(const char *root, const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path), *name = g_path_get_basename(path);
    g_autofree char *blocked = g_strdup_printf("%s%s/.%s.migprep-new", root, directory, name);

    g_assert_cmpint(g_mkdir_with_parents(blocked, 0700), ==, 0);
}

static void
check_blocked(const Case *test, const char *path)
{
    g_autoptr(FakeKernel) fake = make_kernel(test);
    g_autofree char *root = make_root(test);
    Failure failure = { 0 };

    block(root, path);
    g_autofree char *copy = g_strconcat(root, ".before", NULL);
    g_assert_true(run("cp", "-R", root, copy, NULL));
    g_autofree char *before = fake_kernel_print(fake);
    g_assert_null(create(fake, root, PERSISTENCE_AUTO, &failure));
    g_assert_nonnull(strstr(failure.text, path));
    g_autofree char *after = fake_kernel_print(fake);
    g_assert_cmpstr(after, ==, before);
    assert_same_tree(copy, root);
    g_assert_true(run("rm", "-r", root, copy, NULL));
}

static void
test_each_failing_file_is_undone(gconstpointer data)
{
    const Case *test = data;
    g_autofree char *path = golden(test, "said.json");
    json_auto_t *said = json_load_file(path, 0, NULL);
    json_t *written = NULL;
    size_t i = 0;

    json_array_foreach (json_object_get(said, "written"), i, written)
        check_blocked(test, json_string_value(written));
    if (i > 0)
        check_blocked(test, "/var/lib/netprep-guest/bond0.json");
}

static void
test_a_failing_kernel_leaves_no_file(void)
{
    const Case *test = &cases[0];

    for (unsigned call = 5; call < 25; call++) {
        g_autoptr(FakeKernel) fake = make_kernel(test);
        g_autofree char *root = make_root(test), *before = golden(test, "before");
        Failure failure = { 0 };

        fake_kernel_fail(fake, call, -1, FALSE);
        json_auto_t *bond = create(fake, root, PERSISTENCE_AUTO, &failure);
        if (!bond && fake_kernel_calls(fake) > call)
            assert_same_tree(before, root);
        g_assert_true(run("rm", "-r", root, NULL));
    }
}

static void
test_others_files_are_never_overwritten(void)
{
    const Case *test = &cases[0];
    g_autoptr(FakeKernel) fake = make_kernel(test);
    g_autofree char *root = make_root(test);
    g_autofree char *path =
        g_strconcat(root, "/etc/systemd/network/00-migprep-bond0.network", NULL);
    g_autofree char *text = NULL;
    Failure failure = { 0 };

    g_assert_true(g_file_set_contents(path, "mine", -1, NULL));
    g_assert_null(create(fake, root, PERSISTENCE_AUTO, &failure));
    g_assert_nonnull(strstr(failure.text, "somebody else's file is there"));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "mine");
    g_assert_true(run("rm", "-r", root, NULL));
}

static void
test_an_edited_file_is_left(void)
{
    const Case *test = &cases[6];
    g_autoptr(FakeKernel) fake = make_kernel(test);
    g_autofree char *root = make_root(test), *text = NULL;
    g_autofree char *path = g_strconcat(root, "/etc/network/interfaces", NULL);
    Failure failure = { 0 };
    json_auto_t *bond = create(fake, root, PERSISTENCE_AUTO, &failure);

    g_assert_nonnull(bond);
    g_assert_true(g_file_set_contents(path, "edited", -1, NULL));
    json_auto_t *again = create(fake, root, PERSISTENCE_AUTO, &failure);
    json_t *said = json_object_get(json_object_get(again, "persistence"), "instructions");
    g_assert_cmpuint(json_array_size(said), ==, 1);
    json_auto_t *removed = verb_unpersist(root, "bond0", &failure);
    g_assert_cmpuint(json_array_size(json_object_get(removed, "instructions")), ==, 1);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "edited");
    g_assert_true(run("rm", "-r", root, NULL));
}

static void
test_lost_files_are_not_written_over(void)
{
    const Case *test = &cases[0];
    g_autoptr(FakeKernel) fake = make_kernel(test);
    g_autofree char *root = make_root(test);
    g_autofree char *path = g_strconcat(root, "/etc/systemd/network/00-migprep-bond0.netdev", NULL);
    Failure failure = { 0 };
    json_auto_t *bond = create(fake, root, PERSISTENCE_AUTO, &failure);

    g_assert_nonnull(bond);
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_null(create(fake, root, PERSISTENCE_AUTO, &failure));
    g_assert_nonnull(strstr(failure.text, "unpersist --bond bond0"));
    failure = (Failure) { 0 };
    json_auto_t *removed = verb_unpersist(root, "bond0", &failure);
    g_assert_nonnull(removed);
    json_auto_t *again = create(fake, root, PERSISTENCE_AUTO, &failure);
    g_assert_nonnull(again);
    g_assert_true(run("rm", "-r", root, NULL));
}

static void
test_a_chosen_system_has_to_be_there(void)
{
    const Case *test = &cases[0];
    g_autoptr(FakeKernel) fake = make_kernel(test);
    g_autofree char *root = make_root(test), *before = golden(test, "before");
    g_autofree char *kernel = fake_kernel_print(fake);
    Failure failure = { 0 };

    g_assert_null(create(fake, root, PERSISTENCE_IFUPDOWN, &failure));
    g_assert_nonnull(strstr(failure.text, "ifupdown is not enabled"));
    assert_same_tree(before, root);
    g_autofree char *after = fake_kernel_print(fake);
    g_assert_cmpstr(after, ==, kernel);
    g_assert_true(run("rm", "-r", root, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/persistence/case/", cases[i].name, NULL);
        g_autofree char *undo = g_strconcat("/persistence/undo/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], test_case);
        g_test_add_data_func(undo, &cases[i], test_each_failing_file_is_undone);
    }
    g_test_add_func("/persistence/a-failing-kernel-leaves-no-file",
                    test_a_failing_kernel_leaves_no_file);
    g_test_add_func("/persistence/others-files-are-never-overwritten",
                    test_others_files_are_never_overwritten);
    g_test_add_func("/persistence/an-edited-file-is-left", test_an_edited_file_is_left);
    g_test_add_func("/persistence/lost-files-are-not-written-over",
                    test_lost_files_are_not_written_over);
    g_test_add_func("/persistence/a-chosen-system-has-to-be-there",
                    test_a_chosen_system_has_to_be_there);
    return g_test_run();
}
