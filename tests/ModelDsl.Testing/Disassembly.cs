using System.Diagnostics;
using System.Text.RegularExpressions;
using Xunit;

namespace ModelDsl.Testing;

/// <summary>What the assembler makes of PTX, as <c>nvdisasm</c> beside it writes it.</summary>
/// <param name="Instructions">Opcodes with modifiers, and the address each stands at.</param>
public sealed record Disassembly(IReadOnlyList<(int Address, string Opcode, string Operands)> Instructions)
{
    /// <summary>The smallest loop that holds an instruction whose opcode starts so: everything from its label to the jump back.</summary>
    public IReadOnlyList<(int Address, string Opcode, string Operands)> LoopAround(string opcode)
    {
        var places = Instructions.Where(i => i.Opcode.StartsWith(opcode, StringComparison.Ordinal)).Select(i => i.Address).ToArray();
        Assert.NotEmpty(places);
        return Loops().Where(loop => places.Any(at => at >= loop.From && at <= loop.To)).OrderBy(loop => loop.To - loop.From)
            .Select(loop => Instructions.Where(i => i.Address >= loop.From && i.Address <= loop.To).ToArray()).FirstOrDefault() ?? [];
    }

    /// <summary>Assembles a module for a target, and disassembles its only kernel.</summary>
    public static Disassembly Of(string ptx, string target)
    {
        var folder = Directory.CreateTempSubdirectory("sass-");
        try
        {
            var source = Path.Combine(folder.FullName, "module.ptx");
            var cubin = Path.ChangeExtension(source, ".cubin");
            File.WriteAllText(source, ptx);
            Run(Ptxas.Program!, "--gpu-name", target, "--output-file", cubin, source);
            return Parse(Run(Path.Combine(Path.GetDirectoryName(Ptxas.Program!)!, "nvdisasm"), "-c", "-ndf", cubin));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private IEnumerable<(int From, int To)> Loops() => Instructions
        .Where(i => i.Opcode.StartsWith("BRA", StringComparison.Ordinal))
        .Select(i => (From: Regex.Match(i.Operands, @"0x([0-9a-f]+)\s*$") is { Success: true } to ? Convert.ToInt32(to.Groups[1].Value, 16) : int.MaxValue, To: i.Address))
        // Behind the end of a kernel lie the slow ways of its waits, which jump back into loops but are no part of them.
        .Where(loop => loop.From <= loop.To && !Instructions.Any(i => i.Address >= loop.From && i.Address <= loop.To && i.Opcode == "EXIT"));

    private static Disassembly Parse(string text)
    {
        var labels = new Dictionary<string, int>();
        var pending = new List<string>();
        var found = new List<(int, string, string)>();
        foreach (var line in text.Split('\n'))
        {
            if (Regex.Match(line, @"^\s*(\.L_\w+):") is { Success: true } label) pending.Add(label.Groups[1].Value);
            if (Regex.Match(line, @"^\s*/\*([0-9a-f]+)\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)\s*([^;]*);") is not { Success: true } instruction) continue;
            var address = Convert.ToInt32(instruction.Groups[1].Value, 16);
            foreach (var name in pending) labels[name] = address;
            pending.Clear();
            found.Add((address, instruction.Groups[2].Value, instruction.Groups[3].Value.Trim()));
        }
        // Jumps name labels; what they stand for is known now.
        return new Disassembly([.. found.Select(i => (i.Item1, i.Item2, Regex.Replace(i.Item3, @"`?\(?(\.L_\w+)\)?", match => labels.TryGetValue(match.Groups[1].Value, out var to) ? $"0x{to:x}" : match.Value)))]);
    }

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) Assert.Fail($"{Path.GetFileName(program)} exits with {process.ExitCode}:\n{errors.Result}");
        return output;
    }
}
