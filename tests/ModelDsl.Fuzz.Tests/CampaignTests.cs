using System.Text;

namespace ModelDsl.Fuzz.Tests;

/// <summary>A short campaign of every kind, always the same inputs. <c>tests/ModelDsl.Fuzz</c> runs long ones.</summary>
public class CampaignTests
{
    // What compiles itself at its first use counts here.
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("dsm", 300)]
    [InlineData("config", 1000)]
    [InlineData("safetensors", 2000)]
    [InlineData("tokenizer", 600)]
    [InlineData("ptx", 1500)]
    public void Spoilt_inputs_end_in_an_answer_or_in_a_message(string name, int cases)
    {
        using var kind = FuzzKind.Create(name);
        var report = new Campaign(kind, new CampaignOptions(cases, Seed: 20250607, TimeSpan.FromMinutes(5), Generous)).Run();
        Assert.Empty(report.Findings.Select(finding => $"{finding.What}\n{Encoding.UTF8.GetString(finding.Input)}"));
        Assert.Equal(cases, report.Cases);
        // A campaign whose inputs all end at the same check tries nothing.
        Assert.InRange(report.Ways.Count, 40, int.MaxValue);
    }

    [Fact]
    public void The_same_seed_gives_the_same_inputs()
    {
        var ways = new[] { 1, 1, 2 }.Select(seed =>
        {
            using var kind = FuzzKind.Create("safetensors");
            return new Campaign(kind, new CampaignOptions(150, seed, TimeSpan.FromMinutes(2), Generous)).Run().Ways.OrderBy(way => way.Key, StringComparer.Ordinal).ToArray();
        }).ToArray();
        Assert.Equal(ways[0], ways[1]);
        Assert.NotEqual(ways[0], ways[2]);
    }

    /// <summary>The campaign itself: it finds what is wrong, makes it small, and tells it once.</summary>
    [Fact]
    public void What_breaks_the_contract_is_found_and_made_small()
    {
        using var kind = new Broken();
        var report = new Campaign(kind, new CampaignOptions(3000, 1, TimeSpan.FromMinutes(2), Generous)).Run();
        Assert.Equal(["!", "[[["], report.Findings.Select(finding => Encoding.UTF8.GetString(finding.Input)).Order(StringComparer.Ordinal));
        Assert.Contains(report.Findings, finding => finding.What.StartsWith("IndexOutOfRangeException", StringComparison.Ordinal));
        Assert.Contains(report.Findings, finding => finding.What == "three brackets");
    }

    private sealed class Broken : FuzzKind
    {
        public override string Name => "broken";

        public override IReadOnlyList<byte[]> Seeds { get; } = [[.. "good text [ of [ some ] length ]"u8]];

        public override byte[] Make(byte[] known, byte[] other, Random random)
        {
            byte[] made = [.. known];
            made[random.Next(made.Length)] = (byte)"![ a"[random.Next(4)];
            return made;
        }

        public override string Check(byte[] input)
        {
            if (input.Contains((byte)'!')) throw new IndexOutOfRangeException();
            if (input.Count(c => c == '[') > 2) throw new ViolationException("three brackets");
            return $"{input.Count(c => c == 'a')}";
        }
    }
}
