// The page's style and script, from page.css and page.js. The build makes them part of the program.
#pragma once

extern const char page_css[];
extern const char page_js[];
