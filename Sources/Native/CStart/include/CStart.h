// What the program looks at before anything else of it runs: see start.c. Nothing is called from outside.

#ifndef VUGEN_CSTART_H
#define VUGEN_CSTART_H

#endif
