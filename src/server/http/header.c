// See header.h. libmicrohttpd 1.x, told to be strict, refuses all of this but two lengths; 0.9.75
// nothing of it. Both refuse a blank before the colon.
#include "server/http/header.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

void header_add(struct header *header, const char *name, const char *value)
{
    // To continue a line libmicrohttpd 0.9.75 moves its name behind all that has been read.
    if (value == NULL || value < name)
        header->fault = "a header line must not be continued on the next one\n";
    else if (strcasecmp(name, "Host") == 0)
        header->host = true;
    else if (strcasecmp(name, "Transfer-Encoding") == 0)
        header->coded = true;
    else if (strcasecmp(name, "Accept") == 0)
        header->choosy |= strcmp(value, "*/*") != 0;
    else if (strcasecmp(name, "Content-Length") == 0) {
        if (header->length != NULL && strcmp(header->length, value) != 0)
            header->fault = "there are two different Content-Length lines\n";
        header->length = value;
    }
}

void header_end(struct header *header, const char *version)
{
    if (header->fault != NULL)
        return;
    if (header->coded && header->length != NULL)
        header->fault = "expected Content-Length or Transfer-Encoding, not both\n";
    else if (!header->host && strcmp(version, "HTTP/1.0") != 0)
        header->fault = "HTTP/1.1 needs a Host line\n";
}
