#include "CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

// Its macros that check types stand in the way of functions that are looked up.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define FUNCTIONS(X)    \
  X(curl_global_init)   \
  X(curl_easy_init)     \
  X(curl_easy_reset)    \
  X(curl_easy_setopt)   \
  X(curl_easy_perform)  \
  X(curl_easy_cleanup)  \
  X(curl_easy_strerror) \
  X(curl_slist_append)  \
  X(curl_slist_free_all)

#define MEMBER(name) __typeof__(&name) name;
static struct { FUNCTIONS(MEMBER) } lib;
static int is_loaded;

static void load_once(void) {
  // Whichever library for TLS it was built with.
  static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
  void *handle = NULL;
  for (size_t i = 0; handle == NULL && i < sizeof names / sizeof *names; i++)
    handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return;
#define LOOK_UP(name) \
  if ((lib.name = (__typeof__(&name))dlsym(handle, #name)) == NULL) return;
  FUNCTIONS(LOOK_UP)
  is_loaded = lib.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

struct vugen_http {
  CURL *easy;
};

vugen_http *vugen_http_new(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load_once);
  if (!is_loaded) return NULL;
  vugen_http *http = malloc(sizeof *http);
  if (http == NULL) return NULL;
  http->easy = lib.curl_easy_init();
  if (http->easy == NULL) {
    free(http);
    return NULL;
  }
  return http;
}

void vugen_http_free(vugen_http *http) {
  if (http == NULL) return;
  lib.curl_easy_cleanup(http->easy);
  free(http);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *user) {
  const vugen_request *request = user;
  return request->header(request->context, bytes, size * count) ? 0 : size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user) {
  const vugen_request *request = user;
  size_t all = size * count;
  // 0 of 0 bytes taken would be a success.
  return request->body(request->context, (const uint8_t *)bytes, all) ? all + 1 : all;
}

static int on_progress(void *user, curl_off_t all_down, curl_off_t down, curl_off_t all_up, curl_off_t up) {
  const vugen_request *request = user;
  (void)all_down, (void)down, (void)all_up, (void)up;
  return request->tick(request->context);
}

static vugen_http_end end_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return VUGEN_HTTP_DONE;
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK: return VUGEN_HTTP_STOPPED;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST: return VUGEN_HTTP_NO_HOST;
    case CURLE_COULDNT_CONNECT: return VUGEN_HTTP_NO_CONNECTION;
    case CURLE_OPERATION_TIMEDOUT: return VUGEN_HTTP_TIMED_OUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION: return VUGEN_HTTP_NOT_TRUSTED;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return VUGEN_HTTP_CUT;
    default: return VUGEN_HTTP_FAILED;
  }
}

static CURLcode prepare(CURL *easy, const vugen_request *request, struct curl_slist *headers, char *error) {
  // Enough to notice an answer that comes a byte at a time, and little for the slowest of lines.
  enum { SLOW_BYTES = 64 };
  CURLcode code = CURLE_OK;
#define SET(option, value) \
  if (code == CURLE_OK) code = lib.curl_easy_setopt(easy, option, value)
  SET(CURLOPT_ERRORBUFFER, error);
  SET(CURLOPT_URL, request->url);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  if (request->is_direct) SET(CURLOPT_PROXY, "");
  SET(CURLOPT_NOBODY, request->is_head ? 1L : 0L);
  SET(CURLOPT_HTTPHEADER, headers);
  SET(CURLOPT_USERAGENT, request->agent);
  if (request->authorities) SET(CURLOPT_CAINFO, request->authorities);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_CONNECTTIMEOUT, request->connect_seconds);
  SET(CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
  SET(CURLOPT_LOW_SPEED_TIME, request->stall_seconds);
  SET(CURLOPT_BUFFERSIZE, 262144L);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, (void *)request);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, (void *)request);
  SET(CURLOPT_XFERINFOFUNCTION, on_progress);
  SET(CURLOPT_XFERINFODATA, (void *)request);
  SET(CURLOPT_NOPROGRESS, 0L);
  return code;
}

vugen_http_end vugen_http_send(vugen_http *http, const vugen_request *request, char *reason, size_t count) {
  char error[CURL_ERROR_SIZE] = "";
  struct curl_slist *headers = NULL;
  for (const char *const *line = request->headers; *line; line++) {
    struct curl_slist *longer = lib.curl_slist_append(headers, *line);
    if (longer == NULL) {
      lib.curl_slist_free_all(headers);
      snprintf(reason, count, "out of memory");
      return VUGEN_HTTP_FAILED;
    }
    headers = longer;
  }
  lib.curl_easy_reset(http->easy);
  CURLcode code = prepare(http->easy, request, headers, error);
  if (code == CURLE_OK) code = lib.curl_easy_perform(http->easy);
  snprintf(reason, count, "%s", *error ? error : lib.curl_easy_strerror(code));
  // What it points to goes now.
  lib.curl_easy_reset(http->easy);
  lib.curl_slist_free_all(headers);
  return end_of(code);
}
