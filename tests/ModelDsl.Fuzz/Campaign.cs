using System.Diagnostics;

namespace ModelDsl.Fuzz;

/// <param name="Cases">How many inputs to try.</param>
/// <param name="Limit">Stops earlier when this much time has passed.</param>
/// <param name="Findings">Where inputs that break the contract are written; null: nowhere.</param>
/// <param name="Slow">A case that computes for this long, in three tries, takes too long.</param>
public sealed record CampaignOptions(int Cases, int Seed, TimeSpan Limit, TimeSpan Slow, string? Findings = null, Action<string>? Log = null);

/// <summary>An input that broke the contract, made small.</summary>
public sealed record Finding(string What, byte[] Input);

/// <param name="Ways">The ways through the product that inputs took, and how many inputs took each.</param>
public sealed record CampaignReport(int Cases, IReadOnlyDictionary<string, int> Ways, TimeSpan Elapsed, TimeSpan Slowest, long MostAllocated, IReadOnlyList<Finding> Findings);

/// <summary>
/// Tries inputs one after the other, in this process, on a thread with a small stack. What takes a new way is kept and spoilt further; what
/// breaks the contract is made small, and written down. The same seed gives the same inputs.
/// </summary>
public sealed class Campaign(FuzzKind kind, CampaignOptions options)
{
    /// <summary>As much as the smallest stack that the product may find itself on: a worker thread inside the C# compiler.</summary>
    public const int StackBytes = 1 << 20;

    private const int MostKept = 4000, MostFindings = 25;

    private readonly List<byte[]> _kept = [];
    private readonly Dictionary<string, int> _ways = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Finding> _findings = new(StringComparer.Ordinal);
    private TimeSpan _slowest;
    private long _mostAllocated;

    public CampaignReport Run()
    {
        CampaignReport? report = null;
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    report = Work();
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            StackBytes);
        thread.Start();
        thread.Join();
        return report ?? throw new InvalidOperationException("The campaign itself failed.", failure);
    }

    private CampaignReport Work()
    {
        var clock = Stopwatch.StartNew();
        using var guard = new HangGuard(kind.Name, options.Findings);
        // Seeds are not measured: what compiles itself at its first use does it here.
        foreach (var seed in kind.Seeds)
        {
            _kept.Add(seed);
            Try(guard, seed, isMeasured: false);
        }

        var cases = 0;
        for (; cases < options.Cases && clock.Elapsed < options.Limit && _findings.Count < MostFindings; cases++)
        {
            var random = new Random(HashCode(options.Seed, cases));
            // Half of the time something good, half of the time something that went a way of its own.
            var known = random.Next(2) == 0 ? kind.Seeds[random.Next(kind.Seeds.Count)] : _kept[random.Next(_kept.Count)];
            var input = kind.Make(known, _kept[random.Next(_kept.Count)], random);
            Try(guard, input, isMeasured: true);
            if ((cases + 1) % 5000 == 0)
                options.Log?.Invoke($"{kind.Name}: {cases + 1} cases, {_ways.Count} ways, {_findings.Count} findings, {clock.Elapsed.TotalSeconds:0} s");
        }

        return new CampaignReport(cases, _ways, clock.Elapsed, _slowest, _mostAllocated, [.. _findings.Values]);
    }

    private void Try(HangGuard guard, byte[] input, bool isMeasured)
    {
        guard.Begin(input);
        var wrong = Judge(input, isMeasured, out var way);
        guard.End();
        if (wrong is not null)
        {
            Report(guard, wrong, input);
            return;
        }

        _ways[way] = _ways.GetValueOrDefault(way) + 1;
        if (_ways[way] == 1 && _kept.Count < MostKept) _kept.Add(input);
    }

    private void Report(HangGuard guard, string wrong, byte[] input)
    {
        var key = wrong.Split('\n')[0];
        if (_findings.ContainsKey(key)) return;
        guard.Begin(input);
        var small = wrong.StartsWith("slow", StringComparison.Ordinal) || wrong.StartsWith("memory", StringComparison.Ordinal)
            ? input
            : Shrinking.Shrink(input, candidate => Judge(candidate, isMeasured: false, out _)?.Split('\n')[0] == key);
        guard.End();
        _findings.Add(key, new Finding(wrong, small));
        options.Log?.Invoke($"{kind.Name}: {wrong}");
        if (options.Findings is not { } folder) return;
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, $"{kind.Name}-{_findings.Count:00}.bin"), small);
        File.WriteAllText(Path.Combine(folder, $"{kind.Name}-{_findings.Count:00}.txt"), wrong);
    }

    /// <summary>What is wrong with an input's outcome, or null.</summary>
    private string? Judge(byte[] input, bool isMeasured, out string way)
    {
        way = "";
        var fastest = TimeSpan.MaxValue;
        for (var attempt = 0; attempt < 3 && fastest > options.Slow; attempt++)
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var start = ThreadClock.Now;
            try
            {
                way = kind.Check(input);
            }
            catch (ViolationException violation)
            {
                return violation.Message;
            }
            catch (Exception mistake)
            {
                var place = mistake.StackTrace?.Split('\n').Take(6).Select(line => line.Trim()) ?? [];
                return $"{mistake.GetType().Name} at {Place(mistake)}\n{mistake.Message}\n{string.Join("\n", place)}";
            }

            if (!isMeasured) return null;
            var elapsed = ThreadClock.Now - start;
            fastest = elapsed < fastest ? elapsed : fastest;
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            _mostAllocated = Math.Max(_mostAllocated, allocated);
            if (allocated > kind.MostAllocated(input.Length)) return $"memory: more than is right for the input\n{allocated:N0} bytes for {input.Length:N0}, {way}";
        }

        _slowest = fastest > _slowest ? fastest : _slowest;
        return fastest > options.Slow ? $"slow: {way}\n{fastest.TotalSeconds:0.0} s for {input.Length:N0} bytes" : null;
    }

    /// <summary>The innermost method of ours.</summary>
    private static string Place(Exception mistake) =>
        mistake.StackTrace?.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith("at ModelDsl", StringComparison.Ordinal))
            ?.Split('(')[0]["at ".Length..] ?? "?";

    // string.GetHashCode and System.HashCode differ from process to process.
    private static int HashCode(int seed, int index) => unchecked((int)(((uint)seed * 2654435761u) ^ ((uint)index * 2246822519u) ^ ((uint)index >> 13)));
}
