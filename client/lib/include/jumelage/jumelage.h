/** @file
 * libjumelage: calls to a jumelage service, over a unix socket, TCP, TLS, HTTP or HTTPS.
 *
 * A client is one connection. It is used in one of two ways, or in both by turns:
 *
 * - **blocking**: jml_client_open(), then jml_call() or a typed call such as jml_match_top(); each
 *   waits for its answer, at most options.call_timeout_ms;
 * - **in anyone's loop**: jml_client_start(), then jml_client_send() with a callback; the loop
 *   watches jml_client_fd() for jml_client_events(), sleeps at most jml_client_timeout_ms(), and
 *   calls jml_client_process(). Any number of calls may be under way.
 *
 * **Errors.** A function that can fail returns an enum #jml_code, 0 for success, and takes a struct
 * #jml_error last (NULL is allowed): one plain sentence that names what was wrong and what would be
 * right. Outputs are written on success only. The library never prints, exits or raises a signal.
 *
 * **Ownership.** `T **out` is the caller's, to be freed with the function that its text names. A
 * pointer that is returned is borrowed from its argument, and valid until that is freed. Texts
 * (struct #jml_text) are borrowed likewise, UTF-8, and **not** ended by a NUL byte.
 *
 * **Threads.** A client, its results and its parameters are used by one thread at a time; different
 * clients by different threads at the same time. There is no global state but OpenSSL's own.
 *
 * **HTTP** (`http://HOST:PORT`, `https://HOST:PORT`; the port is 80 or 443 where none is said). Each call is
 * one `POST /rpc`, which bears the token and the language. A connection carries one call at a time, those
 * behind it wait; it is kept for the next, and made again where it has ended meanwhile, so that
 * jml_client_is_open() and jml_client_fd() may say that there is none between two calls. A call that is
 * cancelled, or runs out of time, while it is under way ends its connection. **Nothing comes unasked** over
 * HTTP: there are no notifications; what sends them wants a stream. A status other than 200
 * is told as #JML_UNAUTHENTICATED (401), #JML_TOO_LARGE (413), #JML_BUSY (429, 503), and else as
 * #JML_BAD_ANSWER with a sentence that names it; no redirection is followed, and an answer without a
 * Content-Length (`chunked`) is refused.
 *
 * **TLS** (`tls:HOST:PORT`, `https://HOST:PORT`) is of version 1.2 or later and always checks the certificate: an
 * authority of the system, or of options.tls_ca_file, has signed it; it holds today; and the host of
 * the address, or options.tls_server_name, is among its alternative names. What is wrong with it is
 * told by #JML_UNREACHABLE. OpenSSL works in memory of its own, which the client's allocator does not
 * see, and its queue of errors of the calling thread is empty after each call here.
 *
 * **A lost connection.** The next call connects again, greets with the token again, and waits
 * between attempts (0.1 s, doubled up to 10 s, a quarter more or less). A call whose request never
 * left fails with #JML_UNREACHABLE, or is sent on the new connection if it blocks. A call whose
 * request may have reached the service fails with #JML_LOST (or #JML_BAD_ANSWER, if the peer sent
 * what no jumelage service sends): its outcome is unknown. After #JML_LOST, only blocking
 * calls of methods that are known to change nothing (jml_method_reads()) are repeated then, once.
 *
 * **Units.** Scores, views, shares, coverage: basis points, 0 to 10000. Instants: milliseconds since
 * 1970 UTC. Days: text `YYYY-MM-DD`. Timeouts: milliseconds. Limits: bytes.
 */
#ifndef JUMELAGE_H
#define JUMELAGE_H

#include <jumelage/version.h>

#include <msgpack/object.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
/** Marks what the library offers; all else is hidden. */
#define JML_API __attribute__((visibility("default")))
#else
#define JML_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------- */
/** @name Errors
 * @{ */

/** What became of a call: 0, a code of the service (1 and up), or one of the client (below 0). */
enum jml_code {
    JML_OK = 0, /**< it is done */

    JML_BAD_FRAME = 1,       /**< the service did not understand the bytes; it closes */
    JML_UNKNOWN_METHOD = 2,  /**< no such method; the sentence names the nearest */
    JML_INVALID_PARAMS = 3,  /**< wrong type, unknown or missing parameter, value out of range */
    JML_UNAUTHENTICATED = 4, /**< a token is needed, or the one shown is wrong or expired */
    JML_FORBIDDEN = 5,       /**< the role may not do this */
    JML_NOT_FOUND = 6,       /**< the named thing is not there */
    JML_CONFLICT = 7,        /**< another version is stored, or the step is not allowed now */
    JML_TOO_LARGE = 8,       /**< over a limit of jml_hello() */
    JML_BUSY = 9,            /**< over a rate or a queue; try again after jml_error.retry_ms */
    JML_DEADLINE = 10,       /**< the request's own `deadline_ms` passed */
    JML_DRAINING = 11,       /**< the service is stopping */
    JML_STORAGE_FULL = 12,   /**< disk or map full: nothing was written */
    JML_INTERNAL = 13,       /**< a defect of the service; the details bear a reference */
    JML_CANCELLED = 14,      /**< the run was cancelled */
    JML_READ_ONLY = 15,      /**< a replica; the details name the writer */
    JML_CODE_LAST = 32767,   /**< later services may send codes up to this one */

    JML_TIMEOUT = -1,     /**< no answer in time; the sentence says whether the request was sent */
    JML_LOST = -2,        /**< the connection ended after the request was sent: outcome unknown */
    JML_UNREACHABLE = -3, /**< no connection; the request was not sent */
    JML_BAD_ANSWER = -4,  /**< the peer sent what no jumelage service sends; closed */
    JML_NO_MEMORY = -5,   /**< the allocator gave NULL */
    JML_BAD_OPTION = -6,  /**< an option or argument is wrong: the field says which */
    JML_CLOSED = -7,      /**< the client was closed by its owner while the call was under way */
    JML_MISUSE = -8       /**< a blocking call from inside a callback, or the like */
};

/** One failure, as a value. */
struct jml_error {
    enum jml_code code; /**< never #JML_OK after a failure */
    char name[32];      /**< the code's name: `not_found`, `timeout` … */
    char message[512];  /**< one plain sentence, cut at a whole character if it must be */
    char field[128];    /**< where: `profile.raising.min`, `options.address`; or empty */
    int64_t retry_ms;   /**< with #JML_BUSY: wait this long; else 0 */
};

/** The name of a code: `ok`, `not_found`, `timeout`; `unknown` for one that this library lacks. */
JML_API const char *jml_code_name(enum jml_code code);
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name Small values
 * @{ */

/** A text inside a result: UTF-8, not ended by NUL; {NULL, 0} where there is none.
 * Print it with `printf("%.*s", (int)text.len, text.data)`. */
struct jml_text {
    const char *data; /**< borrowed */
    size_t len;       /**< bytes */
};

/** Bytes of packed msgpack; {NULL, 0} where there are none. */
struct jml_bytes {
    const void *data; /**< borrowed */
    size_t len;       /**< bytes */
};

/** One function for all memory: grows, shrinks, makes (old NULL) and frees (size 0, returns NULL).
 * It works as realloc(3); NULL for a size above 0 means none is left and `old` still stands. */
struct jml_allocator {
    void *(*resize)(void *context, void *old, size_t size); /**< NULL: the C library's */
    void *context;                                          /**< handed to resize */
};

/** Where a number in a view is absent or nil. No score, version or count is below 0. */
#define JML_ABSENT (-1)
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name Client
 * @{ */

/** One connection to a service, with its queue and its calls under way. */
typedef struct jml_client jml_client;
/** One answer: the bytes and the tree of values read from them. */
typedef struct jml_result jml_result;
/** Named parameters of one call, being built. */
typedef struct jml_params jml_params;

/**
 * A notification of the service.
 *
 * @param context as given to jml_client_on_notification()
 * @param method its name, valid during the callback
 * @param params its array of parameters, valid during the callback
 */
typedef void (*jml_notification_fn)(void *context, struct jml_text method,
                                    const msgpack_object *params);

/**
 * How to connect, and within which bounds. Begin with #JML_OPTIONS_INIT; what is 0 or NULL then
 * has its preset. All texts are copied.
 */
struct jml_options {
    uint32_t size; /**< of this structure, as the program knows it; later versions append fields */
    const char *address;     /**< `unix:PATH`, `tcp:HOST:PORT`, `tls:HOST:PORT`, `http://HOST:PORT`
                                       or `https://HOST:PORT`; HOST may be [IPV6] */
    const char *token;       /**< as token.create showed it, at most 200 bytes; or NULL */
    const char *token_file;  /**< instead: a file with nothing but it, mode 0600 or less */
    const char *client_name; /**< name and version of the program, for the service's log */
    const char *language;    /**< `en` or `fr`: language of sentences; or NULL */
    int32_t connect_timeout_ms;     /**< connect, secure and greet; 0: 5000; -1: no end */
    int32_t call_timeout_ms;        /**< each call; 0: 30000; -1: no end */
    size_t max_frame_bytes;         /**< of one answer; 0: 64 MiB; at least 1 KiB */
    size_t max_frame_items;         /**< values in one answer; 0: 4,000,000 (24 bytes each) */
    uint32_t max_nesting;           /**< containers in one another; 0: 32; at most 32 */
    uint32_t max_in_flight;         /**< calls under way; 0: 1024 (the service's); at most 65536 */
    size_t max_unsent_bytes;        /**< requests that wait to be sent; 0: 64 MiB */
    struct jml_allocator allocator; /**< {NULL, NULL}: the C library's */
    const char *tls_ca_file;        /**< PEM file of the authorities that are trusted instead of the
                                       system's, read once; or NULL. With TLS only */
    const char *tls_server_name; /**< what the certificate must bear where the address bears another
                                       name or a number; or NULL. With TLS only */
};

/** Options with every preset. `struct jml_options options = JML_OPTIONS_INIT;` */
#define JML_OPTIONS_INIT                                                                         \
    {                                                                                            \
        (uint32_t)sizeof(struct jml_options), NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, \
            {NULL, NULL}, NULL, NULL                                                             \
    }

/** Version of the library that is loaded, such as `0.1.0`. */
JML_API const char *jml_version(void);

/**
 * Connects, greets with the token and waits for the answer.
 *
 * @param options how; see struct #jml_options
 * @param[out] out the client; free it with jml_client_close()
 * @param[out] error why not: #JML_BAD_OPTION, #JML_UNREACHABLE, #JML_TIMEOUT, #JML_NO_MEMORY,
 *     #JML_BAD_ANSWER, or the service's own, such as #JML_UNAUTHENTICATED
 */
JML_API enum jml_code jml_client_open(const struct jml_options *options, jml_client **out,
                                      struct jml_error *error);

/**
 * Makes a client and begins to connect; waits for nothing but the look-up of a host's name (give a
 * numeric address where even that is too long). Calls may be sent at once; they go out after the
 * greeting. Parameters and errors as of jml_client_open(), without those of the network: they come
 * to the calls' callbacks.
 */
JML_API enum jml_code jml_client_start(const struct jml_options *options, jml_client **out,
                                       struct jml_error *error);

/**
 * Ends the connection and frees the client; calls under way get #JML_CLOSED first. NULL is fine.
 * From inside a callback it takes effect when that callback returns. Results outlive the client as
 * long as its allocator does.
 */
JML_API void jml_client_close(jml_client *client);

/** Whether the connection is made and the greeting answered. Over HTTP it may be false between two calls,
 * without harm. */
JML_API bool jml_client_is_open(const jml_client *client);

/** The role that the service granted in its last greeting: `officer`; empty before the first. */
JML_API const char *jml_client_role(const jml_client *client);

/** Why the connection last ended or could not be made; code #JML_OK if that never happened. */
JML_API const struct jml_error *jml_client_error(const jml_client *client);

/**
 * The `details` of the last call that failed, as a packed map; empty if it had none. Valid until the
 * next call or jml_client_process(); in a callback, for that callback's call.
 */
JML_API struct jml_bytes jml_client_details(const jml_client *client);
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name In a loop of one's own
 * @{ */

/** The descriptor to watch; -1 while there is none (between two attempts to connect, or when
 * nothing asks for a connection). It may change in any call: ask again each turn. */
JML_API int jml_client_fd(const jml_client *client);

/** What to watch it for: POLLIN, POLLOUT or both, as in poll(2); 0 if there is no descriptor. */
JML_API short jml_client_events(const jml_client *client);

/** How long the loop may sleep before it must call jml_client_process() with 0: milliseconds; 0:
 * now; -1: as long as it likes. */
JML_API int jml_client_timeout_ms(const jml_client *client);

/**
 * Moves the connection on: connects, writes, reads, and calls the callbacks of what was answered or
 * has run out of time. Never waits.
 *
 * @param client the connection
 * @param revents what poll(2) reported, POLLERR and POLLHUP too; 0 after a timeout
 * @return #JML_OK, or why the connection ended in this step; the next jml_client_send() makes a new
 *     one. #JML_MISUSE from inside a callback
 */
JML_API enum jml_code jml_client_process(jml_client *client, short revents);

/**
 * The end of one call.
 *
 * @param context as given to jml_client_send()
 * @param result the answer, yours: free it with jml_result_free(); NULL after a failure
 * @param error NULL, or what failed; valid during the callback
 *
 * It may send, cancel and close; it may not block.
 */
typedef void (*jml_answer_fn)(void *context, jml_result *result, const struct jml_error *error);

/**
 * Sends a call; its callback is called exactly once, from jml_client_process() or
 * jml_client_close(), unless the call is cancelled. Never waits; calls before the connection stands
 * are kept and sent in order.
 *
 * @param client the connection
 * @param method such as `match.top`; 1 to 200 bytes
 * @param params built with jml_params_create(), copied; NULL for none
 * @param answer the callback
 * @param context handed to it
 * @param[out] id names the call for jml_client_cancel(); NULL if not wanted
 * @param[out] error #JML_NO_MEMORY, #JML_BAD_OPTION, #JML_BUSY (max_in_flight or max_unsent_bytes)
 */
JML_API enum jml_code jml_client_send(jml_client *client, const char *method,
                                      const jml_params *params, jml_answer_fn answer, void *context,
                                      uint32_t *id, struct jml_error *error);

/** The same with parameters as bytes: one packed map, or none ({NULL, 0}). */
JML_API enum jml_code jml_client_send_packed(jml_client *client, const char *method,
                                             struct jml_bytes params, jml_answer_fn answer,
                                             void *context, uint32_t *id, struct jml_error *error);

/**
 * Forgets a call: its callback is not called, its answer is dropped when it comes. If its request
 * has not begun to leave, it never will; otherwise the service carries it out.
 *
 * @return false if no call of that id is under way
 */
JML_API bool jml_client_cancel(jml_client *client, uint32_t id);

/** Sets (or with NULL takes away) the callback for the service's notifications. Over HTTP it is never
 * called: nothing comes there that was not asked for. */
JML_API void jml_client_on_notification(jml_client *client, jml_notification_fn notification,
                                        void *context);
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name Calls of any method, blocking
 * @{ */

/**
 * Calls a method and waits for its answer.
 *
 * @param client the connection
 * @param method such as `match.top`
 * @param params built with jml_params_create(), still the caller's; NULL for none
 * @param[out] out the answer; free it with jml_result_free()
 * @param[out] error the service's error or the client's; see enum #jml_code
 */
JML_API enum jml_code jml_call(jml_client *client, const char *method, const jml_params *params,
                               jml_result **out, struct jml_error *error);

/** The same with parameters as bytes: one packed map, or none ({NULL, 0}). jml_result_packed()
 * gives the answer's bytes. */
JML_API enum jml_code jml_call_packed(jml_client *client, const char *method,
                                      struct jml_bytes params, jml_result **out,
                                      struct jml_error *error);

/** Whether the method is known to change nothing, so that a lost call of it may be repeated. */
JML_API bool jml_method_reads(const char *method);
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name Parameters
 * Names are texts ended by NUL. What goes wrong while adding (memory; bytes that are not one packed
 * value) is kept and told by the call that takes the parameters. A name given twice is refused by
 * the service.
 * @{ */

/** Empty parameters; NULL if memory is out. `allocator` NULL: the C library's. Free them with
 * jml_params_free(). */
JML_API jml_params *jml_params_create(const struct jml_allocator *allocator);
/** NULL is fine. */
JML_API void jml_params_free(jml_params *params);
/** Adds a text ended by NUL; nothing if `text` is NULL. */
JML_API void jml_params_add_text(jml_params *params, const char *name, const char *text);
/** Adds a text of `len` bytes. */
JML_API void jml_params_add_text_n(jml_params *params, const char *name, const char *text,
                                   size_t len);
/** Adds a whole number. */
JML_API void jml_params_add_int(jml_params *params, const char *name, int64_t value);
/** Adds a truth value. */
JML_API void jml_params_add_bool(jml_params *params, const char *name, bool value);
/** Adds any value as bytes: exactly one packed msgpack value, copied. */
JML_API void jml_params_add_packed(jml_params *params, const char *name, struct jml_bytes value);
/** The packed map so far, valid until the next change; {NULL, 0} after a failure. */
JML_API struct jml_bytes jml_params_packed(const jml_params *params);
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name Results
 * @{ */

/** Frees an answer and with it all that was borrowed from it. NULL is fine. */
JML_API void jml_result_free(jml_result *result);
/** The answer as a tree of msgpack values. */
JML_API const msgpack_object *jml_result_root(const jml_result *result);
/** The answer as its bytes, one packed value, just as the service sent them. */
JML_API struct jml_bytes jml_result_packed(const jml_result *result);

/** The value of a key; NULL if `map` is NULL or no map, or has no such key. */
JML_API const msgpack_object *jml_view_find(const msgpack_object *map, const char *key);
/** Elements of an array, pairs of a map; 0 for anything else and NULL. */
JML_API size_t jml_view_count(const msgpack_object *list);
/** An element of an array; NULL if there is none. */
JML_API const msgpack_object *jml_view_at(const msgpack_object *list, size_t index);
/** A whole number within 64 signed bits, in whatever encoding; false if it is none. */
JML_API bool jml_view_int(const msgpack_object *value, int64_t *out);
/** A truth value; false if it is none. */
JML_API bool jml_view_bool(const msgpack_object *value, bool *out);
/** A text; false if it is none. */
JML_API bool jml_view_text(const msgpack_object *value, struct jml_text *out);
/** Whether a text equals one that is ended by NUL. */
JML_API bool jml_text_is(struct jml_text text, const char *other);
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name system.*
 * @{ */

/** Who answers. Texts are borrowed from the result. */
struct jml_hello {
    struct jml_text name;         /**< `jumelage` */
    struct jml_text version;      /**< of the engine */
    struct jml_text role;         /**< what the asker may do: `reader`, `officer` … */
    int64_t protocol;             /**< version of the protocol: 1 */
    int64_t time_ms;              /**< of the service's clock, since 1970 UTC */
    const msgpack_object *limits; /**< map of every bound by name: `frame_bytes`, `in_flight` … */
};

/**
 * `system.hello` with the options' token, once more: who is there, what may be done.
 * @param client the connection
 * @param[out] hello what was answered; NULL if not wanted
 * @param[out] out the answer that hello borrows from; free it with jml_result_free()
 * @param[out] error as of jml_call()
 */
JML_API enum jml_code jml_hello(jml_client *client, struct jml_hello *hello, jml_result **out,
                                struct jml_error *error);

/** `system.ping`: whether the service answers. */
JML_API enum jml_code jml_ping(jml_client *client, struct jml_error *error);
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name profile.*
 * @{ */

/** What a write did. */
struct jml_written {
    int64_t version;   /**< 1 for a new one; #JML_ABSENT where the method gives none */
    int64_t seq;       /**< number of the change in the journal */
    bool is_created;   /**< it was new */
    bool is_unchanged; /**< it was stored just so already: no new version */
};

/** For `if_version`: whatever is stored. */
#define JML_ANY_VERSION (-1)

/** `profile.get`. `version` 0: the newest. The result's root is the profile: a map of its fields,
 * with `version`, `updated_at` and `seq`. */
JML_API enum jml_code jml_profile_get(jml_client *client, const char *id, int64_t version,
                                      jml_result **out, struct jml_error *error);

/**
 * `profile.put`: stores a profile, new or in place of the old version.
 *
 * @param client the connection
 * @param profile the whole profile, one packed map
 * @param if_version only if this version is stored, else #JML_CONFLICT; 0: only if it is new;
 *     #JML_ANY_VERSION
 * @param[out] written what it did; NULL if not wanted
 * @param[out] error as of jml_call()
 */
JML_API enum jml_code jml_profile_put(jml_client *client, struct jml_bytes profile,
                                      int64_t if_version, struct jml_written *written,
                                      struct jml_error *error);

/** `profile.patch`: sets the fields of `changes`, one packed map; nil removes a field. The rest as
 * jml_profile_put(). */
JML_API enum jml_code jml_profile_patch(jml_client *client, const char *id,
                                        struct jml_bytes changes, int64_t if_version,
                                        struct jml_written *written, struct jml_error *error);

/** `profile.delete`: takes a profile out; its history stays. The rest as jml_profile_put(). */
JML_API enum jml_code jml_profile_delete(jml_client *client, const char *id, int64_t if_version,
                                         struct jml_written *written, struct jml_error *error);

/** `profile.delete` with `erase`, for admins: takes out all that was ever stored of a profile, also of one that
 * was deleted before; nothing brings it back. The rest as jml_profile_put(). */
JML_API enum jml_code jml_profile_erase(jml_client *client, const char *id, int64_t if_version,
                                        struct jml_written *written, struct jml_error *error);

/** Which profiles, and how many. NULL and 0: no bound. */
struct jml_profile_query {
    uint32_t size;      /**< of this structure */
    const char *kind;   /**< code of kinds */
    const char *metro;  /**< code of metros */
    const char *sector; /**< code of sectors; a group finds its leaves too */
    const char *stage;  /**< code of stages: its own, or accepted */
    const char *text;   /**< in name, tags or description; case and accents ignored */
    const char *sort;   /**< `id` (preset), `name`, or `updated`: newest change first */
    struct jml_text
        after;     /**< jml_profile_page.next of the page before; {NULL, 0}: from the first */
    int32_t limit; /**< 1 to 1000; 0: 50 */
};
/** A query for all profiles, the first page. */
#define JML_PROFILE_QUERY_INIT                                                                     \
    {                                                                                              \
        (uint32_t)sizeof(struct jml_profile_query), NULL, NULL, NULL, NULL, NULL, NULL, {NULL, 0}, \
            0                                                                                      \
    }

/** One page of a list. */
struct jml_page {
    const msgpack_object *items; /**< array; see jml_view_count(), jml_view_at() */
    int64_t total;               /**< on all pages; #JML_ABSENT where the method gives none */
    struct jml_text next;        /**< for the page that follows; {NULL, 0} on the last */
};

/** What every profile has. */
struct jml_profile {
    struct jml_text id;         /**< its id */
    struct jml_text kind;       /**< code of kinds */
    struct jml_text name;       /**< as it is shown */
    struct jml_text metro;      /**< code of metros; {NULL, 0} if unknown */
    int64_t version;            /**< 1 and up */
    int64_t updated_at_ms;      /**< since 1970 UTC */
    const msgpack_object *root; /**< all of its fields */
};

/** `profile.list`, without the confidential parts. `query` NULL: all, the first page. `page`
 * borrows from the result. */
JML_API enum jml_code jml_profile_list(jml_client *client, const struct jml_profile_query *query,
                                       struct jml_page *page, jml_result **out,
                                       struct jml_error *error);

/** Reads a profile: an item of jml_profile_list(), or the root of jml_profile_get(). False if it is
 * none (no map, or without id, kind or name). */
JML_API bool jml_profile_read(const msgpack_object *item, struct jml_profile *out);
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name match.*
 * @{ */

/** What to match. */
struct jml_match_query {
    uint32_t size;         /**< of this structure */
    const char *programme; /**< needed: the programme to match in */
    const char *pairing;   /**< which of its pairings; needed where several fit; or NULL */
    const char *side;      /**< `from` or `to`, if the profile fits both; or NULL */
    const char *id;        /**< needed: the profile to match, on either side */
    const char *day;       /**< `YYYY-MM-DD`; NULL: today */
    const char *language;  /**< `en` or `fr`: adds sentences; NULL: none */
    int32_t k;             /**< how many, 1 to 1000; 0: 10 */
    int32_t min_score_bp;  /**< leaves out what scores less */
    bool explain;          /**< adds the reasons of each match */
};
/** A query with every preset; programme and id are still to be set. */
#define JML_MATCH_QUERY_INIT                                                                      \
    {                                                                                             \
        (uint32_t)sizeof(struct jml_match_query), NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, false \
    }

/** What match.top tells of the query. */
struct jml_match_list {
    struct jml_text programme;    /**< its id */
    struct jml_text pairing;      /**< its id */
    struct jml_text side;         /**< where the profile stands: `from` or `to` */
    struct jml_text day;          /**< that rates, consents and records are of */
    bool is_mirrored;             /**< the pairing's two metros are exchanged */
    size_t n_matches;             /**< of jml_match_at(), best first; equal scores by id */
    int64_t considered;           /**< profiles on the other side */
    int64_t eligible;             /**< of them pass every rule */
    struct jml_text why;          /**< the rule that keeps the profile itself out; else {NULL, 0} */
    struct jml_text why_sentence; /**< the same as a sentence, if a language was asked for */
};

/** One match. Scores are basis points; #JML_ABSENT where the service sent none. */
struct jml_match {
    struct jml_text id;                 /**< the counterpart */
    struct jml_text name;               /**< its name */
    int32_t score_bp;                   /**< of the pair */
    int32_t from_view_bp;               /**< what the from side's wants say */
    int32_t to_view_bp;                 /**< what the to side's wants say */
    int32_t coverage_bp;                /**< share of the weight whose values are known */
    const msgpack_object *from_reasons; /**< array for jml_reason_at(); NULL without explain */
    const msgpack_object *to_reasons;   /**< likewise for the to side */
};

/** One want of a view: how well it is met, and how much that counts. */
struct jml_reason {
    struct jml_text id;         /**< of the want */
    struct jml_text label;      /**< in the language asked for; else {NULL, 0} */
    struct jml_text sentence;   /**< likewise */
    struct jml_text help;       /**< what would raise it, likewise */
    int64_t weight;             /**< in its view */
    int32_t quality_bp;         /**< how well it is met; #JML_ABSENT if that is withheld */
    int32_t share_bp;           /**< of the view; the shares sum to it */
    bool is_known;              /**< both sides' values are known */
    const msgpack_object *root; /**< all that was sent of it: `evidence` and more */
};

/**
 * `match.top`: the best counterparts of one profile, best first.
 *
 * @param client the connection
 * @param query what to match
 * @param[out] list what was matched; NULL if not wanted; borrowed from the result
 * @param[out] out the answer; read it with jml_match_at(), free it with jml_result_free()
 * @param[out] error #JML_INVALID_PARAMS naming the pairings if several fit; #JML_NOT_FOUND; …
 */
JML_API enum jml_code jml_match_top(jml_client *client, const struct jml_match_query *query,
                                    struct jml_match_list *list, jml_result **out,
                                    struct jml_error *error);

/** Reads the answer of a `match.top` that came by jml_client_send() or jml_call(); false if it is
 * none. */
JML_API bool jml_match_list_read(const jml_result *result, struct jml_match_list *out);
/** The match at a place, from 0; false if there is none. */
JML_API bool jml_match_at(const jml_result *result, size_t index, struct jml_match *out);
/** The reason at a place of from_reasons or to_reasons; false if there is none. */
JML_API bool jml_reason_at(const msgpack_object *reasons, size_t index, struct jml_reason *out);

/** Which pair to explain. */
struct jml_explain_query {
    uint32_t size;         /**< of this structure */
    const char *programme; /**< needed: the programme */
    const char *pairing;   /**< which of its pairings, or NULL */
    const char *from;      /**< needed: the profile on the from side */
    const char *to;        /**< needed: the profile on the to side */
    const char *day;       /**< `YYYY-MM-DD`; NULL: today */
    const char *language;  /**< `en` or `fr`: adds sentences; NULL: none */
};
/** A query with every preset; programme, from and to are still to be set. */
#define JML_EXPLAIN_QUERY_INIT                                                         \
    {                                                                                  \
        (uint32_t)sizeof(struct jml_explain_query), NULL, NULL, NULL, NULL, NULL, NULL \
    }

/** Why a pair scores what it scores. Borrowed from the result. */
struct jml_explanation {
    struct jml_text programme;          /**< its id */
    struct jml_text pairing;            /**< its id */
    struct jml_text from;               /**< id */
    struct jml_text to;                 /**< id */
    struct jml_text from_name;          /**< name */
    struct jml_text to_name;            /**< name */
    struct jml_text combine;            /**< how the two views make the score */
    bool is_eligible;                   /**< every rule is met */
    int32_t score_bp;                   /**< of the pair, whatever the rules say */
    int32_t from_view_bp;               /**< of the from side */
    int32_t to_view_bp;                 /**< of the to side */
    int32_t coverage_bp;                /**< share of the weight whose values are known */
    const msgpack_object *failed;       /**< array of maps: rules that fail, with their values */
    const msgpack_object *from_reasons; /**< array for jml_reason_at() */
    const msgpack_object *to_reasons;   /**< array for jml_reason_at() */
};

/** `match.explain`. `explanation` may be NULL; it borrows from the result. */
JML_API enum jml_code jml_match_explain(jml_client *client, const struct jml_explain_query *query,
                                        struct jml_explanation *explanation, jml_result **out,
                                        struct jml_error *error);
/** @} */

/* ------------------------------------------------------------------------------------------- */
/** @name programme.* and outcome.*
 * @{ */

/** `programme.get`. `version` 0: the newest. The result's root is the programme. */
JML_API enum jml_code jml_programme_get(jml_client *client, const char *id, int64_t version,
                                        jml_result **out, struct jml_error *error);

/** `programme.list`: each item a map of id, name (by language), version, pairings. `after` as in
 * struct #jml_profile_query; `limit` 0: 50. */
JML_API enum jml_code jml_programme_list(jml_client *client, struct jml_text after, int32_t limit,
                                         struct jml_page *page, jml_result **out,
                                         struct jml_error *error);

/** `programme.put`: the whole programme as one packed map. A faulty one is refused:
 * jml_client_details() lists every fault. With `out` not NULL the answer is kept: its `warnings`. */
JML_API enum jml_code jml_programme_put(jml_client *client, struct jml_bytes programme,
                                        int64_t if_version, struct jml_written *written,
                                        jml_result **out, struct jml_error *error);

/** What came of a match. */
struct jml_outcome {
    uint32_t size;         /**< of this structure */
    const char *from;      /**< needed: one party, as a rule the startup */
    const char *to;        /**< needed: the other party */
    const char *kind;      /**< needed: code of outcomes: `hosted`, `invested` … */
    const char *at;        /**< needed: the day, `YYYY-MM-DD`, not after today */
    const char *programme; /**< that it came of; or NULL */
    const char *note;      /**< a free remark; or NULL */
};
/** An empty outcome. */
#define JML_OUTCOME_INIT                                                         \
    {                                                                            \
        (uint32_t)sizeof(struct jml_outcome), NULL, NULL, NULL, NULL, NULL, NULL \
    }

/** `outcome.put`: notes what came of a match; `seq`, if not NULL, gets the change's number. */
JML_API enum jml_code jml_outcome_put(jml_client *client, const struct jml_outcome *outcome,
                                      int64_t *seq, struct jml_error *error);
/** @} */

#ifdef __cplusplus
}
#endif

#endif
