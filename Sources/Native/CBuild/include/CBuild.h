// What the build was told about itself.
#pragma once

// The commit that it was made from, or "unknown", as from a tarball.
const char *vugen_commit(void);
