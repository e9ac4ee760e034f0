-- Layouts: what the dimensions of a tensor mean. "NCHW", "N...C" (any number of dimensions in between), "NC??" (some without a name), "[N,C,HEIGHT]" (long names),
-- "" (nothing is known), "**SCALAR**". A layout does not change once it is made.
--
--   local layout = ov.Layout("nhwc")
--   layout:get_index_by_name("C")      -- 3: an axis, from 0; from the end (-1) behind "..."
--   layout == ov.Layout("[N,H,W,C]")   -- true
local core = require("ovlite_core")
local Layout = {}
local meta = { __index = Layout, __name = "ovlite.Layout" }

local ALIAS = { BATCH = "N", B = "N", CHANNELS = "C", CHANNEL = "C", HEIGHT = "H", WIDTH = "W", DEPTH = "D" }
local SCALAR = "**SCALAR**"

local function is_layout(value) return type(value) == "table" and getmetatable(value) == meta end
local function trim(text) return text:match("^%s*(.-)%s*$") end
local function bad(text, why, ...) core.fail("argument", ("layout '%s': "):format(text) .. why:format(...)) end

local function canonical(name)
  name = name:upper()
  return ALIAS[name] or name
end

-- Lists of names, of what stands before and behind "...": false for "?". `right` is nil without "...".
local function new(left, right)
  local self = { left = #left, right = right and #right or 0, open = right ~= nil, name_at = {}, index = {} }
  local function put(name, i)
    if not name then return end
    self.name_at[i], self.index[name] = name, i
  end
  for i, name in ipairs(left) do put(name, i - 1) end
  for i, name in ipairs(right or {}) do put(name, i - 1 - #right) end
  return setmetatable(self, meta)
end

-- ---- reading ----
local function words(text, part, seen)
  local out = {}
  for word in (part .. ","):gmatch("([^,]*),") do
    word = trim(word)
    if word == "?" then
      out[#out + 1] = false
    else
      if word == "" then bad(text, "a dimension has no name; '?' stands for one without") end
      if not word:find("^[%w_]+$") or not word:find("%w") then bad(text, "'%s' is no name: letters, digits and _ are", word) end
      local name = canonical(word)
      if seen[name] then bad(text, "dimension %s is there twice", name) end
      seen[name], out[#out + 1] = true, name
    end
  end
  return out
end

-- "[N, C, ...]" -> what is left and right of "..." with commas; nil on the right without.
local function split_long(text, inner)
  local at = inner:find("...", 1, true)
  if not at then return trim(inner), nil end
  local left, right = trim(inner:sub(1, at - 1)), trim(inner:sub(at + 3))
  if left ~= "" and left:sub(-1) ~= "," or right ~= "" and right:sub(1, 1) ~= "," then bad(text, "'...' stands between commas") end
  return left:sub(1, -2), right:sub(2)
end

local function split_short(text)
  local left, right = text, nil
  local at = text:find("...", 1, true)
  if at then left, right = text:sub(1, at - 1), text:sub(at + 3) end
  if (left .. (right or "")):find(".", 1, true) then bad(text, "there is one '...' at most, of three dots") end
  return (left:gsub("(.)", "%1,"):sub(1, -2)), right and right:gsub("(.)", "%1,"):sub(1, -2)
end

local function parse(text)
  local trimmed = trim(text)
  if trimmed == SCALAR then return setmetatable({ scalar = true, left = 0, right = 0, open = false, name_at = {}, index = {} }, meta) end
  if trimmed == "" then return new({}, {}) end
  local left, right
  local inner = trimmed:match("^%[(.*)%]$")
  if inner then left, right = split_long(text, inner) else left, right = split_short(trimmed) end
  local seen = {}
  local function list(part) return part == "" and {} or words(text, part, seen) end
  if left == "" and not right then bad(text, "there are no dimensions in it") end
  return new(list(left), right and list(right))
end

--- A Layout of a string; a Layout is itself. Errors: type, argument.
function Layout.of(value, what)
  if is_layout(value) then return value end
  if type(value) ~= "string" then
    core.fail("type", ("%s: expected an ov.Layout or a string like \"NCHW\", got %s"):format(what or "layout", core.class_name(value) or type(value)))
  end
  return parse(value)
end

function Layout.is(value) return is_layout(value) end
function Layout.make_scalar() return parse(SCALAR) end

-- ---- looking ----
local function check(self)
  if not is_layout(self) then core.fail("type", "expected an ov.Layout before the colon, got " .. (core.class_name(self) or type(self))) end
  return self
end

--- Nothing is known.
function Layout:empty() return check(self).open and self.left == 0 and self.right == 0 end

function Layout:has_name(name)
  if type(name) ~= "string" then core.fail("type", "name of a dimension: expected a string, got " .. type(name)) end
  return check(self).index[canonical(name)] ~= nil
end

--- The axis of a dimension, from 0; negative (from the end) behind "...".
function Layout:get_index_by_name(name)
  if not self:has_name(name) then core.fail("not_found", ("layout %s has no dimension '%s'"):format(tostring(self), name)) end
  return self.index[canonical(name)]
end

function Layout:to_string()
  check(self)
  if self.scalar then return SCALAR end
  local out = {}
  for i = 0, self.left - 1 do out[#out + 1] = self.name_at[i] or "?" end
  if self.open then out[#out + 1] = "..." end
  for i = -self.right, -1 do out[#out + 1] = self.name_at[i] or "?" end
  return "[" .. table.concat(out, ",") .. "]"
end

meta.__tostring = Layout.to_string
function meta.__eq(a, b) return is_layout(a) and is_layout(b) and a:to_string() == b:to_string() end

--- A tensor of that rank (nil: unknown) may have this layout.
function Layout:fits(rank)
  if self.scalar then return rank == nil or rank == 0 end
  return rank == nil or rank == self.left + self.right or (self.open and rank > self.left + self.right)
end

--- The axis of a dimension in a tensor of `rank` dimensions, from 0. Errors: argument (who: "mean"), naming what is missing.
function Layout:axis(name, rank, who)
  if not self.index[name] then
    core.fail("argument", ("%s needs to know which dimension is %s, and the layout is %s: tensor():set_layout(\"...\") tells"):format(who, name, tostring(self)))
  end
  local i = self.index[name]
  if rank and not self:fits(rank) then
    core.fail("argument", ("%s: layout %s does not fit %d dimensions"):format(who, tostring(self), rank))
  end
  if i >= 0 then return i end
  if not rank then core.fail("shape", ("%s: with layout %s the number of dimensions must be known"):format(who, tostring(self))) end
  return rank + i
end

-- ---- changing dimensions ----

-- The same without "...", as lists of `rank` names.
local function spread(self, rank, who)
  if not self:fits(rank) then core.fail("argument", ("%s: layout %s does not fit %s dimensions"):format(who, tostring(self), rank or "an unknown number of")) end
  if self.open and not rank then core.fail("shape", ("%s: with layout %s the number of dimensions must be known"):format(who, tostring(self))) end
  local out = {}
  for i = 0, (rank or self.left) - 1 do out[i] = self.name_at[i] or (self.open and rank and self.name_at[i - rank]) or nil end
  return out, rank or self.left
end

-- Positions of the dimensions of `a` in `b`, where each name of `a` is one of `b` and the others keep their order.
local function match(a, b, n, a_text, b_text)
  local where, taken, to = {}, {}, {}
  for i = 0, n - 1 do
    if b[i] then where[b[i]] = i end
  end
  for i = 0, n - 1 do
    if a[i] then
      to[i] = where[a[i]]
      if not to[i] then core.fail("argument", ("layout %s has no dimension %s, which %s has"):format(b_text, a[i], a_text)) end
      taken[to[i]] = true
    end
  end
  local free = 0
  for i = 0, n - 1 do
    if not to[i] then
      while taken[free] do free = free + 1 end
      to[i], taken[free] = free, true
    end
  end
  return to
end

--- How to transpose a tensor of `rank` dimensions from layout `from` to `to`: a list of axes from 0, or nil where nothing moves.
function Layout.order(from, to, rank, who)
  if from == to or from:empty() or to:empty() then return nil end
  local a, n = spread(from, rank, who)
  local b, m = spread(to, rank, who)
  if n ~= m then core.fail("argument", ("%s: layouts %s and %s have different numbers of dimensions"):format(who, tostring(from), tostring(to))) end
  local named = { a = 0, b = 0 }
  for i = 0, n - 1 do
    named.a, named.b = named.a + (a[i] and 1 or 0), named.b + (b[i] and 1 or 0)
  end
  local order, moves = {}, false
  if named.a <= named.b then
    local target = match(a, b, n, tostring(from), tostring(to))
    for i = 0, n - 1 do order[target[i] + 1] = i end
  else
    local source = match(b, a, n, tostring(to), tostring(from))
    for i = 0, n - 1 do order[i + 1] = source[i] end
  end
  for i = 1, n do moves = moves or order[i] ~= i - 1 end
  return moves and order or nil
end

--- The layout after a transposition by that list of axes.
function Layout:permuted(order, who)
  local names, seen = {}, {}
  for i, axis in ipairs(order) do
    if type(axis) ~= "number" or axis ~= math.floor(axis) or axis < 0 or axis >= #order or seen[axis] then
      core.fail("argument", ("%s: the order is made of the axes 0 to %d, each once; got %s at position %d"):format(who, #order - 1, tostring(axis), i))
    end
    seen[axis] = true
  end
  if self:empty() then return self end
  if self.open then core.fail("argument", ("%s: an order of axes means nothing to layout %s; say which layout is wanted"):format(who, tostring(self))) end
  if self.left ~= #order then core.fail("argument", ("%s: an order of %d axes for layout %s"):format(who, #order, tostring(self))) end
  for i, axis in ipairs(order) do names[i] = self.name_at[axis] or false end
  return new(names)
end

-- All dimensions have a name and there is no "...".
local function complete(self)
  for i = 0, self.left - 1 do
    if not self.name_at[i] then return false end
  end
  return not self.open and not self.scalar
end

--- Which of the layout's axes `smaller` has, in order, when it has fewer dimensions (NCHW, HWC: 1, 2, 3); nil where it does not.
function Layout:kept(smaller, who)
  if self.open or smaller.open or smaller.scalar or self.left <= smaller.left then return nil end
  if not complete(self) or not complete(smaller) then
    core.fail("argument", ("%s: between %s and %s every dimension must have a name, since one has more"):format(who, tostring(self), tostring(smaller)))
  end
  local axes, names = {}, {}
  for i = 0, self.left - 1 do
    if smaller.index[self.name_at[i]] then axes[#axes + 1], names[#names + 1] = i, self.name_at[i] end
  end
  if #axes ~= smaller.left then core.fail("argument", ("%s: %s has dimensions that %s has not"):format(who, tostring(smaller), tostring(self))) end
  return axes, new(names)
end

--- With the dimensions that only `larger` has, in front: their number, and the layout. 0 where it has no more.
function Layout:widened(larger, who)
  if self.scalar or not larger:kept(self, who) then return 0, self end
  local names = {}
  for i = 0, larger.left - 1 do
    if not self.index[larger.name_at[i]] then names[#names + 1] = larger.name_at[i] end
  end
  local count = #names
  for i = 0, self.left - 1 do names[#names + 1] = self.name_at[i] end
  return count, new(names)
end

return Layout
