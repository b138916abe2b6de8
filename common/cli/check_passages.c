/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/cli/check_passages.h"

#include "common/parallel.h"

/* One way, and what is known of it. */
typedef struct {
    char *destination;
    gboolean login; /* the question is only that */
    GMutex lock;    /* guards all below; held while the way is tried */
    gboolean asked;
    gboolean told; /* the destination had said how it calls itself */
    json_t *reply;
    GError *error;
} Passage;

struct CheckPassages {
    GMutex lock;
    GPtrArray *list; /* of Passage * */
};

static void
passage_free(gpointer data)
{
    Passage *passage = data;

    g_mutex_clear(&passage->lock);
    json_decref(passage->reply);
    g_clear_error(&passage->error);
    g_free(passage->destination);
    g_free(passage);
}

CheckPassages *
check_passages_new(void)
{
    CheckPassages *passages = g_new0(CheckPassages, 1);

    g_mutex_init(&passages->lock);
    passages->list = g_ptr_array_new_with_free_func(passage_free);
    return passages;
}

void
check_passages_free(CheckPassages *passages)
{
    if (!passages)
        return;
    g_ptr_array_unref(passages->list);
    g_mutex_clear(&passages->lock);
    g_free(passages);
}

static Passage *
find(CheckPassages *passages, const CheckWay *way)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&passages->lock);

    for (guint i = 0; i < passages->list->len; i++) {
        Passage *passage = passages->list->pdata[i];

        if (passage->login == way->login && g_str_equal(passage->destination, way->destination))
            return passage;
    }
    Passage *passage = g_new0(Passage, 1);
    passage->destination = g_strdup(way->destination);
    passage->login = way->login;
    g_mutex_init(&passage->lock);
    g_ptr_array_add(passages->list, passage);
    return passage;
}

/* With the lock. */
static void
keep(Passage *passage, CheckQuestion *question, gboolean told)
{
    json_decref(passage->reply);
    g_clear_error(&passage->error);
    passage->reply = g_steal_pointer(&question->reply);
    passage->error = g_steal_pointer(&question->error);
    passage->asked = TRUE;
    passage->told = told;
}

typedef struct {
    CheckPassages *passages;
    CheckQuestion *questions;
} Questions;

static gboolean
ask_one(guint index, void *data, GError **error)
{
    const Questions *all = data;
    CheckQuestion *question = &all->questions[index];
    Passage *passage = find(all->passages, question->way);
    gboolean told = json_object_size(question->facts) > 0;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&passage->lock);

    if (!passage->asked || (told && !passage->told)) {
        check_questions_ask(question, 1);
        keep(passage, question, told);
    }
    question->reply = json_deep_copy(passage->reply);
    question->error = passage->error ? g_error_copy(passage->error) : NULL;
    return TRUE;
}

void
check_passages_ask(CheckPassages *passages, CheckQuestion *questions, guint count)
{
    Questions all = { passages, questions };

    (void)parallel_run(count, ask_one, &all, NULL);
}
