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
end)
