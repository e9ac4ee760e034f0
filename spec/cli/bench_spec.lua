local cli = require("spec.support.cli")

describe("ovlite bench", function()
  after_each(cli.clean)

  local function check(found, count)
    for _, kind in ipairs({ "fixed", "fresh" }) do
      local s = found[kind]
      assert.are.equal(count, s.count)
      assert.is_true(s.min > 0 and s.min <= s.median and s.median <= s.p90 and s.p90 <= s.p99 and s.p99 <= s.max)
      assert.is_true(s.mean >= s.min and s.mean <= s.max and s.throughput > 0)
    end
    assert.is_true(found.load_ms > 0 and found.compile_ms > 0 and found.first_ms > 0)
  end

  it("times one inference after the other", function()
    local found = cli.json("bench -api sync -niter 30 --json " .. cli.digits)
    check(found, 30)
    assert.are.equal("latency", found.hint)
    assert.are.equal(1, found.requests)
    assert.are.same({ 1, 1, 8, 8 }, found.shapes.image)
  end)

  it("times several at a time", function()
    local found = cli.json("bench -niter 40 -nstreams 2 -nireq 3 --json " .. cli.digits)
    check(found, 40)
    assert.are.equal("throughput", found.hint)
    assert.are.equal(2, found.streams)
    assert.are.equal(3, found.requests)
  end)

  it("prints a table, steps, and a report", function()
    local csv, json = cli.file(".csv"), cli.file(".json")
    local out = cli.good(("bench -t 0.05 -pc -hint none -infer_precision f32 -nthreads 1 -report %s %s"):format(csv, cli.digits))
    for _, text in ipairs({ "latency", "fixed input", "fresh input", "p99", "first inference", "Convolution", "report: " .. csv }) do
      assert.is_truthy(out:find(text, 1, true), text .. " in\n" .. out)
    end
    local text = cli.slurp(csv)
    assert.is_truthy(text:find('\nthreads,"1"\n') and text:find("\nfixed_median_us,") and
      text:find("\nnode,operator,kernel,us,limit_us,limited_by,flops,bytes\n"))
    cli.good(("bench -niter 3 -report %s %s"):format(json, cli.digits))
    check(require("cjson").decode(cli.slurp(json)), 3)
  end)

  it("takes inputs", function()
    check(cli.json(("bench -niter 3 -i %s --json %s"):format(cli.image, cli.digits)), 3)
    check(cli.json(("bench -niter 3 -i image=zeros -api sync --json %s"):format(cli.digits)), 3)
  end)

  it("refuses wrong arguments", function()
    cli.wrong("bench -hint fast " .. cli.digits, "must be one of 'latency', 'throughput', 'none'")
    cli.wrong("bench -api maybe " .. cli.digits, "must be one of 'sync', 'async'")
    cli.wrong("bench -niter 0 " .. cli.digits, "niter must be a whole number from 1, got '0'")
    cli.wrong("bench -t soon " .. cli.digits, "t must be a number above 0, got 'soon'")
    cli.wrong("bench -nstreams -1 " .. cli.digits, "")
    cli.wrong("bench -nireq 1.5 " .. cli.digits, "nireq must be a whole number from 1, got '1.5'")
    cli.wrong("bench -report figures.txt " .. cli.digits, "--report writes .json or .csv, got 'figures.txt'")
    cli.wrong("bench -i image=/no/such.npy " .. cli.digits, "there is no file '/no/such.npy'")
    cli.fails("bench -niter 1 -report /no/such/folder/r.json " .. cli.digits, "cannot write /no/such/folder/r.json")
  end)
end)
