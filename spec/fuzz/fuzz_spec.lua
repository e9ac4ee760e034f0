-- A few hundred mutated models, and all that once did harm.
local support = require("spec.support.support")

describe("mutated models", function()
  it("run or are refused, and never do harm", function()
    local said = support.child({ env = { COUNT = support.slow and 300 or 3000 }, seconds = 280 }, function()
      local corpus, mutate, try = require("spec.fuzz.corpus")(), require("spec.fuzz.mutate"), require("spec.fuzz.try")
      local refused, ran = 0, 0
      for seed = 1, tonumber(os.getenv("COUNT")) do
        local random = require("spec.support.support").random(seed * 7919)
        local base, other = corpus[random:integer(1, #corpus)], corpus[random:integer(1, #corpus)]
        local ok, what = try({ model = mutate(random, base.model, other.model), weights = base.weights })
        if not ok then error(("seed %d of %s: %s"):format(seed * 7919, base.name, what)) end
        if what == "ran" then ran = ran + 1 else refused = refused + 1 end
      end
      return refused .. " " .. ran
    end)
    local refused, ran = said:match("(%d+) (%d+)")
    assert.is_true(tonumber(refused) > 5 and tonumber(ran) > 5, said) -- both ways are walked
  end)

  it("of spec/fuzz/cases do no harm any more", function()
    local pipe = io.popen("ls '" .. support.root .. "/spec/fuzz/cases' 2>/dev/null")
    for name in pipe:lines() do
      if not name:find("%.bin$") then
        support.child({ env = { CASE = support.root .. "/spec/fuzz/cases/" .. name } }, function()
          local function slurp(path)
            local file = io.open(path, "rb")
            local text = file and file:read("*a")
            if file then file:close() end
            return text
          end
          local ok, what = require("spec.fuzz.try")({ model = slurp(os.getenv("CASE")), weights = slurp(os.getenv("CASE") .. ".bin") })
          assert(ok, what)
          return "ok"
        end)
      end
    end
    pipe:close()
  end)
end)
