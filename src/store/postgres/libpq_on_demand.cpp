#include <dlfcn.h>

#include <string>

#include "base/error.hpp"
#include "store/postgres/libpq_on_demand.hpp"

// Ours are seen by this program only: libpq's own calls must not come back here.
#pragma GCC visibility push(hidden)
#include <libpq-fe.h>

// libpq brings 25 libraries (Kerberos, LDAP, TLS …) that take the dynamic linker as long as everything else that
// happens before main(). It is opened when the first of its functions is called, so that commands about SQLite files,
// --help and shell completion do not wait for it. What stands here are the functions that libpqxx and this folder call,
// under their own names and with libpq's own declarations; one that is missing is an error of the linker. Those that
// wait for the server stand in bounded_calls.cpp.

namespace taskctl::postgres {
namespace {

void* open_libpq() {
  void* const library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    throw Error{ExitCode::unavailable,
                std::string{"the client library of PostgreSQL cannot be loaded: "} + (reason == nullptr ? "" : reason),
                "Install the package libpq5."};
  }
  return library;
}

}  // namespace

void* libpq_function(const char* name) {
  static void* const library = open_libpq();
  void* const function = dlsym(library, name);
  if (function == nullptr) {
    throw Error{ExitCode::unavailable, std::string{"the client library of PostgreSQL has no function "} + name,
                "Install the package libpq5 of PostgreSQL 13 or newer."};
  }
  return function;
}

}  // namespace taskctl::postgres

#define TASKCTL_FORWARD(result, name, parameters, arguments)                                     \
  extern "C" result name parameters {                                                            \
    static auto* const function = taskctl::postgres::find_libpq_function<decltype(name)>(#name); \
    return function arguments;                                                                   \
  }

TASKCTL_FORWARD(int, PQbackendPID, (const PGconn* conn), (conn))
TASKCTL_FORWARD(int, PQcancel, (PGcancel * cancel, char* errbuf, int errbufsize), (cancel, errbuf, errbufsize))
TASKCTL_FORWARD(void, PQclear, (PGresult * res), (res))
TASKCTL_FORWARD(int, PQclientEncoding, (const PGconn* conn), (conn))
TASKCTL_FORWARD(char*, PQcmdStatus, (PGresult * res), (res))
TASKCTL_FORWARD(char*, PQcmdTuples, (PGresult * res), (res))
TASKCTL_FORWARD(PostgresPollingStatusType, PQconnectPoll, (PGconn * conn), (conn))
TASKCTL_FORWARD(PGconn*, PQconnectStart, (const char* conninfo), (conninfo))
TASKCTL_FORWARD(void, PQconninfoFree, (PQconninfoOption * connOptions), (connOptions))
TASKCTL_FORWARD(PQconninfoOption*, PQconninfo, (PGconn * conn), (conn))
TASKCTL_FORWARD(PQconninfoOption*, PQconninfoParse, (const char* conninfo, char** errmsg), (conninfo, errmsg))
TASKCTL_FORWARD(int, PQconsumeInput, (PGconn * conn), (conn))
TASKCTL_FORWARD(char*, PQdb, (const PGconn* conn), (conn))
TASKCTL_FORWARD(char*, PQencryptPassword, (const char* passwd, const char* user), (passwd, user))
TASKCTL_FORWARD(int, PQendcopy, (PGconn * conn), (conn))
TASKCTL_FORWARD(char*, PQerrorMessage, (const PGconn* conn), (conn))
TASKCTL_FORWARD(unsigned char*, PQescapeByteaConn,
                (PGconn * conn, const unsigned char* from, size_t from_length, size_t* to_length),
                (conn, from, from_length, to_length))
TASKCTL_FORWARD(char*, PQescapeIdentifier, (PGconn * conn, const char* str, size_t len), (conn, str, len))
TASKCTL_FORWARD(size_t, PQescapeStringConn, (PGconn * conn, char* to, const char* from, size_t length, int* error),
                (conn, to, from, length, error))
TASKCTL_FORWARD(void, PQfinish, (PGconn * conn), (conn))
TASKCTL_FORWARD(char*, PQfname, (const PGresult* res, int field_num), (res, field_num))
TASKCTL_FORWARD(int, PQfnumber, (const PGresult* res, const char* field_name), (res, field_name))
TASKCTL_FORWARD(void, PQfreeCancel, (PGcancel * cancel), (cancel))
TASKCTL_FORWARD(void, PQfreemem, (void* ptr), (ptr))
TASKCTL_FORWARD(Oid, PQftable, (const PGresult* res, int field_num), (res, field_num))
TASKCTL_FORWARD(int, PQftablecol, (const PGresult* res, int field_num), (res, field_num))
TASKCTL_FORWARD(Oid, PQftype, (const PGresult* res, int field_num), (res, field_num))
TASKCTL_FORWARD(PGcancel*, PQgetCancel, (PGconn * conn), (conn))
TASKCTL_FORWARD(int, PQgetCopyData, (PGconn * conn, char** buffer, int async), (conn, buffer, async))
TASKCTL_FORWARD(int, PQgetisnull, (const PGresult* res, int tup_num, int field_num), (res, tup_num, field_num))
TASKCTL_FORWARD(int, PQgetlength, (const PGresult* res, int tup_num, int field_num), (res, tup_num, field_num))
TASKCTL_FORWARD(char*, PQgetvalue, (const PGresult* res, int tup_num, int field_num), (res, tup_num, field_num))
TASKCTL_FORWARD(char*, PQhost, (const PGconn* conn), (conn))
TASKCTL_FORWARD(int, PQisBusy, (PGconn * conn), (conn))
TASKCTL_FORWARD(int, PQisthreadsafe, (), ())
TASKCTL_FORWARD(int, PQnfields, (const PGresult* res), (res))
TASKCTL_FORWARD(PGnotify*, PQnotifies, (PGconn * conn), (conn))
TASKCTL_FORWARD(int, PQntuples, (const PGresult* res), (res))
TASKCTL_FORWARD(Oid, PQoidValue, (const PGresult* res), (res))
TASKCTL_FORWARD(char*, PQport, (const PGconn* conn), (conn))
TASKCTL_FORWARD(int, PQprotocolVersion, (const PGconn* conn), (conn))
TASKCTL_FORWARD(int, PQputCopyData, (PGconn * conn, const char* buffer, int nbytes), (conn, buffer, nbytes))
TASKCTL_FORWARD(int, PQflush, (PGconn * conn), (conn))
TASKCTL_FORWARD(int, PQputCopyEnd, (PGconn * conn, const char* errormsg), (conn, errormsg))
TASKCTL_FORWARD(void, PQreset, (PGconn * conn), (conn))
TASKCTL_FORWARD(char*, PQresultErrorField, (const PGresult* res, int fieldcode), (res, fieldcode))
TASKCTL_FORWARD(char*, PQresultErrorMessage, (const PGresult* res), (res))
TASKCTL_FORWARD(ExecStatusType, PQresultStatus, (const PGresult* res), (res))
TASKCTL_FORWARD(int, PQserverVersion, (const PGconn* conn), (conn))
TASKCTL_FORWARD(int, PQsetClientEncoding, (PGconn * conn, const char* encoding), (conn, encoding))
TASKCTL_FORWARD(PGVerbosity, PQsetErrorVerbosity, (PGconn * conn, PGVerbosity verbosity), (conn, verbosity))
TASKCTL_FORWARD(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * conn, PQnoticeProcessor proc, void* arg),
                (conn, proc, arg))
TASKCTL_FORWARD(int, PQsetnonblocking, (PGconn * conn, int arg), (conn, arg))
TASKCTL_FORWARD(int, PQsetSingleRowMode, (PGconn * conn), (conn))
TASKCTL_FORWARD(int, PQsocket, (const PGconn* conn), (conn))
TASKCTL_FORWARD(ConnStatusType, PQstatus, (const PGconn* conn), (conn))
TASKCTL_FORWARD(void, PQtrace, (PGconn * conn, FILE* debug_port), (conn, debug_port))
TASKCTL_FORWARD(unsigned char*, PQunescapeBytea, (const unsigned char* strtext, size_t* retbuflen),
                (strtext, retbuflen))
TASKCTL_FORWARD(void, PQuntrace, (PGconn * conn), (conn))
TASKCTL_FORWARD(char*, PQuser, (const PGconn* conn), (conn))
TASKCTL_FORWARD(const char*, pg_encoding_to_char, (int encoding), (encoding))

#undef TASKCTL_FORWARD
#pragma GCC visibility pop
