using ModelDsl.Runtime.VirtualGpu;
using ModelDsl.Testing;

namespace ModelDsl.Conformance.Tests;

/// <summary>The table is complete for what is emitted, and sound in itself.</summary>
public sealed class TableTests
{
    private static readonly HashSet<string> Forms = [.. Table.Rows.Select(row => row.Form)];

    [Fact]
    public void EveryFormThatTheCompilerEmitsHasARow()
    {
        var emitted = EmittedForms.OfTheCompiler();
        Assert.True(emitted.Count > 120, $"{emitted.Count} forms are too few to be all");
        AssertCovered(emitted, Forms);
    }

    [Fact]
    public void EveryFormThatTheBuilderWritesHasARow()
    {
        var written = BuilderForms.All();
        Assert.True(written.Count > 250, $"{written.Count} forms are too few to be all");
        AssertCovered(written, [.. Forms.Select(Conformance.Forms.Unguarded)]);
    }

    [Fact]
    public void EveryRowRunsItsForm()
    {
        var strangers = Table.Rows.Where(row => !Conformance.Forms.In(row.Ptx).Contains(row.Form));
        Assert.Empty(strangers.Select(row => row.Name));
    }

    [Fact]
    public void AMissingRowIsNoticed() => Assert.Contains("add.rn.f33", Assert.ThrowsAny<Exception>(() =>
        AssertCovered(new Dictionary<string, string> { ["add.rn.f32"] = "x", ["add.rn.f33"] = "a kernel" }, Forms)).Message);

    [Theory]
    [InlineData("    @!%p12 ld.global.nc.L1::no_allocate.v4.b32 {%r1, %r2, %r3, %r4}, [%rd1+16];", "@!p ld.global.nc.L1::no_allocate.v4.b32")]
    [InlineData("L3_loop:\n    mov.b32 {%rs1, %rs2}, %r1; // comment; more", "mov.b32 unpack")]
    [InlineData("mov.b32 %f1, {0, %rs2};", "mov.b32 pack")]
    [InlineData("mov.u32 %r1, %ctaid.y;", "mov.u32 %ctaid.y")]
    [InlineData("mov.u32 %r1, dynamic_shared;", "mov.u32 symbol")]
    [InlineData("mov.f32 %f1, 0f3F800000;", "mov.f32")]
    [InlineData("cp.async.cg.shared.global [%r1+64], [%rd1], 16, %r2;", "cp.async.cg.shared.global 16, size")]
    [InlineData("bar.sync 1, 64;", "bar.sync a, n")]
    [InlineData(".reg .b32 %r<3>;", null)]
    public void FormsAreNamedAfterWhatMatters(string text, string? form) => Assert.Equal(form, Conformance.Forms.In(text).SingleOrDefault());

    /// <summary>Rows in module after module, by the oldest target that has them.</summary>
    [PtxasTheory]
    [InlineData(80, 0)]
    [InlineData(80, 1)]
    [InlineData(89, 0)]
    [InlineData(90, 0)]
    [InlineData(90, 1)]
    public void TheAssemblerTakesEveryKernel(int capability, int part)
    {
        var rows = Table.Rows.Where((row, n) => row.Capability == capability && capability switch { 80 => n % 2 == part, 90 => row.IsForHopperAlone == (part == 1), _ => true }).ToArray();
        Assert.NotEmpty(rows);
        var target = $"sm_{capability}{(rows[0].IsForHopperAlone ? "a" : "")}";
        Ptxas.Assemble(Together(rows, target), target);
    }

    [Fact]
    public void TheReportHasALineForEachRowAndSaysWhatFailed()
    {
        Row[] rows = [.. Table.Rows.Where(row => row.Form is "bar.sync a" or "ret")];
        var broken = rows[1] with { Form = "broken", Case = () => rows[1].Case() with { Expected = [.. Enumerable.Repeat((Expected)7u, 64)] } };
        using var device = new VirtualDevice();
        using var output = new StringWriter();
        Assert.Equal(1, Report.Print(output, [device], [.. rows, broken]));
        var lines = output.ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(6, lines.Length);
        Assert.Contains("exact", lines[2]);
        Assert.Contains("63 wrong; cell 0: expected 0x00000007, got 0x00000000", lines[4]);
        Assert.Equal("3 rows, 2 passed, 1 failed, 0 not run", lines[5]);
    }

    /// <summary>One module out of many: the header once, entries and shared arrays under names of their own.</summary>
    private static string Together(IReadOnlyList<Row> rows, string target) => Ptx.Header(rows[0].Capability).Replace($"sm_{rows[0].Capability}", target) + string.Concat(rows.Select((row, n) =>
        row.Ptx[row.Ptx.IndexOf(".visible", StringComparison.Ordinal)..].Replace(".entry k(", $".entry k{n}(")));

    private static void AssertCovered(IReadOnlyDictionary<string, string> found, HashSet<string> rows)
    {
        var missing = found.Where(form => !rows.Contains(form.Key)).OrderBy(form => form.Key, StringComparer.Ordinal);
        Assert.True(!missing.Any(), "no row for\n" + string.Join('\n', missing.Select(form => $"  {form.Key,-60} in {form.Value}")));
    }
}
