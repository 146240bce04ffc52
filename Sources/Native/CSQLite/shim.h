// SQLite's interface.
#ifndef VUGEN_CSQLITE_H
#define VUGEN_CSQLITE_H

#include <sqlite3.h>

#endif
