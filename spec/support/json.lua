-- A small JSON reader for the specs: json.read(path), json.parse(text). Objects and arrays become tables, null becomes nil.
local json = {}
local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local value

local function fail(text, at, what) error(("json: %s at byte %d: %q"):format(what, at, text:sub(at, at + 20)), 0) end
local function skip(text, at) return text:match("^[ \t\r\n]*()", at) end

local function utf8_of(hex)
  local c = tonumber(hex, 16)
  if c < 0x80 then return string.char(c) end
  if c < 0x800 then return string.char(0xC0 + math.floor(c / 64), 0x80 + c % 64) end
  return string.char(0xE0 + math.floor(c / 4096), 0x80 + math.floor(c / 64) % 64, 0x80 + c % 64)
end

local function string_at(text, at)
  local parts = {}
  while true do
    local run, stop, after = text:match('^([^"\\]*)(["\\])()', at)
    if not run then fail(text, at, "unfinished string") end
    parts[#parts + 1] = run
    if stop == '"' then return table.concat(parts), after end
    local hex = text:match("^u(%x%x%x%x)", after)
    local e = text:sub(after, after)
    parts[#parts + 1] = hex and utf8_of(hex) or ESCAPES[e] or e
    at = after + (hex and 5 or 1)
  end
end

-- Items between brackets; `item` reads one, puts it into the table and returns the place after it.
local function list_at(text, at, close, item)
  local out = {}
  at = skip(text, at)
  if text:sub(at, at) == close then return out, at + 1 end
  while true do
    at = skip(text, item(out, at))
    local c = text:sub(at, at)
    if c == close then return out, at + 1 end
    if c ~= "," then fail(text, at, "expected ',' or '" .. close .. "'") end
    at = skip(text, at + 1)
  end
end

function value(text, at)
  at = skip(text, at)
  local c = text:sub(at, at)
  if c == '"' then return string_at(text, at + 1) end
  if c == "[" then
    return list_at(text, at + 1, "]", function(out, i)
      local v, after = value(text, i)
      out[#out + 1] = v
      return after
    end)
  end
  if c == "{" then
    return list_at(text, at + 1, "}", function(out, i)
      if text:sub(i, i) ~= '"' then fail(text, i, "expected a name") end
      local key, after = string_at(text, i + 1)
      after = skip(text, after)
      if text:sub(after, after) ~= ":" then fail(text, after, "expected ':'") end
      out[key], after = value(text, after + 1)
      return after
    end)
  end
  local word, after = text:match("^([%w%.%+%-]+)()", at)
  if word == "true" then return true, after elseif word == "false" then return false, after elseif word == "null" then return nil, after end
  local number = tonumber(word)
  if not number then fail(text, at, "expected a value") end
  return number, after
end

function json.parse(text)
  local v, after = value(text, 1)
  if skip(text, after) <= #text then fail(text, after, "text after the value") end
  return v
end

function json.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return json.parse(text)
end

return json
