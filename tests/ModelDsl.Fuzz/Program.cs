using System.CommandLine;
using ModelDsl.Fuzz;
using ModelDsl.Testing;

var kinds = new Argument<string[]>("KIND") { Description = "all, or some of dsm, config, safetensors, tokenizer, ptx." };
var cases = new Option<int>("--cases") { Description = "Inputs of each kind.", DefaultValueFactory = _ => 100_000 };
var seed = new Option<int>("--seed") { Description = "The same seed gives the same inputs.", DefaultValueFactory = _ => 1 };
var minutes = new Option<double>("--minutes") { Description = "Most time for each kind.", DefaultValueFactory = _ => 60 };
var replay = new Option<string?>("--replay") { Description = "Tries one file instead." };
var ways = new Option<bool>("--ways") { Description = "Lists the ways through the product that inputs took." };
var root = new RootCommand("Gives the product spoilt inputs and checks that it stays polite, quick and small.") { kinds, cases, seed, minutes, replay, ways };
root.SetAction(parsed =>
{
    var names = parsed.GetValue(kinds)!;
    if (names is ["all"]) names = [.. FuzzKind.Names];
    var broken = 0;
    foreach (var name in names)
    {
        using var kind = FuzzKind.Create(name);
        if (parsed.GetValue(replay) is { } file)
        {
            Console.WriteLine(kind.Check(File.ReadAllBytes(file)));
            continue;
        }

        var options = new CampaignOptions(
            parsed.GetValue(cases), parsed.GetValue(seed), TimeSpan.FromMinutes(parsed.GetValue(minutes)), TimeSpan.FromSeconds(10),
            Repository.PathTo("artifacts", "fuzz"), Console.WriteLine);
        var report = new Campaign(kind, options).Run();
        Console.WriteLine(
            $"{name}: {report.Cases} cases in {report.Elapsed.TotalSeconds:0} s, {report.Ways.Count} ways, slowest {report.Slowest.TotalMilliseconds:0} ms, "
            + $"most memory {report.MostAllocated >> 20} MiB, {report.Findings.Count} violations");
        if (parsed.GetValue(ways))
            foreach (var (way, count) in report.Ways.OrderByDescending(entry => entry.Value)) Console.WriteLine($"{count,8}  {way}");
        broken += report.Findings.Count;
    }

    return broken == 0 ? 0 : 1;
});
return root.Parse(args).Invoke();
