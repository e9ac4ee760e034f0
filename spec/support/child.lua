-- The other end of support.child: runs a dumped function and leaves its answer in a file, behind one byte that says it came to an end.
local code, answer = arg[1], arg[2]
local unpack = table.unpack or unpack
local root = os.getenv("OVLITE_ROOT") or "."
package.path = root .. "/?.lua;" .. package.path
local fn = assert(loadfile(code))
local result = fn(unpack(arg, 3))
local file = assert(io.open(answer, "wb"))
file:write("=", tostring(result))
file:close()
