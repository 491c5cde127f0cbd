// Foreign bytes made fit to show: what comes out is one line of valid UTF-8, cut between
// characters.
#include "common/text.h"

#include "unit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void check_foreign(const char *bytes, size_t length, const char *wanted)
{
    char room[256];
    struct text text = text_in(room, sizeof room);
    text_add_foreign(&text, bytes, length);
    assert_string_equal(room, wanted);
    assert_int_equal(text.length, strlen(wanted));
    assert_false(text.cut);
}

// Bytes as they come, and what is shown.
struct foreign {
    const char *bytes;
    const char *shown;
};

static void check_table(const struct foreign *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("case %zu\n", i);
        check_foreign(cases[i].bytes, strlen(cases[i].bytes), cases[i].shown);
    }
}

static void valid_characters_pass_unchanged(void **state)
{
    (void)state;
    static const struct foreign cases[] = {
        {"", ""},
        {"plain ASCII ~!", "plain ASCII ~!"},
        {"  blanks stay  ", "  blanks stay  "},
        {"\xc2\xa0", "\xc2\xa0"},                                 // U+00A0, the least shown of two
        {"\xdf\xbf", "\xdf\xbf"},                                 // U+07FF, the most of two
        {"\xe0\xa0\x80", "\xe0\xa0\x80"},                         // U+0800, the least of three
        {"\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"}, // on both sides of surrogates
        {"\xef\xbf\xbd", "\xef\xbf\xbd"},                         // U+FFFD
        {"\xf0\x90\x80\x80", "\xf0\x90\x80\x80"},                 // U+10000, the least of four
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},                 // U+10FFFF, the last
    };
    check_table(cases, COUNT(cases));
}

static void invalid_bytes_become_question_marks(void **state)
{
    (void)state;
    static const struct foreign cases[] = {
        {"\x80", "?"},                           // a continuation alone
        {"a\xbfz", "a?z"},                       //
        {"\xc0\xaf", "??"},                      // '/' in two bytes
        {"\xc1\xbf", "??"},                      // the longest overlong of two
        {"\xe0\x80\xaf", "???"},                 // '/' in three
        {"\xe0\x9f\xbf", "???"},                 // the longest overlong of three
        {"\xf0\x80\x80\xaf", "????"},            // '/' in four
        {"\xf0\x8f\xbf\xbf", "????"},            // the longest overlong of four
        {"\xed\xa0\x80", "???"},                 // U+D800, the first surrogate
        {"\xed\xbf\xbf", "???"},                 // U+DFFF, the last
        {"\xf4\x90\x80\x80", "????"},            // U+110000
        {"\xf8\x88\x80\x80\x80", "?????"},       // five bytes
        {"\xfe\xff", "??"},                      //
        {"\xc3", "?"},                           // ends too soon
        {"\xe2\x82", "??"},                      //
        {"\xf0\x9f\x98", "???"},                 //
        {"\xc3z", "?z"},                         // what follows is not swallowed
        {"\xe2\x82z", "??z"},                    //
        {"\xe2\xc3\xa4", "?\xc3\xa4"},           //
        {"\xf0\x9f\xc3\xa4\xff", "??\xc3\xa4?"}, //
    };
    check_table(cases, COUNT(cases));
}

static void controls_become_one_space_and_none_at_the_ends(void **state)
{
    (void)state;
    static const struct foreign cases[] = {
        {"a\nb", "a b"},
        {"a\r\n\t\v\fb", "a b"},
        {"\n\na", "a"},
        {"a\n\n", "a"},
        {"\n", ""},
        {"a \n b", "a   b"},
        {"\x1b[2J\x07!", "[2J !"},
        {"a\x7f"
         "b",
         "a b"},
        {"a\xc2\x80\xc2\x9f"
         "b",
         "a b"}, // C1 controls
        {"a\xe2\x80\xa8\xe2\x80\xa9"
         "b",
         "a b"}, // line and paragraph separator
        {"a\xe2\x80\xaa\xe2\x80\xae"
         "b",
         "a b"}, // directional overrides
        {"a\xe2\x81\xa6\xe2\x81\xa9"
         "b",
         "a b"}, // directional isolates
        {"\xef\xbb\xbf"
         "a",
         "a"}, // byte order mark
    };
    check_table(cases, COUNT(cases));
    check_foreign("a\0b", 3, "a b");
    check_foreign("\0", 1, "");
}

// Every code point, encoded by hand: what comes out is that character, a space or nothing.
static void every_character_is_shown_or_left_out(void **state)
{
    (void)state;
    for (uint32_t point = 1; point <= 0x10FFFF; point++) {
        if (point >= 0xD800 && point <= 0xDFFF)
            continue;
        char bytes[8], room[16];
        size_t length = 0;
        if (point < 0x80)
            bytes[length++] = (char)point;
        else if (point < 0x800)
            bytes[length++] = (char)(0xC0 | point >> 6);
        else if (point < 0x10000)
            bytes[length++] = (char)(0xE0 | point >> 12);
        else
            bytes[length++] = (char)(0xF0 | point >> 18);
        if (point >= 0x10000)
            bytes[length++] = (char)(0x80 | (point >> 12 & 0x3F));
        if (point >= 0x800)
            bytes[length++] = (char)(0x80 | (point >> 6 & 0x3F));
        if (point >= 0x80)
            bytes[length++] = (char)(0x80 | (point & 0x3F));
        struct text text = text_in(room, sizeof room);
        text_add_foreign(&text, bytes, length);
        if (text.length != 0 && (text.length != length || memcmp(room, bytes, length) != 0))
            fail_msg("U+%04X is shown as %s", (unsigned)point, room);
        if (text.length == 0 && point >= 0x20 && point < 0x7F)
            fail_msg("U+%04X is left out", (unsigned)point);
    }
}

// As another decoder has it.
static bool is_utf8(const char *bytes)
{
    json_t *string = json_string(bytes);
    json_decref(string);
    return string != NULL;
}

static void random_bytes_always_come_out_as_one_valid_line(void **state)
{
    (void)state;
    unsigned seed = 12345;
    for (unsigned round = 0; round < 50000; round++) {
        char bytes[24], room[32];
        size_t length = (size_t)rand_r(&seed) % sizeof bytes;
        size_t capacity = 1 + (size_t)rand_r(&seed) % sizeof room;
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)(rand_r(&seed) % 4 == 0 ? rand_r(&seed) % 128 : rand_r(&seed));
        struct text text = text_in(room, capacity);
        text_add_foreign(&text, bytes, length);
        assert_true(text.length < capacity);
        assert_int_equal(strlen(room), text.length);
        assert_true(is_utf8(room));
        for (size_t i = 0; i < text.length; i++)
            assert_true((unsigned char)room[i] >= 0x20 && room[i] != 0x7F);
    }
}

static void the_valid_start_of_bytes_is_measured(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length, valid;
    } cases[] = {
        {"", 0, 0},
        {"abc", 3, 3},
        {"ab\0c", 4, 2},
        {"\0", 1, 0},
        {"a\nb\x1b", 4, 4},
        {"\xc3\xa4\xff", 3, 2},
        {"\xc3\xa4\xc3", 3, 2},
        {"\xed\xa0\x80", 3, 0},
        {"\xef\xbb\xbf!", 4, 4},
        {"abc", 2, 2},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(text_valid_length(cases[i].bytes, cases[i].length), cases[i].valid);
}

// "aä€😀" has characters of 1, 2, 3 and 4 bytes, which end at 1, 3, 6 and 10.
static const char mixed[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";

static size_t whole_within(size_t room)
{
    return room >= 10 ? 10 : room >= 6 ? 6 : room >= 3 ? 3 : room >= 1 ? 1 : 0;
}

static void all_ways_of_adding_cut_between_characters(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity <= 12; capacity++) {
        size_t wanted = whole_within(capacity - 1);
        for (unsigned way = 0; way < 3; way++) {
            char room[16];
            struct text text = text_in(room, capacity);
            if (way == 0)
                text_add(&text, mixed);
            else if (way == 1)
                text_add_foreign(&text, mixed, strlen(mixed));
            else
                text_addf(&text, "%s", mixed);
            assert_int_equal(text.length, wanted);
            assert_int_equal(strlen(room), wanted);
            assert_memory_equal(room, mixed, wanted);
            assert_int_equal(text.cut, wanted < strlen(mixed));
        }
    }
}

static void nothing_follows_a_cut(void **state)
{
    (void)state;
    char room[4];
    struct text text = text_in(room, sizeof room);
    text_add(&text, "ab\xe2\x82\xac");
    assert_true(text.cut);
    text_add(&text, "c");
    text_add_foreign(&text, "d", 1);
    text_addf(&text, "%d", 5);
    assert_string_equal(room, "ab");
}

static void pieces_are_appended(void **state)
{
    (void)state;
    char room[64];
    struct text text = text_in(room, sizeof room);
    text_add(&text, "x");
    text_add(&text, "");
    text_addf(&text, "=%d%s", 5, "%");
    text_add_foreign(&text, "\n!\n", 3);
    assert_string_equal(room, "x=5%!");
    assert_int_equal(text.length, 5);
    assert_false(text.cut);
}

static void a_text_that_just_fits_is_not_cut(void **state)
{
    (void)state;
    char room[4];
    struct text text = text_in(room, sizeof room);
    text_addf(&text, "%s", "abc");
    assert_string_equal(room, "abc");
    assert_false(text.cut);
    text_addf(&text, "%s", "d");
    assert_string_equal(room, "abc");
    assert_true(text.cut);
}

static void what_is_clean_is_left_as_it_is(void **state)
{
    (void)state;
    assert_true(text_is_clean(""));
    assert_true(text_is_clean("l\xc3\xa4g ?"));
    assert_false(text_is_clean("a\tb"));
    assert_false(text_is_clean("a\xff"));
    assert_false(text_is_clean("\xe2\x80\xae"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_characters_pass_unchanged),
        cmocka_unit_test(invalid_bytes_become_question_marks),
        cmocka_unit_test(controls_become_one_space_and_none_at_the_ends),
        cmocka_unit_test(every_character_is_shown_or_left_out),
        cmocka_unit_test(random_bytes_always_come_out_as_one_valid_line),
        cmocka_unit_test(the_valid_start_of_bytes_is_measured),
        cmocka_unit_test(all_ways_of_adding_cut_between_characters),
        cmocka_unit_test(nothing_follows_a_cut),
        cmocka_unit_test(pieces_are_appended),
        cmocka_unit_test(a_text_that_just_fits_is_not_cut),
        cmocka_unit_test(what_is_clean_is_left_as_it_is),
    };
    return RUN(tests);
}
