-- Says when somebody speaks in a WAV file: make demo-voice, or: eval "$(make -s env)"; luajit examples/voice/voice.lua [FILE.wav]
--
-- The net (Silero VAD) hears 32 ms at a time together with the last 4 ms before, and keeps a state from one window to the next. It is fed as a
-- live stream would be: the same tensors each time.
local here = (arg and arg[0] or ""):match("^(.*/)") or "./"
local ov = require("ovlite")
local pipeline = ov.pipeline

local RATE, WINDOW, CONTEXT = 16000, 512, 64
local SPEECH, SILENCE = 0.5, 0.35 -- it begins above the one and ends below the other
local SHORTEST_PAUSE = 0.1 -- seconds; shorter ones do not count

local function fail(message)
  io.stderr:write("voice: ", message, "\n")
  os.exit(1, true)
end

-- The sound at 16 kHz, one channel. Each second is resampled by itself.
local function load(path)
  local ok, samples, rate = pcall(pipeline.wav, path)
  if not ok then fail(samples) end
  if #samples.shape == 2 then samples = samples:select(1, 1) end
  if rate == RATE then return samples end
  local seconds = math.ceil(samples.size / rate)
  local all = ov.Tensor("f32", { seconds * RATE })
  for second, first in pipeline.windows(samples, rate) do
    local at = (first - 1) / rate * RATE
    second:reshape({ 1, rate }):resize(1, RATE, { method = "area", out = ov.Tensor(all, { at + 1 }, { at + RATE }):reshape({ 1, RATE }) })
  end
  return all
end

-- The probability of speech of each window.
local function listen(request, samples)
  local padded = ov.Tensor("f32", { CONTEXT + samples.size })
  ov.Tensor(padded, { CONTEXT + 1 }, { padded.size }):copy_from(samples)
  local input, state = ov.Tensor("f32", { 1, CONTEXT + WINDOW }), ov.Tensor("f32", { 2, 1, 128 })
  request:set_tensors({ input = input, state = state, sr = ov.Tensor("i64", {}, RATE) })
  local heard = {}
  for _ in pipeline.windows(padded, CONTEXT + WINDOW, { hop = WINDOW, out = input }) do
    request:infer()
    state:copy_from(request:get_tensor("stateN"))
    heard[#heard + 1] = request:get_tensor("output"):max()
  end
  return heard
end

-- Stretches of speech in seconds.
local function stretches(heard)
  local list, since = {}, nil
  for i, p in ipairs(heard) do
    local at = (i - 1) * WINDOW / RATE
    if not since and p > SPEECH then
      since = at
    elseif since and (p < SILENCE or i == #heard) then
      local last = list[#list]
      if last and since - last.to < SHORTEST_PAUSE then
        last.to = at
      else
        list[#list + 1] = { from = since, to = at }
      end
      since = nil
    end
  end
  return list
end

local BARS = { [0] = " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local function draw(heard)
  local bars = {}
  for i, p in ipairs(heard) do bars[i] = BARS[math.floor(p * 8 + 0.5)] end
  print("|" .. table.concat(bars) .. "|")
end

local path = arg[1] or here .. "speech.wav"
local model = (os.getenv("OVLITE_MODELS") or here .. "../../../shared/models") .. "/silero_vad/model.onnx"
local ok, compiled = pcall(ov.compile_model, model, "CPU", { PERFORMANCE_HINT = "LATENCY", INFERENCE_NUM_THREADS = 1 })
if not ok then fail("the model silero_vad is needed, in the folder that $OVLITE_MODELS names: " .. tostring(compiled)) end
local samples = load(path)
local heard = listen(compiled:create_infer_request(), samples)
draw(heard)
for _, stretch in ipairs(stretches(heard)) do print(("speech from %.2f s to %.2f s"):format(stretch.from, stretch.to)) end
print(("voice: %.2f s of sound in %d windows"):format(samples.size / RATE, #heard))
