-- Names what is in pictures, five guesses each: make demo-classify ARGS=PICTURE, or:
-- luajit examples/classify/classify.lua PICTURE... [--model MODEL] [--labels FILE]
--
-- The labels' file has one name a line, in the order of the net's classes. Without --model it takes mobilenet_v2 of the reference models, whose
-- weights are made up: its guesses mean nothing, but the way there is that of any classifier trained on ImageNet.
local here = (arg and arg[0] or ""):match("^(.*/)") or "./"
local ov = require("ovlite")

local SIDE, SHORTER = 224, 256
local IMAGENET = { mean = { 123.675, 116.28, 103.53 }, scale = { 58.395, 57.12, 57.375 }, method = "area" }

local function stop(code, message)
  io.stderr:write("classify: ", message, "\n")
  os.exit(code, true)
end

local function parse(words)
  local options, i = { pictures = {} }, 1
  while i <= #words do
    local name = words[i]:match("^%-%-(.*)$")
    if name == "model" or name == "labels" then
      i = i + 1
      options[name] = words[i] or stop(2, "--" .. name .. " needs a value")
    elseif name then
      stop(2, "usage: luajit classify.lua PICTURE... [--model MODEL] [--labels FILE]")
    else
      options.pictures[#options.pictures + 1] = words[i]
    end
    i = i + 1
  end
  if #options.pictures == 0 then options.pictures[1] = here .. "../ocr/page.png" end
  return options
end

local function read_labels(path)
  local file = io.open(path) or stop(1, "cannot open " .. path)
  local list = {}
  for line in file:lines() do list[#list + 1] = line end
  file:close()
  return list
end

-- The middle of the picture, as much of it as is square once the shorter side is 256 and 224 are taken.
local function input_of(path)
  local ok, picture = pcall(ov.image.load, path, { channels = 3 })
  if not ok then stop(1, picture) end
  local h, w = picture.shape[1], picture.shape[2]
  local side = math.max(1, math.floor(math.min(h, w) * SIDE / SHORTER + 0.5))
  local square = picture:crop(math.floor((w - side) / 2), math.floor((h - side) / 2), side, side)
  return ov.image.blob(square, SIDE, SIDE, IMAGENET)
end

local options = parse(arg)
local model = options.model or (os.getenv("OVLITE_MODELS") or here .. "../../../shared/models") .. "/mobilenet_v2/model.onnx"
local ok, compiled = pcall(ov.compile_model, model, "CPU", { PERFORMANCE_HINT = "THROUGHPUT" })
if not ok then stop(1, tostring(compiled)) end
local labels = options.labels and read_labels(options.labels)

local guesses = {}
local queue = ov.AsyncInferQueue(compiled)
queue:set_callback(function(request, i, err)
  if err then stop(1, err) end
  guesses[i] = ov.pipeline.top(request:get_output_tensor(1):softmax(), 5, labels)
end)
for i, path in ipairs(options.pictures) do queue:start_async(input_of(path), i, { share_inputs = true }) end
queue:wait_all()

for i, path in ipairs(options.pictures) do
  print(path .. ":")
  for _, guess in ipairs(guesses[i]) do print(("%6.2f %%  %s"):format(guess.score * 100, guess.label or "class " .. guess.position)) end
end
