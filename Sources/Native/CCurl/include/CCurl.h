// HTTP through libcurl, which is loaded at its first use: a start of the program that fetches nothing does not wait for it
// and the thirty libraries that it brings.
#ifndef VUGEN_CCURL_H
#define VUGEN_CCURL_H

#include <stddef.h>
#include <stdint.h>

// One request: no redirect is followed, only http and https are spoken, nothing is unpacked.
typedef struct {
  const char *url;
  int is_head;
  // Past any proxy that the environment names.
  int is_direct;
  // Lines `Name: value`, ended by NULL.
  const char *const *headers;
  const char *agent;
  // A file of certificates to trust; NULL for the system's.
  const char *authorities;
  // How long a connection may take, and how long an answer may stand still.
  long connect_seconds, stall_seconds;
  void *context;
  // Take a line of the head and a part of the body; the last is called about once a second, or more often. What is not 0
  // ends the request.
  int (*header)(void *context, const char *bytes, size_t count);
  int (*body)(void *context, const uint8_t *bytes, size_t count);
  int (*tick)(void *context);
} vugen_request;

typedef enum {
  VUGEN_HTTP_DONE,
  // One of the functions ended it.
  VUGEN_HTTP_STOPPED,
  VUGEN_HTTP_NO_LIBRARY,
  VUGEN_HTTP_NO_HOST,
  VUGEN_HTTP_NO_CONNECTION,
  VUGEN_HTTP_TIMED_OUT,
  // The certificate is not trusted, or the two do not agree on a cipher.
  VUGEN_HTTP_NOT_TRUSTED,
  // The connection broke off.
  VUGEN_HTTP_CUT,
  VUGEN_HTTP_FAILED,
} vugen_http_end;

// A connection that is kept for the next request to the same host. Not for two threads at once.
typedef struct vugen_http vugen_http;

// NULL where libcurl is not installed, or memory is out.
vugen_http *vugen_http_new(void);
void vugen_http_free(vugen_http *http);

// Sends the request and waits for its end. Into `reason` goes libcurl's word for what went wrong.
vugen_http_end vugen_http_send(vugen_http *http, const vugen_request *request, char *reason, size_t count);

#endif
