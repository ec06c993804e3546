#include "commands/grants/grants.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/arguments.hpp"
#include "sql/template.hpp"
#include "view/json.hpp"

namespace taskctl {

namespace {

std::string with_semicolon(const std::string& statement) {
  std::string text = for_people(statement);
  text.pop_back();
  return text;
}

void print_script(Streams& streams, const Session& session, const GrantRequest& request, const GrantScript& script) {
  const auto comment = [&](const std::string& text) { streams.line("-- " + printable(text)); };
  comment(fmt::format("role {} as {}: profile {}, database {}", request.role, to_string(request.kind),
                      session.profile.name, session.connection->server().database));
  comment(request.kind == RoleKind::reader ? "lists, shows, plans and counts; for repairs: --kind repairer"
                                           : "repairs and takes repairs back");
  comment("to be run in this database by the owner of the tables or a superuser");
  std::string purpose;
  for (const GrantStatement& statement : script.statements) {
    if (statement.purpose != purpose) {
      purpose = statement.purpose;
      streams.line("");
      comment(purpose);
    }
    streams.line(with_semicolon(statement.sql));
  }
  if (!script.notes.empty()) {
    streams.line("");
  }
  for (const std::string& text : script.notes) {
    comment("note: " + text);
  }
}

Json script_json(const Session& session, const GrantRequest& request, const GrantScript& script) {
  Json statements = Json::array();
  for (const GrantStatement& statement : script.statements) {
    statements.push_back({{"sql", with_semicolon(statement.sql)}, {"purpose", statement.purpose}});
  }
  return {{"schema", "taskctl.grants/1"},        {"target", session.target_name()},
          {"profile", session.profile.name},     {"role", request.role},
          {"kind", to_string(request.kind)},     {"role_exists", script.role_exists},
          {"statements", std::move(statements)}, {"notes", script.notes}};
}

}  // namespace

void declare_grants(CLI::App& app, GrantsOptions& options) {
  options.target.declare(app);
  options.output.declare(app);
  add_parsed(app, "--role", "the role that gets the rights; it need not exist yet",
             [&options](const std::string& text) { options.request.role = text; })
      ->type_name("NAME")
      ->required();
  add_choice(app, "--kind", "kind", "a reader, or a repairer, who may do all that a reader may (default reader)",
             {"reader", "repairer"},
             [&options](const std::string& text) {
               options.request.kind = text == "reader" ? RoleKind::reader : RoleKind::repairer;
             })
      ->type_name("KIND");
  app.add_flag("--prune", options.request.prune)->description("repairer: also to take old runs out of the journal");
}

int run_grants(Context& context, const GrantsOptions& options) {
  const auto [location, config] = context.locate(options.target, false);
  if (location.engine == Engine::sqlite) {
    throw Error{
        ExitCode::usage, fmt::format("'{}' is a SQLite file, which knows no roles", location.display),
        "The permissions of the file decide: who reads needs r on the file and x on its folder, who repairs needs "
        "rw on the file and wx on the folder."};
  }
  if (options.request.prune && options.request.kind == RoleKind::reader) {
    throw Error{ExitCode::usage, "a reader takes nothing out of the journal",
                "Add --kind repairer, or leave --prune out."};
  }
  const std::unique_ptr<Session> session = context.open(options.target, nullptr, Access::read, false);
  const GrantScript script =
      make_grants(*session->connection, session->profile, session->schema, *session->journal, options.request);
  if (options.output.format == OutputFormat::json) {
    context.streams().line(dump_pretty(script_json(*session, options.request, script)));
  } else {
    print_script(context.streams(), *session, options.request, script);
  }
  return static_cast<int>(ExitCode::ok);
}

}  // namespace taskctl
