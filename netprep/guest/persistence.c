/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses the system, and writes, records and removes a bond's configuration. */
#include "netprep/guest/persistence.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "netprep/guest/command.h"
#include "netprep/guest/persistence_record.h"
#include "netprep/guest/persistence_system.h"

#define COMMAND_SECONDS 10

struct Persistence {
    const BondPlan *plan;
    const PersistenceSystem *system; /* NULL: none is to be written for */
    bool there;                      /* it is configured already */
    bool written;
    PersistenceWork work;
    json_t *record; /* of the files: those that will be, or are, ours */
};

/* In the order of preference where more than one is enabled. */
static const PersistenceSystem *const systems[] = { &persistence_networkmanager,
                                                    &persistence_networkd, &persistence_ifupdown };

#define SYSTEMS (sizeof(systems) / sizeof(systems[0]))

bool
persistence_parse_choice(const char *text, PersistenceChoice *ret_choice)
{
    static const char *const words[] = { [PERSISTENCE_AUTO] = "auto",
                                         [PERSISTENCE_NETWORKMANAGER] = "networkmanager",
                                         [PERSISTENCE_NETWORKD] = "networkd",
                                         [PERSISTENCE_IFUPDOWN] = "ifupdown",
                                         [PERSISTENCE_NONE] = "none" };

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], text) == 0) {
            *ret_choice = (PersistenceChoice)i;
            return true;
        }
    }
    return false;
}

static const PersistenceSystem *
find_system(const BondPlan *plan)
{
    const Link *const links[] = { plan->owner, plan->backup.link, plan->primary.link };

    for (size_t link = 0; link < sizeof(links) / sizeof(links[0]); link++) {
        for (size_t i = 0; links[link] && i < SYSTEMS; i++) {
            if (systems[i]->manages(plan->root, links[link]))
                return systems[i];
        }
    }
    for (size_t i = 0; i < SYSTEMS; i++) {
        if (systems[i]->is_enabled(plan->root))
            return systems[i];
    }
    return NULL;
}

static bool
choose(Persistence *persistence, PersistenceChoice choice, Failure *failure)
{
    const BondPlan *plan = persistence->plan;

    switch (choice) {
    case PERSISTENCE_AUTO:
        persistence->system = find_system(plan);
        if (!persistence->system)
            persistence_work_instruct(&persistence->work,
                                      "have %s made at boot: neither NetworkManager nor "
                                      "systemd-networkd nor ifupdown configures this guest",
                                      plan->name);
        return true;
    case PERSISTENCE_NETWORKMANAGER:
        persistence->system = &persistence_networkmanager;
        break;
    case PERSISTENCE_NETWORKD:
        persistence->system = &persistence_networkd;
        break;
    case PERSISTENCE_IFUPDOWN:
        persistence->system = &persistence_ifupdown;
        break;
    case PERSISTENCE_NONE:
        return true;
    }
    if (persistence->system->is_enabled(plan->root))
        return true;
    failure_set(failure, "%s is not enabled in this guest; leave the choice to --persist auto",
                persistence->system->name);
    return false;
}

/* Our own files of an earlier run. An administrator may have edited them since: they are theirs
 * now, as long as they make the bond. */
static bool
take_record(Persistence *persistence, json_t *record, Failure *failure)
{
    const BondPlan *plan = persistence->plan;
    json_t *files = json_object_get(record, "files");
    char path[PATH_MAX];

    if (!persistence->system->find_bond(plan->root, plan->name, path)) {
        failure_set(failure,
                    "files written for %s are gone; run `netprep-guest unpersist --bond %s` first",
                    plan->name, plan->name);
        return false;
    }
    if (!config_changes_hold(files, plan->root))
        persistence_work_instruct(&persistence->work,
                                  "see that the files of %s still say what they should: they were "
                                  "changed since they were written",
                                  plan->name);
    persistence->record = json_incref(files);
    persistence->there = true;
    return true;
}

static bool
plan_files(Persistence *persistence, Failure *failure)
{
    const BondPlan *plan = persistence->plan;
    char path[PATH_MAX];

    if (!persistence->system)
        return true;
    if (persistence->system->find_bond(plan->root, plan->name, path)) {
        persistence->there = true;
        return true;
    }
    if (!plan->primary.place[0]) {
        failure_set(failure, "%s has no place by which it can be known again at boot",
                    plan->primary.link->name);
        return false;
    }
    if (plan->settings.left_out)
        persistence_work_instruct(&persistence->work,
                                  "see to %u addresses and routes that were not written",
                                  plan->settings.left_out);
    if (!persistence->system->plan(plan, &persistence->work, failure))
        return false;
    persistence->record = config_changes_record(&persistence->work.changes);
    return true;
}

static bool
prepare(Persistence *persistence, PersistenceChoice choice, Failure *failure)
{
    const BondPlan *plan = persistence->plan;

    if (!choose(persistence, choice, failure))
        return false;
    json_t *record = persistence->system ? persistence_record_read(plan->root, plan->name) : NULL;
    bool prepared =
        record ? take_record(persistence, record, failure) : plan_files(persistence, failure);
    json_decref(record);
    return prepared;
}

Persistence *
persistence_prepare(PersistenceChoice choice, const BondPlan *plan, Failure *failure)
{
    Persistence *persistence = calloc(1, sizeof(*persistence));

    if (!persistence) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    persistence->plan = plan;
    if (prepare(persistence, choice, failure))
        return persistence;
    persistence_free(persistence);
    return NULL;
}

void
persistence_free(Persistence *persistence)
{
    if (!persistence)
        return;
    persistence_work_clear(&persistence->work);
    json_decref(persistence->record);
    free(persistence);
}

bool
persistence_write(Persistence *persistence, Failure *failure)
{
    const BondPlan *plan = persistence->plan;

    if (!persistence->system || persistence->there)
        return true;
    persistence->written = true;
    if (persistence_record_write(plan->root, plan->name, persistence->system->name,
                                 persistence->record, failure) &&
        config_changes_apply(&persistence->work.changes, plan->root, failure))
        return true;
    persistence_undo(persistence, failure);
    return false;
}

void
persistence_undo(Persistence *persistence, Failure *failure)
{
    json_t *instructions = json_array();

    if (persistence->written &&
        config_changes_undo(persistence->record, persistence->plan->root, instructions, failure))
        persistence_record_delete(persistence->plan->root, persistence->plan->name);
    persistence->written = false;
    json_decref(instructions);
}

/* The files are not those of the running guest when they are below another root. */
static void
run_commands(Persistence *persistence)
{
    PersistenceCommands *commands = &persistence->work.commands;

    for (size_t i = 0; i < commands->count; i++) {
        Failure failure = { 0 };

        if (!command_run(commands->words[i], COMMAND_SECONDS, &failure))
            persistence_work_instruct(&persistence->work,
                                      "have %s take up the new files now, or boot: %s",
                                      persistence->system->name, failure.text);
    }
}

/* The paths that the record has under @key. */
static json_t *
list_files(const json_t *record, const char *key, const char *value)
{
    json_t *files = json_array();

    for (size_t i = 0; i < json_array_size(record); i++) {
        json_t *file = json_array_get(record, i);

        if (json_is_string(json_object_get(file, key)))
            json_array_append(files, json_object_get(file, value));
    }
    return files;
}

json_t *
persistence_finish(Persistence *persistence)
{
    const BondPlan *plan = persistence->plan;
    PersistenceWork *work = &persistence->work;

    if (persistence->written && !plan->root[0])
        run_commands(persistence);
    json_t *result = persistence_describe(plan->root, plan->name);
    json_object_set_new(result, "written", list_files(persistence->record, "hash", "path"));
    json_object_set_new(result, "saved", list_files(persistence->record, "saved", "saved"));
    json_object_set_new(result, "instructions",
                        work->instructions ? json_incref(work->instructions) : json_array());
    return result;
}

json_t *
persistence_remove(const char *root, const char *name, Failure *failure)
{
    json_t *record = persistence_record_read(root, name), *instructions = json_array();
    json_t *files = json_object_get(record, "files");
    json_t *result = NULL;

    if (config_changes_undo(files, root, instructions, failure)) {
        if (record)
            persistence_record_delete(root, name);
        result = json_pack("{s:s, s:o, s:O}", "bond", name, "removed",
                           list_files(files, "hash", "path"), "instructions", instructions);
    }
    json_decref(record);
    json_decref(instructions);
    return result;
}

json_t *
persistence_describe(const char *root, const char *name)
{
    const char *system = NULL, *file = NULL;
    bool known = false;
    char path[PATH_MAX];

    for (size_t i = 0; i < SYSTEMS && !file; i++) {
        known = known || systems[i]->is_enabled(root);
        if (systems[i]->find_bond(root, name, path)) {
            system = systems[i]->name;
            file = path;
        }
    }
    if (!system)
        system = known ? "none" : "unknown";
    return json_pack("{s:s, s:b, s:s?}", "system", system, "atBoot", file != NULL, "file", file);
}
