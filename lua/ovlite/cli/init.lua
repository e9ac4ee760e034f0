--- The command line. One file of this folder is one command: a table with
---   name, summary           for the help
---   define(command)         adds its options to an argparse command
---   run(options)            does it; errors are told by fail.lua's functions
--- Exit codes: 0 done, 1 it could not be done, 2 wrong arguments (with a usage line).
local COMMANDS = { "info", "run", "bench", "convert", "profile", "graph" }
local fail = require("ovlite.cli.fail")

local function parser_of(argparse, modules)
  local parser = argparse("ovlite", "Looks at OpenVINO IR and ONNX models, runs and times them."):command_target("command"):require_command(false)
  parser:flag("-v --version", "print the version"):action(function()
    print("ovlite " .. require("ovlite").version)
    os.exit(0, true)
  end)
  parser:epilog("ovlite COMMAND --help tells a command's options.")
  for _, name in ipairs(COMMANDS) do
    local module = require("ovlite.cli." .. name)
    local command = parser:command(name, module.summary)
    command:help_description_margin(30):help_max_width(110):usage_max_width(110)
    module.define(command)
    modules[name] = module
  end
  return parser
end

-- OpenVINO's benchmark_app writes -hint and -niter: long options with one dash. They get their second one here.
local function with_two_dashes(parser, arguments)
  local long, out = {}, {}
  for _, command in ipairs(parser._commands) do
    for _, option in ipairs(command._options) do
      for _, alias in ipairs(option._aliases) do
        if alias:find("^%-%-") then long[alias:sub(2)] = true end
      end
    end
  end
  for i, argument in ipairs(arguments) do
    local name = argument:match("^(%-[^%-=][^=]+)")
    out[i] = name and long[name] and "-" .. argument or argument
  end
  return out
end

local function guarded(command, options)
  return xpcall(function() command.run(options) end, function(err)
    if type(err) == "table" and err.told then return err end
    local text = tostring(err)
    local code, message = text:match("ovlite: ([%a_]+): (.*)$")
    if code then return { told = true, message = message } end
    return { message = "this is a fault of ovlite itself: " .. text, trace = debug.traceback() }
  end)
end

local function tell(name, parser, err)
  if err.usage then io.stderr:write(parser:get_usage(), "\n\n") end
  io.stderr:write("ovlite ", name, ": ", (err.message:gsub("[\n%s]+$", "")), "\n")
  if err.trace and os.getenv("OVLITE_DEBUG") then io.stderr:write(err.trace, "\n") end
  return err.usage and 2 or 1
end

local function main(arguments)
  local leave = os.exit
  os.exit = function(code) leave(code, true) end -- luacheck: ignore 122 (argparse leaves after its help, and would leave the state open)
  local found, argparse = pcall(require, "argparse")
  if not found then
    io.stderr:write("ovlite: lua-argparse is missing: install Debian's lua-argparse\n")
    return 1
  end
  local modules = {}
  local parser = parser_of(argparse, modules)
  parser.error = function(which, message)
    io.stderr:write(which:get_usage(), "\n\n", which:get_usage():match("^Usage: ([%w ]-) ?[%[<]") or "ovlite", ": ", message, "\n")
    error({ wrong = true }, 0)
  end
  local ok, options = pcall(parser.parse, parser, with_two_dashes(parser, arguments))
  if not ok then
    if type(options) == "table" and options.wrong then return 2 end
    error(options, 0)
  end
  if not options.command then
    io.stderr:write(parser:get_usage(), "\n\novlite: say what to do: ", table.concat(COMMANDS, ", "), "\n")
    return 2
  end
  local command
  for _, c in ipairs(parser._commands) do
    if c._name == options.command then command = c end
  end
  local done, err = guarded(modules[options.command], options)
  require("ovlite.cli.terminal").clear()
  return done and 0 or tell(options.command, command, err)
end

return { main = main, fail = fail }
