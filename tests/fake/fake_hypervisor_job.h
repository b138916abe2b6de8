/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of a hypervisor in memory that migrates: what migrate() does, what progress it tells. */
#pragma once

#include "common/hypervisor.h"

typedef struct FakeHypervisor FakeHypervisor;
typedef struct FakeJob FakeJob;

/* Called by migrate() instead of succeeding; may block; return FALSE with @error to fail. */
typedef gboolean (*FakeMigrate)(const char *uuid, const MigrationRequest *request, void *data,
                                GError **error);
void fake_hypervisor_set_migrate(FakeHypervisor *fake, FakeMigrate migrate, void *data);
/* What get_progress() tells from now on, of any guest. */
void fake_hypervisor_set_progress(FakeHypervisor *fake, const MigrationProgress *progress);

/* For fake_hypervisor.c. */
FakeJob *fake_job_new(void);
void fake_job_free(FakeJob *job);
gboolean fake_job_migrate(void *self, const char *uuid, const MigrationRequest *request,
                          GError **error);
gboolean fake_job_get_progress(void *self, const char *uuid, MigrationProgress *ret_progress,
                               GError **error);
gboolean fake_job_abort(void *self, const char *uuid, GError **error);
gboolean fake_job_start_post_copy(void *self, const char *uuid, GError **error);
gboolean fake_job_suspend(void *self, const char *uuid, GError **error);
gboolean fake_job_set_metadata(void *self, const char *uuid, const char *uri, const char *prefix,
                               const char *xml, DeviceScope scope, GError **error);
