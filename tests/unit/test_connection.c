// What replies show of a connection.
#include "server/probing/connection.h"

#include "unit.h"

static struct instant at(int64_t ms)
{
    return (struct instant){.ns = 1000000000 + ms * 1000000};
}

static const struct reply welcome = {
    .verb = VERB_OPEN, .outcome = OUTCOME_OK, .flavor = FLAVOR_POSTGRES, .version = "15.8"};

// It has been open since before the batch.
static struct connection an_old_one(void)
{
    struct connection connection = {0};
    (void)connection_begin(&connection, at(0));
    connection_note_open(&connection, &welcome, at(0));
    connection.is_old = true;
    return connection;
}

static void what_a_run_shows(void **state)
{
    (void)state;
    static const struct {
        enum outcome outcome;
        bool dead; // it may have been so for long
        bool open; // it is, after that
    } rows[] = {
        {OUTCOME_OK, false, true},
        {OUTCOME_SERVER_ERROR, false, true},
        {OUTCOME_QUERY_TIMEOUT, false, true},
        {OUTCOME_LOST, true, false},
        {OUTCOME_TERMINATED, true, false},
        {OUTCOME_NOT_ACCEPTING, true, false},
        {OUTCOME_TLS, true, false},
        {OUTCOME_TOO_LARGE, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct connection connection = an_old_one();
        assert_int_equal(connection_was_dead(&connection, rows[i].outcome), rows[i].dead);
        connection_note_run(&connection, rows[i].outcome);
        assert_int_equal(connection.is_open, rows[i].open);
        assert_false(connection_was_dead(&connection, OUTCOME_LOST)); // it was alive just now
    }
}

static void who_is_let_in(void **state)
{
    (void)state;
    struct connection connection = an_old_one();
    struct reply denied = {.verb = VERB_OPEN, .outcome = OUTCOME_DENIED, .trial = TRIAL_REFUSED};
    struct reply by_the_one_before = welcome;
    by_the_one_before.trial = TRIAL_REFUSED;
    assert_true(connection_may_stay(&connection));
    (void)connection_begin(&connection, at(1));
    assert_false(connection_may_stay(&connection));
    connection_note_open(&connection, &by_the_one_before, at(1));
    assert_true(connection.is_open && connection.refused);
    assert_false(connection_may_stay(&connection));
    (void)connection_begin(&connection, at(2));
    connection_note_open(&connection, &denied, at(2));
    assert_false(connection.is_open);
    assert_int_equal(connection.opened.ns, at(1).ns); // the server is as it was last seen
    (void)connection_begin(&connection, at(3));
    connection_note_open(&connection, &welcome, at(3));
    assert_true(connection_may_stay(&connection));
}

static void whether_the_user_is_a_superuser_is_known_for_a_minute(void **state)
{
    (void)state;
    struct connection connection = {0};
    struct reply reply = welcome;
    for (int64_t now = 0; now < 240000; now += 15000) {
        bool asked = connection_begin(&connection, at(now));
        assert_int_equal(asked, now % 60000 == 0);
        reply.superuser = asked && now < 120000; // who is not asked does not say
        connection_note_open(&connection, &reply, at(now));
        assert_int_equal(connection.superuser, now < 120000);
    }
}

// Who has not been answered does not know, and asks again.
static void a_question_that_was_not_answered_is_asked_again(void **state)
{
    (void)state;
    struct connection connection = {0};
    struct reply refused = {.verb = VERB_OPEN, .outcome = OUTCOME_REFUSED};
    for (int64_t now = 0; now < 3; now++) {
        assert_true(connection_begin(&connection, at(now)));
        connection_note_open(&connection, &refused, at(now));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_run_shows),
        cmocka_unit_test(who_is_let_in),
        cmocka_unit_test(whether_the_user_is_a_superuser_is_known_for_a_minute),
        cmocka_unit_test(a_question_that_was_not_answered_is_asked_again),
    };
    return RUN(tests);
}
