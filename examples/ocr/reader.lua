--- Reads text in pictures: a detector finds lines, a classifier says which are upside down, a recogniser reads them.
---
---   local reader = require("reader").open("models")     -- models/ppocr_det/model.onnx, ppocr_cls, ppocr_rec
---   for _, line in ipairs(reader:read(picture)) do print(line.text, line.score) end
---
--- Everything is asynchronous: each stage's callback starts the next one, so that lines are cut out and decoded here while others are being
--- recognised, and several pages may be on their way at once (reader:start, reader:wait). Pixels and probabilities are C's affair, loops here
--- run over lines.
local ov = require("ovlite")
local image, pipeline = ov.image, ov.pipeline
local Reader = {}
Reader.__index = Reader

local LINE_HEIGHT = 48 -- what the recogniser and the classifier were trained on
local CLASSIFIER_WIDTH = 192
local NORMAL = { mean = 127.5, scale = 127.5, reverse = true } -- -1 to 1, blue first

local DEFAULTS = {
  min_side = 736, max_side = 2000, -- the detector looks at the page in a size between these
  threshold = 0.3, box_score = 0.5, unclip = 1.6,
  upside_down = 0.9, -- lines are read the other way round too when the classifier is that sure
  text_score = 0.5, -- lines below are not told
  batch = 6, shortest = 320, step = 32, -- the recogniser's batches, the least width of a line there, and what widths are multiples of
}

-- ---- geometry of boxes {{x, y} * 4}, clockwise from the top left corner ----

local function distance(a, b) return math.sqrt((a[1] - b[1]) ^ 2 + (a[2] - b[2]) ^ 2) end

local function measure(box)
  box.width = math.max(distance(box[1], box[2]), distance(box[4], box[3]))
  box.height = math.max(distance(box[1], box[4]), distance(box[2], box[3]))
  box.x = (box[1][1] + box[2][1] + box[3][1] + box[4][1]) / 4
  box.y = (box[1][2] + box[2][2] + box[3][2] + box[4][2]) / 4
  return box
end

-- The box's extent along the direction (ux, uy) and across it, seen from its centre or that of another box.
local function extent(box, ux, uy)
  local a0, a1, b0, b1 = math.huge, -math.huge, math.huge, -math.huge
  for i = 1, 4 do
    local a, b = box[i][1] * ux + box[i][2] * uy, box[i][2] * ux - box[i][1] * uy
    a0, a1, b0, b1 = math.min(a0, a), math.max(a1, a), math.min(b0, b), math.max(b1, b)
  end
  return a0, a1, b0, b1
end

-- Two boxes of one line that run into each other, since both were made larger: both end where the picture has a gap.
local function part(picture, a, b)
  local ux, uy = (a[2][1] - a[1][1]) / a.width, (a[2][2] - a[1][2]) / a.width
  local a0, a1, t0, t1 = extent(a, ux, uy)
  local b0, b1, s0, s1 = extent(b, ux, uy)
  if math.min(t1, s1) - math.max(t0, s0) < 0.6 * math.max(t1 - t0, s1 - s0) then return end
  local from, to = math.max(a0, b0), math.min(a1, b1)
  if to - from < 1 or to - from > 0.5 * math.min(a1 - a0, b1 - b0) then return end
  local top, bottom = math.max(t0, s0), math.min(t1, s1)
  local function place(along, across) return { along * ux - across * uy, along * uy + across * ux } end
  local zone = { place(from, top), place(to, top), place(to, bottom), place(from, bottom) }
  local width = math.ceil(to - from)
  local cut = from + image.gap(image.warp(picture, zone, math.ceil(bottom - top), width)) * (to - from) / width
  local left, right = a, b
  if a0 > b0 then left, right = b, a end
  left[2], left[3] = place(cut, math.min(t0, s0)), place(cut, math.max(t1, s1))
  right[1], right[4] = place(cut, math.min(t0, s0)), place(cut, math.max(t1, s1))
  measure(a)
  measure(b)
end

local function part_all(picture, boxes)
  for i = 1, #boxes do
    for k = i + 1, #boxes do part(picture, boxes[i], boxes[k]) end
  end
  return boxes
end

-- Top to bottom, and from left to right within a row: a box belongs to the row above it when it overlaps the row's first box by half.
local function reading_order(boxes)
  table.sort(boxes, function(a, b) return a.y < b.y end)
  local rows = {}
  for _, box in ipairs(boxes) do
    local row = rows[#rows]
    if row and math.abs(box.y - row[1].y) < 0.5 * math.min(box.height, row[1].height) then
      row[#row + 1] = box
    else
      rows[#rows + 1] = { box }
    end
  end
  local sorted = {}
  for r, row in ipairs(rows) do
    table.sort(row, function(a, b) return a.x < b.x end)
    for _, box in ipairs(row) do
      box.row = r
      sorted[#sorted + 1] = box
    end
  end
  return sorted
end

-- ---- the detector ----

local function multiple(v, n) return math.max(n, math.floor(v / n + 0.5) * n) end

function Reader:detector_size(h, w)
  local scale = math.min(math.max(1, self.min_side / math.min(h, w)), self.max_side / math.max(h, w))
  return multiple(h * scale, 32), multiple(w * scale, 32)
end

-- The detector's map of one page to boxes in the page's pixels.
function Reader:find_boxes(map, picture)
  local h, w = picture.shape[1], picture.shape[2]
  local found, scores = image.text_boxes(map, { threshold = self.threshold, score = self.box_score, unclip = self.unclip })
  if scores.size == 0 then return {} end
  local boxes = found:affine({ w / map.shape[2], h / map.shape[1] }, 0, { dim = 3 }):totable()
  for i = #boxes, 1, -1 do
    local box = measure(boxes[i])
    if box.width < 4 or box.height < 4 then table.remove(boxes, i) end
  end
  return reading_order(part_all(picture, boxes))
end

-- ---- lines ----

-- A line standing on its end is laid down; turned: the other way round.
local function corners(box, turned)
  local shift = (box.height >= 1.5 * box.width and 1 or 0) + (turned and 2 or 0)
  local list = {}
  for i = 1, 4 do list[i] = box[(i - 1 + shift) % 4 + 1] end
  return list
end

function Reader:cut_out(page, line)
  line.picture = image.warp(page.picture, corners(line.box, line.upside_down), LINE_HEIGHT, line.width, { method = "cubic" })
end

function Reader:lines_of(page, boxes)
  local lines = {}
  for i, box in ipairs(boxes) do
    local long, short = math.max(box.width, box.height), math.min(box.width, box.height)
    if box.height < 1.5 * box.width then long, short = box.width, box.height end
    local width = math.min(math.max(math.ceil(LINE_HEIGHT * long / short), 8), 4096)
    lines[i] = { box = box, width = width }
    self:cut_out(page, lines[i])
  end
  return lines
end

-- Pictures of lines as one input; those that are narrower than `width` are followed by zeros, wider ones are squeezed.
local function batch_of(group, width, method)
  local batch = ov.Tensor("f32", { #group, 3, LINE_HEIGHT, width })
  NORMAL.method = method
  for i, line in ipairs(group) do
    local w = math.min(line.width, width)
    NORMAL.out = ov.Tensor(batch, { i, 1, 1, 1 }, { i, 3, LINE_HEIGHT, w })
    image.blob(line.picture, LINE_HEIGHT, w, NORMAL)
  end
  NORMAL.out, NORMAL.method = nil, nil
  return batch
end

-- ---- the stages ----

-- What a callback raises is raised from the call that ran it; an error of a run is kept for the page.
local function stage(fn)
  return function(request, job, err)
    local page = job.page
    if err then page.error = page.error or err end
    if not page.error then fn(request, job, page) end
    page.pending = page.pending - 1
    if page.pending == 0 then page.finish(page) end
  end
end

function Reader:start_stage(queue, inputs, job)
  job.page.pending = job.page.pending + 1
  queue:start_async(inputs, job, { share_inputs = true })
end

function Reader:on_map(request, _, page)
  local map = request:get_output_tensor(1)
  local shape = map.shape
  page.lines = self:lines_of(page, self:find_boxes(map:reshape({ shape[3], shape[4] }), page.picture))
  for group in pipeline.batches(page.lines, self.batch, function(line) return line.width end) do
    self:start_stage(self.classifier, batch_of(group, CLASSIFIER_WIDTH, "area"), { page = page, group = group })
  end
end

function Reader:on_direction(request, job, page)
  local scores, group = request:get_output_tensor(1):totable(), {}
  for i, line in ipairs(job.group) do
    group[#group + 1] = line
    if scores[i][2] > self.upside_down then -- it errs on small print: both ways are read, the surer one counts
      line.turned = { box = line.box, width = line.width, upside_down = true }
      self:cut_out(page, line.turned)
      group[#group + 1] = line.turned
    end
  end
  local width = math.max(self.shortest, math.ceil(group[#group].width / self.step) * self.step)
  self:start_stage(self.recogniser, batch_of(group, width), { page = page, group = group })
end

function Reader:on_text(request, job)
  local told, scores = request:get_output_tensor(1):ctc()
  for i, line in ipairs(job.group) do
    local letters = {}
    for k, class in ipairs(told[i]) do letters[k] = self.characters[class] end
    line.text, line.score = table.concat(letters), scores[i]
  end
end

local function result(self, page)
  local list = {}
  for _, line in ipairs(page.lines or {}) do
    local box = line.box
    if line.turned and line.turned.score > line.score then line = line.turned end
    if line.text and line.text ~= "" and line.score >= self.text_score then
      list[#list + 1] = { text = line.text, score = line.score, row = box.row, box = { box[1], box[2], box[3], box[4] } }
    end
  end
  return list
end

-- ---- what users call ----

--- Starts reading a picture (u8 {height, width, 3}); fn(lines, err) is called by reader:wait() or ov.poll().
--- lines: {text, score, row, box} in reading order.
function Reader:start(picture, fn)
  local shape = picture.shape
  local page = { picture = picture, pending = 0 }
  page.finish = function(p) fn(not p.error and result(self, p) or nil, p.error) end
  local h, w = self:detector_size(shape[1], shape[2])
  self:start_stage(self.detector, image.blob(picture, h, w, NORMAL), { page = page })
end

--- Waits for all pages that were started.
function Reader:wait()
  repeat
    self.detector:wait_all()
    self.classifier:wait_all()
    self.recogniser:wait_all()
  until self.detector:is_ready() and self.classifier:is_ready() and self.recogniser:is_ready()
end

--- The lines of one picture.
function Reader:read(picture)
  local lines, failure
  self:start(picture, function(got, err) lines, failure = got, err end)
  self:wait()
  if failure then error(failure, 2) end
  return lines
end

-- The recogniser's classes: the blank, the characters that the model brings along, a space.
local function characters_of(model)
  local text = model.metadata.character
  assert(text, "the recogniser's model has no list of characters")
  local list = { "" }
  for character in (text .. "\n"):gmatch("([^\n]*)\n") do list[#list + 1] = (character:gsub("\r$", "")) end
  if list[#list] == "" and #list > 1 then list[#list] = nil end
  list[#list + 1] = " "
  return list
end

--- Loads the three models. options: see DEFAULTS; config: of the compiled models.
function Reader.open(folder, options, config)
  local self = setmetatable({}, Reader)
  for key, value in pairs(DEFAULTS) do self[key] = value end
  for key, value in pairs(options or {}) do
    assert(DEFAULTS[key] ~= nil, "there is no option " .. tostring(key))
    self[key] = value
  end
  local core = ov.Core()
  local function queue(name, jobs, fn)
    local model = core:read_model(folder .. "/" .. name .. "/model.onnx")
    local q = ov.AsyncInferQueue(core:compile_model(model, "CPU", config or { PERFORMANCE_HINT = "LATENCY" }), jobs)
    q:set_callback(stage(function(request, job, page) fn(self, request, job, page) end))
    return q, model
  end
  self.detector = queue("ppocr_det", 2, self.on_map)
  self.classifier = queue("ppocr_cls", 4, self.on_direction)
  local model
  self.recogniser, model = queue("ppocr_rec", 4, self.on_text)
  self.characters = characters_of(model)
  return self
end

return Reader
