// The page's style and script, from page.css and page.js, and the SHA-256 digest of each. The build
// makes them part of the program.
#pragma once

enum { PAGE_DIGEST_LENGTH = 32 };

extern const char page_css[];
extern const char page_js[];
extern const unsigned char page_css_digest[PAGE_DIGEST_LENGTH];
extern const unsigned char page_js_digest[PAGE_DIGEST_LENGTH];
