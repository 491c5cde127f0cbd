// The environment that the server gets: whoever takes it over finds no password there.
#pragma once

// Our own with *** for each secret; made once, never freed. So is DATABASE_URL, but for the
// password in it.
char **mask_environment(void);
