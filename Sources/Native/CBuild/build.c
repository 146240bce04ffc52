#include "CBuild.h"

const char *vugen_commit(void) { return VUGEN_COMMIT; }
