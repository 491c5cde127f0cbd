// What the certificate of a server must say. OpenSSL itself is told, as Connector/C from 3.4 on
// does not ask where it takes the server for a local one: at 127.0.0.1, ::1 and a Unix socket.
#pragma once

#include <mysql.h>
#include <stdbool.h>

// True if a host is written as an address, which a certificate may have as one or as a name.
bool mysql_certificate_is_address(const char *host);

// From the next login on a certificate must be for this host, as its address or as its name; with
// NULL for anybody.
void mysql_certificate_demand(const char *host, bool as_address);

// True if that error of a login is a certificate without the address that was demanded.
bool mysql_certificate_lacks_address(const char *message);

// Has the connection trust the authorities of the system.
void mysql_certificate_trust_system(MYSQL *connection);
