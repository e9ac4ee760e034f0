-- Classifies handwritten digits: make demo, or: eval "$(make -s env)"; luajit examples/digits/digits.lua
--
-- 200 PNG images that the net has never seen are loaded, averaged down to the net's 8x8 pixels, and sent through an
-- AsyncInferQueue. Its callback runs on this thread, so it may simply count and draw.
local ov = require("ovlite")
local unpack = table.unpack or unpack
local here = (arg and arg[0] or ""):match("^(.*/)") or "./"

-- ---- small things for the terminal ----
local ok, ffi = pcall(require, "ffi")
local now, on_terminal = os.clock, true
if ok then
  ffi.cdef("typedef struct { long s, ns; } digits_time; int clock_gettime(int, digits_time *); int isatty(int);")
  local t = ffi.new("digits_time")
  now = function() ffi.C.clock_gettime(1, t); return tonumber(t.s) + tonumber(t.ns) / 1e9 end
  on_terminal = ffi.C.isatty(1) == 1
end

local function progress(done, total)
  if not on_terminal then return end
  local width = 40
  local full = math.floor(width * done / total)
  io.write("\r[", ("#"):rep(full), (" "):rep(width - full), "] ", done, "/", total, done == total and "\n" or "")
  io.flush()
end

local SHADES = { [0] = "  ", "░░", "▒▒", "▓▓", "██" }
local function draw(jobs)
  for y = 0, 7 do
    local line = {}
    for _, job in ipairs(jobs) do
      for x = 1, 8 do line[#line + 1] = SHADES[math.floor(job.pixels[y * 8 + x] * 4 + 0.5)] end
      line[#line + 1] = "  "
    end
    print(table.concat(line))
  end
  local captions = {}
  for i, job in ipairs(jobs) do
    local text = ("%d (%.0f %%)%s"):format(job.answer, job.sure * 100, job.answer == job.truth and "" or (", is %d"):format(job.truth))
    captions[i] = text .. (" "):rep(18 - #text)
  end
  print(table.concat(captions))
  print()
end

-- ---- images in ----
-- As the net was trained: the mean of each block of pixels, between 0 and 1.
local function shrink(image, size) return image:affine(1 / 255):resize(size, size, { method = "area" }):flat() end

local jobs = {}
for line in io.lines(here .. "images/labels.txt") do
  local file, digit = line:match("^(%S+) (%d)$")
  local image = ov.image.load(here .. "images/" .. file, { channels = 1 })
  jobs[#jobs + 1] = { file = file, truth = tonumber(digit), pixels = shrink(image, 8) }
end

-- ---- through the net ----
local core = ov.Core()
local compiled = core:compile_model(here .. "model.xml", "CPU", { PERFORMANCE_HINT = "THROUGHPUT" })
local queue = ov.AsyncInferQueue(compiled)
print(("digits: %d images, %d jobs at a time"):format(#jobs, queue:size()))

local done, right = 0, 0
queue:set_callback(function(request, job, err)
  assert(not err, err)
  local scores = request:get_output_tensor(1)
  job.answer, job.sure = scores:argmax() - 1, scores:max()
  done = done + 1
  if job.answer == job.truth then right = right + 1 end
  progress(done, #jobs)
end)

local start = now()
for _, job in ipairs(jobs) do queue:start_async(job.pixels, job) end
queue:wait_all()
local seconds = now() - start

-- ---- what came out ----
local some, wrong = {}, {}
for _, job in ipairs(jobs) do
  if job.answer ~= job.truth then
    wrong[#wrong + 1] = job
  elseif #some < 5 and job.truth == #some * 2 then
    some[#some + 1] = job
  end
end
print()
draw(some)
if #wrong > 0 then
  print(#wrong == 1 and "The one it got wrong:" or ("%d it got wrong, some of them:"):format(#wrong))
  draw({ unpack(wrong, 1, math.min(#wrong, 5)) })
end
print(("digits: %d of %d right, %.0f images/s"):format(right, #jobs, #jobs / seconds))
