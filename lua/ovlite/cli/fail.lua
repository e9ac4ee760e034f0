--- How commands end when they cannot go on: fail.usage(text) for wrong arguments (exit 2, with a usage line), fail.now(text) for all else (exit 1).
local fail = {}

function fail.usage(text, ...) error({ told = true, usage = true, message = select("#", ...) > 0 and text:format(...) or text }, 0) end
function fail.now(text, ...) error({ told = true, message = select("#", ...) > 0 and text:format(...) or text }, 0) end

--- An error of the module without its place and code: what a person wants to read.
function fail.message(err)
  if type(err) == "table" and err.message then return err.message end
  return (tostring(err):gsub("^.-ovlite: [%a_]+: ", ""))
end

--- Calls f; its errors become errors about the arguments.
function fail.blame(what, f, ...)
  local results = { pcall(f, ...) }
  if not results[1] then
    local message = fail.message(results[2])
    fail.usage("%s: %s", what, message)
  end
  return unpack(results, 2)
end

return fail
