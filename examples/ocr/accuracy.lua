-- How well pages are read that pages.py made: luajit examples/ocr/accuracy.lua FOLDER [MODELS]
-- Counts the letters to be put in, taken out or changed in each page's text, blanks left aside.
local here = (arg and arg[0] or ""):match("^(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path
local cjson = require("cjson")
local ov = require("ovlite")
local Reader = require("reader")

local folder, models = arg[1], arg[2] or os.getenv("OVLITE_MODELS") or here .. "../../../shared/models"
if not folder then
  io.stderr:write("usage: luajit accuracy.lua FOLDER [MODELS]\n")
  os.exit(2, true)
end

local function letters(text)
  local list = {}
  for c in text:gsub("%s", ""):gmatch("[%z\1-\127\194-\244][\128-\191]*") do list[#list + 1] = c end
  return list
end

-- The least number of changes that make one text the other.
local function changes(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local best = math.min(row[j] + 1, row[j - 1] + 1, corner + (a[i] == b[j] and 0 or 1))
      corner, row[j] = row[j], best
    end
  end
  return row[#b]
end

local file = assert(io.open(folder .. "/truth.json"))
local truth = cjson.decode(file:read("*a"))
file:close()
local names = {}
for name in pairs(truth) do names[#names + 1] = name end
table.sort(names)

local reader = Reader.open(models)
local wrong, all = 0, 0
for _, name in ipairs(names) do
  local texts = {}
  for i, line in ipairs(reader:read(ov.image.load(folder .. "/" .. name, { channels = 3 }))) do texts[i] = line.text end
  local want, got = letters(table.concat(truth[name])), letters(table.concat(texts))
  local n = changes(want, got)
  wrong, all = wrong + n, all + #want
  print(("%s: %d of %d characters wrong, %d boxes for %d lines"):format(name, n, #want, #texts, #truth[name]))
  if os.getenv("OCR_SHOW") and n > 0 then
    for i = 1, math.max(#texts, #truth[name]) do
      if texts[i] ~= truth[name][i] then print("", texts[i], truth[name][i]) end
    end
  end
end
print(("accuracy: %.2f %% of %d characters on %d pages"):format(100 * (1 - wrong / all), all, #names))
