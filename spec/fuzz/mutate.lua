-- Mutations of bytes: mutate(random, text, other) changes a few places; `other` lends pieces. random: support.random(seed), so that a seed tells
-- the result.
local NUMBERS = { "0", "-1", "1", "2", "255", "65536", "2147483647", "2147483648", "4294967296", "-9223372036854775808", "9223372036854775807",
  "99999999999999999999", "1e308", "nan", "", "x", "1,2,3", "0,0,0,0", "-1,-1" }
local BYTES = { 0, 1, 2, 3, 127, 128, 129, 192, 254, 255 }

local function place(random, text) return random:integer(1, math.max(#text, 1)) end
local function cut(text, at, count, new) return text:sub(1, at - 1) .. new .. text:sub(at + count) end

local WAYS = {
  function(random, text) return cut(text, place(random, text), 1, string.char(BYTES[random:integer(1, #BYTES)])) end,
  function(random, text) -- one bit
    local at = place(random, text)
    local byte, bit = text:byte(at) or 0, 2 ^ random:integer(0, 7)
    return cut(text, at, 1, string.char(math.floor(byte / bit) % 2 == 1 and byte - bit or byte + bit))
  end,
  function(random, text) return cut(text, place(random, text), random:integer(1, 20), "") end,
  function(random, text) -- a piece again, elsewhere
    local from, at = place(random, text), place(random, text)
    return cut(text, at, 0, text:sub(from, from + random:integer(1, 200)))
  end,
  function(random, text, other) -- a piece of another file
    local from, at = place(random, other), place(random, text)
    return cut(text, at, random:integer(0, 40), other:sub(from, from + random:integer(1, 200)))
  end,
  function(random, text) return text:sub(1, place(random, text)) end,
  function(random, text) -- a number of the text, or what stands between quotes, becomes another
    local at = place(random, text)
    local first, last = text:find(random:integer(1, 2) == 1 and "%-?%d+" or '"[^"]*"', at)
    if not first then return text end
    local quoted = text:sub(first, first) == '"'
    local new = NUMBERS[random:integer(1, #NUMBERS)]
    return cut(text, first, last - first + 1, quoted and '"' .. new .. '"' or new)
  end,
  function(random, text) -- an element of XML goes, or comes twice
    local first, last = text:find("<[%w/][^<>]*>", place(random, text))
    if not first then return text end
    return cut(text, first, last - first + 1, random:integer(1, 2) == 1 and "" or text:sub(first, last):rep(2))
  end,
  function(random, text) -- two attributes of XML change places
    local a1, a2 = text:find('"[^"]*"', place(random, text))
    if not a1 then return text end
    local b1, b2 = text:find('"[^"]*"', a2 + 1)
    if not b1 then return text end
    return text:sub(1, a1 - 1) .. text:sub(b1, b2) .. text:sub(a2 + 1, b1 - 1) .. text:sub(a1, a2) .. text:sub(b2 + 1)
  end,
}

-- Most files that are cut or spliced end in the parser: what keeps them well-formed comes more often.
local OFTEN = { 1, 2, 2, 3, 4, 5, 6, 7, 7, 7, 7, 7, 8, 9, 9, 9 }

return function(random, text, other)
  for _ = 1, random:integer(1, 2) do text = WAYS[OFTEN[random:integer(1, #OFTEN)]](random, text, other) end
  return text
end
