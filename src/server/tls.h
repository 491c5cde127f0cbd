// GnuTLS, begun when TLS is wanted. Left alone it begins as it is loaded, which libmicrohttpd has it
// be, and libmicrohttpd begins it too: 0.4 MB and more, and a sixth of the start, for plain HTTP.
#pragma once

// Comes before all other use of GnuTLS, and may come again.
void tls_begin(void);
