// The files of page/, which the build makes part of the program.
#pragma once

extern const char page_html[];
extern const char page_css[];
extern const char page_js[];
