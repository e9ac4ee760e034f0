--- Tables as JSON, by lua-cjson.
local fail = require("ovlite.cli.fail")
local found, cjson = pcall(require, "cjson")
local json = {}

local coder
if found then
  coder = cjson.new()
  coder.encode_invalid_numbers("null")
end

function json.encode(value)
  if not found then fail.now("lua-cjson is missing: install Debian's lua-cjson") end
  return coder.encode(value)
end

function json.print(value) print(json.encode(value)) end

return json
