using System.Text.RegularExpressions;

namespace ModelDsl.Testing;

/// <summary>What one kernel uses, as <c>ptxas -v</c> says: registers per thread, bytes of the rest.</summary>
public sealed record PtxasKernel(string Name, int Registers, int Stack, int SpillStores, int SpillLoads, int SharedMemory);

/// <summary>What the assembler says of a module. The sums run over its kernels and device functions.</summary>
public sealed record PtxasReport(int ExitCode, IReadOnlyList<string> Warnings, IReadOnlyList<PtxasKernel> Kernels, string Log)
{
    /// <summary>Bytes of spill stores of all kernels.</summary>
    public int SpillStores => Kernels.Sum(kernel => kernel.SpillStores);

    /// <summary>Bytes of spill loads of all kernels.</summary>
    public int SpillLoads => Kernels.Sum(kernel => kernel.SpillLoads);

    /// <summary>Bytes of stack frame of all kernels.</summary>
    public int Stack => Kernels.Sum(kernel => kernel.Stack);

    /// <summary>Most registers that a thread of any kernel takes.</summary>
    public int Registers => Kernels.Select(kernel => kernel.Registers).DefaultIfEmpty().Max();

    /// <summary>Most bytes of static shared memory of any kernel.</summary>
    public int SharedMemory => Kernels.Select(kernel => kernel.SharedMemory).DefaultIfEmpty().Max();

    internal static PtxasReport Parse(int exitCode, string log)
    {
        var warnings = new List<string>();
        var kernels = new List<PtxasKernel>();
        foreach (var line in log.Split('\n'))
        {
            if (Regex.IsMatch(line, "warning|Potential Performance Loss|Advisory"))
                warnings.Add(line.Trim());
            else if (Regex.Match(line, @"Function properties for (\S+)") is { Success: true } properties)
                kernels.Add(new PtxasKernel(properties.Groups[1].Value, 0, 0, 0, 0, 0));
            else if (kernels.Count > 0 && line.Contains("bytes stack frame"))
                kernels[^1] = kernels[^1] with
                {
                    Stack = Number(line, @"(\d+) bytes stack frame"),
                    SpillStores = Number(line, @"(\d+) bytes spill stores"),
                    SpillLoads = Number(line, @"(\d+) bytes spill loads"),
                };
            else if (kernels.Count > 0 && line.Contains(" registers"))
                kernels[^1] = kernels[^1] with
                {
                    Registers = Number(line, @"Used (\d+) registers"),
                    SharedMemory = Number(line, @"(\d+) bytes smem"),
                };
        }
        return new PtxasReport(exitCode, warnings, kernels, log);
    }

    private static int Number(string line, string pattern) =>
        Regex.Match(line, pattern) is { Success: true } match ? int.Parse(match.Groups[1].Value) : 0;
}
