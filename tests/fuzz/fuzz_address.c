// Addresses to listen on: one that is taken can be bound and asked as it is, and with another port;
// what is refused is told.
//
// Input: the address.
#include "fuzz.h"

#include "server/base/address.h"

#include <stdlib.h>

static void must_be_an_address(const struct address *address)
{
    bool v4 = address->socket.plain.sa_family == AF_INET;
    MUST(v4 || address->socket.plain.sa_family == AF_INET6);
    MUST(address->length == (v4 ? sizeof address->socket.v4 : sizeof address->socket.v6));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    char *text = take_rest(&input);
    struct address address;
    struct error error;
    if (address_parse(text, &address, &error)) {
        must_be_an_address(&address);
        MUST(address.any == (text[0] == ':' && text[1] != ':'));
        struct address asked = address_to_ask(&address);
        must_be_an_address(&asked);
        MUST(!asked.any && asked.socket.v6.sin6_port == address.socket.v6.sin6_port);
    } else {
        must_be_told(&error);
    }
    free(text);
    return 0;
}
