// What the program looks at before anything else of it runs: see start.c.

#ifndef VUGEN_CSTART_H
#define VUGEN_CSTART_H

// What OMP_NUM_THREADS said, where that is no number of threads, cut to a short length; NULL where it is or said nothing.
const char *vugen_refused_threads(void);

#endif
