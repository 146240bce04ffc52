// libcrypto's digests.
#ifndef VUGEN_CCRYPTO_H
#define VUGEN_CCRYPTO_H

#include <openssl/evp.h>

#endif
