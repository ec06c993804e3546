#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/exit_code.hpp"

namespace CLI {
class App;
}

namespace taskctl {

class Context;

/// One subcommand as the registry lists it.
struct Command {
  std::string name;      ///< as typed: "list-stuck"
  std::string summary;   ///< one line for the command list and the manual page
  std::string category;  ///< "look", "repair", "safety", "setup"
  /// Declares the options on `app` and returns what runs them. Opens nothing.
  std::function<std::function<int(Context&)>(CLI::App& app)> declare;
};

/// Wraps `void declare_x(CLI::App&, XOptions&)` and `int run_x(Context&, const XOptions&)`.
template <typename Options>
Command make_command(std::string name, std::string summary, std::string category, void (*declare)(CLI::App&, Options&),
                     int (*run)(Context&, const Options&)) {
  return {std::move(name), std::move(summary), std::move(category), [declare, run](CLI::App& app) {
            auto options = std::make_shared<Options>();
            declare(app, *options);
            return std::function<int(Context&)>{[options, run](Context& context) { return run(context, *options); }};
          }};
}

}  // namespace taskctl
