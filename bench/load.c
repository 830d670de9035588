// A closed-loop MessagePack-RPC load: every connection keeps PIPELINE requests in flight until TOTAL are answered.
//
//   load HOST PORT FILE CONNECTIONS TOTAL [PIPELINE]
//
// FILE holds packed requests, each behind its length (32-bit little-endian); they are sent in turn, again and again.
// Prints one line of JSON, at the end or on SIGTERM. A reply's time counts from just before its request was handed to the kernel.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#define DIE(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

enum { MOST_IN_FLIGHT = 256, RECEIVE = 1 << 20, SECONDS_AT_MOST = 300 };

typedef struct { const uint8_t *bytes; uint32_t size; } Request;
typedef struct {
  int socket;
  uint8_t *received; size_t held;                 // bytes of replies that are not whole yet
  const uint8_t *sending; size_t left;            // rest of the request that the kernel did not take yet
  unsigned due;                                   // requests to send when that one is gone
  double sent[MOST_IN_FLIGHT]; unsigned first, last;  // ring of the times of the requests in flight
} Connection;

static volatile sig_atomic_t ended;

static void end(int number) { ended = number; }

static Request *requests;
static size_t request_count, next_request;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static uint64_t big_endian(const uint8_t *p, int size) {
  return size ? big_endian(p, size - 1) << 8 | p[size - 1] : 0;
}

// Return the end of the object at p, or NULL when it is not whole.
static const uint8_t *skip(const uint8_t *p, const uint8_t *end) {
  for (uint64_t objects = 1; objects; objects--) {
    if (p >= end) return NULL;
    uint8_t type = *p++;
    int length_size = 0;  // of the length field, or of the value where there is none
    uint64_t body = 0, times = 0;
    if (type <= 0x7f || type >= 0xe0 || type == 0xc0 || type == 0xc2 || type == 0xc3) continue;
    if (type <= 0x8f) objects += 2 * (type & 15);
    else if (type <= 0x9f) objects += type & 15;
    else if (type <= 0xbf) body = type & 31;
    else if (type >= 0xca && type <= 0xd3) body = type < 0xcc ? 4u << (type - 0xca) : 1u << (type & 3);
    else if (type >= 0xc4 && type <= 0xc6) length_size = 1 << (type - 0xc4);
    else if (type >= 0xd9 && type <= 0xdb) length_size = 1 << (type - 0xd9);
    else if (type >= 0xdc) length_size = type & 1 ? 4 : 2, times = type >= 0xde ? 2 : 1;
    else DIE("a reply has a byte %02x where a type should be", type);
    if ((uint64_t)(end - p) < length_size + body) return NULL;
    if (times) objects += times * big_endian(p, length_size);
    else if (length_size) body = big_endian(p, length_size);
    p += length_size;
    if ((uint64_t)(end - p) < body) return NULL;
    p += body;
  }
  return p;
}

// Send what is due until the kernel takes no more.
static void send_due(Connection *c) {
  while (c->left || c->due) {
    if (!c->left) {
      const Request *r = &requests[next_request++ % request_count];
      c->sending = r->bytes, c->left = r->size, c->due--;
      c->sent[c->last++ % MOST_IN_FLIGHT] = now();
    }
    ssize_t n = send(c->socket, c->sending, c->left, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) DIE("send: %s", strerror(errno));
    c->sending += n, c->left -= n;
  }
}

static int by_size(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

int main(int argc, char **argv) {
  if (argc < 6) DIE("usage: load HOST PORT FILE CONNECTIONS TOTAL [PIPELINE]");
  size_t connections = strtoul(argv[4], NULL, 10), total = strtoul(argv[5], NULL, 10), started = 0, done = 0, errors = 0;
  unsigned pipeline = argc > 6 ? atoi(argv[6]) : 1;
  if (!connections || !total || !pipeline || pipeline > MOST_IN_FLIGHT) DIE("counts must be positive, PIPELINE <= 256");
  FILE *file = fopen(argv[3], "rb");
  if (!file || fseek(file, 0, SEEK_END)) DIE("%s: %s", argv[3], strerror(errno));
  size_t size = ftell(file);
  uint8_t *bytes = malloc(size + 1);
  rewind(file);
  if (fread(bytes, 1, size, file) != size) DIE("%s: cannot be read", argv[3]);
  requests = malloc((size / 5 + 1) * sizeof *requests);
  for (size_t at = 0; at + 4 <= size; at += 4 + (size_t)requests[request_count++].size) {
    memcpy(&requests[request_count].size, bytes + at, 4);
    requests[request_count].bytes = bytes + at + 4;
  }
  if (!request_count) DIE("%s holds no request", argv[3]);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  if (inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) DIE("HOST must be an IPv4 address");
  int poll = epoll_create1(0), on = 1;
  Connection *all = calloc(connections, sizeof *all);
  for (Connection *c = all; c < all + connections; c++) {
    c->socket = socket(AF_INET, SOCK_STREAM, 0), c->received = malloc(RECEIVE);
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->socket, (struct sockaddr *)&to, sizeof to)) DIE("connect: %s", strerror(errno));
    fcntl(c->socket, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    epoll_ctl(poll, EPOLL_CTL_ADD, c->socket, &event);
  }

  signal(SIGTERM, end);
  double *took = malloc(total * sizeof *took), start = now();
  for (Connection *c = all; c < all + connections; send_due(c++))
    for (; c->due < pipeline && started < total; started++) c->due++;
  while (done < total && !ended) {
    struct epoll_event events[64];
    int count = epoll_wait(poll, events, 64, 10000);
    if (count < 0) continue;
    if (!count || now() - start > SECONDS_AT_MOST) DIE("only %zu of %zu answered in time", done, total);
    for (struct epoll_event *e = events; e < events + count; e++) {
      Connection *c = e->data.ptr;
      for (;;) {
        ssize_t n = recv(c->socket, c->received + c->held, RECEIVE - c->held, 0);
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) DIE("connection ended after %zu replies: %s", done, n ? strerror(errno) : "closed");
        const uint8_t *p = c->received, *end = p + c->held + n, *next;
        for (; p < end && (next = skip(p, end)); p = next) {  // [1, id, error, result]
          if (p[0] != 0x94 || p[1] != 1 || *skip(p + 2, end) != 0xc0) errors++;
          took[done++] = now() - c->sent[c->first++ % MOST_IN_FLIGHT];
          if (started < total) started++, c->due++;
        }
        c->held = end - p;
        memmove(c->received, p, c->held);
        if (c->held == RECEIVE) DIE("a reply exceeds %d bytes", RECEIVE);
        if (p == c->received || c->held + n < RECEIVE) break;
      }
      send_due(c);
    }
  }
  double seconds = now() - start;
  if (!done) DIE("nothing was answered");
  qsort(took, done, sizeof *took, by_size);
  printf("{\"requests\": %zu, \"errors\": %zu, \"seconds\": %.4f, \"rps\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
         "\"max_us\": %.1f}\n",
         done, errors, seconds, done / seconds, took[done / 2] * 1e6, took[done * 99 / 100] * 1e6, took[done - 1] * 1e6);
}
