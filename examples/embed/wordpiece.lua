--- WordPiece, the tokenizer of BERT: words are cut into the longest pieces that a vocabulary has, from the left.
---
---   local tokenizer = require("wordpiece").load("vocab.txt")   -- one piece a line; "##" before what goes on with a word
---   tokenizer:ids("Reading words")                             --> { 2, 31, 104, ... }, numbers from 0, [CLS] and [SEP] around
local WordPiece = {}
WordPiece.__index = WordPiece

local LONGEST_WORD = 100

function WordPiece.load(path)
  local self = setmetatable({ pieces = {}, id = {} }, WordPiece)
  for line in assert(io.open(path)):lines() do
    local piece = line:gsub("%s+$", "")
    self.pieces[#self.pieces + 1] = piece
    self.id[piece] = #self.pieces - 1
  end
  for _, name in ipairs({ "[PAD]", "[UNK]", "[CLS]", "[SEP]" }) do assert(self.id[name], "the vocabulary has no " .. name) end
  return self
end

-- Lower case, and blanks around each sign and around each character of scripts that have no blanks between words.
local function words_of(text)
  text = text:lower():gsub("[%z\1-\31\127]", " "):gsub("%p", " %0 "):gsub("[\227-\233][\128-\191][\128-\191]", " %0 ")
  return text:gmatch("%S+")
end

-- Where the characters of a word end, so that no piece ends within one.
local function ends_of(word)
  local list = {}
  for at in word:gmatch("[%z\1-\127\194-\244][\128-\191]*()") do list[#list + 1] = at - 1 end
  return list
end

function WordPiece:cut(word, out)
  local ends, from, start = ends_of(word), 1, #out
  local k = #ends
  if k == 0 or k > LONGEST_WORD then
    out[start + 1] = "[UNK]"
    return
  end
  while from <= #word do
    local piece
    for i = k, 1, -1 do
      if ends[i] < from then break end
      local candidate = (from > 1 and "##" or "") .. word:sub(from, ends[i])
      if self.id[candidate] then
        piece, from = candidate, ends[i] + 1
        break
      end
    end
    if not piece then -- the whole word is unknown then
      for i = #out, start + 1, -1 do out[i] = nil end
      out[start + 1] = "[UNK]"
      return
    end
    out[#out + 1] = piece
  end
end

--- The pieces of a text.
function WordPiece:tokens(text)
  local out = {}
  for word in words_of(text) do self:cut(word, out) end
  return out
end

--- Their numbers, with [CLS] before and [SEP] after, at most `most` (512).
function WordPiece:ids(text, most)
  local ids = { self.id["[CLS]"] }
  for _, piece in ipairs(self:tokens(text)) do
    if #ids >= (most or 512) - 1 then break end
    ids[#ids + 1] = self.id[piece]
  end
  ids[#ids + 1] = self.id["[SEP]"]
  return ids
end

--- Several texts as rows of one length: numbers, and a mask that is 1 where there are some.
function WordPiece:batch(texts, most)
  local rows, masks, longest = {}, {}, 0
  for i, text in ipairs(texts) do
    rows[i] = self:ids(text, most)
    longest = math.max(longest, #rows[i])
  end
  for i, row in ipairs(rows) do
    masks[i] = {}
    for k = 1, longest do masks[i][k] = row[k] and 1 or 0 end
    for k = #row + 1, longest do row[k] = self.id["[PAD]"] end
  end
  return rows, masks
end

return WordPiece
