#pragma once

#include <string>

#include "cli/context.hpp"
#include "engine/lister.hpp"
#include "view/format.hpp"

namespace taskctl {

void print_task_report(Streams& streams, const TaskReport& report, const Session& session, OutputFormat format);

}  // namespace taskctl
