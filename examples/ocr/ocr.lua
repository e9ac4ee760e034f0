-- Reads the text in pictures: make demo-ocr, or: eval "$(make -s env)"; luajit examples/ocr/ocr.lua PAGE.png --json
local here = (arg and arg[0] or ""):match("^(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path
local ov = require("ovlite")

local USAGE = [[
usage: luajit ocr.lua PICTURE... [--json] [--save FILE.png] [--models FOLDER]

  --json            a list of {text, score, box} instead of text; of such lists when there are several pictures. Boxes are four corners {x, y}.
  --save FILE       the picture with what was found drawn in (PNG or JPEG; several pictures become a montage)
  --models FOLDER   has ppocr_det, ppocr_cls and ppocr_rec with a model.onnx each; else $OVLITE_MODELS or what make demo-ocr has fetched
]]

local function usage(message)
  io.stderr:write("ocr: ", message, "\n", USAGE)
  os.exit(2, true)
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function parse(words)
  local options, i = { pictures = {} }, 1
  while i <= #words do
    local word = words[i]
    if word == "--json" then
      options.json = true
    elseif word == "--save" or word == "--models" then
      i = i + 1
      options[word:sub(3)] = words[i] or usage(word .. " needs a value")
    elseif word == "--help" or word == "-h" then
      io.write(USAGE)
      os.exit(0, true)
    elseif word:sub(1, 2) == "--" then
      usage("there is no option " .. word)
    else
      options.pictures[#options.pictures + 1] = word
    end
    i = i + 1
  end
  if #options.pictures == 0 then usage("no picture is given") end
  return options
end

local function models_folder(given)
  local places = { given or os.getenv("OVLITE_MODELS"), here .. "../../../shared/models", here .. "../../build/ocr" }
  for _, folder in pairs(places) do
    if exists(folder .. "/ppocr_det/model.onnx") then return folder end
  end
  io.stderr:write("ocr: no models found; make demo-ocr fetches them, or name their folder by --models or $OVLITE_MODELS\n")
  os.exit(1, true)
end

-- ---- what comes out ----

local function as_json(pages)
  local cjson = require("cjson")
  local all = {}
  for i, lines in ipairs(pages) do
    all[i] = {}
    for k, line in ipairs(lines) do all[i][k] = { text = line.text, score = line.score, box = line.box } end
    if #lines == 0 then all[i] = cjson.decode("[]") end
  end
  return (cjson.encode(#all == 1 and all[1] or all):gsub("^{}$", "[]"))
end

local function print_text(name, lines, several)
  if several then print(name .. ":") end
  for _, line in ipairs(lines) do print(("%5.1f %%  %s"):format(line.score * 100, line.text)) end
end

local function annotate(picture, lines)
  for _, line in ipairs(lines) do
    ov.image.draw_polygon(picture, line.box, { color = { 220, 30, 30 }, width = 2 })
    local x, y = line.box[4][1], math.max(line.box[3][2], line.box[4][2])
    local label = ("%s (%.0f %%)"):format(line.text, line.score * 100)
    ov.image.draw_text(picture, x + 2, y + 3, label, { color = { 0, 0, 160 }, size = 12, background = { 255, 255, 190 } })
  end
  return picture
end

-- ---- main ----

local options = parse(arg)
local reader = require("reader").open(models_folder(options.models))
local pictures, pages = {}, {}
for i, path in ipairs(options.pictures) do
  local ok, picture = pcall(ov.image.load, path, { channels = 3 })
  if not ok then
    io.stderr:write("ocr: ", tostring(picture), "\n")
    os.exit(1, true)
  end
  pictures[i] = picture
  reader:start(picture, function(lines, err)
    if err then error(err, 0) end
    pages[i] = lines
  end)
end
reader:wait()

if options.json then
  print(as_json(pages))
else
  for i, lines in ipairs(pages) do print_text(options.pictures[i], lines, #pages > 1) end
end
if options.save then
  for i, picture in ipairs(pictures) do annotate(picture, pages[i]) end
  ov.image.save(options.save, #pictures == 1 and pictures[1] or ov.image.montage(pictures, { fill = 128 }))
  io.stderr:write("ocr: ", options.save, " shows where\n")
end
