-- Each example runs and says what it should.
local support = require("spec.support.support")

describe("examples", function()
  it("digits: reads at least 95 % of the held-out images right", function()
    local said = select(2, support.child({ env = { DIGITS = support.root .. "/examples/digits/digits.lua" } }, function()
      arg = { [0] = os.getenv("DIGITS") }
      dofile(arg[0])
    end))
    local right, all = said:match("digits: (%d+) of (%d+) right, %d+ images/s\n")
    assert.is_truthy(right, said)
    assert.are.equal(200, tonumber(all))
    assert.is_true(tonumber(right) >= 190, said)
  end)

  -- Runs an example as a user does: what it prints, and its exit code.
  local function run(script, ...)
    local words = { support.lua, support.root .. "/examples/" .. script, ... }
    for i, word in ipairs(words) do words[i] = "'" .. word:gsub("'", "'\\''") .. "'" end
    local pipe = io.popen(table.concat(words, " ") .. " 2>&1; echo \"exit $?\"")
    local said = pipe:read("*a")
    pipe:close()
    local code = said:match("exit (%d+)\n$")
    return said:gsub("exit %d+\n$", ""), tonumber(code)
  end

  describe("ocr", function()
    local folder = support.models_folder()
    local function models()
      return support.need(support.exists(folder .. "/ppocr_det/model.onnx") and folder, "skipped: no models of PP-OCR at " .. folder)
    end
    local sample = support.root .. "/examples/ocr/page.png"

    it("reads the reference page in reading order", function()
      local said, code = run("ocr/ocr.lua", models() .. "/ocr_page/page.png", "--json", "--models", folder)
      assert.are.equal(0, code, said)
      local lines, text = require("spec.support.json").parse(said), {}
      for i, line in ipairs(lines) do
        text[i] = line.text
        assert.is_true(line.score > 0.8 and line.score <= 1)
        assert.are.equal(4, #line.box)
        assert.is_true(line.box[1][1] < line.box[2][1] and line.box[1][2] < line.box[4][2])
      end
      assert.are.equal("Score4096Level12HELLOovlite2026Total:$18.50", (table.concat(text):gsub(" ", "")))
    end)

    it("reads lines that lean, stand and are upside down, and draws where", function()
      local drawn = os.tmpname()
      local said, code = run("ocr/ocr.lua", sample, "--models", models(), "--save", drawn .. ".png")
      assert.are.equal(0, code, said)
      for _, text in ipairs({ "Corner Cafe", "Thank you, come again!", "Espresso", "2.40", "Apple pie", "3.95", "Total", "6.35", "table 17",
        "served upside down" }) do
        assert.is_truthy(said:find("%  " .. text, 1, true), text .. " is not in:\n" .. said)
      end
      local ov = require("ovlite")
      local before, after = ov.image.load(sample, { channels = 3 }), ov.image.load(drawn .. ".png")
      assert.are.same(before.shape, after.shape)
      assert.is_true(after:mean() < before:mean() - 1)
      os.remove(drawn)
      os.remove(drawn .. ".png")
    end)

    it("reads several pages at once, blank ones too", function()
      local ov = require("ovlite")
      local blank = os.tmpname()
      ov.image.save(blank .. ".png", ov.Tensor("u8", { 40, 50, 3 }):fill(255))
      local said, code = run("ocr/ocr.lua", sample, blank .. ".png", models() .. "/ocr_page/page.png", "--json", "--models", folder)
      assert.are.equal(0, code, said)
      local pages = require("spec.support.json").parse(said)
      assert.are.same({ 3, 10, 0, 5 }, { #pages, #pages[1], #pages[2], #pages[3] })
      assert.are.equal("[]\n", (run("ocr/ocr.lua", blank .. ".png", "--json", "--models", folder)))
      os.remove(blank)
      os.remove(blank .. ".png")
    end)

    it("says what is wrong", function()
      for _, words in ipairs({ {}, { "--nonsense", sample }, { sample, "--save" } }) do
        local said, code = run("ocr/ocr.lua", (table.unpack or unpack)(words))
        assert.are.equal(2, code)
        assert.is_truthy(said:find("usage: ", 1, true))
      end
      local said, code = run("ocr/ocr.lua", "/no/such.png", "--models", models())
      assert.are.equal(1, code)
      assert.is_truthy(said:find("/no/such.png", 1, true))
    end)
  end)

  local function model(name)
    local folder = support.models_folder()
    return support.need(support.exists(folder .. "/" .. name .. "/model.onnx") and folder, "skipped: no model " .. name .. " at " .. folder)
  end

  describe("voice", function()
    -- Every stretch lies within one of the two that are spoken, and both are heard.
    local function check(said)
      local first, second = 0, 0
      for from, to in said:gmatch("speech from ([%d.]+) s to ([%d.]+) s") do
        from, to = tonumber(from), tonumber(to)
        if from > 0.4 and to < 2.4 then
          first = first + to - from
        elseif from > 2.8 and to < 4.1 then
          second = second + to - from
        else
          error("speech where there is none:\n" .. said)
        end
      end
      assert.is_true(first > 0.7 and second > 0.3, said)
    end

    it("hears the two sentences", function()
      model("silero_vad")
      local said, code = run("voice/voice.lua")
      assert.are.equal(0, code, said)
      assert.is_truthy(said:find("4.36 s of sound in 137 windows", 1, true), said)
      check(said)
    end)

    it("takes other rates, more channels, and silence", function()
      model("silero_vad")
      local ov, path = require("ovlite"), os.tmpname()
      local samples = ov.pipeline.wav(support.root .. "/examples/voice/speech.wav")
      local function write(t, rate)
        local data = t:affine(32767):astype("i16"):bytes()
        local function le(v, n)
          local out = ""
          for _ = 1, n do
            out = out .. string.char(v % 256)
            v = math.floor(v / 256)
          end
          return out
        end
        local file = io.open(path, "wb")
        file:write("RIFF", le(36 + #data, 4), "WAVEfmt ", le(16, 4), le(1, 2), le(2, 2), le(rate, 4), le(rate * 4, 4), le(4, 2), le(16, 2))
        file:write("data", le(#data, 4), data)
        file:close()
      end
      local n = math.floor(samples.size * 22050 / 16000)
      local both = ov.Tensor("f32", { n, 2 })
      samples:reshape({ 1, samples.size }):resize(1, n):reshape({ n, 1 }):copy_to(ov.Tensor(both, { 1, 1 }, { n, 1 }))
      write(both, 22050)
      check((run("voice/voice.lua", path)))
      write(ov.Tensor("f32", { 16000, 2 }), 16000)
      local said, code = run("voice/voice.lua", path)
      assert.are.equal(0, code)
      assert.is_nil(said:find("speech", 1, true))
      os.remove(path)
    end)

    it("says what is wrong", function()
      local said, code = run("voice/voice.lua", support.root .. "/README.md")
      model("silero_vad")
      assert.are.equal(1, code)
      assert.is_truthy(said:find("no WAV file", 1, true), said)
    end)
  end)

  describe("embed", function()
    local WordPiece = dofile(support.root .. "/examples/embed/wordpiece.lua")
    local vocabulary = os.tmpname()

    it("cuts words into the longest pieces", function()
      local file = io.open(vocabulary, "w")
      file:write("[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\n##a\nthe\n,\n!\n字\né\n##é\n")
      file:close()
      local tokenizer = WordPiece.load(vocabulary)
      os.remove(vocabulary)
      for text, want in pairs({
        ["unaffable"] = "un ##aff ##able", ["The, THE!"] = "the , the !", ["unaffablex the"] = "[UNK] the", [""] = "", ["字字"] = "字 字",
        ["éé"] = "é ##é", [("un"):rep(200)] = "[UNK]", ["\255\0un"] = "[UNK] un", ["una"] = "un ##a",
      }) do
        assert.are.equal(want, table.concat(tokenizer:tokens(text), " "), text)
      end
      assert.are.same({ 2, 4, 5, 6, 3 }, tokenizer:ids("unaffable"))
      assert.are.same({ 2, 4, 3 }, tokenizer:ids("unaffable", 3))
      assert.are.same({ { { 2, 8, 3, 0 }, { 2, 4, 7, 3 } }, { { 1, 1, 1, 0 }, { 1, 1, 1, 1 } } }, { tokenizer:batch({ "the", "una" }) })
    end)

    -- The matrix that the example prints.
    local function alike(...)
      local said, code = run("embed/embed.lua", ...)
      assert.are.equal(0, code, said)
      local rows = {}
      for line in said:match("alike they are:\n(.*)$"):gmatch("[^\n]+") do
        local row = {}
        for v in line:match("^%d+(.*)$"):gmatch("%S+") do row[#row + 1] = tonumber(v) end
        rows[#rows + 1] = row
      end
      return rows
    end

    it("compares texts, whatever else is in the batch", function()
      model("bert_mini")
      local two = alike("The train leaves", "a farmer reads")
      assert.are.same({ 1, 1 }, { two[1][1], two[2][2] })
      assert.is_true(two[1][2] == two[2][1] and two[1][2] < 0.999)
      local more = alike("The train leaves", "a farmer reads", "the  TRAIN leaves", ("water "):rep(30))
      assert.is_true(math.abs(more[1][2] - two[1][2]) <= 0.001)
      assert.are.equal(1, more[1][3])
    end)

    it("says what is wrong", function()
      assert.are.equal(2, select(2, run("embed/embed.lua", "--nonsense")))
      assert.are.equal(1, select(2, run("embed/embed.lua", "--model", "/no/such/model.onnx")))
    end)
  end)

  describe("classify", function()
    it("gives the five best classes of each picture", function()
      local folder, ov = model("mobilenet_v2"), require("ovlite")
      local path = support.root .. "/examples/ocr/page.png"
      local said, code = run("classify/classify.lua", path, path)
      assert.are.equal(0, code, said)
      local classes, before = {}, 101
      for percent, class in said:gmatch("\n *([%d.]+) %%  class (%d+)") do
        if #classes % 5 == 0 then before = 101 end
        assert.is_true(tonumber(percent) <= before)
        before = tonumber(percent)
        classes[#classes + 1] = tonumber(class)
      end
      assert.are.equal(10, #classes)
      -- the same by other means: the square in the middle, brought to size, then normalised and turned
      local picture = ov.image.load(path, { channels = 3 }):astype("f32")
      local side = math.floor(420 * 224 / 256 + 0.5)
      local first = { math.floor((420 - side) / 2) + 1, math.floor((720 - side) / 2) + 1, 1 }
      local square = ov.Tensor(picture, first, { first[1] + side - 1, first[2] + side - 1, 3 })
      local shift = { -123.675 / 58.395, -116.28 / 57.12, -103.53 / 57.375 }
      local input = square:resize(224, 224, { method = "area" }):affine({ 1 / 58.395, 1 / 57.12, 1 / 57.375 }, shift)
      local scores = ov.compile_model(folder .. "/mobilenet_v2/model.onnx")(input:transpose({ 3, 1, 2 }):reshape({ 1, 3, 224, 224 }))[1]
      assert.are.equal(scores:argmax(), classes[1])
    end)

    it("names them, and says what is wrong", function()
      local labels = os.tmpname()
      local file = io.open(labels, "w")
      for i = 1, 1000 do file:write("name ", i, "\n") end
      file:close()
      local folder = model("mobilenet_v2")
      local said = run("classify/classify.lua", "--labels", labels, "--model", folder .. "/mobilenet_v2/model.onnx")
      assert.is_truthy(said:find("%%  name %d+\n"), said)
      os.remove(labels)
      assert.are.equal(2, select(2, run("classify/classify.lua", "--nonsense")))
      assert.are.equal(2, select(2, run("classify/classify.lua", "--labels")))
      assert.are.equal(1, select(2, run("classify/classify.lua", "/no/such.png")))
    end)
  end)
end)
