-- Runs the command line: local code, out, err = cli("info MODEL"), with cli.root for the project's folder.
local support = require("spec.support.support")
local cli = { root = support.root, digits = support.root .. "/examples/digits/model.xml", image = support.root .. "/examples/digits/images/001.png" }

local function slurp(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end
cli.slurp = slurp

--- A name for a file that is removed when the running spec ends.
local made = {}
function cli.file(ending)
  local name = os.tmpname()
  os.remove(name)
  made[#made + 1] = name .. ending
  return name .. ending
end

function cli.clean()
  for _, name in ipairs(made) do
    os.remove(name)
    os.remove((name:gsub("%.xml$", ".bin")))
  end
  made = {}
end

--- Exit code, what it said on stdout and on stderr. `words` go through the shell.
function cli.run(words, launcher)
  local out, err = os.tmpname(), os.tmpname()
  local command = (launcher or ("'%s' '%s/lua/bin/ovlite'"):format(support.lua, support.root)) .. " " .. words
  local pipe = io.popen(("cd '%s' && %s >%s 2>%s </dev/null; echo $?"):format(support.root, command, out, err))
  local code = tonumber(pipe:read("*a"):match("(%d+)%s*$"))
  pipe:close()
  local said, complained = slurp(out), slurp(err)
  os.remove(out); os.remove(err)
  return code, said, complained
end

--- What a command printed; an error where it failed.
function cli.good(words)
  local code, out, err = cli.run(words)
  if code ~= 0 then error(("ovlite %s: exit %s\n%s%s"):format(words, tostring(code), out, err), 2) end
  return out
end

--- Wrong arguments: exit 2, a usage line, the reason, and nothing else.
function cli.wrong(words, reason)
  local code, out, err = cli.run(words)
  local message = ("ovlite %s: exit %s\n%s%s"):format(words, tostring(code), out, err)
  if code ~= 2 or out ~= "" or not err:find("^Usage: ovlite") then error(message, 2) end
  if not err:find(reason, 1, true) then error("expected '" .. reason .. "' of " .. message, 2) end
  if err:find("stack traceback", 1, true) or err:find("%.lua:%d+:") then error("a place in the code is no help: " .. message, 2) end
end

--- Right arguments, but it cannot be done: exit 1, one line, no usage.
function cli.fails(words, reason)
  local code, out, err = cli.run(words)
  local message = ("ovlite %s: exit %s\n%s%s"):format(words, tostring(code), out, err)
  if code ~= 1 or err:find("Usage", 1, true) or not err:find(reason, 1, true) or err:find("%.lua:%d+:") then error(message, 2) end
end

function cli.json(words) return require("cjson").decode(cli.good(words)) end

return cli
